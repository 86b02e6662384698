"""What can still be read of a damaged catalog, row by row, into a new one; the damaged one is kept aside.

Python offers no way to SQLite's own recovery, so each table is read by ranges of its row numbers: a range that cannot
be read is halved until what is lost is as little as can be.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from quartzlens.errors import CollectionError
from store import files, rules, schema
from store.advice import explained
from store.connections import connected, reader
from store.findings import Say

# In this order a row's parents are there before it. The full-text index is made anew, search indexes too.
_TABLES = (
    "videos", "lists", "list_rows", "bad_rows", "labels", "encoders", "embeddings", "fragments", "profiles", "words",
    "runs", "run_files",
)  # fmt: skip
_RANGE = 4096
_MANY = 100_000  # ranges that cannot be read, which are halved no further


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of a damaged catalog.

    Attributes
    ----------
    damaged
        Where it lies now.
    kept
        Rows that were copied, by table.
    lost
        A line for each range of rows that are lost, with what is known of them.
    """

    damaged: Path
    kept: dict[str, int]
    lost: list[str]


def salvage(path: Path, say: Say = lambda _: None) -> Salvaged:
    """Put a new catalog in the place of a damaged one. The caller holds ``ingest_lock`` and has no connection open.

    Others that have it open wait with what they would write, and are told then that it is not there any more.

    Raises
    ------
    CollectionError
        Not even its tables can be read, another process writes for too long, or there is no room for a second one; it
        is as it was.
    """
    fresh = files.aside(path)
    kept, lost = dict[str, int](), list[str]()
    try:
        with _held(path):
            with _opened(path) as old, closing(sqlite3.connect(fresh, isolation_level=None)) as new:
                _fill(new, old, fresh, kept, lost, say)
            files.sync_file(fresh)
            damaged = _changed_places(path, fresh)
    except (OSError, sqlite3.DatabaseError) as error:
        message = (
            f"{path} could not be made anew of what can be read ({error}); it is as it was. "
            f"Make room for as much again beside it, check the disk, and run the same command again."
        )
        raise CollectionError(message) from error
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            files.forget(Path(f"{fresh}{end}"))
    return Salvaged(damaged, kept, lost)


def _fill(
    new: sqlite3.Connection, old: sqlite3.Connection, fresh: Path, kept: dict[str, int], lost: list[str], say: Say
) -> None:
    """Make the new catalog, and ``kept`` and ``lost``, of what can be read."""
    new.execute(f"PRAGMA page_size = {schema.PAGE_BYTES}")
    schema.migrate(new, fresh, schema.MIGRATIONS[: schema.version_of(old)])
    new.execute("BEGIN")
    for table in _there(new):
        say(f"reading {table}")
        kept[table] = _copied(old, new, table, lost)
    lost += _without_parents(new, kept)
    lost += _to_be_made(new)
    # What was derived from embeddings that are gone is not to be used; a later step of the schema sees to
    # ``removed`` where this version has it not.
    new.execute("UPDATE encoders SET revision = revision + 1")
    if "removed" in _columns(new, "encoders"):
        new.execute("UPDATE encoders SET removed = revision")
    new.execute("COMMIT")
    # Here, where nobody is in the way: with a reader in it, a catalog cannot be brought to this mode.
    new.execute("PRAGMA journal_mode = WAL")


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """The catalog's own lock: whatever is acknowledged was written before the first read, or comes after the last.

    Where damage keeps from taking it, it keeps everybody from writing.
    """
    with closing(connected(path, "rw")) as connection:
        with suppress(sqlite3.DatabaseError), explained(path, damage=False):
            connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The damaged catalog, for reading; its log is read in, where it can be."""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(reader(path))
        except sqlite3.DatabaseError as error:
            message = f"Nothing of {path} can be read ({error}): restore a backup, or move it away and ingest again."
            raise CollectionError(message) from error
        connection.text_factory = lambda text: text.decode(errors="replace")
        yield connection


def _there(connection: sqlite3.Connection) -> list[str]:
    """Those of the tables that this version has."""
    have = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return [table for table in _TABLES if table in have]


def _copied(old: sqlite3.Connection, new: sqlite3.Connection, table: str, lost: list[str]) -> int:
    """Copy what can be read of a table under the same row numbers; how many rows that is."""
    columns = _columns(new, table)
    names, marks = ", ".join(columns), ", ".join("?" * (len(columns) + 1))
    # Of columns that are a row's number or must be unique, a damaged row may repeat another's: the first one stays.
    insert = f"INSERT OR IGNORE INTO {table} (rowid, {names}) VALUES ({marks})"  # noqa: S608 - constants of the schema
    select = f"SELECT rowid, {names} FROM {table} WHERE rowid BETWEEN ? AND ?"  # noqa: S608 - as above
    gaps: list[tuple[int, int]] = []
    count = refused = 0
    for rows in _readable(old, select, _end(old, table), gaps):
        inserted = new.executemany(insert, rows).rowcount
        count, refused = count + inserted, refused + len(rows) - inserted
    lost += [f"{table}: {_span(first, last)}" for first, last in _joined(gaps)]
    lost += [f"{table}: {refused} rows that contradict others"] if refused else []
    return count


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]


def _span(first: int, last: int) -> str:
    return f"row {first}" if first == last else f"rows {first} to {last}, as many as there were"


def _joined(gaps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, neighbouring ones as one."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(gaps):
        if joined and joined[-1][1] == first - 1:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _end(connection: sqlite3.Connection, table: str) -> int:
    """The last row number, by the table or one of its indexes; where none can be read, a number beyond it."""
    ends = []
    for hint in ("NOT INDEXED", *(f"INDEXED BY {name}" for name in _indexes(connection, table))):
        with suppress(sqlite3.DatabaseError):
            statement = f"SELECT coalesce(max(rowid), 0) FROM {table} {hint}"  # noqa: S608 - names of the schema
            ends.append(int(connection.execute(statement).fetchone()[0]))
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    return max(ends, default=int(pages) * 100)


def _indexes(connection: sqlite3.Connection, table: str) -> list[str]:
    return [name for _, name, *_ in connection.execute(f"PRAGMA index_list({table})")]


def _readable(
    connection: sqlite3.Connection, select: str, end: int, gaps: list[tuple[int, int]]
) -> Iterator[list[tuple[object, ...]]]:
    """Rows in ranges that can be read, short ones later; ``gaps`` gets the ranges that cannot."""
    ranges = [(first, min(first + _RANGE - 1, end)) for first in range(1, end + 1, _RANGE)]
    while ranges:
        unread = []
        for between in ranges:
            try:
                yield connection.execute(select, between).fetchall()
            except sqlite3.DatabaseError:
                unread.append(between)
        gaps += [between for between in unread if between[0] == between[1] or len(unread) > _MANY]
        ranges = [
            half
            for first, last in unread
            if first < last and len(unread) <= _MANY
            for half in ((first, (first + last) // 2), ((first + last) // 2 + 1, last))
        ]


def _without_parents(new: sqlite3.Connection, kept: dict[str, int]) -> list[str]:
    """Let go of rows whose video, list, encoder or run is lost; a line for each table."""
    counts: dict[str, int] = {}
    while found := new.execute("PRAGMA foreign_key_check").fetchall():
        for table, rowid, *_ in found:
            counts[table] = counts.get(table, 0) + 1
            new.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608 - of the schema
    for table, count in counts.items():
        kept[table] -= count
    return [f"{table}: {count} rows of what is lost" for table, count in counts.items()]


def _to_be_made(new: sqlite3.Connection) -> list[str]:
    """The videos whose embedding is lost with all of it, which the next ingest makes anew."""
    whole = "(SELECT video, encoder FROM embeddings JOIN fragments USING (video, encoder))"
    new.execute(f"CREATE TEMP TABLE whole AS SELECT * FROM {whole}")  # noqa: S608 - a constant
    for table in {"embeddings", "fragments", "profiles", "words"} & set(_there(new)):
        new.execute(f"DELETE FROM {table} WHERE (video, encoder) NOT IN (SELECT video, encoder FROM whole)")  # noqa: S608
    found = new.execute(
        "SELECT id FROM videos WHERE outcome = 'ok' AND seq NOT IN (SELECT video FROM embeddings) ORDER BY seq"
    )
    return [f"the embedding of video {video_id}: the next ingest makes it anew" for (video_id,) in found]


def _changed_places(path: Path, fresh: Path) -> Path:
    """The damaged catalog gets another name, with its log, and the new one its place; where the damaged one lies."""
    stem, number = f"{path.name}.damaged-{rules.now()[:10]}", 1
    while (damaged := path.with_name(f"{stem}-{number}")).exists():
        number += 1
    ends = ("-wal", "-shm")
    log = Path(f"{path}-wal")
    for end in ("", *(ends if log.exists() and log.stat().st_size else ())):
        files.linked(Path(f"{path}{end}"), Path(f"{damaged}{end}"))
    files.sync_folder(path.parent)
    # A log that stayed would be read into the new catalog, and so would one of a process that opens the old one now.
    with files.folder_lock(path.parent):
        for end in ends:
            files.erase(Path(f"{path}{end}"))
        os.replace(fresh, path)  # noqa: PTH105 - beside os.fsync
    files.sync_folder(path.parent)
    return damaged
