"""Repairs what a check found, as far as it can be derived from what is whole; nothing that may be missed is deleted."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from quartzlens.errors import CollectionError
from store import files, removal, schema
from store.check_files import media_named
from store.checking import check
from store.collection import MEDIA, SET_ASIDE, ingest_lock, open_collection
from store.database import Database
from store.findings import Finding, Repair, Say, Severity
from store.local import CATALOG, INDEX, RUNS
from store.salvage import salvage
from store.words import tokens

_NAMED = 10


@dataclass(frozen=True, slots=True)
class Mended:
    """What a repair did, what is lost for good in words, and what a check found afterwards."""

    done: list[str]
    lost: list[str]
    left: list[Finding]


def mend(folder: Path, say: Say = lambda _: None) -> Mended:
    """Check the collection in ``folder``, repair what can be, and check again.

    Raises
    ------
    LockedError
        An ingest is at work.
    CollectionError
        Nothing is there, the disk is full, or nothing of the catalog can be salvaged.
    """
    with ingest_lock(folder):
        found, done, lost = check(folder, say), list[str](), list[str]()
        if any(one.repair is Repair.SALVAGE for one in found):
            salvaged = salvage(folder / CATALOG, say)
            lost += salvaged.lost
            kept = ", ".join(f"{table} {count}" for table, count in salvaged.kept.items())
            done.append(
                f"{CATALOG}: what could be read is in a new one ({kept}); the damaged one is {salvaged.damaged}"
            )
            found = check(folder, say)
        for repair, make in _MENDED.items():
            matching = [one for one in found if one.repair is repair]
            if matching:
                done += _made(make, folder, matching)
        left = [one for one in check(folder, say) if one.severity is not Severity.NOTE]
    lost += [f"{one.where}: {one.what}" for one in left if one.repair is Repair.NOTHING]
    return Mended(done, lost, left)


def _made(make: Callable[[Path, list[Finding]], None], folder: Path, found: list[Finding]) -> list[str]:
    try:
        make(folder, found)
    except OSError as error:
        message = f"The repair of {found[0].where} stopped ({error}): make room or make it writable, and run it again."
        raise CollectionError(message) from error
    where = sorted({one.where for one in found})
    more = f" and {len(where) - _NAMED} more" if len(where) > _NAMED else ""
    return [f"{', '.join(where[:_NAMED])}{more}: {found[0].what}: {found[0].repair}"]


def _index_words(folder: Path, _: list[Finding]) -> None:
    """Make the full-text index anew from the words, also where its own tables are damaged."""
    with Database(folder / CATALOG) as database, database.writing() as connection:
        made = [one for one in schema.statements(schema.MIGRATIONS) if "VIRTUAL TABLE heard" in one][-1]
        connection.execute("DROP TABLE IF EXISTS heard")
        connection.execute(made)
        texts = connection.execute("SELECT seq, text FROM words").fetchall()
        connection.executemany(
            "INSERT INTO heard (rowid, tokens) VALUES (?, ?)",
            ((seq, joined) for seq, text in texts if (joined := " ".join(tokens(text)))),
        )


def _drop_embeddings(folder: Path, found: list[Finding]) -> None:
    """Drop all that an encoder made of a video: it is ok without an embedding then, which an ingest makes anew."""
    _drop(folder, found, ("embeddings", "fragments", "profiles", "words"))


def _drop_profiles(folder: Path, found: list[Finding]) -> None:
    _drop(folder, found, ("profiles",))


def _drop_words(folder: Path, found: list[Finding]) -> None:
    _drop(folder, found, ("words",))


def _drop(folder: Path, found: list[Finding], tables: Iterable[str]) -> None:
    pairs = sorted({tuple(map(int, one.key.split())) for one in found})
    with Database(folder / CATALOG) as database, database.writing() as connection:
        for table in tables:
            connection.executemany(f"DELETE FROM {table} WHERE video = ? AND encoder = ?", pairs)  # noqa: S608 - constants
        touched = {(encoder,) for _, encoder in pairs}
        connection.executemany(
            "UPDATE encoders SET revision = revision + 1, removed = revision + 1 WHERE seq = ?", touched
        )


def _drop_indexes(folder: Path, _: list[Finding]) -> None:
    """Delete all that is derived from embeddings: the next search makes what it needs."""
    for path in (folder / INDEX).glob("*"):
        files.erase(path)


def _end_removal(folder: Path, _: list[Finding]) -> None:
    with open_collection(folder) as collection:
        removal.remove_videos(collection, ())


def _erase(folder: Path, found: list[Finding]) -> None:
    for one in found:
        files.erase(folder / one.key)


def _set_aside(folder: Path, found: list[Finding]) -> None:
    """Move files that no video and no run has; under the catalog's lock, as a run may be about to count."""
    with Database(folder / CATALOG) as database, database.writing() as connection:
        for one in found:
            source, target = folder / one.key, folder / SET_ASIDE / one.key
            if source.exists() and not _is_named(connection, source, folder):
                target.parent.mkdir(parents=True, exist_ok=True)
                files.erase(target)
                source.replace(target)


def _is_named(connection: sqlite3.Connection, path: Path, folder: Path) -> bool:
    if path.parent == folder / MEDIA:
        return path.name in media_named(connection)
    run_id = path.relative_to(folder / RUNS).parts[0]
    return connection.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone() is not None


# In this order: what is dropped needs no index, and a removal's files are not to be set aside.
_MENDED: dict[Repair, Callable[[Path, list[Finding]], None]] = {
    Repair.REMOVAL: _end_removal,
    Repair.EMBEDDING: _drop_embeddings,
    Repair.PROFILE: _drop_profiles,
    Repair.HEARD: _drop_words,
    Repair.WORDS: _index_words,
    Repair.INDEX: _drop_indexes,
    Repair.ERASE: _erase,
    Repair.SET_ASIDE: _set_aside,
}
