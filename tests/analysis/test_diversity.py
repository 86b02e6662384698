"""Choosing results that are near and not all alike."""

import doctest

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis import diversity
from analysis.diversity import diversified


def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Forty results in four tight bundles, three of them about as near the query, the last one far from it."""
    rng = np.random.default_rng(0)
    centres = np.eye(4, 8, dtype=np.float32) + 5  # crowded near cosine 1, as embeddings are
    vectors = np.repeat(centres, 10, axis=0) + rng.normal(scale=0.01, size=(40, 8)).astype(np.float32)
    similarities = np.repeat([0.99, 0.97, 0.96, 0.9], 10).astype(np.float32) - np.arange(40, dtype=np.float32) * 1e-4
    return similarities, vectors


def test_the_first_ones_come_from_every_near_bundle() -> None:
    """Where the nearest ten sound alike, the first three are one of each near bundle, the nearest first."""
    similarities, vectors = clusters()
    chosen = diversified(similarities, vectors, 3)
    assert chosen[0] == 0
    assert sorted(chosen // 10) == [0, 1, 2]


def test_nearness_alone_keeps_the_order() -> None:
    """With all weight on nearness the order is that of similarity."""
    similarities, vectors = clusters()
    assert diversified(similarities, vectors, 40, 1.0).tolist() == np.argsort(-similarities).tolist()


@given(st.integers(0, 12), st.integers(0, 15), st.integers(0, 2**31))
def test_each_is_chosen_once(n: int, k: int, seed: int) -> None:
    """However many there are, min(k, n) different ones are chosen, and fewer are the beginning of more."""
    rng = np.random.default_rng(seed)
    similarities, vectors = rng.random(n).astype(np.float32), rng.normal(size=(n, 4)).astype(np.float32)
    chosen = diversified(similarities, vectors, k).tolist()
    assert len(set(chosen)) == len(chosen) == min(k, n)
    assert chosen == diversified(similarities, vectors, n).tolist()[:k]


def test_equal_ones_are_no_division_by_zero() -> None:
    """Equal similarities and equal vectors give an order all the same."""
    chosen = diversified(np.ones(3, dtype=np.float32), np.ones((3, 2), dtype=np.float32), 3)
    assert sorted(chosen.tolist()) == [0, 1, 2]


def test_the_example_holds() -> None:
    """The example in the docstring gives what it says."""
    assert doctest.testmod(diversity).failed == 0
