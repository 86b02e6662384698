"""Intervals hold the truth as often as they say, and what is drawn are whole groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.intervals import Resamples, effective_groups, expanded_level, few_groups, intervals, quantiles, ratios
from analysis.metrics import metrics_of

SIMULATIONS = 2000
SIZES = {
    "equal": lambda rng, n: np.full(n, 5),
    "one to ten": lambda rng, n: 1 + rng.poisson(3, n),
    "most have one, some have forty": lambda rng, n: np.minimum(rng.zipf(2.2, n), 40),
    "log-normal": lambda rng, n: np.ceil(rng.lognormal(0.7, 1.0, n)).astype(int),
}


def covered(sizes, accuracy, correlation, seed):
    """How often the interval of so many simulated classifiers on groups of these sizes holds their true accuracy."""
    rng = np.random.default_rng(seed)
    spread = 1 / correlation - 1
    held = []
    for _ in range(10):
        videos = sizes(rng)
        resamples = Resamples.of(np.repeat(np.arange(len(videos)), videos).astype(object), seed=seed)
        share = rng.beta(accuracy * spread, (1 - accuracy) * spread, size=(len(videos), SIMULATIONS // 10))
        right = rng.random((videos.sum(), SIMULATIONS // 10)) < np.repeat(share, videos, axis=0)
        found = ratios(right, np.ones_like(right), resamples)
        held += [one["low"] <= accuracy <= one["high"] for one in found]
    return float(np.mean(held))


TRUTHS = [(0.7, 0.3), (0.55, 0.1), (0.7, 0.6), (0.9, 0.3)]


@pytest.mark.slow
@pytest.mark.parametrize("sizes", ["equal", "one to ten", "log-normal"])
@pytest.mark.parametrize(("accuracy", "correlation"), TRUTHS)
@pytest.mark.parametrize("n_groups", [100, 300])
def test_intervals_cover_the_true_accuracy(sizes, accuracy, correlation, n_groups):
    """From 100 groups on, 93 to 97 of 100 intervals hold the truth, where groups are unequal and alike within."""
    share = covered(lambda rng: SIZES[sizes](rng, n_groups), accuracy, correlation, seed=n_groups)
    assert 0.93 <= share <= 0.97, share


@pytest.mark.slow
@pytest.mark.parametrize(("accuracy", "correlation"), TRUTHS)
@pytest.mark.parametrize("n_groups", [100, 300])
def test_intervals_cover_the_truth_where_few_groups_hold_most_videos(accuracy, correlation, n_groups):
    """Where most groups have one video and some forty, 92 to 98 of 100 intervals hold the truth."""
    sizes = SIZES["most have one, some have forty"]
    share = covered(lambda rng: sizes(rng, n_groups), accuracy, correlation, seed=n_groups)
    assert 0.92 <= share <= 0.98, share


@pytest.mark.parametrize(("categories", "groups_each"), [(20, 2), (10, 3)])
def test_intervals_of_macro_means_cover_the_truth_where_categories_have_few_groups(categories, groups_each):
    """Of 100 classifiers 88 intervals of each macro mean hold the truth, though draws often miss a category."""
    accuracy, spread, rng = 0.7, 1 / 0.3 - 1, np.random.default_rng(0)
    groups = np.repeat(np.arange(categories * groups_each), 10)
    y, resamples = groups // groups_each, Resamples.of(groups.astype(object), draws=500)
    held = dict.fromkeys(("precision_macro", "recall_macro", "f1_macro"), 0)
    for _ in range(100):
        share = rng.beta(accuracy * spread, (1 - accuracy) * spread, size=categories * groups_each)
        other = (y + rng.integers(1, categories, len(y))) % categories
        told = np.where(rng.random(len(y)) < share[groups], y, other)
        found = metrics_of(y, np.eye(categories)[told], [str(name) for name in range(categories)], resamples)
        for name in held:
            held[name] += found[name]["low"] <= accuracy <= found[name]["high"]
    assert min(held.values()) >= 88, held


groups_of = st.lists(st.integers(0, 8), min_size=1, max_size=40)


@settings(deadline=None)
@given(groups_of, st.integers(0, 99))
def test_a_draw_has_as_many_groups_as_there_are(groups, seed):
    """Each draw has G groups, the same ones for the same seed, and a group's videos always come together."""
    names = np.array([f"g{group}" for group in groups], dtype=object)
    drawn, again = (Resamples.of(names, draws=7, seed=seed) for _ in range(2))
    assert drawn.counts.sum(axis=0).tolist() == [drawn.n_groups] * 7
    assert drawn.n_groups == len(set(groups))
    assert drawn.counts.tobytes() == again.counts.tobytes()
    sizes = drawn.totals(drawn.sums(np.ones((len(names), 1))))
    assert sizes.tolist() == [(np.bincount(drawn.group_of) @ drawn.counts.astype(int)).tolist()]


def test_sums_over_draws_are_those_of_the_drawn_videos():
    """A draw that has a group twice counts each of its videos twice."""
    resamples = Resamples(np.array([0, 0, 1]), np.array([[2, 0], [0, 2]], dtype=np.uint8))
    assert resamples.totals(resamples.sums(np.array([[1.0, 1], [0, 1], [5, 1]]))).tolist() == [[2, 10], [4, 2]]


def test_memory_is_bounded_by_blocks(monkeypatch):
    """Draws made and summed in many small blocks are those of one large one."""
    names = np.array(list("aabbcdd"), dtype=object)
    columns = np.arange(14.0).reshape(7, 2)
    whole = Resamples.of(names, draws=50)
    monkeypatch.setattr("analysis.intervals._BLOCK_BYTES", 200)
    parts = Resamples.of(names, draws=50)
    assert parts.counts.tolist() == whole.counts.tolist()
    assert parts.totals(parts.sums(columns)).tolist() == whole.totals(whole.sums(columns)).tolist()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 6)), min_size=1, max_size=40))
def test_an_interval_holds_its_value_and_stays_within_its_range(rows):
    """Whatever is counted, 0 <= low <= value <= high <= 1."""
    top, bottom, groups = map(np.array, zip(*rows, strict=True))
    resamples = Resamples.of(groups.astype(object), draws=40)
    (found,) = ratios((top & bottom)[:, None], bottom[:, None], resamples)
    assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1


def test_what_nothing_is_known_of_may_be_anything():
    """A share of no videos is 0 with an interval from 0 to 1, and so wide is that of one group alone."""
    resamples = Resamples.of(np.array(["a", "a", "b"], dtype=object), draws=30)
    none, alone = ratios(np.array([[0, 1], [0, 0], [0, 0]]), np.array([[0, 1], [0, 1], [0, 0]]), resamples)
    assert none == {"value": 0.0, "low": 0.0, "high": 1.0}
    assert alone == {"value": 0.5, "low": 0.0, "high": 1.0}


@pytest.mark.parametrize("right", [True, False])
def test_all_right_is_not_surely_perfect(right):
    """Where all of n equal groups agree, the interval is the exact one of n trials."""
    from scipy.stats import binomtest

    resamples = Resamples.of(np.repeat(np.arange(20), 3).astype(object), draws=50)
    marks = np.full((60, 1), right)
    (found,) = ratios(marks, np.ones_like(marks), resamples)
    exact = binomtest(20 if right else 0, 20).proportion_ci(0.95, method="exact")
    assert (found["low"], found["high"]) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_no_difference_in_any_group_is_not_surely_none():
    """Where all of n equal groups agree on 0, a difference may be as far from it as n trials all right are from 1."""
    from scipy.stats import binomtest

    apart = 1 - binomtest(20, 20).proportion_ci(0.95, method="exact").low
    zeros, groups = np.zeros((2, 50)), np.array([20.0, 1.0])
    ends = [(one["low"], one["high"]) for one in intervals(zeros[:, 0], zeros, groups, -1.0)]
    assert ends == [pytest.approx((-apart, apart), abs=1e-12), (-1, 1)]
    (large,) = intervals(zeros[:1, 0], zeros[:1], groups[:1], -2.0, 2.0)
    (fewer,) = intervals(zeros[:1, 0], zeros[:1], groups[:1], -1.0, trials=np.array([10.0]))
    assert large["high"] == pytest.approx(2 * apart)
    assert fewer["high"] == -fewer["low"] == pytest.approx(1 - 0.025**0.1)


def test_the_effective_number_of_groups():
    """Equal groups count in full, unequal ones less, and where nothing weighs there are none."""
    found = effective_groups(
        Resamples.of(np.arange(4).astype(object), draws=1).sums(np.array([[1, 9, 0]] + [[1, 1, 0]] * 3))
    )
    assert found.tolist() == pytest.approx([4, 144 / 84, 0])


def test_quantiles_leave_out_what_is_undefined():
    """NaN is no draw; levels are those of each row; a row without any draw has none."""
    draws = np.array([[3.0, np.nan, 1.0, 2.0], [5.0, 6.0, 7.0, 8.0], [np.nan] * 4])
    found = quantiles(draws, np.array([0.5, 0.25, 0.5]))
    assert found[:2].tolist() == [2.0, 5.75]
    assert np.isnan(found[2])


def test_many_groups_leave_the_percentile_interval_as_it_is():
    """The share left out at each end grows with the groups to 0.025."""
    levels = expanded_level(np.array([1.0, 10, 100, 1e7]))
    assert (np.diff(levels) > 0).all()
    assert levels[-1] == pytest.approx(0.025, abs=1e-6)


def test_draws_that_never_held_a_figure_leave_its_value():
    """Where no draw defines what all videos do, the interval is the value alone."""
    (found,) = intervals(np.array([0.5]), np.full((1, 3), np.nan), np.array([5.0]))
    assert found == {"value": 0.5, "low": 0.5, "high": 0.5}


def test_few_groups_are_warned_of():
    """Below 30 groups, or where a few of many hold most videos, one sentence says so."""
    assert few_groups(1).startswith("1 group only")
    assert few_groups(29).startswith("29 groups only")
    assert few_groups(30) == few_groups(30, 30.0) == ""
    assert few_groups(100, 12.4).startswith("100 groups count as 12 only")
    assert Resamples.of(np.arange(40).astype(object), draws=1).warning == ""
    one_large = np.array([0] * 500 + list(range(1, 60))).astype(object)
    assert Resamples.of(one_large, draws=1).warning.startswith("60 groups count as 1 only")
