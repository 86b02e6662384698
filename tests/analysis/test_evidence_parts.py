"""Dividing one video between two categories."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evidence_parts import LEAST_SECONDS, best_parted

NAMES = ["food", "history", "travel"]
F, H, T = [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]


def parted(shares, seconds=5.0):
    """The best division of fragments that follow each other."""
    seconds = np.broadcast_to(seconds, (len(shares),))
    ends = np.cumsum(seconds)
    bounds = np.column_stack([ends - seconds, ends])
    return best_parted(np.array(shares, dtype=np.float64).reshape(-1, 3), bounds, NAMES)


@pytest.mark.parametrize(
    ("shares", "stretch", "inner", "outer"),
    [
        ([F, F, F, T, T], (0.0, 15.0), "food", "travel"),
        ([T, T, F, F, F, T, T], (10.0, 25.0), "food", "travel"),
        ([H, H, H, H, F, T, T], (0.0, 20.0), "history", "travel"),
    ],
)
def test_the_stretch_and_the_rest_are_found(shares, stretch, inner, outer):
    """A stretch at an end or in the middle is found with its category and that of the rest."""
    found = parted(shares)
    assert (found.stretch, found.stretch_category, found.rest_category) == (stretch, inner, outer)
    assert found.stretch_share == pytest.approx(0.8)
    assert found.gain > 3


def test_it_is_said_in_seconds():
    """The division reads as a sentence does."""
    assert str(parted([T, T, T, F, F])) == "0:00 to 0:15 sound like travel (0.80), the rest like food (0.80)"


def test_one_category_gains_nothing_by_a_division():
    """Where all fragments sound alike, any division is less probable than none."""
    assert parted([F] * 6).gain < 0


@pytest.mark.parametrize(("shares", "seconds"), [([], 5.0), ([F], 5.0), ([F, T], 3.0), ([F, T, T], 5.0)])
def test_a_short_video_is_not_divided(shares, seconds):
    """Both parts need two fragments: below that nothing is said."""
    assert parted(shares, seconds) is None


def test_a_fragment_that_is_sure_and_wrong_does_not_decide():
    """One fragment at probability 0 of the rest's category costs no more than one at 0.02."""
    sure, unsure = [0.0, 0.0, 1.0], [0.02, 0.0, 0.98]
    shares = [F, F, F, F, F, F]
    assert parted([*shares[:3], sure, *shares[3:]]).gain == pytest.approx(
        parted([*shares[:3], unsure, *shares[3:]]).gain, abs=0.1
    )


@given(
    st.lists(
        st.tuples(st.lists(st.floats(0.001, 1), min_size=3, max_size=3), st.floats(1.0, 5.0)), min_size=4, max_size=12
    )
)
def test_no_other_division_is_better(fragments):
    """Whatever the probabilities, no stretch and no two categories explain the fragments better (brute force)."""
    shares = np.array([weights for weights, _ in fragments])
    shares /= shares.sum(axis=1, keepdims=True)
    seconds = np.array([length for _, length in fragments])
    logs = np.log(np.maximum(shares, 0.02)) * (seconds / 5.0)[:, None]
    best = -np.inf
    for start in range(len(seconds)):
        for end in range(start + 1, len(seconds) + 1):
            inside = np.arange(start, end)
            rest = np.setdiff1d(np.arange(len(seconds)), inside)
            if min(seconds[inside].sum(), seconds[rest].sum()) < LEAST_SECONDS + 1e-9:
                continue
            for a in range(3):
                for b in set(range(3)) - {a}:
                    best = max(best, logs[inside, a].sum() + logs[rest, b].sum())
    found = parted(shares, seconds)
    if np.isfinite(best):
        assert found.gain >= best - logs.sum(axis=0).max() - 1e-6
        assert found.stretch_category != found.rest_category
