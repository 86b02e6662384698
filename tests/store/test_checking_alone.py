"""A check by a user who may only read tells a sound collection from a damaged one, and from what stands in its way."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from quartzlens.errors import CollectionError
from store import checking
from store.advice import is_in_the_way
from store.catalog_copy import problems_of
from store.checking import check
from store.findings import Repair
from store.local import CATALOG, LocalStore
from tests.store.sound import harm_table, sound
from tests.store.test_connections import the_owner
from tests.store.test_local import shared_folder, without_the_right_to_write
from tests.store.things import rows

__all__ = ["shared_folder"]


def test_who_may_only_read_finds_what_is_there(shared_folder: Path) -> None:
    """A sound collection is sound, and a damaged one damaged, without the right to write beside the catalog."""
    sound(shared_folder)
    with without_the_right_to_write(shared_folder):
        assert check(shared_folder) == []
    harm_table(shared_folder, "fragments")
    with without_the_right_to_write(shared_folder):
        assert {one.repair for one in check(shared_folder)} == {Repair.SALVAGE}


def test_a_catalog_that_changes_amid_a_check_is_not_called_damaged(shared_folder: Path) -> None:
    """Where its owner wrote to it meanwhile the check ends and says to try again."""
    sound(shared_folder)

    def write(_: str) -> None:
        with the_owner(shared_folder) as store:
            store.add_rows("late", rows("z", source_list="late"), [])

    with (
        without_the_right_to_write(shared_folder),
        pytest.raises(CollectionError, match="being written while it was read: try again"),
    ):
        check(shared_folder, write)


@pytest.mark.parametrize("sound_so_far", [False, True])
def test_what_stands_in_the_way_is_no_finding(
    tmp_path: Path, shared_folder: Path, monkeypatch: pytest.MonkeyPatch, sound_so_far: bool
) -> None:
    """Where rights keep from a catalog, at first or later, that is an error with advice, and nothing to salvage."""
    with LocalStore(tmp_path) as store:
        store.add_rows("list", rows("a"), [])
        for name in (CATALOG, f"{CATALOG}-wal"):
            (shared_folder / name).write_bytes((tmp_path / name).read_bytes())
    if sound_so_far:
        monkeypatch.setattr(checking, "of_catalog", lambda *_: [])
    with without_the_right_to_write(shared_folder), pytest.raises(CollectionError, match="permissions .*: check both"):
        check(shared_folder)


def test_an_integrity_check_that_cannot_be_made_finds_nothing(shared_folder: Path) -> None:
    """Missing rights raise as they are: they are not among what is wrong in the file."""
    sound(shared_folder)
    uri = f"{(shared_folder / CATALOG).as_uri()}?mode=ro"
    with (
        without_the_right_to_write(shared_folder),
        closing(sqlite3.connect(uri, uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError),
    ):
        problems_of(connection)


@pytest.mark.parametrize(
    ("code", "in_the_way"),
    [
        (sqlite3.SQLITE_IOERR_READ, False),
        (sqlite3.SQLITE_IOERR_SHORT_READ, False),
        (sqlite3.SQLITE_CORRUPT_INDEX, False),
        (sqlite3.SQLITE_IOERR_WRITE, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, True),
    ],
)
def test_a_sector_that_cannot_be_read_is_damage(code: int, in_the_way: bool) -> None:
    """A repair copies what lies around it; what a check could not write or wait for tells nothing of the file."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    assert is_in_the_way(error) is in_the_way
