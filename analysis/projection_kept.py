"""Maps that are kept in files: found again by the state of the collection, and grown by new videos without moving."""

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from analysis.aside import written_aside
from analysis.projected_points import OF_FRAGMENTS, OF_VIDEOS, Points, Progress, nearest, points_of, unheard
from analysis.projection import FEWEST_FOR_UMAP, Layout, Projection, judged, laid_out
from quartzlens.records import Fingerprint
from store.base import Store

MOST_PLACED = 0.25
PLACED_BY = 5
_FACTS = b"quartzlens"


def cached_projection(
    store: Store,
    fingerprint: Fingerprint,
    folder: Path,
    layout: Layout = Layout(),  # noqa: B008 (frozen)
    *,
    fragments: bool = False,
    anew: bool = False,
    tell: Progress = unheard,
) -> Projection:
    """Give the map that ``folder`` keeps for this state of the collection, or compute and keep it.

    The file is named by fingerprint, revision of its embeddings and settings, and written aside before it takes its
    name. Where there is one of an earlier revision it grows: new and re-embedded videos are placed by their neighbours
    and no other moves, until a quarter of the points were placed so; then, or with ``anew``, all is laid out again. A
    damaged file is computed anew. Where the folder cannot be written (a collection opened for reading only), nothing is
    kept.
    """
    revision = store.info().revision(fingerprint)
    settings = f"s{layout.seed}-k{layout.neighbours}-d{layout.min_dist:g}"
    stem = f"projection-{fingerprint.key}-{'fragments' if fragments else 'videos'}-{settings}"
    path = folder / f"{stem}-r{revision}.parquet"
    kept = None if anew else _read(path, fragments=fragments)
    if kept is not None:
        return kept
    points = points_of(store, fingerprint, fragments=fragments)
    earlier = [other for other in folder.glob(f"{stem}-r*.parquet") if other != path]
    bases = [] if anew else [_read(other, fragments=fragments) for other in sorted(earlier, key=_revision)]
    base = next((base for base in reversed(bases) if base is not None), None)
    grown = None if base is None else grown_projection(store, fingerprint, points, base, layout)
    result = grown or laid_out(store, fingerprint, points, layout, tell)
    with suppress(OSError):
        _write(result, path)
        for other in earlier:
            other.unlink(missing_ok=True)
    return result


def grown_projection(
    store: Store, fingerprint: Fingerprint, points: Points, base: Projection, layout: Layout
) -> Projection | None:
    """A map of ``points`` in which those of ``base`` keep their places and the others are set among their neighbours.

    The place of a new one is the mean of those of its five nearest, weighted by nearness: a copy lands on its original.

    Returns
    -------
    Projection or None
        None where too little is left of ``base``: fewer than four points, or more than a quarter of all would be
        placed.
    """
    rows_before = _rows_before(points, base.table)
    known = rows_before >= 0
    placed = np.ones(len(known), dtype=bool)
    placed[known] = base.table["placed"].to_numpy()[rows_before[known]]
    if known.sum() < FEWEST_FOR_UMAP or placed.sum() > MOST_PLACED * len(placed):
        return None
    plane = np.zeros((len(known), 2), dtype=np.float32)
    plane[known] = base.table[["x", "y"]].to_numpy(dtype=np.float32)[rows_before[known]]
    new, old = np.flatnonzero(~known), np.flatnonzero(known)
    if len(new):
        plane[new] = _places(store, fingerprint, points.part(new), points.part(old), plane[old])
    return judged(points, plane, placed, layout.fitting(len(known)))


def _rows_before(points: Points, table: pd.DataFrame) -> NDArray[np.int64]:
    """(n,) row of each point in an earlier table; -1 where it was not there or was embedded otherwise."""
    before = Points(table[list(points.names.columns)], points.matrix[:0], len(table))
    row_of = {(*key, digest): row for row, (key, digest) in enumerate(zip(before.keys, table["digest"], strict=True))}
    now = zip(points.keys, points.digests, strict=True)
    return np.array([row_of.get((*key, digest), -1) for key, digest in now], dtype=np.int64)


def _places(
    store: Store, fingerprint: Fingerprint, new: Points, old: Points, plane: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Places (n, 2) of new points among old ones, whose places are known."""
    row_of = {key: row for row, key in enumerate(old.keys)}
    # Fragments of a video that is partly new are old and new: those that are new are no neighbours here.
    within, keys = frozenset(old.names["id"]), row_of | dict.fromkeys(new.keys, -1)
    k = PLACED_BY + int(new.names["id"].isin(within).sum())
    places = []
    for rows, far in nearest(store, fingerprint, new.matrix, k, keys, within, fragments=new.fragments):
        known = [(row, distance) for row, distance in zip(rows, far, strict=True) if row >= 0][:PLACED_BY]
        weights = 1.0 / (np.array([distance for _, distance in known]) + 1e-6)
        places.append(weights @ plane[[row for row, _ in known]] / weights.sum())
    return np.array(places, dtype=np.float32)


def _revision(path: Path) -> int:
    number = path.stem.rpartition("-r")[2]
    return int(number) if number.isdigit() else -1


def _read(path: Path, *, fragments: bool) -> Projection | None:
    """Read a kept map; None where it is absent or damaged."""
    try:
        read = pq.read_table(path)
        facts = json.loads((read.schema.metadata or {})[_FACTS])
        table = read.to_pandas()
    except (pa.ArrowException, OSError, KeyError, ValueError):
        return None
    wanted = (*(OF_FRAGMENTS if fragments else OF_VIDEOS), "x", "y", "digest", "placed")
    return Projection(table, **facts) if tuple(table.columns) == wanted else None


def _write(result: Projection, path: Path) -> None:
    facts = {"of": result.of, "trustworthiness": result.trustworthiness, "judged": result.judged}
    table = pa.Table.from_pandas(result.table, preserve_index=False)
    kept = table.replace_schema_metadata({**(table.schema.metadata or {}), _FACTS: json.dumps(facts).encode()})
    with written_aside(path) as aside:
        pq.write_table(kept, aside)
