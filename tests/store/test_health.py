"""What a look at a collection's folder tells of its health, without reading it."""

import json
from pathlib import Path

import pytest

from store import files
from store.backup import back_up
from store.collection import open_collection
from store.health import LAST_BACKUP, Health, health, last_backup, note_backup
from store.removal import NOTE
from tests.store.sound import sound


def seen(folder: Path) -> Health:
    """Health of the collection in a folder."""
    with open_collection(folder) as collection:
        return health(collection.folder, collection.media_folder, collection.store.videos())


def test_a_sound_collection_misses_nothing(tmp_path: Path) -> None:
    """All files that the catalog names are counted; no removal is cut off, and no backup is known of."""
    folder = sound(tmp_path / "c")
    found = seen(folder)
    assert found.media == len(list((folder / "media").iterdir()))
    assert (found.missing, found.cut_off, found.backup) == ((), False, None)


def test_what_is_missing_and_cut_off_is_told(tmp_path: Path) -> None:
    """Files of sound that are gone are named, of a folder that is gone all of them, and a removal that was cut off."""
    folder = sound(tmp_path / "c")
    (folder / "media" / "v01.m4a").unlink()
    (folder / NOTE).write_text("{}")
    with open_collection(folder) as collection:
        videos = collection.store.videos()
    found = health(folder, folder / "media", videos)
    assert (found.missing, found.cut_off) == (("v01.m4a",), True)
    assert len(health(folder, tmp_path / "nowhere", videos).missing) == found.media


def test_a_backup_is_noted_where_it_was_made_of(tmp_path: Path) -> None:
    """After a backup the collection knows when and where; the backup itself has no such note."""
    folder = sound(tmp_path / "c")
    made = back_up(folder, tmp_path / "b")
    noted = seen(folder).backup
    assert noted is not None
    assert (noted.target, noted.made_at[:16]) == (str(tmp_path / "b"), made.made_at[:16])
    assert last_backup(tmp_path / "b") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"made_at": 1}', '{"made_at": 1, "target": "x"}', '{"made_at": "x", "target": null}']
)
def test_a_damaged_note_is_none(tmp_path: Path, text: str) -> None:
    """A note that cannot be read is as if there were none."""
    (tmp_path / LAST_BACKUP).write_text(text)
    assert last_backup(tmp_path) is None


def test_a_folder_that_cannot_be_written_keeps_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note that cannot be written is no reason to fail: the backup is there."""

    def full(path: Path, content: bytes) -> None:
        raise OSError(f"{path} {len(content)}")

    note_backup(tmp_path, tmp_path / "b")
    before = json.loads((tmp_path / LAST_BACKUP).read_text())
    monkeypatch.setattr(files, "replace_file", full)
    note_backup(tmp_path, tmp_path / "other")
    assert json.loads((tmp_path / LAST_BACKUP).read_text()) == before
