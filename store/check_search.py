"""Whether a search answers as scoring every embedding does: of all videos, and exactly within some of them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quartzlens.errors import CollectionError
from quartzlens.records import Fingerprint, Neighbour
from store import vectors
from store.connections import reader
from store.findings import Finding, Repair, Say, Severity
from store.local import CATALOG, LocalStore

_QUERIES = 16
_K = 10
_SCORED = 100_000
_BLOCK = 2048
_ENOUGH = 0.95
_VIDEOS = 1000  # of which the fragments are scored
_NEAR = 2e-6


def of_search(folder: Path, say: Say) -> Iterator[Finding]:
    """Compare searches with held-out queries against NumPy over at most 100,000 embeddings of each encoder.

    A search of all may be approximate: of the nearest, 0.95 must be found, with their right similarities. One within a
    tenth of the videos must be exact. The collection is opened for reading alone: nothing is kept.
    """
    with reader(folder / CATALOG) as connection:
        connection.execute("BEGIN")
        try:
            with LocalStore(folder, read_only=True) as store:
                for fingerprint in store.info().encoders:
                    say(f"search by {fingerprint.checkpoint_name or fingerprint.key}")
                    yield from _compared(store, connection, fingerprint)
        except CollectionError as error:
            yield Finding(Severity.WRONG, f"no search is possible: {error}", CATALOG, "See the other findings.")


def _compared(store: LocalStore, connection: sqlite3.Connection, fingerprint: Fingerprint) -> Iterator[Finding]:
    scored = _scored(connection, fingerprint)
    if not scored.ids:
        return
    problem = (
        _missed(scored, store.search(fingerprint, scored.queries, _K))
        or _inexact(store, fingerprint, scored)
        or _inexact_fragments(store, fingerprint, scored)
    )
    if problem:
        advice = "`quartzlens check --repair` makes the indexes anew from the catalog."
        yield Finding(Severity.WRONG, problem, f"index of {fingerprint.key}", advice, Repair.INDEX)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """Queries (q, d), and the cosine of each with the embeddings that were looked at: q arrays (m,) float64."""

    ids: list[str]
    queries: NDArray[np.float32]
    scores: list[NDArray[np.float64]] = field(default_factory=list)


def _scored(connection: sqlite3.Connection, fingerprint: Fingerprint) -> _Scored:
    """Score a regular sample of the embeddings, in the order of videos."""
    (encoder,) = connection.execute("SELECT seq FROM encoders WHERE key = ?", (fingerprint.key,)).fetchone()
    (n,) = connection.execute("SELECT count(*) FROM embeddings WHERE encoder = ?", (encoder,)).fetchone()
    every = -(-n // _SCORED) or 1
    found = connection.execute(
        "SELECT id, vector FROM embeddings JOIN videos ON seq = video WHERE encoder = ? AND video % ? = 0 "
        "ORDER BY video",
        (encoder, every),
    )
    scored, parts = _Scored([], np.empty((0, fingerprint.dimension), np.float32)), []
    while block := found.fetchmany(_BLOCK):
        matrix = np.frombuffer(b"".join(vector for _, vector in block), "<f4").reshape(len(block), -1)
        unit = vectors.normalised(matrix)
        if not scored.ids:
            scored = _Scored([], _held_out(unit))
        scored.ids.extend(video_id for video_id, _ in block)
        parts.append(np.stack([vectors.similarities(unit, query) for query in vectors.normalised(scored.queries)]))
    if parts:
        scored.scores.extend(np.concatenate(parts, axis=1))
    return scored


def _held_out(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Queries near to embeddings and equal to none."""
    generator = np.random.default_rng(0)
    chosen = unit[generator.integers(len(unit), size=_QUERIES)]
    noise = generator.normal(scale=0.3 / np.sqrt(unit.shape[1]), size=chosen.shape)
    near: NDArray[np.float32] = (chosen + noise).astype(np.float32)
    return near


def _missed(scored: _Scored, answers: list[list[Neighbour]]) -> str:
    """What is wrong with answers of all videos; empty where enough was found and similarities are right."""
    position = {video_id: at for at, video_id in enumerate(scored.ids)}
    hits = misses = 0
    for scores, found in zip(scored.scores, answers, strict=True):
        there = [(position[one.video_id], one.similarity) for one in found if one.video_id in position]
        if any(abs(scores[at] - similarity) > _NEAR for at, similarity in there):
            return "a search gives a similarity that is not the embedding's"
        least = found[-1].similarity if len(found) == _K else -2.0
        better = set(np.flatnonzero(scores > least + _NEAR).tolist())
        misses += len(better - {at for at, _ in there})
        hits += len(there)
    recall = hits / (hits + misses) if misses else 1.0
    return f"a search finds {recall:.2f} of the nearest videos, not {_ENOUGH}" if recall < _ENOUGH else ""


def _inexact(store: LocalStore, fingerprint: Fingerprint, scored: _Scored) -> str:
    """What is wrong with a search within a tenth of what was scored; empty where it is exact."""
    within = range(0, len(scored.ids), 10)
    allowed = [scored.ids[at] for at in within]
    for scores, found in zip(scored.scores, store.search(fingerprint, scored.queries, _K, allowed), strict=True):
        order = vectors.best(scores[::10], _K)
        if [one.video_id for one in found] != [allowed[at] for at in order]:
            return "a search within some videos does not find the nearest of them"
    return ""


def _inexact_fragments(store: LocalStore, fingerprint: Fingerprint, scored: _Scored) -> str:
    """What is wrong with a search for fragments within some videos; empty where it is exact."""
    within = scored.ids[:: max(1, len(scored.ids) // _VIDEOS)]
    held = store.fragments(fingerprint, within)
    unit, bounds = vectors.normalised(held.matrix), held.bounds.tolist()
    answers = store.search(fingerprint, scored.queries, _K, within, fragments=True)
    for query, found in zip(vectors.normalised(scored.queries), answers, strict=True):
        order = vectors.best(vectors.similarities(unit, query), _K)
        if [(one.video_id, one.bounds) for one in found] != [(held.ids[at], tuple(bounds[at])) for at in order]:
            return "a search for fragments within some videos does not find the nearest of them"
    return ""
