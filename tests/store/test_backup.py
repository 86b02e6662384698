"""A backup is a whole collection or none, and putting it back loses nothing."""

import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from quartzlens.errors import CollectionError, LockedError, UsageError
from store import backup as backups
from store import catalog_copy, files, rules, schema
from store.backup import MARK, back_up, read_mark, restore
from store.backup_place import take_back
from store.checking import check
from store.collection import EncoderChoice, ingest_lock, open_collection
from store.health import LAST_BACKUP
from store.local import CATALOG, INDEX, LocalStore
from tests.store.sound import IDS, change, harm_table, sound
from tests.store.test_local import shared_folder, without_the_right_to_write
from tests.store.things import FINGERPRINT, ids_of

__all__ = ["shared_folder"]


def names_in(folder: Path) -> set[str]:
    """Every file, by its path in the folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_backup_has_everything_but_what_is_derived(tmp_path: Path) -> None:
    """Catalog, choice, media, runs and calibration are there, equal, checked, counted, and opened as a collection."""
    folder = sound(tmp_path / "c")
    (folder / "calibration").mkdir()
    (folder / "calibration" / "x.npz").write_bytes(b"x")
    said: list[str] = []
    made = back_up(folder, tmp_path / "b", said.append)
    own = {
        name
        for name in names_in(folder)
        if not name.startswith(("index/", "catalog.sqlite-", "ingest.lock", LAST_BACKUP))
    }
    assert names_in(tmp_path / "b") == own | {MARK}
    assert (made.files, made.rows["embeddings"], made.rows["words"]) == (63, 35, 60)
    assert read_mark(tmp_path / "b") == made
    assert (tmp_path / "b" / "media" / "v00.m4a").stat().st_ino == (folder / "media" / "v00.m4a").stat().st_ino
    assert {"media: 60 of 60", "files of runs: 2 of 2"} <= set(said)
    assert any(line.startswith("catalog: ") for line in said)
    assert check(tmp_path / "b") == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def test_a_second_backup_replaces_the_first(tmp_path: Path) -> None:
    """What was added since is in it, what was copied before is not copied again, and nothing else is left."""
    folder = sound(tmp_path / "c")
    back_up(folder, tmp_path / "b")
    kept = tmp_path / "b" / "media" / "v00.m4a"
    shutil.copy2(kept, tmp_path / "copy")
    (tmp_path / "copy").replace(kept)
    before = kept.stat().st_ino
    with LocalStore(folder) as store:
        store.remove(["v07"])
    back_up(folder, tmp_path / "b")
    assert kept.stat().st_ino == before
    assert kept.stat().st_ino != (folder / "media" / "v00.m4a").stat().st_ino
    with LocalStore(tmp_path / "b", read_only=True) as store:
        assert "v07" not in ids_of(store)
    assert not (tmp_path / "b" / "media" / "v07.m4a").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def test_what_is_no_place_for_a_backup_is_refused(tmp_path: Path) -> None:
    """No collection, a folder with other things in it, a folder in the collection: named, and nothing is made."""
    folder = sound(tmp_path / "c")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_bytes(b"x")
    with pytest.raises(UsageError, match="no backup"):
        back_up(folder, tmp_path / "mine")
    for target in (folder, folder / "b"):
        with pytest.raises(UsageError, match="in the collection"):
            back_up(folder, target)
    with pytest.raises(CollectionError, match="no collection"):
        back_up(tmp_path / "mine", tmp_path / "b")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CollectionError, match="cannot be written"):
        back_up(folder, tmp_path / "file" / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "file", "mine"]
    (tmp_path / "empty").mkdir()
    back_up(folder, tmp_path / "empty")
    assert read_mark(tmp_path / "empty")


def test_a_killed_backups_half_is_cleared_away(tmp_path: Path) -> None:
    """What an earlier try left aside goes; the folders of others stay."""
    folder = sound(tmp_path / "c")
    others = {f".{name}.999999999-0123abcd.tmp" for name in ("bb", "b.c")} | {f".b.{os.getpid()}-0123abcd.tmp"}
    for name in (".b.999999999-0123abcd.tmp", *others):
        (tmp_path / name).mkdir()
    back_up(folder, tmp_path / "b")
    assert {path.name for path in tmp_path.iterdir()} == {"b", "c", *others}


def left_by_the_killed(folder: Path, name: str) -> Path:
    """Give a folder the name that it has where a backup was killed between two renames."""
    return folder.rename(folder.with_name(f".{name}.999999999-0123abcd.tmp"))


def test_a_folder_of_a_persons_own_is_never_deleted(tmp_path: Path) -> None:
    """A backup that a person renamed, or whatever has a like name, is as it was after two more backups."""
    folder = sound(tmp_path / "c")
    back_up(folder, tmp_path / "b")
    (tmp_path / "b").rename(tmp_path / "b.previous")
    mine = {name: (tmp_path / "b.previous" / name).read_bytes() for name in names_in(tmp_path / "b.previous")}
    back_up(folder, tmp_path / "b")
    back_up(folder, tmp_path / "b")
    assert {name: (tmp_path / "b.previous" / name).read_bytes() for name in names_in(tmp_path / "b.previous")} == mine
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "b.previous", "c"]


def test_a_backup_without_its_name_is_told_and_taken_back(tmp_path: Path) -> None:
    """Killed between two renames a whole backup has another name: restoring says which, the next backup has it back."""
    folder = sound(tmp_path / "c")
    back_up(folder, tmp_path / "b")
    kept = (tmp_path / "b" / MARK).stat().st_ino
    left = left_by_the_killed(tmp_path / "b", "b")
    with pytest.raises(CollectionError, match=rf"lies in {left}, whole: name that"):
        restore(tmp_path / "b", tmp_path / "new")
    restore(left, tmp_path / "b")
    assert left.exists()
    assert check(tmp_path / "b") == []
    shutil.rmtree(tmp_path / "b")
    harm_table(folder, "profiles")
    with pytest.raises(CollectionError, match="is damaged"):
        back_up(folder, tmp_path / "b")
    assert (tmp_path / "b" / MARK).stat().st_ino == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def test_of_two_backups_without_their_name_the_later_is_taken_back(tmp_path: Path) -> None:
    """The later of the old one and the new one gets the name, the other goes; beside one with the name both go."""
    folder = sound(tmp_path / "c")
    old = tmp_path / ".b.999999998-0123abcd.tmp"
    for with_name in (False, True):
        back_up(folder, tmp_path / "b")
        shutil.copytree(tmp_path / "b", old)
        left = left_by_the_killed(tmp_path / "b", "b")
        os.utime(old / MARK, (1, 1))
        later = (left / MARK).stat().st_ino
        if with_name:
            left.rename(tmp_path / "b")
            left_by_the_killed(Path(shutil.copytree(tmp_path / "b", tmp_path / "other")), "b")
        take_back(tmp_path / "b")
        assert (tmp_path / "b" / MARK).stat().st_ino == later
        assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def test_a_backup_that_cannot_get_its_name_back_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk renames nothing the error says so, and the backup lies where it lay."""
    folder = sound(tmp_path / "c")
    back_up(folder, tmp_path / "b")
    left = left_by_the_killed(tmp_path / "b", "b")
    monkeypatch.setattr(os, "replace", failing_at(1))
    with pytest.raises(CollectionError, match="b cannot be written: .*what was there still is"):
        back_up(folder, tmp_path / "b")
    assert read_mark(left)


def failing_at(*numbers: int) -> Callable[[Path, Path], None]:
    """A way to rename folders that fails at these calls, from 1; files are renamed as ever."""
    real, calls = os.replace, count(1)

    def replace(source: Path, target: Path) -> None:
        if Path(source).is_dir() and next(calls) in numbers:
            raise OSError(28, "No space left on device")
        real(source, target)

    return replace


def test_the_earlier_backup_has_its_name_again_where_the_new_one_cannot_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the last rename fails the earlier backup is put back; where that fails too the error says by what."""
    folder = sound(tmp_path / "c")
    back_up(folder, tmp_path / "b")
    kept = (tmp_path / "b" / MARK).stat().st_ino
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing_at(2))
        with pytest.raises(CollectionError, match="what was there still is"):
            back_up(folder, tmp_path / "b")
    assert (tmp_path / "b" / MARK).stat().st_ino == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing_at(2, 3))
        with pytest.raises(CollectionError, match="put it back by `mv ") as said:
            back_up(folder, tmp_path / "b")
    (left,) = tmp_path.glob(".b.*")
    assert f"`mv {left} {tmp_path / 'b'}`" in str(said.value)
    assert (left / MARK).stat().st_ino == kept


def test_what_is_nowhere_is_told_and_does_not_stop_a_backup(tmp_path: Path) -> None:
    """Files that the catalog names and nobody has whole are named as missing; what is damaged is copied as it is."""
    folder = sound(tmp_path / "c")
    (folder / "media" / "v03.m4a").unlink()
    (folder / "media" / "v04.m4a").write_bytes(b"")
    (folder / "runs" / "r1" / "model").write_bytes(b"damaged")
    for _ in range(2):
        made = back_up(folder, tmp_path / "b")
        assert (made.files, made.taken) == (59, ())
        assert made.missing == ("media/v03.m4a", "media/v04.m4a", "runs/r1/model")
        assert read_mark(tmp_path / "b") == made
        assert (tmp_path / "b" / "runs" / "r1" / "model").read_bytes() == b"damaged"


def own_copies(folder: Path) -> None:
    """Give each file of a backup bytes of its own, as it has on another disk."""
    for path in (path for name in ("media", "runs") for path in (folder / name).rglob("*") if path.is_file()):
        shutil.copy2(path, folder / "copy")
        (folder / "copy").replace(path)


def test_what_the_collection_has_lost_is_kept_from_the_earlier_backup(tmp_path: Path) -> None:
    """Media and files of runs that are gone, empty or not what was written are taken over, and named; none is lost."""
    folder = sound(tmp_path / "c")
    back_up(folder, tmp_path / "b")
    own_copies(tmp_path / "b")
    before = {name: (tmp_path / "b" / name).read_bytes() for name in names_in(tmp_path / "b") if "/" in name}
    (folder / "media" / "v03.m4a").unlink()
    (folder / "media" / "v04.m4a").write_bytes(b"")
    (folder / "runs" / "r1" / "model").unlink()
    (folder / "runs" / "r1" / "table").write_bytes(b"damaged")
    lost = ("media/v03.m4a", "media/v04.m4a", "runs/r1/model", "runs/r1/table")
    for _ in range(2):
        made = back_up(folder, tmp_path / "b")
        assert (made.files, made.taken, made.missing) == (62, lost, ())
        assert {name: (tmp_path / "b" / name).read_bytes() for name in before} == before
        assert check(tmp_path / "b") == []
    shutil.rmtree(folder / "media")
    shutil.rmtree(folder / "runs")
    made = back_up(folder, tmp_path / "b")
    assert (made.files, len(made.taken), made.missing) == (62, 62, ())
    assert {name: (tmp_path / "b" / name).read_bytes() for name in before} == before


def test_a_run_file_that_the_earlier_backup_has_damaged_is_copied_anew(tmp_path: Path) -> None:
    """A file of a run is taken from the earlier backup only where it is what the catalog says, not by its looks."""
    folder = sound(tmp_path / "c")
    back_up(folder, tmp_path / "b")
    own_copies(tmp_path / "b")
    for name in ("model", "table"):
        there = tmp_path / "b" / "runs" / "r1" / name
        times = there.stat()
        there.write_bytes(b"z")
        os.utime(there, ns=(times.st_atime_ns, times.st_mtime_ns))
    (folder / "runs" / "r1" / "table").unlink()
    made = back_up(folder, tmp_path / "b")
    assert (made.taken, made.missing) == ((), ("runs/r1/table",))
    assert (tmp_path / "b" / "runs" / "r1" / "model").read_bytes() == b"x"
    assert not (tmp_path / "b" / "runs" / "r1" / "table").exists()


def test_a_file_that_goes_just_before_it_is_copied_is_had_from_the_earlier_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Media that vanish between the look and the copy are taken over like others; without an earlier one they lack."""
    folder, real = sound(tmp_path / "c"), files.linked

    def vanishing(path: Path, target: Path) -> None:
        if path == folder / "media" / "v03.m4a":
            path.unlink()
        real(path, target)

    monkeypatch.setattr(files, "linked", vanishing)
    assert back_up(folder, tmp_path / "other").missing == ("media/v03.m4a",)
    (folder / "media" / "v03.m4a").write_bytes(b"sound")
    with monkeypatch.context() as patch:
        patch.setattr(files, "linked", real)
        back_up(folder, tmp_path / "b")
    own_copies(tmp_path / "b")
    os.utime(folder / "media" / "v03.m4a", (1, 1))
    made = back_up(folder, tmp_path / "b")
    assert (made.taken, made.missing) == (("media/v03.m4a",), ())
    assert (tmp_path / "b" / "media" / "v03.m4a").read_bytes() == b"sound"


def test_what_was_removed_while_a_backup_ran_is_not_had_from_the_earlier_one(tmp_path: Path) -> None:
    """Media of a video that is removed meanwhile are not lost: neither they nor the video are in the new backup."""
    folder, removed = sound(tmp_path / "c"), []
    back_up(folder, tmp_path / "b")

    def say(line: str) -> None:
        if line.startswith("catalog") and not removed:
            removed.append("v03")
            with LocalStore(folder, busy_seconds=0.1) as store, pytest.raises(CollectionError, match="has bytes"):
                store.remove(removed)
            (folder / "media" / "v03.m4a").unlink()
            (folder / "media" / "v03.jpg").unlink()

    made = back_up(folder, tmp_path / "b", say)
    assert (made.rows["videos"], made.taken, made.missing) == (30, (), ())
    assert not list((tmp_path / "b" / "media").glob("v03.*"))


def test_a_backup_of_before_losses_were_told_is_read(tmp_path: Path) -> None:
    """A mark that says nothing of lost files is one of a backup without any."""
    folder = sound(tmp_path / "c")
    made = back_up(folder, tmp_path / "b")
    facts = json.loads((tmp_path / "b" / MARK).read_text())
    del facts["taken"], facts["missing"]
    (tmp_path / "b" / MARK).write_text(json.dumps(facts))
    assert read_mark(tmp_path / "b") == made


@pytest.mark.parametrize("tries", [1, 5])
def test_a_removal_in_the_middle_starts_the_copy_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    """Media that went with their videos while the backup ran are not missing: the catalog is copied once more.

    Where removals never end, the last copy says which files it lacks.
    """
    folder = sound(tmp_path / "c")
    removed: list[str] = []
    said: list[str] = []
    if tries == 1:
        monkeypatch.setattr(backups, "_TRIES", 1)

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("catalog") and not removed:
            removed.append("v03")
            # The backup reads the old state meanwhile, so that the log cannot be emptied.
            with LocalStore(folder, busy_seconds=0.1) as store, pytest.raises(CollectionError, match="has bytes"):
                store.remove(removed)
            (folder / "media" / "v03.m4a").unlink()

    made = back_up(folder, tmp_path / "b", say)
    assert (removed, made.rows["videos"]) == (["v03"], 31 if tries == 1 else 30)
    assert (check(tmp_path / "b") == []) == (tries == 5)
    assert made.missing == (("media/v03.m4a",) if tries == 1 else ())


def test_a_damaged_catalog_is_not_backed_up(tmp_path: Path) -> None:
    """A copy of a damaged catalog is none: the error says so and the earlier backup stays."""
    folder = sound(tmp_path / "c")
    before = back_up(folder, tmp_path / "b")
    harm_table(folder, "profiles")
    with pytest.raises(CollectionError, match=r"is damaged: .*quartzlens check"):
        back_up(folder, tmp_path / "b")
    assert read_mark(tmp_path / "b") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def test_a_copy_with_other_counts_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy whose rows are not as many as the original's is refused."""
    folder = sound(tmp_path / "c")

    def fewer(connection: sqlite3.Connection, target: Path, on_step: catalog_copy.OnStep) -> None:
        catalog_copy.copy_catalog(connection, target, on_step)
        change(target.parent, "DELETE FROM labels")

    monkeypatch.setattr(backups, "copy_catalog", fewer)
    with pytest.raises(CollectionError, match="labels: 0 rows, not 1"):
        back_up(folder, tmp_path / "b")


def test_a_disk_without_second_names_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file cannot have a second name it is copied with its time of change."""
    folder = sound(tmp_path / "c")

    def refuse(source: Path, target: Path) -> None:
        raise OSError(1, "not here")

    monkeypatch.setattr(os, "link", refuse)
    back_up(folder, tmp_path / "b")
    first, second = (folder / "media" / "v00.m4a").stat(), (tmp_path / "b" / "media" / "v00.m4a").stat()
    assert first.st_ino != second.st_ino
    assert first.st_mtime_ns == second.st_mtime_ns


def test_a_backup_is_restored_into_a_new_folder(tmp_path: Path) -> None:
    """The collection is there as it was, in a folder that was not there or empty, and searches."""
    folder = sound(tmp_path / "c")
    (folder / "calibration").mkdir()
    (folder / "calibration" / "x.npz").write_bytes(b"x")
    back_up(folder, tmp_path / "b")
    (tmp_path / "b" / "note").write_bytes(b"mine")
    (tmp_path / "empty").mkdir()
    said: list[str] = []
    for target in (tmp_path / "new" / "folder", tmp_path / "empty"):
        assert restore(tmp_path / "b", target, say=said.append) is None
        assert check(target) == []
        expected = {name for name in names_in(tmp_path / "b") if name not in {MARK, "note"} and "sqlite-" not in name}
        assert {name for name in names_in(target) if "sqlite-" not in name} == expected
        with open_collection(target) as collection:
            assert len(collection.store.embeddings(FINGERPRINT).ids) == len(IDS)
    assert "copying catalog.sqlite" in said


def test_restoring_over_a_collection_keeps_it_aside(tmp_path: Path) -> None:
    """It is refused without a yes and while in use; with it the old collection is whole in a folder beside."""
    folder = sound(tmp_path / "c")
    back_up(folder, tmp_path / "b")
    with LocalStore(folder) as store:
        store.remove(["v00"])
    with pytest.raises(UsageError, match="--yes"):
        restore(tmp_path / "b", folder)
    with ingest_lock(folder), pytest.raises(LockedError):
        restore(tmp_path / "b", folder, replace=True)
    before = restore(tmp_path / "b", folder, replace=True)
    assert before is not None
    with LocalStore(folder) as new, LocalStore(before) as old:
        assert (len(ids_of(new)), len(ids_of(old))) == (31, 30)
    assert (before / INDEX).exists()


def test_what_was_moved_aside_before_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of several restores within one second moves the collection to a name of its own."""
    folder = sound(tmp_path / "c")
    back_up(folder, tmp_path / "b")
    monkeypatch.setattr(rules, "now", lambda: "2026-01-01T00:00:00+00:00")
    aside = [restore(tmp_path / "b", folder, replace=True) for _ in range(3)]
    name = "c.before-restore-2026-01-01T000000"
    assert [one and one.name for one in aside] == [name, f"{name}-2", f"{name}-3"]
    assert all(one and (one / CATALOG).exists() for one in aside)


def test_what_is_no_backup_or_no_place_is_refused(tmp_path: Path) -> None:
    """A folder that is no backup, a damaged one, and a folder with other things in it are named; nothing changes."""
    folder = sound(tmp_path / "c")
    with pytest.raises(CollectionError, match="no backup"):
        restore(folder, tmp_path / "new")
    back_up(folder, tmp_path / "b")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_bytes(b"x")
    with pytest.raises(UsageError, match="no collection"):
        restore(tmp_path / "b", tmp_path / "mine", replace=True)
    change(tmp_path / "b", "PRAGMA journal_mode = DELETE")
    change(tmp_path / "b", "DELETE FROM labels")
    with pytest.raises(CollectionError, match="labels: 0 rows, not 1"):
        restore(tmp_path / "b", tmp_path / "new")
    change(tmp_path / "b", "DROP TABLE words")
    with pytest.raises(CollectionError, match="no such table"):
        restore(tmp_path / "b", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_strangers_names_are_not_followed(tmp_path: Path) -> None:
    """A catalog that names media and files of runs elsewhere gets no copy of them."""
    folder = sound(tmp_path / "c")
    (tmp_path / "secret").write_bytes(b"x")
    change(folder, "UPDATE videos SET media_file = '../../secret' WHERE id = 'v00'")
    change(folder, "UPDATE run_files SET name = '../../secret' WHERE name = 'table'")
    back_up(folder, tmp_path / "b")
    assert b"x" not in {path.read_bytes() for path in (tmp_path / "b").rglob("secret")}
    assert not (tmp_path / "b" / "runs" / "r1" / "table").exists()


def test_a_collection_that_cannot_be_written_is_backed_up(shared_folder: Path, tmp_path: Path) -> None:
    """Reading is enough to make a backup."""
    folder = shared_folder / "c"
    open_collection(folder, create=EncoderChoice()).__exit__()
    folder.chmod(0o755)
    target = shared_folder / "backups"
    target.mkdir()
    target.chmod(0o777)
    with without_the_right_to_write(folder):
        assert back_up(folder, target / "b").rows["videos"] == 0


def old(folder: Path) -> Path:
    """A catalog of the first version with a video."""
    with closing(sqlite3.connect(folder / CATALOG, isolation_level=None)) as connection:
        schema.migrate(connection, folder / CATALOG, schema.MIGRATIONS[:1])
        connection.execute("INSERT INTO videos (id, source) VALUES ('a', 's')")
    return folder / CATALOG


def test_a_migration_keeps_the_old_catalog_and_says_where(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The copy is the catalog as it was, one whole file, and the log names both versions and the copy."""
    caplog.set_level(logging.WARNING)
    old(tmp_path)
    LocalStore(tmp_path).close()
    copy = tmp_path / f"{CATALOG}.before-version-{len(schema.MIGRATIONS)}"
    assert f"from version 1 to {len(schema.MIGRATIONS)}" in caplog.text
    assert str(copy) in caplog.text
    with closing(sqlite3.connect(copy)) as connection:
        assert schema.version_of(connection) == 1
        assert connection.execute("SELECT id FROM videos").fetchall() == [("a",)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    LocalStore(tmp_path).close()
    assert caplog.text.count("from version 1") == 1


def test_without_room_for_the_copy_nothing_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how much room is needed; the catalog is of the old version and nothing is left beside it."""
    path = old(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(files, "sync_file", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(CollectionError, match=r"cannot be copied first .*make room for .* MB"):
            LocalStore(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        assert schema.version_of(connection) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == [CATALOG, "ingest.lock"]
    LocalStore(tmp_path).close()


def test_no_migration_while_another_process_ingests(tmp_path: Path) -> None:
    """An older quartzlens at work is not migrated under its hands; who holds the lock itself migrates."""
    old(tmp_path)
    (tmp_path / "ingest.lock").write_text('{"pid": 1, "started_at": "today"}')
    import fcntl

    with (tmp_path / "ingest.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="process 1, started today"):
            LocalStore(tmp_path)
    with ingest_lock(tmp_path), LocalStore(tmp_path) as store:
        assert ids_of(store) == ["a"]


def test_a_step_that_fails_leaves_the_old_catalog(tmp_path: Path) -> None:
    """When a later step fails none of them is kept."""
    path = old(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            schema.migrate(connection, path, [*schema.MIGRATIONS[:2], "CREATE TABLE videos (a);"])
        assert schema.version_of(connection) == 1
        schema.migrate(connection, path)
        assert schema.migrate(connection, path) is None


def test_a_file_is_closed_once(tmp_path: Path) -> None:
    """Closing a written file again does nothing, whoever has its number by then."""
    raw = files._Raw(tmp_path / "file")
    raw.write(b"x")
    raw.close()
    with (tmp_path / "other").open("wb") as other:
        raw.close()
        other.write(b"y")
    assert ((tmp_path / "file").read_bytes(), (tmp_path / "other").read_bytes()) == (b"x", b"y")
