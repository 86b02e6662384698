"""Labelled videos whose categories overlap, so that classifiers err and a network stops where it does on real ones."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.dataset import Dataset
from analysis.duplicates import no_copies
from benchmarks.vectors import DIMENSION, mixture
from quartzlens.records import Fragments, Media, Video

FRAGMENTS = 12
CATEGORIES = ("art_music", "food", "history", "travel")
_GROUPS_PER_VIDEO = 1900 / 3400  # the channels of the original list
_HEARD, _UNHEARD = 40, 0.9
"""Directions that a category hangs on, and how much hangs on nothing that can be heard, in deviations of what can."""
_WORDS, _TEXT = 4000, 60
_MEDIA = Media(60.0, 60.0, -20.0, "vorbis", 44_100)


def dataset_of(work: Path, count: int, seed: int = 8) -> Dataset:
    """So many videos, about 1.8 a channel, with titles and descriptions that lean towards their category."""
    rng = np.random.default_rng(seed)
    drawn = mixture(work)
    X = drawn.draw(count, seed)
    y = _categories(X, drawn.components, rng)
    channels = _channels(count, rng)
    texts = _texts(y, rng)
    ids = tuple(f"v{i:06d}" for i in range(count))
    videos = tuple(
        Video(one, one, title=text[:60], description=text, channel=channel, media=_MEDIA)
        for one, text, channel in zip(ids, texts, channels, strict=True)
    )
    nothing = pd.DataFrame({"id": [], "category": [], "reason": []}, dtype=object)
    groups = np.array([f"channel {name}" for name in channels], dtype=object)
    copies = {"videos": 0, "groups": 0, "parted": 0}
    return Dataset(ids, X, y, CATEGORIES, groups, None, nothing, copies, videos, groups, no_copies())


def fragments_of(dataset: Dataset, ids: tuple[str, ...]) -> Fragments:
    """Twelve fragments about each of these videos, drawn anew whenever they are read: always the same."""
    row_of = {one: row for row, one in enumerate(dataset.ids)} if len(ids) != len(dataset.ids) else None
    rows = np.arange(len(ids)) if row_of is None else np.array([row_of[one] for one in ids])
    noise = np.random.default_rng(int(rows[0])).standard_normal((len(rows), FRAGMENTS, DIMENSION), dtype=np.float32)
    matrix = (dataset.X[rows][:, None] + 0.1 * noise).reshape(-1, DIMENSION)
    start = np.tile(5.0 * np.arange(FRAGMENTS, dtype=np.float32), len(rows))
    return Fragments(tuple(np.repeat(ids, FRAGMENTS)), np.column_stack([start, start + 5]), matrix, ())


def _categories(X: NDArray[np.float32], components: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int64]:
    """The category that a random direction of the widest speaks most for, blurred."""
    heard = (X - X.mean(axis=0)) @ components[:_HEARD].T
    heard /= heard.std(axis=0)
    wanted = heard @ rng.standard_normal((_HEARD, len(CATEGORIES))) / np.sqrt(_HEARD)
    chosen: NDArray[np.int64] = (wanted + _UNHEARD * rng.standard_normal(wanted.shape)).argmax(axis=1)
    return chosen


def _channels(count: int, rng: np.random.Generator) -> list[str]:
    """Each channel once, and the rest by chance."""
    n = max(2, round(count * _GROUPS_PER_VIDEO))
    which = np.concatenate([np.arange(n), rng.integers(0, n, count - n)])
    return [f"c{one}" for one in which]


def _texts(y: NDArray[np.int64], rng: np.random.Generator) -> list[str]:
    """Words by a law of Zipf, a tenth of them of the category's own."""
    shares = 1 / np.arange(1, _WORDS + 1)
    common = rng.choice(_WORDS, (len(y), _TEXT), p=shares / shares.sum())
    own = rng.random(common.shape) < 0.1
    common[own] = _WORDS + (y[:, None] * 50 + rng.integers(0, 50, common.shape))[own]
    return [" ".join(f"word{word}" for word in row) for row in common]
