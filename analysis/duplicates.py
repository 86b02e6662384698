"""Copies: videos with the same sound under several ids, also where one is cut, louder or encoded otherwise.

Averaged outputs of a ReLU crowd near cosine 1, and two recordings of rain are near each other too. So what is compared
is how the sound goes on: the fragments of each video about their own mean, in directions that the collection's own
fragments make equally wide. Copies go up and down together, whatever the level; different recordings do not. Of a
single fragment the embedding must be the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.draws import drawn
from analysis.fragment_directions import Directions
from analysis.same_embeddings import same_embeddings
from quartzlens.figures import how_many
from quartzlens.records import Fingerprint
from store.base import Store
from store.vectors import finite, undamaged

COLUMNS = ("group", "id", "copy_of", "offset_seconds", "agreement", "fragments")
_TYPES = {"group": "int64", "offset_seconds": "float64", "agreement": "float64", "fragments": "int64"}
AGREEMENT, FEW, LEAST_AGREEMENT = 0.5, 0.3, 0.15
"""n aligned fragments must reach ``AGREEMENT + FEW / (n - 1)`` together, as few agree by chance more easily, and each
``LEAST_AGREEMENT``. What that finds and never finds is measured by benchmarks/duplicates.py."""
CHANCE = 6.0
"""They must also be so many standard deviations from chance, which is far where there are few directions."""
LEAST_VARIATION = 0.03
"""Spread of fragments over the length of their mean below which (a tone, much silence) nothing tells videos apart."""
NEAR = 0.5
"""Correlation of single fragments from which a pair of videos is looked at."""
SAMPLE_VIDEOS, VIDEOS_AT_ONCE = 500, 500
ANCHORS_AT_ONCE, POINTS_AT_ONCE = 512, 16384
STEPS = 5
"""Offsets that are tried between one fragment and the next."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Match:
    """Fragment j of video ``one`` sounds like ``other`` at j + ``offset`` (in fragments), in ``fragments`` places."""

    agreement: float
    one: int
    other: int
    offset: float
    fragments: int


@dataclass(frozen=True, slots=True, eq=False)
class _Sounds:
    """Videos with what they can be known by, sorted by id: fragments (f, p) of video i begin at ``first[i]``."""

    ids: tuple[str, ...]
    first: NDArray[np.int64]
    fragments: Floats
    fragment_seconds: float
    of_one_fragment: tuple[str, ...]
    without_change: int

    def of(self, video: int) -> Floats:
        """Fragments of one video, (f, p)."""
        return self.fragments[self.first[video] : self.first[video + 1]]


def duplicate_groups(
    store: Store, fingerprint: Fingerprint, on_share: Callable[[float], None] = lambda _: None
) -> pd.DataFrame:
    """Find the videos whose sound is that of another one.

    Two videos match where they can be laid over each other, by whole fragments or parts of one, so that at least two
    fragments and half of the shorter video overlap, and all of these agree. Those of a single fragment match where
    their embeddings are the same (``analysis.same_embeddings``). Whatever matches is one group, also through a chain.
    The same videos give the same groups, in whatever order they came. Silent videos, those in which next to nothing
    changes, and damaged ones are in no group: there is nothing to know them by.

    Memory grows by half a kilobyte a fragment, of single ones by two embeddings, time with the square of the number of
    videos. ``on_share`` is told again and again how much of the search is done, 0 to 1.

    Returns
    -------
    pandas.DataFrame
        One row for each video of a group, groups and their videos in the order of the store: ``group`` (from 1),
        ``id``, ``copy_of`` (the video of the group that it was found to match, the best where there are several),
        ``offset_seconds`` (second s of it is second s + offset there; exact to about a second), ``agreement``
        (correlation over the aligned fragments, at most 1; of single ones the cosine), ``fragments`` (how many were
        aligned). Its ``attrs`` count audible videos: ``short`` with a single fragment, ``even`` with next to no change.
    """
    audible = [video.id for video in store.videos() if video.media is not None and not video.media.silent]
    sounds = _sounds(store, fingerprint, sorted(audible))
    n, same = len(sounds.ids), same_embeddings(store, fingerprint, sounds.of_one_fragment)
    short = [_Match(cosine, n + one, n + other, 0.0, 1) for one, other, cosine in same]
    table = _table([*_matches(sounds, on_share), *short], sounds, audible)
    table.attrs.update(short=len(sounds.of_one_fragment), even=sounds.without_change)
    return table


def no_copies() -> pd.DataFrame:
    """The table of ``duplicate_groups`` without rows."""
    return pd.DataFrame([], columns=list(COLUMNS), dtype=object).astype(_TYPES)


def hardly_compared(copies: pd.DataFrame) -> str:
    """A sentence on the videos that ``duplicate_groups`` could not compare by how they go on; empty where none is."""
    short, even = (int(copies.attrs.get(name, 0)) for name in ("short", "even"))
    told = [f"{how_many(short, 'video')} too short for changed copies to be known"] if short else []
    told += [f"{how_many(even, 'video')} too even for any"] if even else []
    return f"The collection has {' and '.join(told)}." if told else ""


def copies_of(copies: pd.DataFrame, video_id: str) -> tuple[str, ...]:
    """The other videos of a video's group in ``duplicate_groups``, in its order; none where it is in none."""
    own = copies.loc[copies["id"] == video_id, "group"]
    others = copies["group"].isin(own) & (copies["id"] != video_id)
    return tuple(str(one) for one in copies.loc[others, "id"])


def _sounds(store: Store, fingerprint: Fingerprint, ids: Sequence[str]) -> _Sounds:
    """Read the fragments of videos, some at a time, as the collection's own directions show them."""
    some = undamaged(store.fragments(fingerprint, drawn(ids, SAMPLE_VIDEOS))).matrix
    turned, nothing = Directions(some), some[:0]
    kept, short = list[str](), list[str]()
    parts: list[Floats] = []
    seconds, even = 0.0, 0
    for start in range(0, len(ids), VIDEOS_AT_ONCE):
        found = store.fragments(fingerprint, ids[start : start + VIDEOS_AT_ONCE])
        whole = finite(found.matrix)
        order = sorted(range(len(found.ids)), key=found.ids.__getitem__)
        for video_id, rows in groupby(order, key=found.ids.__getitem__):
            own = list(rows)
            if len(own) == 1:
                short.append(video_id)
            elif whole[own].all() and not _varies(found.matrix[own]):
                even += 1
            elif whole[own].all():
                kept.append(video_id)
                parts.append(turned(found.matrix[own]))
                seconds = seconds or float(found.bounds[own[1], 0] - found.bounds[own[0], 0])
    first = np.cumsum([0, *map(len, parts)])
    return _Sounds(tuple(kept), first, np.concatenate([turned(nothing), *parts]), seconds, tuple(short), even)


def _varies(fragments: Floats) -> bool:
    """Whether there is something to know a video by; its first and last fragment vary by being that alone."""
    inner = fragments[1:-1] if len(fragments) > 3 else fragments
    spread = np.sqrt(inner.var(axis=0).sum())
    return bool(spread > LEAST_VARIATION * np.linalg.norm(inner.mean(axis=0)))


def _matches(sounds: _Sounds, on_share: Callable[[float], None]) -> list[_Match]:
    """Matches that join all that belongs together; pairs that are joined already are passed over."""
    parent = np.arange(len(sounds.ids))
    found: list[_Match] = []
    for one, other, offset in _candidates(sounds, on_share):
        roots = [_root(parent, one), _root(parent, other)]
        match = _aligned(sounds, one, other, offset) if roots[0] != roots[1] else None
        if match is not None:
            parent[max(roots)] = min(roots)
            found.append(match)
    return found


def _root(parent: NDArray[np.int64], video: int) -> int:
    while parent[video] != video:
        parent[video] = parent[parent[video]]
        video = int(parent[video])
    return video


def _candidates(sounds: _Sounds, on_share: Callable[[float], None]) -> Iterator[tuple[int, int, float]]:
    """Pairs of videos of which single fragments are alike, with the offset (in fragments) that this suggests.

    Two anchors of each video, at a third and at two thirds, are compared with all fragments and the points half-way
    between two: of any half of a video one anchor is in it.
    """
    points, owner, position = _points(sounds)
    lengths = np.diff(sounds.first)
    thirds = np.column_stack([lengths // 3, 2 * lengths // 3]) + sounds.first[:-1, None]
    anchors = thirds.ravel()  # fragments come first among the points
    for start in range(0, len(anchors), ANCHORS_AT_ONCE):
        asked = anchors[start : start + ANCHORS_AT_ONCE]
        rows, columns, nearness = _near(points[asked], points)
        one, other = owner[asked[rows]], owner[columns]
        offset = position[columns] - position[asked[rows]]
        offset, one, other = np.where(one < other, offset, -offset), np.minimum(one, other), np.maximum(one, other)
        best = np.lexsort((offset, -nearness, other, one))
        best = best[one[best] != other[best]]
        _, chosen = np.unique(one[best] * len(sounds.ids) + other[best], return_index=True)
        for row in best[chosen]:
            yield int(one[row]), int(other[row]), float(offset[row])
        on_share(min(1.0, (start + ANCHORS_AT_ONCE) / len(anchors)))


def _points(sounds: _Sounds) -> tuple[Floats, NDArray[np.int64], NDArray[np.float64]]:
    """Fragments about the mean of their video, and half-way points, as unit vectors (m, p); owners and positions."""
    lengths = np.diff(sounds.first)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    position = (np.arange(len(owner)) - sounds.first[owner]).astype(np.float64)
    centred = sounds.fragments - _means(sounds)[owner]
    inner = np.flatnonzero(owner[:-1] == owner[1:])
    mixed = np.concatenate([centred, (centred[inner] + centred[inner + 1]) / 2])
    lengths_of = np.linalg.norm(mixed, axis=1, keepdims=True) + np.finfo(np.float32).tiny
    points: Floats = (mixed / lengths_of).astype(np.float32)
    return points, np.concatenate([owner, owner[inner]]), np.concatenate([position, position[inner] + 0.5])


def _means(sounds: _Sounds) -> Floats:
    """Mean fragment of each video, (n, p)."""
    totals = np.add.reduceat(sounds.fragments, sounds.first[:-1], axis=0) if len(sounds.ids) else sounds.fragments
    means: Floats = (totals / np.diff(sounds.first)[:, None]).astype(np.float32)
    return means


def _about_mean(fragments: Floats) -> Floats:
    centred: Floats = fragments - fragments.mean(axis=0)
    return centred


def _near(asked: Floats, points: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Rows of ``asked`` and of ``points`` that are near, and how near; some points at a time."""
    found = []
    for start in range(0, len(points), POINTS_AT_ONCE):
        nearness = asked @ points[start : start + POINTS_AT_ONCE].T
        rows, columns = np.nonzero(nearness >= NEAR)
        found.append((rows, columns + start, nearness[rows, columns]))
    rows, columns, values = (np.concatenate(part) for part in zip(*found, strict=True))
    return rows, columns, values


def _aligned(sounds: _Sounds, one: int, other: int, about: float) -> _Match | None:
    """The best alignment of two videos near an offset; None where they do not agree."""
    a, b = sounds.of(one), sounds.of(other)
    best: _Match | None = None
    for step in range(-3, 4):
        offset = round(about * STEPS + step) / STEPS
        for agreement, least, n in (_agreement(a, b, offset), _agreement(b, a, -offset)):
            enough = n > 1 and agreement >= _wanted(n, a.shape[1]) and least >= LEAST_AGREEMENT
            if enough and (best is None or agreement > best.agreement):
                best = _Match(agreement, one, other, offset, n)
    return best


def _wanted(n: int, directions: int) -> float:
    """What n aligned fragments must reach; as they are about their mean, n - 1 of them are free."""
    return max(AGREEMENT + FEW / (n - 1), CHANCE / float(np.sqrt((n - 1) * directions)))


def _agreement(one: Floats, other: Floats, offset: float) -> tuple[float, float, int]:
    """How well the fragments of one video follow those of another at an offset (in fragments).

    The correlation over all aligned fragments about their means, the least of a single fragment, and their number; -1
    where too few are aligned. Between two fragments of ``other`` lies their mixture.
    """
    lag = int(np.floor(offset))
    share = np.float32(offset - lag)
    steps = (1 - share) * other[:-1] + share * other[1:] if share else other
    begin = max(0, -lag)
    n = min(len(one), len(steps) - lag) - begin
    if n < 2 or 2 * n < min(len(one), len(other)) - 1:
        return -1.0, -1.0, 0
    a, b = _about_mean(one[begin : begin + n]), _about_mean(steps[begin + lag : begin + lag + n])
    dot, aa, bb = (a * b).sum(axis=1), (a * a).sum(axis=1), (b * b).sum(axis=1)
    tiny = np.finfo(np.float32).tiny
    return float(dot.sum() / np.sqrt(aa.sum() * bb.sum() + tiny)), float((dot / np.sqrt(aa * bb + tiny)).min()), n


def _table(matches: Sequence[_Match], sounds: _Sounds, order: Sequence[str]) -> pd.DataFrame:
    """The documented table; each video with the match that agrees best."""
    ids = (*sounds.ids, *sounds.of_one_fragment)
    parent = np.arange(len(ids))
    best: dict[int, _Match] = {}
    for match in sorted(matches, key=lambda match: -match.agreement):
        roots = _root(parent, match.one), _root(parent, match.other)
        parent[max(roots)] = min(roots)
        best.setdefault(match.one, match)
        best.setdefault(match.other, match)
    number_of = {video_id: number for number, video_id in enumerate(ids)}
    groups: dict[int, list[int]] = {}
    for video_id in order:
        video = number_of.get(video_id, -1)
        if video in best:
            groups.setdefault(_root(parent, video), []).append(video)
    rows = [
        _row(group, video, best[video], ids, sounds.fragment_seconds)
        for group, members in enumerate(groups.values(), start=1)
        for video in members
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).astype(_TYPES)


def _row(group: int, video: int, match: _Match, ids: Sequence[str], fragment_seconds: float) -> tuple[object, ...]:
    other, sign = (match.other, 1) if match.one == video else (match.one, -1)
    seconds = sign * match.offset * fragment_seconds
    return group, ids[video], ids[other], seconds + 0.0, min(match.agreement, 1.0), match.fragments
