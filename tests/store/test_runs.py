"""Removed runs leave no file behind, wherever their removal was cut off."""

import shutil
from pathlib import Path

import pytest

from quartzlens.errors import CollectionError
from store import files
from store.backup import back_up
from store.checking import check
from store.collection import EncoderChoice, create_collection
from store.findings import Repair, Severity
from store.local import RUNS, LocalStore
from store.mending import mend
from tests.store.crashing import killed_at, open_local
from tests.store.things import rows, run


def test_killed_at_any_line_a_removed_run_is_there_whole_or_gone(tmp_path: Path) -> None:
    """After a kill the run is whole or not there; the next run that is kept takes away what its files have left."""
    seen = set()
    for line in range(1, 200, 4):
        folder = tmp_path / str(line)
        create_collection(folder, EncoderChoice())
        with LocalStore(folder) as store:
            store.add_run(run("r", files={"table": b"x", "model": b"y"}))
            store.add_run(run("s", files={"table": b"x"}))
        killed = killed_at(line, open_local, folder, "remove", [], runs=["r"])
        with LocalStore(folder) as store:
            there = {one.id for one in store.runs()}
            assert all(len(store.runs(one)[0].files) == (2 if one == "r" else 1) for one in there)
            seen.add((killed, "r" in there, (folder / RUNS / "r").exists()))
            assert [one for one in check(folder) if one.severity is Severity.WRONG] == []
            store.add_run(run("t", files={"table": b"x"}))
        assert {path.name for path in (folder / RUNS).iterdir()} == there | {"t"}
        assert there >= {"s"}
        if not killed:
            break
    # Killed before, between and after: the row goes first, then the files.
    assert seen == {(True, True, True), (True, False, True), (True, False, False), (False, False, False)}


def test_a_check_tells_a_killed_removal_from_a_run_that_never_counted(tmp_path: Path) -> None:
    """What a removal left is erased by a repair, with its mark; files of an unknown run are set aside."""
    create_collection(tmp_path, EncoderChoice())
    with LocalStore(tmp_path) as store:
        store.add_run(run("kept", files={"table": b"x"}))
    for name in ("left", "unknown"):
        (tmp_path / RUNS / name).mkdir()
        (tmp_path / RUNS / name / "table").write_bytes(b"x")
    for name in ("left", "kept"):
        (tmp_path / RUNS / f".{name}.removed").write_bytes(b"")
    found = {one.where: one.repair for one in check(tmp_path)}
    erased = dict.fromkeys(("runs/left", "runs/.left.removed", "runs/.kept.removed"), Repair.ERASE)
    assert found == {**erased, "runs/unknown": Repair.SET_ASIDE}
    mend(tmp_path)
    assert [path.name for path in (tmp_path / RUNS).iterdir()] == ["kept"]


def test_a_run_whose_files_cannot_go_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run counts no more, the error says which files stay, and the next run takes them away."""
    with LocalStore(tmp_path) as store:
        store.add_run(run("r", files={"table": b"x"}))
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "rmtree", lambda *_, **__: None)
            with pytest.raises(CollectionError, match="its files are still there: .*runs/r cannot be erased"):
                store.remove([], runs=["r"])
        assert store.runs() == ()
        store.add_run(run("s", files={"table": b"x"}))
        assert [path.name for path in (tmp_path / RUNS).iterdir()] == ["s"]


def test_a_run_in_a_folder_that_cannot_be_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no mark can be made nothing is removed, neither the run nor the videos that were to go with it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with LocalStore(tmp_path) as store:
        store.add_rows("list", rows("a"), [])
        store.add_run(run("r", files={"table": b"x"}))
        with monkeypatch.context() as patched:
            patched.setattr(files, "write_synced", full)
            with pytest.raises(CollectionError, match="cannot be removed from .*runs: No space left"):
                store.remove(["a"], runs=["r"])
        assert ([video.id for video in store.videos()], store.runs("r")[0].files) == (["a"], {"table": b"x"})


def test_a_strangers_run_leads_to_no_folder_outside(tmp_path: Path) -> None:
    """A run whose id leads elsewhere goes from the catalog, and what lies there stays."""
    (tmp_path / "outside").mkdir()
    folder = tmp_path / "c"
    folder.mkdir()
    with LocalStore(folder) as store:
        store.add_run(run("r", files={"table": b"x"}))
        with store._database.writing() as connection:
            connection.execute("UPDATE runs SET id = '../../outside'")
        store.remove([], runs=["../../outside"])
        assert store.runs() == ()
    assert (tmp_path / "outside").is_dir()


def test_a_backup_has_no_files_of_runs_that_went_meanwhile(tmp_path: Path) -> None:
    """A run that is removed while the backup copies is in it neither by its row nor by a file."""
    folder, removed = tmp_path / "c", []
    create_collection(folder, EncoderChoice())
    with LocalStore(folder) as store:
        for name in ("goes", "stays"):
            store.add_run(run(name, files={"table": b"x"}))

    def say(line: str) -> None:
        if line.startswith("catalog") and not removed:
            removed.append(line)
            with LocalStore(folder) as store:
                store.remove([], runs=["goes"])

    back_up(folder, tmp_path / "b", say)
    with LocalStore(tmp_path / "b") as store:
        assert [one.id for one in store.runs()] == ["stays"]
    assert [path.name for path in (tmp_path / "b" / RUNS).iterdir()] == ["stays"]
    assert check(tmp_path / "b") == []
