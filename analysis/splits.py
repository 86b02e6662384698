"""Splits that never part a group: joined groups, folds, and the part that is spared for early stopping.

A group is what would let a classifier recognise instead of generalise: a channel, one recording cut into several
videos, or copies of one sound.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from quartzlens.errors import NotEnoughDataError
from quartzlens.records import Video

SHUFFLES = 20


def joined_groups(
    videos: Sequence[Video], copies: Mapping[str, int] | None = None, by: str | None = None
) -> NDArray[np.object_]:
    """Name the group of each video: (n,) str objects.

    Videos of one channel, of one recording (extra column ``source_id``), or with one sound (``copies``: id -> number of
    its group in ``analysis.duplicates``) belong together, and so does everything that a chain of such ties connects
    (connected components by union-find). A video with none of these is a group of its own. ``by`` names a column that
    takes the place of channel and recording: ``channel``, ``recording``, an extra column, or ``video`` for none.

    >>> joined_groups([Video("a", "", channel="X"), Video("b", "", channel="X"), Video("c", "")]).tolist()
    ['channel X', 'channel X', 'video c']
    """
    parent: dict[str, str] = {}

    def root(tie: str) -> str:
        parent.setdefault(tie, tie)
        while parent[tie] != tie:
            parent[tie] = parent[parent[tie]]
            tie = parent[tie]
        return tie

    ties = [_ties(video, (copies or {}).get(video.id), by) for video in videos]
    for first, *others in ties:
        for other in others:
            low, high = sorted((root(first), root(other)))
            parent[high] = low
    return np.array([root(first) for first, *_ in ties], dtype=object)


def groups_by_id(
    videos: Sequence[Video], copies: Mapping[str, int] | None = None, by: str | None = None
) -> dict[str, str]:
    """The group of each video by its id, in their order: as ``joined_groups``."""
    return dict(zip((video.id for video in videos), joined_groups(videos, copies, by).tolist(), strict=True))


def _ties(video: Video, sound: int | None, by: str | None) -> list[str]:
    """What ties a video to others; the sort order makes a joined group bear the name of a channel where it has one."""
    names = ("channel", "recording") if by is None else (by,)
    ties = [f"{name} {value}" for name in names if (value := group_value(video, name))]
    ties += [f"sound {sound}"] if sound is not None else []
    return ties or [alone(video.id)]


def group_value(video: Video, column: str) -> str:
    """What a column that groups are made by says of a video; empty where it says nothing.

    >>> group_value(Video("a", "", channel="X", extra={"source_id": "7"}), "recording")
    '7'
    """
    own = {"channel": video.channel, "recording": video.extra.get("source_id"), "video": None}
    return (own[column] if column in own else video.extra.get(column, "").strip()) or ""


def alone(video_id: str) -> str:
    """The group of a video that nothing ties to another one.

    >>> alone("v1")
    'video v1'
    """
    return f"video {video_id}"


def numbered(groups: NDArray[np.object_]) -> tuple[list[str], NDArray[np.int64]]:
    """The groups' names, sorted, and the number of each video's: (G,) and (n,) int64.

    What ``numpy.unique`` gives for text of fixed width, without making it: that takes n times the longest name.

    >>> numbered(np.array(["b", "a", "b"], dtype=object))
    (['a', 'b'], array([1, 0, 1]))
    """
    texts = list(map(str, groups))
    names = sorted(set(texts))
    number = {name: at for at, name in enumerate(names)}
    return names, np.array([number[text] for text in texts], dtype=np.int64)


def groups_per_category(y: NDArray[np.int64], groups: NDArray[np.object_], n_categories: int) -> NDArray[np.int64]:
    """How many groups each category has: (k,) int64."""
    return np.array([len(set(groups[y == category])) for category in range(n_categories)], dtype=np.int64)


def grouped_folds(y: NDArray[np.int64], groups: NDArray[np.object_], folds: int, seed: int) -> NDArray[np.int64]:
    """Deal whole groups into ``folds`` folds of about equal categories: (n,) int64, 0-based.

    StratifiedGroupKFold of scikit-learn, seeded and shuffled. With few groups a shuffle can put a category into one
    fold alone, and no model could then learn it for that fold: the first of some shuffles without this is taken. Where
    there is none, the first is taken whose every fold leaves two categories to learn from: a category may then still be
    unknown to the model of one fold. Every category must have at least ``folds`` groups.

    Raises
    ------
    NotEnoughDataError
        Every shuffle has a fold whose model would learn from fewer than two categories.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    second_best: NDArray[np.int64] | None = None
    for shuffle in range(SHUFFLES):
        dealer = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed + shuffle)
        fold_of = np.zeros(len(y), dtype=np.int64)
        for fold, (_, held_out) in enumerate(dealer.split(y[:, None], y, groups)):
            fold_of[held_out] = fold
        if all(len(set(fold_of[y == category])) > 1 for category in np.unique(y)):
            return fold_of
        if second_best is None and not folds_without_choice(y, fold_of):
            second_best = fold_of
    if second_best is None:
        raise NotEnoughDataError(
            f"The channels cannot be dealt into {folds} folds so that every fold's model has two categories to learn "
            "from. Ask for fewer folds, or add videos of more channels."
        )
    return second_best


def folds_without_choice(y: NDArray[np.int64], fold_of: NDArray[np.int64]) -> list[int]:
    """Folds whose model would learn from fewer than two categories, as the other folds hold no more.

    >>> folds_without_choice(np.array([0, 0, 1]), np.array([1, 2, 2]))
    [2]
    """
    return [int(fold) for fold in np.unique(fold_of) if len(set(y[fold_of != fold])) < 2]


def spared_part(y: NDArray[np.int64], groups: NDArray[np.object_], seed: int, share: float = 0.2) -> NDArray[np.bool_]:
    """Mark whole groups, about ``share`` of each category, that a training can spare: (n,) bool.

    Groups come in a seeded order; one is taken while its categories stay under the share, or have nothing yet and keep
    at least half of their videos. Then a category without any takes its smallest group that leaves every category
    something to learn from. A category may end with nothing spared: with a single group, it has none to give.
    """
    names, group_of = numbered(groups)
    counts = np.zeros((len(names), int(y.max()) + 1), dtype=np.int64)
    np.add.at(counts, (group_of, y), 1)
    total = counts.sum(axis=0)
    order = np.random.default_rng(seed).permutation(len(names))
    spared = np.zeros_like(total)
    taken: list[int] = []
    for index in order:
        after, has = spared + counts[index], counts[index] > 0
        within = (after <= np.ceil(share * total)) | ((spared == 0) & (after <= total / 2))
        if bool(within[has].all()) and bool((after < total)[has].all()):
            taken.append(int(index))
            spared = after
    for index in sorted(set(order.tolist()) - set(taken), key=lambda i: (counts[i].sum(), i)):
        after, has = spared + counts[index], counts[index] > 0
        if bool((spared[has] == 0).any()) and bool((after < total)[total > 0].all()):
            taken.append(index)
            spared = after
    return np.isin(group_of, taken)
