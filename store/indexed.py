"""SQL for what an index is made of: vectors in blocks, what changed since a revision, and the index file's stamp."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Fingerprint
from store import catalog
from store.arrays import HALF, SINGLE
from store.places import Block, Places, What

_BLOCK_VECTORS = 4096
_AT_ONCE = 64
_FRAGMENTS = 12  # of a minute; blocks of fragments are read by videos
_COLUMNS: dict[What, tuple[str, str, np.dtype[np.floating]]] = {
    What.VIDEOS: ("embeddings", "vector", SINGLE),
    What.FRAGMENTS: ("fragments", "matrix", HALF),
}


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of vectors of an encoder: its number in the catalog, what they are of, their dimension."""

    encoder: int
    what: What
    dimension: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an index file must be, and how well it answers.

    Attributes
    ----------
    name
        Its name in the index folder.
    revision
        The embedding revision that it was made from.
    error
        The largest distance between a vector and its code.
    effort
        With which a search goes through a graph; 0 in other kinds.
    recall
        Share of the ten nearest that a search found, over held-out queries.
    chosen
        Whether a person chose the kind.
    """

    name: str
    kind: str
    revision: int
    count: int
    bytes: int
    sha256: str
    faiss_version: str
    error: float
    effort: int
    recall: float
    chosen: bool


def source(connection: sqlite3.Connection, fingerprint: Fingerprint, what: What) -> tuple[Source, int, int] | None:
    """The vectors of a fingerprint, their revision, and the revision at which some went last; None before any."""
    found = connection.execute(
        "SELECT seq, revision, removed FROM encoders WHERE key = ?", (fingerprint.key,)
    ).fetchone()
    return (Source(found[0], what, fingerprint.dimension), found[1], found[2]) if found else None


def count(connection: sqlite3.Connection, of: Source, since: int = -1) -> int:
    """How many vectors there are, or how many were written after the revision ``since``."""
    if of.what is What.VIDEOS:
        sql = "SELECT count(*) FROM embeddings WHERE encoder = ? AND revision > ?"
        counted: int = connection.execute(sql, (of.encoder, since)).fetchone()[0]
        return counted
    sql = (
        "SELECT coalesce(sum(length(matrix)), 0) FROM fragments JOIN embeddings USING (video, encoder) "
        "WHERE encoder = ? AND revision > ?"
    )
    counted = connection.execute(sql, (of.encoder, since)).fetchone()[0]
    return counted // (of.dimension * HALF.itemsize)


def owners(connection: sqlite3.Connection, of: Source, since: int = -1) -> NDArray[np.int64]:
    """Numbers of the videos that have vectors, ascending, or of those written after the revision ``since``."""
    sql = "SELECT video FROM embeddings WHERE encoder = ? AND revision > ? ORDER BY video"
    found = connection.execute(sql, (of.encoder, since))
    return np.fromiter((video for (video,) in found), dtype=np.int64)


def blocks(connection: sqlite3.Connection, of: Source, videos: NDArray[np.int64]) -> Iterator[Block]:
    """The vectors of these videos (ascending numbers), some thousand at a time, in the order of videos and of time."""
    step = _BLOCK_VECTORS if of.what is What.VIDEOS else _BLOCK_VECTORS // _FRAGMENTS
    for start in range(0, len(videos), step):
        yield _block(of, _rows(connection, of, videos[start : start + step]))


def _rows(connection: sqlite3.Connection, of: Source, videos: NDArray[np.int64]) -> list[tuple[int, bytes]]:
    table, column, _ = _COLUMNS[of.what]
    # Numbers of a run of videos lie close together: one range is read faster than each by itself.
    if len(videos) and videos[-1] - videos[0] < 2 * len(videos):
        sql = f"SELECT video, {column} FROM {table} WHERE encoder = ? AND video BETWEEN ? AND ? ORDER BY video"  # noqa: S608 - constants
        found = connection.execute(sql, (of.encoder, int(videos[0]), int(videos[-1]))).fetchall()
        wanted = set(videos.tolist())
        return [row for row in found if row[0] in wanted] if len(found) > len(videos) else found
    rows: list[tuple[int, bytes]] = []
    for start in range(0, len(videos), catalog.FEW):
        some = videos[start : start + catalog.FEW].tolist()
        sql = (
            f"SELECT video, {column} FROM {table} WHERE encoder = ? AND video IN ({','.join('?' * len(some))}) "  # noqa: S608 - constants and question marks alone
            "ORDER BY video"
        )
        rows += connection.execute(sql, (of.encoder, *some))
    return rows


def _block(of: Source, rows: Sequence[tuple[int, bytes]]) -> Block:
    dtype = _COLUMNS[of.what][2]
    matrix = np.frombuffer(b"".join(blob for _, blob in rows), dtype).reshape(-1, of.dimension).astype(np.float32)
    counts = [len(blob) // (of.dimension * dtype.itemsize) for _, blob in rows]
    owned = np.repeat(np.array([video for video, _ in rows], np.int64), counts)
    numbers = np.concatenate([np.empty(0, np.int32), *(np.arange(one, dtype=np.int32) for one in counts)])
    return Block(Places(owned, numbers), matrix)


def vectors_at(connection: sqlite3.Connection, of: Source, places: Places) -> NDArray[np.float32]:
    """The vectors of these places, as kept: (n, d) float32."""
    table, column, dtype = _COLUMNS[of.what]
    length = of.dimension * dtype.itemsize
    pairs = np.stack([places.owners, 1 + length * places.numbers.astype(np.int64)], axis=1)
    blobs: list[bytes] = []
    for start in range(0, len(pairs), _AT_ONCE):
        some = pairs[start : start + _AT_ONCE]
        # Many in one statement: for the few of a search, asking is as much work as reading. Rows come in this order.
        sql = (
            f"WITH place(owner, first) AS (VALUES {','.join(['(?,?)'] * len(some))}) "  # noqa: S608 - constants and question marks
            f"SELECT substr({column}, first, ?) FROM place CROSS JOIN {table} ON video = owner AND encoder = ?"
        )
        blobs += [blob for (blob,) in connection.execute(sql, (*some.ravel().tolist(), length, of.encoder))]
    return np.frombuffer(b"".join(blobs), dtype).reshape(-1, of.dimension).astype(np.float32)


def ids_of(connection: sqlite3.Connection, videos: Collection[int]) -> dict[int, str]:
    """The id of each video of these numbers."""
    wanted = sorted(videos)
    found: dict[int, str] = {}
    for start in range(0, len(wanted), catalog.FEW):
        some = wanted[start : start + catalog.FEW]
        sql = f"SELECT seq, id FROM videos WHERE seq IN ({','.join('?' * len(some))})"  # noqa: S608 - question marks alone
        found.update(connection.execute(sql, some))
    return found


def bounds_of(connection: sqlite3.Connection, of: Source, videos: Collection[int]) -> dict[int, NDArray[np.float32]]:
    """Where the fragments of each video of these numbers begin and end: (f, 2) float32, in seconds."""
    wanted = sorted(videos)
    found: dict[int, NDArray[np.float32]] = {}
    for start in range(0, len(wanted), catalog.FEW):
        some = wanted[start : start + catalog.FEW]
        sql = f"SELECT video, bounds FROM fragments WHERE encoder = ? AND video IN ({','.join('?' * len(some))})"  # noqa: S608 - question marks alone
        for video, bounds in connection.execute(sql, (of.encoder, *some)):
            found[video] = np.frombuffer(bounds, SINGLE).reshape(-1, 2)
    return found


def stamp(connection: sqlite3.Connection, of: Source) -> Stamp | None:
    """What the index file must be; None where none was ever kept."""
    found = connection.execute(
        "SELECT name, kind, revision, count, bytes, sha256, faiss_version, error, effort, recall, chosen "
        "FROM index_files WHERE encoder = ? AND what = ?",
        (of.encoder, of.what.value),
    ).fetchone()
    if found is None:
        return None
    return Stamp(*found)


def write_stamp(connection: sqlite3.Connection, of: Source, made: Stamp) -> None:
    """Say what the index file is from now on."""
    connection.execute(
        "INSERT OR REPLACE INTO index_files (name, kind, revision, count, bytes, sha256, faiss_version, error, effort, "
        "recall, chosen, encoder, what) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*astuple(made), of.encoder, of.what.value),
    )
