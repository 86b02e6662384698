"""Copies of whole collections: made while others use them, whole or not there, and put back without losing anything.

The catalog is copied as it is at one moment; media and runs, which are never changed in place, follow by what that copy
names. What is derived (search indexes, maps) is left out. All of it is written beside its place and renamed at the end.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from dataclasses import replace as changed
from pathlib import Path

from quartzlens.errors import CollectionError, UsageError
from store import backup_files, files, rules
from store.advice import explained
from store.backup_files import CALIBRATION, Linked, link_all
from store.backup_place import MARK, discard, free_name, left_whole, take_back, whole_folder
from store.catalog_copy import copy_catalog, problems_of
from store.collection import FILE, MEDIA, ingest_lock, only_in_folder
from store.database import Database
from store.health import note_backup
from store.local import CATALOG, RUNS

__all__ = ["MARK", "Backup", "back_up", "read_mark", "restore"]

_COUNTED = ("videos", "labels", "embeddings", "fragments", "words", "runs")
_TRIES = 5
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds.

    Attributes
    ----------
    made_at, folder
        When it was made, and of which collection.
    rows
        How many each table of the catalog has.
    files
        How many other files there are, whole.
    taken
        Those of them that the collection had lost, by their paths in it: they came from the earlier backup.
    missing
        Files that the catalog names and that neither the collection nor the earlier backup had whole.
    """

    made_at: str
    folder: str
    rows: dict[str, int]
    files: int
    taken: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def back_up(folder: Path, target: Path, say: Say = lambda _: None) -> Backup:
    """Copy the collection in ``folder`` to ``target``, also while an ingest writes to it.

    An earlier backup there is replaced at the end. What of its files is still right is not copied again, and what the
    collection has lost is taken over from it; the lost and what is nowhere are named in the answer. Where a backup
    was killed before its last step, what it left whole is the earlier one. The collection keeps a note of when and
    where (``store.health``).

    Raises
    ------
    UsageError
        ``target`` is there and no backup, or lies in the collection.
    CollectionError
        There is no collection, the disk is full, or the catalog is damaged; an earlier backup is as it was.
    """
    folder, target = folder.resolve(), target.resolve()
    if not (folder / FILE).exists():
        message = f"There is no collection in {folder} to copy: name it with -c DIR."
        raise CollectionError(message)
    only_in_folder(folder, "a backup")
    if target == folder or folder in target.parents:
        message = f"{target} lies in the collection that it would be a copy of: choose a folder elsewhere."
        raise UsageError(message)
    if target.exists() and any(target.iterdir()) and not (target / MARK).exists():
        message = f"{target} is there and no backup of a collection: choose a folder that is new or empty."
        raise UsageError(message)
    take_back(target)
    earlier = files.aside(target)
    with whole_folder(target, earlier) as made:
        backup = _copied(folder, made, target, say)
    discard(earlier)
    note_backup(folder, target)
    return backup


def read_mark(target: Path) -> Backup:
    """What the backup in a folder holds. Raises CollectionError where there is none."""
    try:
        mark = Backup(**json.loads((target / MARK).read_bytes()))
        return changed(mark, taken=tuple(mark.taken), missing=tuple(mark.missing))
    except (OSError, ValueError, TypeError) as error:
        whole = left_whole(target)
        there = f" One that was cut off before it got its name lies in {whole}, whole: name that." if whole else ""
        message = f"There is no backup in {target} ({error}): name a folder that `quartzlens backup` made.{there}"
        raise CollectionError(message) from error


def restore(backup: Path, folder: Path, *, replace: bool = False, say: Say = lambda _: None) -> Path | None:
    """Make ``folder`` the collection that ``backup`` is a copy of; where what was there lies now, None if nothing was.

    Parameters
    ----------
    replace
        A collection that is there is moved aside, whole. Nothing else is ever replaced.

    Raises
    ------
    UsageError
        The folder is not empty, and no collection or not to be replaced.
    CollectionError
        There is no backup, or it is damaged; the collection is in use; the disk is full. The folder is as it was.
    """
    backup, folder = backup.resolve(), folder.resolve()
    mark = read_mark(backup)
    _check_place(folder, replace)
    with explained(backup / CATALOG), closing(_reader(backup / CATALOG)) as connection:
        problems = problems_of(connection) or _wrong_counts(connection, mark.rows)
    if problems:
        message = f"The backup {backup} is damaged ({problems[0]}): use another one, or `quartzlens check -c {backup}`."
        raise CollectionError(message)
    if not folder.exists() or not any(folder.iterdir()):
        with whole_folder(folder, None) as made:
            _put_back(backup, made, say)
        return None
    before = free_name(folder.with_name(f"{folder.name}.before-restore-{rules.now()[:19].replace(':', '')}"))
    with ingest_lock(folder), whole_folder(folder, before) as made:
        _put_back(backup, made, say)
    return before


def _check_place(folder: Path, replace: bool) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / FILE).exists():
            message = f"{folder} is not empty and no collection: choose a folder that is new or empty."
            raise UsageError(message)
        if not replace:
            message = f"{folder} is a collection: add --yes to move it aside (it is kept) and put the backup there."
            raise UsageError(message)


def _copied(folder: Path, made: Path, target: Path, say: Say) -> Backup:
    """Fill the new folder. A removal meanwhile takes files away that the copied catalog names: it is copied again."""
    for _ in range(_TRIES):
        for name in (MEDIA, RUNS):
            files.erase(made / name)
        rows = _copy_rows(folder, made, say)
        with closing(_reader(made / CATALOG)) as connection:
            media, run_files = backup_files.media(connection), backup_files.run_files(connection)
        linked = link_all(folder, made, target, media, say, "media")
        linked += link_all(folder, made, target, run_files, say, "files of runs")
        if not _is_stale(folder, linked):
            break
    files.copied(folder / FILE, made / FILE)
    extra = backup_files.calibration(folder)
    linked += link_all(folder, made, target, extra, say, "calibration")
    n_files = len(media) + len(run_files) + len(extra) - len(linked.missing)
    backup = Backup(rules.now(), str(folder), rows, n_files, linked.taken, linked.missing)
    files.replace_file(made / MARK, json.dumps(asdict(backup), indent=2).encode())
    return backup


def _copy_rows(folder: Path, made: Path, say: Say) -> dict[str, int]:
    """Copy the catalog and compare the number of its rows with the original's; the numbers."""

    def on_step(done: int, total: int) -> None:
        say(f"catalog: {done} of {total} pages")

    with Database(folder / CATALOG, read_only=True) as database, database.reading() as connection:
        rows = _counts(connection)
        copy_catalog(connection, made / CATALOG, on_step)
    with closing(_reader(made / CATALOG)) as connection:
        problems = _wrong_counts(connection, rows)
    if problems:
        message = f"The copy of {folder / CATALOG} is not what was copied ({problems[0]}): run `quartzlens check`."
        raise CollectionError(message)
    return rows


def _is_stale(folder: Path, linked: Linked) -> bool:
    """Whether files were gone because a removal took them since the catalog was copied."""
    gone = {*linked.taken, *linked.missing}
    if not gone:
        return False
    with Database(folder / CATALOG, read_only=True) as database, database.reading() as connection:
        return not gone <= backup_files.media(connection).keys() | backup_files.run_files(connection).keys()


def _put_back(backup: Path, made: Path, say: Say) -> None:
    for path in sorted(backup.rglob("*")):
        name = path.relative_to(backup)
        if path.is_dir():
            (made / name).mkdir()
        elif name.parts[0] in {MEDIA, RUNS, CALIBRATION}:
            files.linked(path, made / name)
        elif name.name in {CATALOG, FILE}:
            say(f"copying {name}")
            files.copied(path, made / name)
    for folder in (path for path in made.rglob("*") if path.is_dir()):
        files.sync_folder(folder)


def _reader(path: Path) -> sqlite3.Connection:
    """A connection to a file that nobody else uses."""
    return sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    return {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - a constant
        for table in _COUNTED
    }


def _wrong_counts(connection: sqlite3.Connection, rows: dict[str, int]) -> list[str]:
    try:
        have = _counts(connection)
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [f"{table}: {have[table]} rows, not {rows.get(table)}" for table in have if have[table] != rows.get(table)]
