"""The store in a folder keeps the contract, and what only a store on a disk has to keep."""

import hashlib
import json
import os
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from quartzlens.errors import CollectionError
from quartzlens.records import Label, LabelSource
from store import files, schema
from store.base import Store
from store.database import Database
from store.local import CATALOG, RUNS, LocalStore
from tests.conftest import on_small_disk
from tests.store.contract import StoreContract
from tests.store.things import (
    FINGERPRINT,
    OTHER,
    axis,
    check_index,
    count_together,
    heard,
    matrix_of,
    ok,
    profile,
    rows,
    run,
)


class TestLocalStore(StoreContract):
    """The whole contract."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An empty store."""
        with LocalStore(tmp_path) as store:
            yield store

    @pytest.fixture
    def other(self, tmp_path: Path) -> Iterator[Store]:
        """A second one."""
        (tmp_path / "other").mkdir()
        with LocalStore(tmp_path / "other") as store:
            yield store


def filled(folder: Path) -> None:
    """Make a store of two videos with embeddings."""
    with LocalStore(folder) as store:
        store.add_rows("list", rows("a", "b"), [])
        store.commit([ok("a", axis(0)), ok("b", axis(1))])


def test_the_catalog_is_made_as_designed(tmp_path: Path) -> None:
    """The catalog is in WAL mode with pages of 16 KiB, and its version is the number of migrations."""
    filled(tmp_path)
    connection = sqlite3.connect(tmp_path / CATALOG)
    facts = [
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "page_size", "user_version")
    ]
    connection.close()
    assert facts == ["wal", 16384, len(schema.MIGRATIONS)]


def test_a_missing_folder_says_how_to_make_one(tmp_path: Path) -> None:
    """Opening a folder that is not there names the command that makes a collection."""
    with pytest.raises(CollectionError, match="quartzlens ingest SOURCE"):
        LocalStore(tmp_path / "nowhere")
    with pytest.raises(CollectionError, match="permissions"):
        LocalStore(tmp_path, read_only=True)


def test_a_newer_catalog_is_refused(tmp_path: Path) -> None:
    """A catalog of a newer version is refused with both versions named, for writing and for reading."""
    filled(tmp_path)
    connection = sqlite3.connect(tmp_path / CATALOG)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(CollectionError, match=f"version 99.*up to {len(schema.MIGRATIONS)}"):
            LocalStore(tmp_path, read_only)


def test_an_older_catalog_is_brought_up_to_date_step_by_step(tmp_path: Path) -> None:
    """A migration runs once, keeps what is there, and a reader that may not write says who can run it."""
    path = tmp_path / "old.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    first = "CREATE TABLE t (a);"
    schema.migrate(connection, path, [first])
    connection.execute("INSERT INTO t VALUES (1)")
    schema.migrate(connection, path, [first, "ALTER TABLE t ADD COLUMN b DEFAULT 2;"])
    schema.migrate(connection, path, [first, "ALTER TABLE t ADD COLUMN b DEFAULT 2;"])
    assert connection.execute("SELECT * FROM t").fetchall() == [(1, 2)]
    assert schema.version_of(connection) == 2
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    with pytest.raises(CollectionError, match="version 0 and must be brought"):
        Database(path, read_only=True)


def test_a_catalog_of_the_first_version_is_kept_whole(tmp_path: Path) -> None:
    """What the first version wrote is all there after the steps to this one, silent, and takes profiles and words."""
    facts = asdict(FINGERPRINT)
    del facts["block"], facts["calibration"]
    del facts["checkpoint_name"]
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    vector, bounds = np.float32(axis(0)), np.float32([[0, 5], [5, 10]])
    connection = sqlite3.connect(tmp_path / CATALOG, isolation_level=None)
    schema.migrate(connection, tmp_path / CATALOG, schema.MIGRATIONS[:1])
    connection.execute("INSERT INTO videos (id, source, outcome, stage) VALUES ('a', 's', 'ok', 'encode')")
    connection.execute("INSERT INTO encoders (key, facts, revision) VALUES (?, ?, 7)", (key, json.dumps(facts)))
    connection.execute("INSERT INTO embeddings VALUES (1, 1, ?)", (vector.tobytes(),))
    halves = np.stack([vector, vector]).astype(np.float16)
    connection.execute("INSERT INTO fragments VALUES (1, 1, ?, ?)", (bounds.tobytes(), halves.tobytes()))
    connection.close()
    with pytest.raises(CollectionError, match=f"version 1 and must be brought to version {len(schema.MIGRATIONS)}"):
        LocalStore(tmp_path, read_only=True)
    with LocalStore(tmp_path) as store:
        assert (store.info().encoders, store.info().revisions) == ((FINGERPRINT,), {FINGERPRINT.key: 7})
        assert (store.embeddings(FINGERPRINT).matrix == vector).all()
        assert store.fragments(FINGERPRINT).bounds.tolist() == bounds.tolist()
        assert store.fragments(FINGERPRINT).words == (None, None)
        assert store.fragments(FINGERPRINT, saying="cook").ids == ()
        store.commit([heard("a", "cook", "well")])
        assert store.fragments(FINGERPRINT, saying="coo").ids == ("a",)
        check_index(store)


def test_labels_of_before_persons_were_told_apart_are_kept(tmp_path: Path) -> None:
    """The label history of the fourth version has no names and no notes afterwards, and takes both from then on."""
    connection = sqlite3.connect(tmp_path / CATALOG, isolation_level=None)
    schema.migrate(connection, tmp_path / CATALOG, schema.MIGRATIONS[:4])
    connection.execute("INSERT INTO videos (id, source) VALUES ('a', 's')")
    connection.execute(
        "INSERT INTO labels (video, category, source, origin, given_at) VALUES (1, 'x', 'person', '', 't')"
    )
    connection.close()
    later = Label("a", "y", LabelSource.PERSON, "", "t", "Ana", "heard a pan", "7f", undo=True)
    with LocalStore(tmp_path) as store:
        assert store.labels() == (Label("a", "x", LabelSource.PERSON, "", "t"),)
        store.add_labels([later])
    assert (tmp_path / f"{CATALOG}.before-version-{len(schema.MIGRATIONS)}").is_file()
    with LocalStore(tmp_path) as store:
        assert store.labels()[1:] == (later,)


def test_of_many_who_decide_by_the_history_each_saw_all_before(tmp_path: Path) -> None:
    """Four stores of one folder add the length of the history that they read: every number is there once, in order."""
    stores = [LocalStore(tmp_path) for _ in range(4)]
    stores[0].add_rows("list", rows("a"), [])
    assert count_together(stores, 10) == [str(n) for n in range(40)]
    for store in stores:
        store.close()


def rows_in(store: LocalStore, *tables: str) -> list[int]:
    """How many rows each table has."""
    with store._database.reading() as connection:
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]


def test_what_goes_takes_its_words_out_of_the_index(tmp_path: Path) -> None:
    """With a video, or with a whole encoder, its profiles and words go from the tables and from the index."""
    tables = ("profiles", "words", "heard")
    with LocalStore(tmp_path) as store:
        store.add_rows("list", rows("a", "b"), [])
        given = [heard("a", "cook", ""), heard("b", "cook"), heard("b", "bake", fingerprint=OTHER)]
        store.commit(
            [replace(one, embedded=replace(one.embedded, profile=profile("C1", "B1"))) for one in given if one.embedded]
        )
        assert rows_in(store, *tables) == [6, 4, 3]
        store.remove(["a"])
        assert rows_in(store, *tables) == [4, 2, 2]
        check_index(store)
        with store._database.writing() as connection:
            connection.execute("DELETE FROM encoders WHERE key = ?", (OTHER.key,))
        assert rows_in(store, *tables) == [2, 1, 1]
        check_index(store)
        assert store.fragments(FINGERPRINT, saying="cook").ids == ("b",)


def test_reading_alone_finds_words(shared_folder: Path) -> None:
    """Who may not write finds what was said all the same, and no file is made for it."""
    with LocalStore(shared_folder) as store:
        store.add_rows("list", rows("a"), [])
        store.commit([heard("a", "cook")])
    with without_the_right_to_write(shared_folder), LocalStore(shared_folder, read_only=True) as store:
        assert store.fragments(FINGERPRINT, saying="coo").ids == ("a",)


def test_a_damaged_catalog_says_what_to_do(tmp_path: Path) -> None:
    """A file that is no database, or one with torn pages, is named damaged with the way out."""
    filled(tmp_path)
    whole = (tmp_path / CATALOG).read_bytes()
    (tmp_path / CATALOG).write_bytes(b"not a database" * 1000)
    with pytest.raises(CollectionError, match=r"damaged: restore catalog\.sqlite"):
        LocalStore(tmp_path)
    torn = bytearray(whole)
    torn[16384:] = bytes(len(whole) - 16384)
    (tmp_path / CATALOG).write_bytes(torn)
    with LocalStore(tmp_path) as store, pytest.raises(CollectionError, match="damaged"):
        store.videos()


def test_a_full_disk_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    """When no page can be added the commit fails with what to do, and what was committed is still there."""
    filled(tmp_path)
    with LocalStore(tmp_path) as store:
        with store._database.writing() as connection:
            connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
        many = [f"v{number}" for number in range(3000)]
        with pytest.raises(CollectionError, match="disk is full: free some space"):
            store.add_rows("more", rows(*many, source_list="more"), [])
        assert [video.id for video in store.videos()] == ["a", "b"]


def test_a_disk_that_was_filled_before_is_named(tmp_path: Path) -> None:
    """Without room for the file that processes share, a catalog cannot even be read: it says why, and can later."""
    command = [sys.executable, "-m", "tests.store.filled_disk", str(tmp_path)]
    filled, with_room = on_small_disk(tmp_path, 3_000_000, *command, timeout=60)
    assert (filled["code"], with_room["code"]) == (1, 0), (filled, with_room)
    assert "the disk is full: free some space" in filled["said"]


def test_a_lock_held_for_too_long_is_named(tmp_path: Path) -> None:
    """A write that waits longer than it may says that another process is writing; reads go on."""
    filled(tmp_path)
    with LocalStore(tmp_path) as first, LocalStore(tmp_path, busy_seconds=0.05) as second:
        with first._database.writing():
            with pytest.raises(CollectionError, match="another process was writing"):
                second.add_labels([])
            assert len(second.videos()) == 2
        second.add_labels([])


def test_mistakes_in_sql_are_not_dressed_up(tmp_path: Path) -> None:
    """A broken statement or constraint is a bug and stays the database's own error."""
    with LocalStore(tmp_path) as store:
        with pytest.raises(sqlite3.OperationalError, match="syntax"), store._database.reading() as connection:
            connection.execute("SELEC")
        with pytest.raises(sqlite3.IntegrityError), store._database.writing() as connection:
            connection.execute("INSERT INTO labels (video, source, origin, given_at) VALUES (99, '', '', '')")
        assert store.labels() == ()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """Using a store after it was closed is an error that says what to do; a transaction under way may end."""
    store = LocalStore(tmp_path)
    with store._database.writing():
        store.close()
    with pytest.raises(CollectionError, match="closed: open the collection again"):
        store.videos()


def test_reading_alone_writes_nothing(tmp_path: Path) -> None:
    """A store opened for reading answers everything, search too, and refuses each write; no file is made."""
    filled(tmp_path)
    with LocalStore(tmp_path, read_only=True) as store:
        assert store.search(FINGERPRINT, matrix_of([axis(1)]), 1)[0][0].video_id == "b"
        for write in (
            lambda: store.commit([ok("a", axis(0))]),
            lambda: store.add_rows("list", [], []),
            lambda: store.remove(["a"]),
            lambda: store.add_run(run(files={"table": b"x"})),
        ):
            with pytest.raises(CollectionError, match="for reading alone"):
                write()
        assert len(store.videos()) == 2
    assert {path.name for path in tmp_path.iterdir()} <= {CATALOG, f"{CATALOG}-wal", f"{CATALOG}-shm"}


@contextmanager
def without_the_right_to_write(folder: Path) -> Iterator[None]:
    """Be a user who may read the folder and not write to it."""
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # nobody: the rights of files do not bind root
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o755)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_a_folder_that_cannot_be_written_opens(shared_folder: Path) -> None:
    """A user without the right to write reads and searches the collection all the same."""
    filled(shared_folder)
    with without_the_right_to_write(shared_folder), LocalStore(shared_folder, read_only=True) as store:
        assert len(store.videos()) == 2
        assert store.search(FINGERPRINT, matrix_of([axis(1)]), 1)[0][0].video_id == "b"


def test_a_log_that_cannot_be_read_in_is_not_passed_over(tmp_path: Path, shared_folder: Path) -> None:
    """Where committed data is still in a killed writer's log, who cannot read it in is told, not shown old data."""
    with LocalStore(tmp_path) as store:
        store.add_rows("list", rows("a", "b"), [])
        for name in (CATALOG, f"{CATALOG}-wal"):
            (shared_folder / name).write_bytes((tmp_path / name).read_bytes())
    with without_the_right_to_write(shared_folder), pytest.raises(CollectionError, match="permissions"):
        LocalStore(shared_folder, read_only=True)
    with LocalStore(shared_folder) as store:
        assert len(store.videos()) == 2


def test_threads_share_a_store(tmp_path: Path) -> None:
    """Several threads write, read and search one store at once, and each sees whole batches only."""
    names = [f"v{number}" for number in range(40)]
    problems: list[str] = []

    def write(store: LocalStore, start: int) -> None:
        for at in range(start, 40, 8):
            store.commit([ok(names[at], axis(0)), ok(names[at + 4], axis(1))])

    def read(store: LocalStore) -> None:
        for _ in range(10):
            held = len(store.embeddings(FINGERPRINT).ids)
            if held % 2 or len(store.search(FINGERPRINT, matrix_of([axis(0)]), 40)[0]) % 2:
                problems.append(f"half a batch: {held}")

    with LocalStore(tmp_path) as store:
        store.add_rows("list", rows(*names), [])
        threads = [threading.Thread(target=write, args=(store, start)) for start in range(4)]
        threads += [threading.Thread(target=read, args=(store,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert len(store.search(FINGERPRINT, matrix_of([axis(0)]), 40)[0]) == 40


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    """Videos, labels, embeddings, runs and revisions are the same after the store was closed and opened."""
    filled(tmp_path)
    with LocalStore(tmp_path) as store:
        store.add_run(run("r", files={"table": b"x"}))
        before = (store.videos(), store.labels(), store.info(), store.embeddings(FINGERPRINT).matrix.tobytes())
    with LocalStore(tmp_path) as store:
        assert (store.videos(), store.labels(), store.info(), store.embeddings(FINGERPRINT).matrix.tobytes()) == before
        assert store.runs("r")[0].files == {"table": b"x"}


def test_a_run_whose_files_are_gone_or_changed_is_named(tmp_path: Path) -> None:
    """A run's file that is missing or was changed is an error with its path; the list of runs still answers."""
    with LocalStore(tmp_path) as store:
        store.add_run(run("r", files={"table": b"x"}))
        (tmp_path / RUNS / "r" / "table").write_bytes(b"y")
        with pytest.raises(CollectionError, match=r"not what was written: .*r/table"):
            store.runs("r")
        (tmp_path / RUNS / "r" / "table").unlink()
        (tmp_path / RUNS / "r").rmdir()
        with pytest.raises(CollectionError, match=r"cannot be read: .*r/table"):
            store.runs("r")
        assert [one.id for one in store.runs()] == ["r"]


def test_a_cut_off_run_does_not_stand_in_the_way(tmp_path: Path) -> None:
    """A folder left by a run that never counted is replaced when a run of its id comes."""
    with LocalStore(tmp_path) as store:
        (tmp_path / RUNS / "r").mkdir(parents=True)
        (tmp_path / RUNS / "r" / "half").write_bytes(b"...")
        assert store.runs() == ()
        store.add_run(run("r", files={"table": b"x"}))
        assert store.runs("r")[0].files == {"table": b"x"}
        assert [path.name for path in (tmp_path / RUNS).iterdir()] == ["r"]
        assert [path.name for path in (tmp_path / RUNS / "r").iterdir()] == ["table"]


def test_a_run_that_cannot_be_written_is_not_kept(tmp_path: Path) -> None:
    """Where the files of a run cannot be written the error says so, and no row is left."""
    (tmp_path / RUNS).write_bytes(b"in the way")
    with LocalStore(tmp_path) as store:
        with pytest.raises(CollectionError, match="Run r cannot be written"):
            store.add_run(run("r", files={"table": b"x"}))
        assert store.runs() == ()
        store.add_run(run("without-files"))
        assert store.runs("without-files")[0].files == {}


def test_a_strangers_catalog_leads_to_no_file_outside(tmp_path: Path) -> None:
    """A catalog that names a run's file elsewhere on the disk is refused before anything is read."""
    with LocalStore(tmp_path) as store:
        store.add_run(run("r", files={"table": b"x"}))
        with store._database.writing() as connection:
            connection.execute("UPDATE run_files SET name = '../../secret'")
        (tmp_path / "secret").write_bytes(b"x")
        with pytest.raises(ValueError, match="no name for a run"):
            store.runs("r")


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A file that cannot be put in its place leaves nothing behind, and one that can replaces the old one whole."""
    target = tmp_path / "file"
    files.replace_file(target, b"old")
    files.replace_file(target, b"new")
    assert target.read_bytes() == b"new"
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "inside").mkdir()
    with pytest.raises(OSError, match="taken"):
        files.replace_file(tmp_path / "taken", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken"]
