"""Reliability and coverage are counts of the videos that they speak of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.calibration import SHARES, coverage, reliability
from analysis.intervals import Resamples
from analysis.metrics import metrics_of


def made_up(seed, n):
    """Labels, probabilities of three categories, and draws."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet([0.5] * 3, size=n)
    return rng.integers(0, 3, size=n), P, Resamples.of(rng.integers(0, 20, size=n).astype(object), draws=30)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 80))
def test_the_reliability_table_adds_up_to_the_calibration_error(seed, n):
    """Its bins hold every video once, lie between their edges, and their gaps are the expected calibration error."""
    y, P, resamples = made_up(seed, n)
    table = reliability(y, P, resamples)
    assert sum(row["n"] for row in table) == n
    assert all(row["low"] - 1e-9 <= row["confidence"] <= row["high"] + 1e-9 for row in table)
    error = sum(row["n"] / n * abs(row["confidence"] - row["accuracy"]["value"]) for row in table)
    assert error == pytest.approx(metrics_of(y, P, ["a", "b", "c"], resamples)["calibration_error"]["value"], abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 80))
def test_coverage_keeps_the_surest_videos(seed, n):
    """Each share keeps so many of the surest, with their accuracy; all of them have the accuracy of all."""
    y, P, resamples = made_up(seed, n)
    confidence, right = P.max(axis=1), P.argmax(axis=1) == y
    table = coverage(y, P, resamples)
    assert [row["share"] for row in table] == list(SHARES)
    for row in table:
        assert row["n"] == max(1, int(np.ceil(round(row["share"] * n, 6))))
        kept = confidence >= row["threshold"]
        assert kept.sum() == row["n"]
        assert row["accuracy"]["value"] == pytest.approx(right[kept].mean(), abs=1e-12)
    assert table[0]["accuracy"]["value"] == pytest.approx(right.mean())


def test_of_equally_sure_videos_each_counts_the_same():
    """Where all are as sure, half of them are right as often as all, whatever their order."""
    P, y = np.tile([0.8, 0.2], (10, 1)), np.array([0] * 5 + [1] * 5)
    last = coverage(y, P, Resamples.of(np.arange(10).astype(object)))[-1]
    assert (last["share"], last["n"], last["threshold"], last["accuracy"]["value"]) == (0.5, 5, 0.8, pytest.approx(0.5))


def test_a_reliability_table_by_hand():
    """Two videos of confidence 0.8, one right, and one of 1.0: two bins, the last one with its upper edge."""
    P = np.array([[0.8, 0.2], [0.8, 0.2], [0.0, 1.0]])
    low, high = reliability(np.array([0, 1, 1]), P, Resamples.of(np.arange(3).astype(object), draws=50))
    assert (low["n"], low["confidence"], low["accuracy"]["value"]) == (2, pytest.approx(0.8), 0.5)
    assert (low["low"], low["high"]) == pytest.approx((11 / 15, 12 / 15))
    assert (high["n"], high["confidence"], high["accuracy"]["value"], high["high"]) == (1, 1.0, 1.0, 1.0)
