"""How a folder that was filled aside takes its place: whole, and without deleting what anybody else put there.

Everything that lies aside in between has a name of ``files.aside``, which no person gives; so what a killed process
left is known for what it is. A folder with the mark of a finished backup is whole, be it the old one or the new one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from quartzlens.errors import CollectionError
from store import files

MARK = "backup.json"


@contextmanager
def whole_folder(target: Path, before: Path | None) -> Iterator[Path]:
    """A new folder to fill that takes the place of ``target`` at the end; what was there is then at ``before``.

    What killed tries left half-filled goes first.

    Raises
    ------
    CollectionError
        The disk is full or broken, or may not be written; what was there is at ``target``, or where the error says.
    """
    temporary = files.aside(target)
    try:
        temporary.mkdir(parents=True)
        for left in _left(target):
            if not (left / MARK).exists():
                files.forget(left)
        yield temporary
        files.sync_folder(temporary)
        _swap(temporary, target, before)
        files.sync_folder(target.parent)
    except OSError as error:
        raise _unwritten(target, error) from error
    finally:
        files.forget(temporary)


def take_back(target: Path) -> None:
    """Give a backup its name where a backup was killed between two renames; other whole ones that such left go.

    Raises
    ------
    CollectionError
        It cannot be renamed.
    """
    whole = [one for one in _left(target) if (one / MARK).exists()]
    whole.sort(key=lambda one: (one / MARK).stat().st_mtime_ns)
    if whole and not (target / MARK).exists():
        try:
            whole.pop().replace(target)
            files.sync_folder(target.parent)
        except OSError as error:
            raise _unwritten(target, error) from error
    for one in whole:
        discard(one)


def left_whole(target: Path) -> Path | None:
    """A whole backup of ``target`` that a killed one left under another name; None where there is none."""
    return next((one for one in files.asides(target) if (one / MARK).exists()), None)


def discard(backup: Path) -> None:
    """Delete a backup that has been replaced: its mark first, so that half of it is never taken for a whole one."""
    files.forget(backup / MARK)
    files.forget(backup)


def free_name(path: Path) -> Path:
    """``path``, or where something has that name, the first with a number behind it that is free."""
    if not os.path.lexists(path):
        return path
    numbered = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(one for one in numbered if not os.path.lexists(one))


def _left(target: Path) -> list[Path]:
    return [one for one in files.asides(target) if files.is_left(one)]


def _swap(temporary: Path, target: Path, before: Path | None) -> None:
    if before is None or not target.exists():
        temporary.replace(target)
        return
    target.replace(before)
    try:
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            before.replace(target)
        if not before.exists():
            raise
        message = (
            f"{target} cannot be written: {error}. What was there is in {before} now: make room or look after the "
            f"disk, and put it back by `mv {before} {target}`."
        )
        raise CollectionError(message) from error


def _unwritten(target: Path, error: OSError) -> CollectionError:
    return CollectionError(
        f"{target} cannot be written: {error}. Make room or choose another place; what was there still is."
    )
