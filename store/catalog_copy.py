"""A copy of a catalog as it is at one moment, made while others read and write it."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from quartzlens.errors import CollectionError
from store import files
from store.advice import is_in_the_way

# Pages a step (16 MB): between two steps the process can be interrupted and tell how far it is.
_STEP_PAGES = 1024
OnStep = Callable[[int, int], None]


def copy_catalog(connection: sqlite3.Connection, target: Path, on_step: OnStep = lambda *_: None) -> None:
    """Write what a connection sees now to ``target``, whole and durable, or not at all.

    Parameters
    ----------
    connection
        It is in a read transaction and has read something: others may write meanwhile, and the copy does not see it.
    on_step
        Told the pages done and the pages in all.

    Raises
    ------
    OSError, sqlite3.Error
        The disk is full, or a page cannot be read; ``target`` is as it was.
    CollectionError
        The copy is not what was to be copied.
    """
    temporary = files.aside(target)
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
            connection.backup(
                copy, pages=_STEP_PAGES, progress=lambda _, left, total: on_step(total - left, total), sleep=0
            )
            # Without a log of its own: one file is the whole copy.
            copy.execute("PRAGMA journal_mode = DELETE")
            problems = problems_of(copy)
        if problems:
            message = (
                f"The copy of the catalog for {target} is damaged: {problems[0]}. "
                "Check the disk, and run `quartzlens check`."
            )
            raise CollectionError(message)
        files.sync_file(temporary)
        os.replace(temporary, target)  # noqa: PTH105 - beside os.fsync
    finally:
        files.forget(temporary)
        files.forget(Path(f"{temporary}-journal"))
    files.sync_folder(target.parent)


def problems_of(connection: sqlite3.Connection, most: int = 20) -> list[str]:
    """What SQLite finds wrong in a database file, at most so many; empty where it is sound.

    Raises sqlite3.DatabaseError where it cannot look.
    """
    try:
        found = [line for (line,) in connection.execute(f"PRAGMA integrity_check({most})")]
    except sqlite3.DatabaseError as error:
        if is_in_the_way(error):
            raise
        return [str(error)]
    return [] if found == ["ok"] else found
