"""Who may read a collection and not write to it sees what others write, and never half of it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from quartzlens.errors import CollectionError
from store.local import CATALOG, LocalStore
from tests.store.test_local import filled, shared_folder, without_the_right_to_write
from tests.store.things import FINGERPRINT, axis, ids_of, matrix_of, ok, rows

__all__ = ["shared_folder"]


@contextmanager
def the_owner(folder: Path) -> Iterator[LocalStore]:
    """Amid ``without_the_right_to_write``: the store of the user who may write, who leaves no log behind."""
    user = os.geteuid()
    os.seteuid(os.getuid())
    folder.chmod(0o755)
    try:
        with LocalStore(folder) as store:
            yield store
    finally:
        folder.chmod(0o555)
        os.seteuid(user)


def add(store: LocalStore, *names: str) -> None:
    """Add videos with embeddings, each list of its own."""
    store.add_rows(names[0], rows(*names, source_list=names[0]), [])
    store.commit([ok(name, axis(number % 4)) for number, name in enumerate(names)])


def test_what_was_written_since_the_opening_is_seen(shared_folder: Path) -> None:
    """An open reader sees each change of the owner's, in the catalog and in searches, though no log is left of it."""
    filled(shared_folder)
    with without_the_right_to_write(shared_folder), LocalStore(shared_folder, read_only=True) as reader:
        assert ids_of(reader) == ["a", "b"]
        for number in range(3):
            more = [f"v{number}-{one:03}" for one in range(200)]
            with the_owner(shared_folder) as store:
                add(store, *more)
            assert set(more) < set(ids_of(reader))
            found = reader.search(FINGERPRINT, matrix_of([axis(0)]), 1000)[0]
            assert len(found) == len(reader.embedded_ids(FINGERPRINT)) == 2 + 200 * (number + 1)


def test_beside_an_owner_at_work_a_connection_is_kept(shared_folder: Path) -> None:
    """While the owner's log is there the reader follows it by SQLite's own locks, and does so when it is gone."""
    filled(shared_folder)
    with without_the_right_to_write(shared_folder), LocalStore(shared_folder, read_only=True) as reader:
        ids_of(reader)
        assert reader._database._idle == []
        with the_owner(shared_folder) as store:
            add(store, "c")
            os.seteuid(65534 if os.getuid() == 0 else os.getuid())
            assert ids_of(reader) == ["a", "b", "c"]
            os.seteuid(os.getuid())
        assert len(reader._database._idle) == 1
        with the_owner(shared_folder) as store:
            add(store, "d")
        assert ids_of(reader) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("error", [None, ValueError("half a row"), sqlite3.DatabaseError("malformed")])
def test_what_is_read_while_it_is_written_does_not_count(shared_folder: Path, error: Exception | None) -> None:
    """Where the catalog changed under a reader without a lock, whatever came of it, it is told to try again."""
    filled(shared_folder)
    with without_the_right_to_write(shared_folder), LocalStore(shared_folder, read_only=True) as reader:
        with (
            pytest.raises(CollectionError, match="being written while it was read: try again"),
            reader._database.reading() as connection,
        ):
            connection.execute("SELECT * FROM videos").fetchall()
            with the_owner(shared_folder) as store:
                add(store, "c")
            if error:
                raise error
        assert ids_of(reader) == ["a", "b", "c"]


def test_a_catalog_that_another_process_keeps_to_itself_is_not_read(tmp_path: Path) -> None:
    """A lock on the whole file is waited for, and then told; it is never read past."""
    filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / CATALOG, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(CollectionError, match="another process was writing"):
            LocalStore(tmp_path, read_only=True, busy_seconds=0.05)
