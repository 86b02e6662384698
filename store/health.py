"""What is known of a collection's health without reading all of it; ``store.checking`` reads all."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from quartzlens.records import Video
from store import files, rules
from store.removal import NOTE

LAST_BACKUP = "last-backup.json"


@dataclass(frozen=True, slots=True)
class LastBackup:
    """When the last backup of a collection was made, and where it lies."""

    made_at: str
    target: str


@dataclass(frozen=True, slots=True)
class Health:
    """What a look at a collection's folder tells.

    Attributes
    ----------
    media
        How many files of sound and pictures the catalog names.
    missing
        Those of them that are not there, sorted.
    cut_off
        Whether a removal was cut off and has to be ended.
    backup
        The last one that was made of this folder; None where none is known of.
    """

    media: int
    missing: tuple[str, ...]
    cut_off: bool
    backup: LastBackup | None


def health(folder: Path, media_folder: Path, videos: Iterable[Video]) -> Health:
    """Look at a collection's folder: names alone, no file is read but two small notes.

    A missing media folder is one without files.
    """
    there = {path.name for path in media_folder.iterdir()} if media_folder.is_dir() else set()
    kept = [video.media for video in videos if video.media is not None]
    named = {name for media in kept for name in (media.media_file, media.thumbnail_file) if name}
    return Health(len(named), tuple(sorted(named - there)), (folder / NOTE).exists(), last_backup(folder))


def note_backup(folder: Path, target: Path) -> None:
    """Note in a collection that a backup of it was made now; a folder that cannot be written keeps no note."""
    note = json.dumps({"made_at": rules.now(), "target": str(target)}).encode()
    with suppress(OSError):
        files.replace_file(folder / LAST_BACKUP, note)


def last_backup(folder: Path) -> LastBackup | None:
    """The last backup that was noted in a collection; None where none was, or the note cannot be read."""
    try:
        note = LastBackup(**json.loads((folder / LAST_BACKUP).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return note if isinstance(note.made_at, str) and isinstance(note.target, str) else None
