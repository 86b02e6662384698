"""SQL for outcomes, encoders, embeddings, profiles and fragments, inside the transaction of the connection given."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Embedded, Embeddings, Fingerprint, Fragments, Media, Result, Words
from store import arrays, catalog, heard, rules
from store.arrays import HALF, SINGLE

# Bytes on disk are little-endian on every machine.


def commit(connection: sqlite3.Connection, results: Sequence[Result]) -> None:
    """Keep results that ``rules.checked`` let pass; UnknownVideoError where a video was never added."""
    ids = {result.video_id for result in results}
    known = catalog.sequence_of(connection, ids)
    rules.check_known(ids, known)
    arrays.check_channels(results, lambda fingerprint, block: _channels(connection, fingerprint, block))
    _write_outcomes(connection, known, results)
    latest = {key: one.fingerprint for key, _, one in arrays.by_key(results)}
    moved = {key: _moved(connection, key, fingerprint) for key, fingerprint in latest.items()}
    newest = {(known[result.video_id], *moved[key]): one for key, result, one in arrays.by_key(results)}
    _write_arrays(connection, newest)


def _write_outcomes(connection: sqlite3.Connection, known: Mapping[str, int], results: Sequence[Result]) -> None:
    connection.executemany(
        "UPDATE videos SET outcome = ?, stage = ?, detail = ?, tried_at = ?, told_title = coalesce(?, told_title), "
        "told_channel = coalesce(?, told_channel) WHERE seq = ?",
        (
            (
                result.outcome.value,
                result.stage.value,
                result.detail,
                result.tried_at,
                result.title or None,
                result.channel or None,
                known[result.video_id],
            )
            for result in results
        ),
    )
    connection.executemany(
        "UPDATE videos SET source_seconds = ?, clip_seconds = ?, loudness_dbfs = ?, codec = ?, sample_rate_hz = ?, "
        "silent = ?, media_file = ?, thumbnail_file = ? WHERE seq = ?",
        ((*_media_facts(result.media), known[result.video_id]) for result in results if result.media is not None),
    )


def _media_facts(media: Media) -> tuple[object, ...]:
    return (
        media.source_seconds,
        media.clip_seconds,
        media.loudness_dbfs,
        media.codec,
        media.sample_rate_hz,
        int(media.silent),
        media.media_file,
        media.thumbnail_file,
    )


def _moved(connection: sqlite3.Connection, key: str, fingerprint: Fingerprint) -> tuple[int, int]:
    """The encoder's number and its next revision; the name of its checkpoint becomes the one given last."""
    seq, revision = connection.execute(
        "INSERT INTO encoders (key, facts, revision) VALUES (?, ?, 1) "
        "ON CONFLICT (key) DO UPDATE SET facts = excluded.facts, revision = revision + 1 RETURNING seq, revision",
        (key, json.dumps(asdict(fingerprint))),
    ).fetchone()
    return seq, revision


def _write_arrays(connection: sqlite3.Connection, newest: Mapping[tuple[int, int, int], Embedded]) -> None:
    """Replace what is kept of videos and encoders, by their numbers and the encoder's revision."""
    connection.executemany(
        "INSERT OR REPLACE INTO embeddings (video, encoder, revision, vector) VALUES (?, ?, ?, ?)",
        ((*of, one.embedding.astype(SINGLE).tobytes()) for of, one in newest.items()),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO fragments (video, encoder, bounds, matrix) VALUES (?, ?, ?, ?)",
        (
            (video, encoder, one.bounds.astype(SINGLE).tobytes(), one.fragments.astype(HALF).tobytes())
            for (video, encoder, _), one in newest.items()
        ),
    )
    pairs = {(video, encoder): one for (video, encoder, _), one in newest.items()}
    connection.executemany("DELETE FROM profiles WHERE video = ? AND encoder = ?", pairs)
    connection.executemany(
        "INSERT INTO profiles (video, encoder, block, matrix) VALUES (?, ?, ?, ?)",
        (
            (*of, block, moments.astype(HALF).tobytes())
            for of, one in pairs.items()
            for block, moments in one.profile.items()
        ),
    )
    heard.write(connection, {of: one.words for of, one in pairs.items()})


def _channels(connection: sqlite3.Connection, fingerprint: Fingerprint, block: str) -> int | None:
    """The channels of a block in the profiles that are kept; None where none are."""
    found = connection.execute(
        "SELECT length(matrix) FROM profiles WHERE encoder = (SELECT seq FROM encoders WHERE key = ?) AND block = ? "
        "LIMIT 1",
        (fingerprint.key, block),
    ).fetchone()
    return found[0] // (2 * HALF.itemsize) if found else None


def encoders(connection: sqlite3.Connection) -> tuple[tuple[Fingerprint, int], ...]:
    """Every encoder in the order in which they came, with the revision of its embeddings."""
    found = connection.execute("SELECT facts, revision FROM encoders ORDER BY seq")
    return tuple((Fingerprint(**json.loads(facts)), revision) for facts, revision in found)


def held(connection: sqlite3.Connection) -> list[Fingerprint]:
    """The encoders of which there are embeddings."""
    found = connection.execute(
        "SELECT facts FROM encoders WHERE EXISTS (SELECT 1 FROM embeddings WHERE encoder = encoders.seq) ORDER BY seq"
    )
    return [Fingerprint(**json.loads(facts)) for (facts,) in found]


def embeddings(
    connection: sqlite3.Connection, fingerprint: Fingerprint, ids: Collection[str] | None = None, block: str = ""
) -> Embeddings:
    """Pooled embeddings in the order of videos, (n, d) float32; with ``block`` its entry of the profile, (n, 2c)."""
    source = "matrix FROM profiles" if block else "vector FROM embeddings"
    names, vectors = [], bytearray()
    for video_id, vector in _rows_of(connection, source, fingerprint, ids, block):
        names.append(video_id)
        vectors += vector
    columns = len(vectors) // (max(len(names), 1) * HALF.itemsize) if block else fingerprint.dimension
    return Embeddings(tuple(names), _matrix(vectors, HALF if block else SINGLE, len(names), columns))


def ids(connection: sqlite3.Connection, fingerprint: Fingerprint) -> tuple[str, ...]:
    """The videos that have an embedding, in their order; no embedding is read."""
    found = connection.execute(
        "SELECT id FROM embeddings JOIN videos ON seq = video WHERE encoder = (SELECT seq FROM encoders WHERE key = ?) "
        "ORDER BY video",
        (fingerprint.key,),
    )
    return tuple(video_id for (video_id,) in found)


def fragments(
    connection: sqlite3.Connection,
    fingerprint: Fingerprint,
    ids: Collection[str] | None = None,
    saying: str = "",
    most: int | None = None,
) -> Fragments:
    """Fragment embeddings in the order of videos, then of time: matrix (f, d) and bounds (f, 2) float32.

    With ``saying`` only those in which it was heard, best match first, and of these ``most``.
    """
    if saying:
        hits = heard.matching(connection, fingerprint, ids, saying)[:most]
        return arrays.at_places(_fragments(connection, fingerprint, {video_id for video_id, _ in hits}), hits)
    return _fragments(connection, fingerprint, ids)


def _fragments(connection: sqlite3.Connection, fingerprint: Fingerprint, ids: Collection[str] | None) -> Fragments:
    names: list[str] = []
    bounds, matrices = bytearray(), bytearray()
    first: dict[str, int] = {}
    for video_id, bound, matrix in _rows_of(connection, "bounds, matrix FROM fragments", fingerprint, ids):
        first[video_id] = len(names)
        names += [video_id] * (len(bound) // (2 * SINGLE.itemsize))
        bounds += bound
        matrices += matrix
    words: list[Words | None] = [None] * len(names)
    for video_id, number, text, probability in _rows_of(
        connection, "number, text, probability FROM words", fingerprint, ids
    ):
        words[first[video_id] + number] = Words(text, probability)
    n, dimension = len(names), fingerprint.dimension
    return Fragments(tuple(names), _matrix(bounds, SINGLE, n, 2), _matrix(matrices, HALF, n, dimension), tuple(words))


def _rows_of(
    connection: sqlite3.Connection,
    columns: str,
    fingerprint: Fingerprint,
    ids: Collection[str] | None,
    block: str = "",
) -> Iterator[tuple[Any, ...]]:
    """A video's id and ``columns`` (with their table) of each embedded video, or of those in ``ids``, in order."""
    condition, parameters = catalog.wanted("videos.id", ids)
    if block:
        condition, parameters = f"{condition} AND block = ?", (*parameters, block)
    only = catalog.chosen(ids)
    found = connection.execute(
        f"SELECT videos.id, {columns} JOIN videos ON videos.seq = video "  # noqa: S608 - constants and question marks alone
        f"WHERE encoder = (SELECT seq FROM encoders WHERE key = ?) AND {condition} ORDER BY video",
        (fingerprint.key, *parameters),
    )
    for row in found:
        if only is None or row[0] in only:
            yield tuple(row)


def _matrix(content: bytearray, dtype: np.dtype[np.floating], rows: int, columns: int) -> NDArray[np.float32]:
    """Rows that stand one after the other: (rows, columns) float32, writable, the caller's own."""
    return np.frombuffer(content, dtype).reshape(rows, columns).astype(np.float32, copy=False)
