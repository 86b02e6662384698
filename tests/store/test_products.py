"""The highest inner products, in parts of any size."""

import doctest

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from store import products


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 60), part=st.integers(1, 70), k=st.integers(1, 60))
def test_the_highest_are_those_of_the_whole_product(seed: int, count: int, part: int, k: int) -> None:
    """Whatever the parts are, products are the whole's, best first, each at its position; damaged rows have none."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(-3, 4, size=(count, 5)).astype(np.float32)
    damaged = generator.random(count) < 0.2
    rows[damaged, 0] = np.nan
    queries, k = generator.integers(-3, 4, size=(3, 5)).astype(np.float32), min(k, count)
    scattered = generator.permutation(count)
    parts = [(at, rows[at]) for at in np.split(scattered, range(part, count, part))]
    scores, positions = products.highest(parts, queries, k)
    whole = np.where(damaged, -np.inf, queries @ rows.T)
    assert (scores == -np.sort(-whole, axis=1)[:, :k]).all()
    for row, at, found in zip(whole, positions, scores, strict=True):
        assert ((at == -1) == np.isneginf(found)).all()
        assert (row[at[at >= 0]] == found[at >= 0]).all()
        assert len(set(at[at >= 0])) == (at >= 0).sum()


def test_the_example() -> None:
    """That of the docstring."""
    assert doctest.testmod(products).failed == 0
