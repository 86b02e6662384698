"""Sounds, and how near two engines' answers to them are."""

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Embedded


def noise(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """White noise at 16 kHz."""
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * 16000))).astype(np.float32)


def cosine(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """The least cosine between rows of the same number, in float64; 1 for two rows of zeros."""
    a, b = np.atleast_2d(ours).astype(np.float64), np.atleast_2d(theirs).astype(np.float64)
    assert a.shape == b.shape
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    both_zero = ~a.any(axis=1) & ~b.any(axis=1)
    return float(np.where(both_zero, 1.0, (a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1.0)).min())


def agree(ours: Embedded, theirs: Embedded, least: float = 0.9999) -> None:
    """Pooled embedding, every fragment and every block's profile are near, and the fragments are the same stretches."""
    assert ours.bounds.tobytes() == theirs.bounds.tobytes()
    assert list(ours.profile) == list(theirs.profile)
    pairs = [(ours.embedding, theirs.embedding), (ours.fragments, theirs.fragments)]
    pairs += [(ours.profile[name], theirs.profile[name]) for name in ours.profile]
    for one, other in pairs:
        assert one.dtype == other.dtype == np.float32
        assert cosine(one, other) >= least
        scale = np.abs(other).max()
        assert np.abs(np.linalg.norm(one) - np.linalg.norm(other)) <= 1e-2 * max(scale, np.linalg.norm(other))


def same_bits(ours: Embedded, theirs: Embedded) -> bool:
    """Whether nothing at all differs."""
    arrays = [(ours.embedding, theirs.embedding), (ours.fragments, theirs.fragments), (ours.bounds, theirs.bounds)]
    arrays += [(ours.profile[name], theirs.profile[name]) for name in ours.profile]
    return ours.words == theirs.words and all(one.tobytes() == other.tobytes() for one, other in arrays)
