"""Pooling: fragments cover a clip without gap, and their means make the clip's mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pooling import fragment_edges, mean_pool


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


@given(n_steps=st.integers(1, 900), seed=st.integers(0, 99))
def test_the_clip_mean_is_the_weighted_mean_of_its_fragments(n_steps: int, seed: int) -> None:
    """Pooling over the clip and over its fragments tell the same story."""
    steps = np.random.default_rng(seed).normal(size=(n_steps, 4)).astype(np.float32)
    edges = fragment_edges(n_steps, 0.02)
    embedding, fragments = mean_pool(steps, edges)
    assert embedding == pytest.approx(steps.mean(axis=0, dtype=np.float64), abs=1e-6)
    assert np.average(fragments, axis=0, weights=np.diff(edges)) == pytest.approx(embedding, abs=1e-5)
    assert embedding.dtype == fragments.dtype == np.float32
