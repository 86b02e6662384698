"""Folds for every repeat, and what the model of each fold says of its videos and their fragments."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.classifier import probabilities
from analysis.dataset import Dataset
from analysis.out_of_fold import OnFold, fold_models
from analysis.splits import grouped_folds, groups_per_category
from quartzlens.errors import UsageError
from quartzlens.records import Fragments
from store.vectors import undamaged

VIDEOS_AT_ONCE = 1000
_SEEDS_APART = 1000
"""Repeats deal by seeds so far apart, as one that fails to deal tries the next few."""

Floats = NDArray[np.float32]
Deal: TypeAlias = tuple[NDArray[np.int64], int]
ReadFragments: TypeAlias = Callable[[Sequence[str]], Fragments]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What out-of-fold models said, as means over the repeats.

    Attributes
    ----------
    by_video
        (n, k) float32.
    owner, bounds, by_fragment
        Of the fragments of these videos that are not damaged, in their order and that of time: (f,) rows of videos,
        (f, 2) seconds, and (f, k) float32.
    right
        Share of the videos that each repeat told right.
    chosen
        Class weights that were chosen in each fold of each repeat; empty where none were to be chosen.
    """

    by_video: Floats
    owner: NDArray[np.int64]
    bounds: Floats
    by_fragment: Floats
    right: tuple[float, ...]
    chosen: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What the model of one fold said of its videos, in their order, and of their fragments.

    ``by_video`` (m, k) float32; ``owner``, ``bounds``, ``by_fragment`` as in ``Judged``.
    """

    by_video: Floats
    owner: NDArray[np.int64]
    bounds: Floats
    by_fragment: Floats


def deals_of(dataset: Dataset, folds: int, seed: int, repeats: int) -> tuple[Deal, ...]:
    """Folds (n,) and seed of each repeat.

    Published folds are the same in all of them. Made ones are as many as asked for, or fewer where a category has fewer
    groups.

    Raises
    ------
    UsageError
        Fewer than two folds or no repeat were asked for.
    """
    if repeats < 1:
        raise UsageError(f"{repeats} repeats were asked for: 1 at least.")
    seeds = seeds_of(seed, repeats)
    if dataset.folds is not None:
        return tuple((dataset.folds, own) for own in seeds)
    if folds < 2:
        raise UsageError(f"{folds} folds were asked for: at least 2 are needed, to learn from one and judge the other.")
    fewest = int(groups_per_category(dataset.y, dataset.groups, len(dataset.categories)).min())
    return tuple((grouped_folds(dataset.y, dataset.groups, min(folds, fewest), own), own) for own in seeds)


def seeds_of(seed: int, repeats: int) -> list[int]:
    """Seed of each repeat, the first that of the evaluation.

    >>> seeds_of(7, 2)
    [7, 1007]
    """
    return [seed + _SEEDS_APART * repeat for repeat in range(repeats)]


def reader_of(fragments: Fragments) -> ReadFragments:
    """Read from fragments that are in memory."""
    names = np.array(fragments.ids, dtype=object)

    def read(ids: Sequence[str]) -> Fragments:
        """Those of these videos."""
        wanted = set(ids)
        rows = np.flatnonzero([name in wanted for name in names])
        bounds = fragments.bounds.reshape(-1, 2)[rows]
        return Fragments(tuple(names[rows]), bounds, fragments.matrix[rows], ())

    return read


def judge(
    make: Callable[[int], Any],
    dataset: Dataset,
    deals: Sequence[Deal],
    read: ReadFragments,
    on_fold: OnFold = lambda *_: None,
    known: Mapping[int, Said] = MappingProxyType({}),
) -> Judged:
    """Judge every video, and each of its fragments, by the models of its folds.

    Fragments are read a thousand videos at a time, and their embeddings are not kept.

    Parameters
    ----------
    make
        Makes an untrained classifier from a seed.
    on_fold
        Called with the folds done and their number, those of all repeats together.
    known
        What is known already of folds of the one deal that there is: nothing is trained for them.
    """
    k, total, done = len(dataset.categories), sum(len(np.unique(fold_of)) for fold_of, _ in deals), 0
    by_video, right, names = np.zeros((len(dataset.ids), k), dtype=np.float32), [], []
    by_fragment = np.zeros((1, k), dtype=np.float32)
    for fold_of, seed in deals:
        one, parts = np.zeros_like(by_video), []
        for fold, said in known.items():
            one[fold_of == fold] = said.by_video
            parts.append((said.owner, said.bounds, said.by_fragment))
            done += 1
            on_fold(done, total)
        data = dataset.X, dataset.y, dataset.groups, fold_of
        for fold, model in fold_models(lambda seed=seed: make(seed), *data, without=known):  # type: ignore[misc]
            held = np.flatnonzero(fold_of == fold)
            one[held] = probabilities(model, dataset.X[held], k)
            parts += list(_fragments(model, dataset, held, k, read))
            names += [model.chosen_] if hasattr(model, "chosen_") else []
            done += 1
            on_fold(done, total)
        by_video += one / np.float32(len(deals))
        right.append(float((one.argmax(axis=1) == dataset.y).mean()))
        owner, bounds, of_this = _in_order(parts, k)
        by_fragment = by_fragment + of_this / np.float32(len(deals))
    return Judged(by_video, owner, bounds, by_fragment, tuple(right), tuple(names))


_Part: TypeAlias = tuple[NDArray[np.int64], Floats, Floats]


def _fragments(
    model: Any, dataset: Dataset, held: NDArray[np.int64], n_categories: int, read: ReadFragments
) -> Iterator[_Part]:
    """Owners, bounds and probabilities of the undamaged fragments of some videos, a part at a time."""
    for start in range(0, len(held), VIDEOS_AT_ONCE):
        rows = held[start : start + VIDEOS_AT_ONCE]
        row_of = {dataset.ids[row]: row for row in rows}
        found = undamaged(read(tuple(row_of)))
        owner = np.array([row_of[video_id] for video_id in found.ids], dtype=np.int64)
        yield owner, found.bounds.reshape(-1, 2), probabilities(model, found.matrix, n_categories)


def _in_order(parts: Sequence[_Part], n_categories: int) -> _Part:
    empty: _Part = (np.zeros(0, np.int64), np.zeros((0, 2), np.float32), np.zeros((0, n_categories), np.float32))
    owner, bounds, said = (np.concatenate(arrays) for arrays in zip(empty, *parts, strict=True))
    order = np.argsort(owner, kind="stable")
    return owner[order], bounds[order], said[order]
