"""What media a folder holds, at any depth."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.meaning import MEDIA_SUFFIXES


def media_below(folder: str) -> Iterator[tuple[str, str | None]]:
    """Every media file below a folder in the order of names, with what is wrong with its row; hidden ones are left out.

    A folder with a media name that holds no media is given as if it were a file: decoding then says what it is.
    """
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield folder, f"the folder {folder} cannot be read: {error.strerror}"
        return
    if any(entry.name == "collection.toml" for entry in entries):
        return  # what an ingest keeps is no source of it
    for entry in entries:
        if entry.name.startswith("."):
            continue
        named_media = Path(entry.name).suffix.lower() in MEDIA_SUFFIXES
        if _safely(entry.is_dir) and entry.is_symlink():
            yield entry.path, f"the folder {entry.path} is a symbolic link, which is not followed"
        elif _safely(entry.is_dir):
            inside = list(media_below(entry.path))
            yield from inside or ([(entry.path, None)] if named_media else [])
        elif named_media:
            yield entry.path, None


def _safely(question: Callable[[], bool]) -> bool:
    """An answer of the file system, False where it cannot tell (a loop of links)."""
    try:
        return question()
    except OSError:
        return False
