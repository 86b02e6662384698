"""Judging every block of a large collection, as a quick and as a full evaluation do."""

import time
from pathlib import Path

import numpy as np

from analysis.depths import Profile, judged
from benchmarks.report import Table
from benchmarks.sizes import size

_CHANNELS = {"C1": 256, "B1": 256, "B2": 256, "B3": 512, "B4": 512, "B5": 512, "C2": 512, "C3": 1024}
_CATEGORIES, _FOLDS = 4, 5
_NOTE = """\
{n:,} made-up videos with the depth profile of QuartzNet 15x5, {k} categories, {folds} folds: a logistic regression for
each block, pooling and fold, and for the choice for each pair of folds too."""


def tables(work: Path) -> list[Table]:  # noqa: ARG001 -- the same for every part
    """Seconds for the whole depth report."""
    n = size(3400, 200)
    ways = (("every block", False), ("every block, and one chosen", True))
    rows = [(how, f"{seconds_of_all(n, nested=nested):.1f}", str(2 * len(_CHANNELS))) for how, nested in ways]
    note = _NOTE.format(n=n, k=_CATEGORIES, folds=_FOLDS)
    return [Table("Judging every block", note, ("what", "s", "settings"), rows)]


def seconds_of_all(n: int, *, nested: bool = False) -> float:
    """Seconds to judge every block of so many videos by both poolings."""
    y = np.random.default_rng(0).integers(0, _CATEGORIES, n)
    fold_of = np.arange(n) % _FOLDS
    profile = Profile(np.arange(n), tuple(_CHANNELS), lambda name: _made_up(y, name))
    began = time.perf_counter()
    list(judged(profile, y, fold_of, _CATEGORIES, nested=nested))
    return time.perf_counter() - began


def _made_up(y: np.ndarray, name: str) -> np.ndarray:
    """A block's profile: few directions carry most, as in outputs of a ReLU, and categories overlap."""
    channels = _CHANNELS[name]
    rng = np.random.default_rng(channels)
    few = rng.normal(size=(len(y), 200)) + 0.25 * rng.normal(size=(_CATEGORIES, 200))[y]
    mixed = (few / np.sqrt(1 + np.arange(200))) @ rng.normal(size=(200, 2 * channels))
    noisy = mixed + 0.5 * rng.normal(size=mixed.shape) + 0.3
    return np.maximum(noisy, 0).astype(np.float32)
