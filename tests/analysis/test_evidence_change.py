"""Where the sound of one video changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evidence_change import DIRECTIONS, best_cut, widest_directions


def starts(n):
    """Fragments of 5 s that follow each other."""
    return np.arange(n, dtype=np.float32) * 5


def test_a_change_is_found_where_it_is():
    """Five fragments around one point and four around another are cut between them, strongly."""
    rng = np.random.default_rng(0)
    fragments = np.repeat(rng.normal(size=(2, 8)) * 5, [5, 4], axis=0) + 0.1 * rng.normal(size=(9, 8))
    found = best_cut(fragments.astype(np.float32), starts(9), np.eye(8, dtype=np.float32))
    assert found.at_seconds == 25
    assert found.strength > 100


@pytest.mark.parametrize("fragments", [np.zeros((0, 4)), np.arange(12).reshape(3, 4), np.ones((8, 4))])
def test_little_or_nothing_to_cut(fragments):
    """No fragments, fewer than four, or fragments that are all alike have no change."""
    assert best_cut(fragments.astype(np.float32), starts(len(fragments)), np.eye(4, dtype=np.float32)) is None


def test_directions_are_equally_wide():
    """Along each direction the fragments they were taken from have variance 1, and there are no more than asked for."""
    rng = np.random.default_rng(1)
    matrix = (rng.normal(size=(200, 50)) * np.linspace(0.1, 9, 50)).astype(np.float32)
    turned = matrix @ widest_directions(matrix)
    assert turned.shape == (200, DIRECTIONS)
    assert turned.var(axis=0) == pytest.approx(np.ones(DIRECTIONS), rel=1e-3)


def test_no_fragments_have_no_directions():
    """Without fragments there is no direction, and none where all are the same."""
    assert widest_directions(np.zeros((0, 6), dtype=np.float32)).shape == (6, 0)
    assert widest_directions(np.ones((5, 6), dtype=np.float32)).shape == (6, 0)


@given(st.integers(4, 14), st.integers(0, 10_000))
def test_no_other_cut_is_stronger(n, seed):
    """The strength is that of the best of all cuts, each computed plainly."""
    fragments = np.random.default_rng(seed).normal(size=(n, 5))
    found = best_cut(fragments.astype(np.float32), starts(n), np.eye(5, dtype=np.float32))
    strengths = {}
    for cut in range(2, n - 1):
        parts = fragments[:cut], fragments[cut:]
        within = sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts)
        whole = ((fragments - fragments.mean(axis=0)) ** 2).sum()
        strengths[5.0 * cut] = (n - 2) * (whole - within) / within
    assert found.strength == pytest.approx(max(strengths.values()), rel=1e-3)
    assert strengths[found.at_seconds] == pytest.approx(found.strength, rel=1e-3)
