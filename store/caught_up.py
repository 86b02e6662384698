"""From the catalog to an index and back: making segments of its vectors, catching up with it, naming what was found."""

import sqlite3
from collections.abc import Callable
from functools import partial

import numpy as np

from quartzlens.records import Neighbour
from store import indexed, kinds
from store.indexed import Source
from store.places import What
from store.segment import Hit
from store.snapshot import Snapshot


def maker_of(
    connection: sqlite3.Connection, of: Source, count: int, stopped: Callable[[], bool] = bool, since: int = -1
) -> kinds.Maker:
    """Makes segments of all vectors, or of those written after the revision ``since``."""
    videos = indexed.owners(connection, of, since)
    return kinds.Maker(
        count,
        of.dimension,
        partial(indexed.blocks, connection, of, videos),
        partial(indexed.vectors_at, connection, of),
        stopped,
    )


def caught_up(connection: sqlite3.Connection, of: Source, known: Snapshot, revision: int, removed: int) -> Snapshot:
    """A snapshot with what was written since, and without what was written anew or went."""
    gone = indexed.owners(connection, of, known.revision)
    if removed > known.revision:
        before = np.unique(np.concatenate([segment.places.owners for segment in known.segments]))
        gone = np.union1d(gone, np.setdiff1d(before, indexed.owners(connection, of)))
    count = indexed.count(connection, of, known.revision)
    if count == 0:
        return known.changed(revision, None, gone)
    kind = "f32" if kinds.kind_for(count) == "f32" else "f16"
    segment = maker_of(connection, of, count, since=known.revision).make(kind).segment
    return known.changed(revision, segment, gone)


def named(connection: sqlite3.Connection, of: Source, hits: list[list[Hit]]) -> list[list[Neighbour]]:
    """Neighbours with the ids of their videos and, for fragments, their bounds."""
    videos = {video for answer in hits for _, video, _ in answer}
    ids = indexed.ids_of(connection, videos)
    if of.what is What.VIDEOS:
        return [[Neighbour(ids[video], similarity) for similarity, video, _ in answer] for answer in hits]
    bounds = {video: found.tolist() for video, found in indexed.bounds_of(connection, of, videos).items()}
    return [
        [
            Neighbour(ids[video], similarity, (bounds[video][number][0], bounds[video][number][1]))
            for similarity, video, number in answer
        ]
        for answer in hits
    ]
