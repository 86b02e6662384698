"""Pooling: fragments cover a clip without gap, and their sums make the clip's mean and spread."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.pooling import Sums, fragment_edges, members, pool, sums_of
from quartzlens.errors import UsageError


def steps_of(n_steps: int, seed: int) -> NDArray[np.float32]:
    """Steps (t, 4) far from zero beside their spread, where sums of squares would lose it."""
    return np.random.default_rng(seed).normal((0, 1, 100, -1000), size=(n_steps, 4)).astype(np.float32)


@given(n_steps=st.integers(1, 5000))
def test_fragments_cover_the_clip_once(n_steps: int) -> None:
    """Every step is in one fragment; all but the last are 5 s, the last is 1 to 6 s where the clip allows."""
    edges = fragment_edges(n_steps, 0.02)
    lengths = np.diff(edges)
    assert edges[0] == 0
    assert edges[-1] == n_steps
    assert (lengths[:-1] == 250).all()
    assert lengths[-1] < 300
    assert lengths[-1] >= min(50, n_steps)


@given(n_steps=st.integers(1, 1500))
def test_members_put_every_step_into_its_fragment(n_steps: int) -> None:
    """Each step is in one fragment, and each fragment has as many as its edges say."""
    edges = fragment_edges(n_steps, 0.02)
    table = members(edges)
    assert table.dtype == np.float32
    assert (table.sum(axis=0) == 1).all()
    assert table.sum(axis=1).tolist() == np.diff(edges).tolist()


@given(n_steps=st.integers(1, 900), seed=st.integers(0, 99))
def test_the_clip_mean_is_the_weighted_mean_of_its_fragments(n_steps: int, seed: int) -> None:
    """Pooling over the clip and over its fragments tell the same story."""
    steps = steps_of(n_steps, seed)
    edges = fragment_edges(n_steps, 0.02)
    embedding, fragments = pool(sums_of(steps, edges), edges, "mean")
    assert embedding == pytest.approx(steps.mean(axis=0, dtype=np.float64), rel=1e-6, abs=1e-6)
    assert np.average(fragments, axis=0, weights=np.diff(edges)) == pytest.approx(embedding, rel=1e-6, abs=1e-5)
    assert embedding.dtype == fragments.dtype == np.float32


@given(n_steps=st.integers(1, 900), seed=st.integers(0, 99))
def test_the_spread_is_that_of_the_steps(n_steps: int, seed: int) -> None:
    """``mean_std`` appends the standard deviation over time, of the clip and of each fragment, as in float64."""
    steps = steps_of(n_steps, seed)
    edges = fragment_edges(n_steps, 0.02)
    embedding, fragments = pool(sums_of(steps, edges), edges, "mean_std")
    exact = steps.astype(np.float64)
    assert embedding == pytest.approx(np.append(exact.mean(axis=0), exact.std(axis=0)), rel=1e-4, abs=1e-4)
    for number, part in enumerate(np.split(exact, edges[1:-1])):
        assert fragments[number] == pytest.approx(np.append(part.mean(axis=0), part.std(axis=0)), rel=1e-4, abs=1e-4)


@given(n_steps=st.integers(1, 900), padded_steps=st.integers(0, 20), seed=st.integers(0, 99))
def test_mean3008_is_the_mean_over_valid_and_padded_steps(n_steps: int, padded_steps: int, seed: int) -> None:
    """Steps that only pad count as any other; fragments stay plain means."""
    steps, padding = steps_of(n_steps, seed), np.float32([1, -2, 3, 4])
    edges = fragment_edges(n_steps, 0.02)
    sums = sums_of(steps, edges)
    embedding, fragments = pool(Sums(sums.totals, None, padding, padded_steps), edges, "mean3008")
    together = np.concatenate([steps, np.tile(padding, (padded_steps, 1))])
    assert embedding == pytest.approx(together.mean(axis=0, dtype=np.float64), rel=1e-6, abs=1e-6)
    assert fragments.tobytes() == pool(sums, edges, "mean")[1].tobytes()


@pytest.mark.parametrize("pooling", ["mean3008", "mean_std"])
def test_a_pooling_without_its_sums_is_refused(pooling: str) -> None:
    """What an engine did not compute is named, not guessed."""
    edges = np.array([0, 2])
    with pytest.raises(UsageError, match=pooling):
        pool(Sums(np.ones((1, 3), np.float32)), edges, pooling)
