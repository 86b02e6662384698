"""Paired tests tell a difference from chance, in either direction alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from analysis.comparison import bootstrap_p, compared
from analysis.intervals import Resamples, intervals

judged = st.lists(st.tuples(*[st.integers(0, 2)] * 3, st.integers(0, 9)), min_size=1, max_size=60)


def arrays(rows):
    """Labels, two classifiers' probabilities that are sure of their guess, and draws."""
    y, first, other, groups = np.array(rows).T
    return y, np.eye(3)[first], np.eye(3)[other], Resamples.of(groups.astype(object), draws=200)


@settings(deadline=None, max_examples=60)
@given(judged)
def test_the_other_way_round_is_the_same_with_the_sign_turned(rows):
    """Both p are symmetric; difference and interval change sign."""
    y, first, other, resamples = arrays(rows)
    one, back = compared(y, first, other, resamples), compared(y, other, first, resamples)
    assert one["mcnemar_p"] == back["mcnemar_p"]
    assert one["bootstrap_p"] == back["bootstrap_p"]
    assert (one["only_first"], one["only_other"]) == (back["only_other"], back["only_first"])
    ahead, behind = one["difference"], back["difference"]
    assert ahead["value"] == -behind["value"]
    assert (ahead["low"], ahead["high"]) == pytest.approx((-behind["high"], -behind["low"]), abs=1e-12)
    assert -1 <= ahead["low"] <= ahead["value"] <= ahead["high"] <= 1


@settings(deadline=None, max_examples=60)
@given(judged)
def test_mcnemar_is_the_exact_binomial_test(rows):
    """Of the videos that one alone has right, half would be each one's by chance."""
    y, first, other, resamples = arrays(rows)
    a, b = first.argmax(axis=1) == y, other.argmax(axis=1) == y
    found = compared(y, first, other, resamples)
    assert (found["only_first"], found["only_other"]) == (int((a & ~b).sum()), int((b & ~a).sum()))
    expected = binomtest(int((a & ~b).sum()), int((a != b).sum())).pvalue if (a != b).any() else 1.0
    assert found["mcnemar_p"] == pytest.approx(expected, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(judged)
def test_a_classifier_is_no_better_than_itself(rows):
    """Both p are 1 and the difference is 0."""
    y, first, _, resamples = arrays(rows)
    found = compared(y, first, first, resamples)
    assert (found["difference"]["value"], found["mcnemar_p"], found["bootstrap_p"]) == (0, 1, 1)


def test_two_that_are_both_right_may_differ_elsewhere():
    """Two classifiers that are right on all 12 groups may differ, one and itself do not; no test tells any apart."""
    y = np.zeros(24, dtype=np.int64)
    resamples = Resamples.of(np.repeat(np.arange(12), 2).astype(object))
    sure, doubtful = np.eye(2)[y], np.full((24, 2), [0.6, 0.4])
    found, own = compared(y, sure, doubtful, resamples), compared(y, sure, sure, resamples)
    apart = pytest.approx(1 - 0.025 ** (1 / 12))
    assert (found["difference"]["value"], found["bootstrap_p"], found["mcnemar_p"]) == (0, 1, 1)
    assert (-found["difference"]["low"], found["difference"]["high"]) == (apart, apart)
    assert own["difference"] == {"value": 0, "low": 0, "high": 0}


def test_a_plain_difference_is_found_and_one_channel_alone_is_none():
    """Ten wins in ten channels are real; ten wins in one channel are not, though McNemar's test takes them for that."""
    y = np.zeros(60, dtype=np.int64)
    winner, loser = np.eye(2)[np.zeros(60, dtype=int)], np.eye(2)[(np.arange(60) < 10).astype(int)]
    apart = compared(y, winner, loser, Resamples.of(np.arange(60).astype(object)))
    together = compared(y, winner, loser, Resamples.of(np.maximum(np.arange(60) - 9, 0).astype(object)))
    assert apart["mcnemar_p"] == together["mcnemar_p"] == pytest.approx(2 / 2**10)
    assert apart["bootstrap_p"] < 0.01
    assert apart["difference"]["low"] > 0
    assert together["bootstrap_p"] > 0.05
    assert together["difference"]["low"] == 0


@settings(deadline=None, max_examples=100)
@given(st.floats(-0.3, 0.3), st.floats(12, 500), st.integers(0, 50))
def test_p_and_the_interval_of_the_same_draws_agree(shift, effective, seed):
    """From 12 effective groups on, p is below 0.05 where the interval leaves out 0, but for rounding by one draw."""
    draws = np.random.default_rng(seed).normal(shift, 0.1, 2000)
    (found,) = intervals(np.array([shift]), draws[None], np.array([effective]), lowest=-1.0)
    p = bootstrap_p(draws, effective)
    if abs(p - 0.05) > 0.01:
        assert (p < 0.05) == (found["low"] > 0 or found["high"] < 0)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=50), st.floats(0.5, 100))
def test_p_is_a_probability(draws, effective):
    """Whatever is drawn, 0 < p <= 1; one group alone tells nothing."""
    found = bootstrap_p(np.array(draws), effective)
    assert 0 < found <= 1
    assert effective > 1 or found == 1


@pytest.mark.slow
def test_equal_classifiers_are_rarely_told_apart():
    """Of 1,000 pairs that are equally good on 150 unequal groups, 3 to 7 in 100 have a p below 0.05."""
    rng, found = np.random.default_rng(1), []
    sizes = 1 + rng.poisson(3, 150)
    groups = np.repeat(np.arange(150), sizes)
    resamples, y = Resamples.of(groups.astype(object)), np.zeros(len(groups), dtype=np.int64)
    for _ in range(1000):
        tastes = rng.beta(1.6, 0.7, size=(2, 150))[:, groups]
        wrong = (rng.random(tastes.shape) > tastes).astype(int)
        found.append(compared(y, np.eye(2)[wrong[0]], np.eye(2)[wrong[1]], resamples)["bootstrap_p"])
    assert 0.03 <= np.mean(np.array(found) < 0.05) <= 0.07
