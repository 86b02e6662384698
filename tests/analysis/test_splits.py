"""Splits never part a group."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from analysis.baselines import MajorityClassifier
from analysis.intervals import Resamples
from analysis.leaks import same_channel
from analysis.learning_curve import learning_curve
from analysis.run_folds import joined
from analysis.splits import grouped_folds, groups_per_category, joined_groups, numbered, spared_part
from quartzlens.errors import NotEnoughDataError
from quartzlens.records import Video

ties = st.one_of(st.none(), st.sampled_from(["a", "b", "c", "d", "e"]))
clips = st.lists(st.tuples(ties, ties), min_size=1, max_size=30)


def videos_of(pairs):
    """Videos with these channels and recordings."""
    extras = [{"source_id": recording} if recording else {} for _, recording in pairs]
    channels = [channel for channel, _ in pairs]
    return [Video(f"v{i}", "", channel=c, extra=e) for i, (c, e) in enumerate(zip(channels, extras, strict=True))]


@given(clips)
def test_joined_groups_are_the_smallest_that_keep_every_tie(pairs):
    """Two videos are in one group exactly where a chain of shared channels or recordings links them."""
    groups = joined_groups(videos_of(pairs))
    n = len(pairs)
    reach = np.eye(n, dtype=bool)
    for i in range(n):
        for j in range(n):
            reach[i, j] |= any(x is not None and x == y for x, y in zip(pairs[i], pairs[j], strict=True))
    for _ in range(n):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    assert ((groups[:, None] == groups[None, :]) == reach).all()


@st.composite
def grouped(draw):
    """Categories and groups, where each category has two groups at least."""
    k = draw(st.integers(2, 4))
    y, groups = [], []
    for category in range(k):
        for group in range(draw(st.integers(2, 6))):
            size = draw(st.integers(1, 5))
            y += [category] * size
            groups += [f"{category}-{group}"] * size
    for shared in range(draw(st.integers(0, 2))):
        y += [0, 1]
        groups += [f"shared-{shared}"] * 2
    return np.array(y), np.array(groups, dtype=object)


@settings(max_examples=40, deadline=None)
@given(grouped(), st.integers(0, 1000))
def test_no_group_is_in_two_folds(data, seed):
    """Whatever the sizes, a group lies in one fold, and the same seed deals the same folds."""
    y, groups = data
    folds = int(min(5, groups_per_category(y, groups, int(y.max()) + 1).min()))
    try:
        fold_of = grouped_folds(y, groups, folds, seed)
    except NotEnoughDataError:
        reject()
    assert all(len(set(fold_of[groups == group])) == 1 for group in groups)
    assert set(fold_of) <= set(range(folds))
    assert all(len(set(y[fold_of != fold])) > 1 for fold in fold_of)
    np.testing.assert_array_equal(fold_of, grouped_folds(y, groups, folds, seed))


@settings(max_examples=60, deadline=None)
@given(grouped(), st.integers(0, 1000))
def test_the_spared_part_is_whole_groups_and_leaves_every_category(data, seed):
    """Sparing parts no group, always spares something, and never takes the last of a category."""
    y, groups = data
    spared = spared_part(y, groups, seed)
    assert not set(groups[spared]) & set(groups[~spared])
    assert spared.any()
    assert set(y[~spared]) == set(y)
    np.testing.assert_array_equal(spared, spared_part(y, groups, seed))


def test_about_a_fifth_is_spared_where_groups_are_small():
    """With many small channels the spared part is the fifth of each category that was asked for."""
    y = np.repeat([0, 1, 2], 100)
    groups = np.array([f"c{i // 4}" for i in range(300)], dtype=object)
    assert np.bincount(y[spared_part(y, groups, 0)]).tolist() == [20, 20, 20]


def test_a_single_group_is_never_spared():
    """A category with one group keeps it, and the others still spare theirs."""
    y = np.array([0, 0, 1, 1, 1, 1])
    groups = np.array(["a", "a", "b", "c", "d", "e"], dtype=object)
    spared = spared_part(y, groups, 0)
    assert not spared[:2].any()
    assert spared[2:].sum() == 1


def test_no_category_is_put_into_one_fold_alone_where_that_can_be_helped():
    """With two channels a category, each fold's model has one of them to learn from, for any seed."""
    y = np.repeat([0, 1, 2, 3], 4)
    groups = np.array([f"{category}-{i % 2}" for i, category in enumerate(y)], dtype=object)
    for seed in range(10):
        fold_of = grouped_folds(y, groups, 2, seed)
        assert all(set(fold_of[y == category]) == {0, 1} for category in range(4))


def tied():
    """Two categories whose balance puts all of the second into one fold under every shuffle."""
    y = np.array([0] * 10 + [1] * 5 + [0] + [1] * 5)
    return y, np.array(["a"] * 10 + ["d"] * 5 + ["b"] * 6, dtype=object)


def test_folds_that_leave_one_category_to_learn_from_are_refused():
    """Where every shuffle leaves a fold's model a single category, one sentence says what to do."""
    with pytest.raises(NotEnoughDataError, match="into 2 folds .*fewer folds, or add videos of more channels"):
        grouped_folds(*tied(), 2, 0)


def test_groups_that_cannot_be_dealt_apart_are_dealt_all_the_same():
    """A category unknown to one fold's model is borne where two others remain; no group is parted."""
    y, groups = tied()
    y = np.concatenate([y, [2] * 20])
    groups = np.concatenate([groups, np.array(["e"] * 10 + ["f"] * 10, dtype=object)])
    fold_of = grouped_folds(y, groups, 2, 0)
    assert all(len(set(y[fold_of != fold])) > 1 for fold in (0, 1))
    assert all(len(set(fold_of[groups == group])) == 1 for group in groups)
    assert any(len(set(fold_of[y == category])) == 1 for category in range(3))


@pytest.mark.parametrize("seed", range(10))
def test_the_only_video_of_a_category_is_never_spared(seed):
    """One video in a group of its own is all there is to learn its category from."""
    y = np.array([0] * 10 + [1])
    groups = np.array([f"g{i}" for i in range(11)], dtype=object)
    assert not spared_part(y, groups, seed)[-1]


def test_large_groups_of_several_categories_are_spared_where_nothing_smaller_is():
    """Two channels that each hold most of one category: one of them is spared, as the other knows both categories."""
    y = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    groups = np.array(["s"] * 4 + ["t"] * 4, dtype=object)
    assert spared_part(y, groups, 0).tolist() == [True] * 4 + [False] * 4


@pytest.mark.parametrize(("by", "groups"), [("tour", 2), ("channel", 3), ("recording", 4), ("video", 4)])
def test_a_column_takes_the_place_of_channel_and_recording(by, groups):
    """Groups are made by the column alone; a video without a value in it stands for itself."""
    videos = [
        Video("a", "", channel="X", extra={"tour": "north"}),
        Video("b", "", channel="X", extra={"tour": "south"}),
        Video("c", "", channel="Y", extra={"tour": " north "}),
        Video("d", "", extra={"tour": "north"}),
    ]
    assert len(set(joined_groups(videos, by=by))) == groups
    assert len(set(joined_groups(videos, dict.fromkeys("abcd", 1), by=by))) == 1


@given(st.lists(st.text(st.characters(exclude_characters="\0")), min_size=1))
def test_groups_are_numbered_in_the_order_of_their_names(names):
    """As numpy numbers text, so the same seed draws the same groups; numbers that stand for names are taken as text."""
    groups = np.array(names, dtype=object)
    known, numbers = np.unique(groups.astype(str), return_inverse=True)
    assert numbered(groups)[0] == known.tolist()
    assert numbered(groups)[1].tolist() == numbers.tolist()
    assert numbered(np.array([10, 9], dtype=object))[0] == ["10", "9"]


def test_one_long_channel_costs_what_it_is_long_and_no_more():
    """A cell of a megabyte in a list of 300 is kept once, wherever groups are drawn, spared, joined or compared."""
    y = np.arange(300) % 2
    groups = np.array([f"channel {i // 3}" for i in range(300)], dtype=object)
    groups[:3] = "channel " + "x" * 1_000_000
    X = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    tracemalloc.start()
    resamples = Resamples.of(groups, draws=20)
    spared_part(y, groups, 0)
    joined(groups, groups)
    same_channel(X, y, groups, resamples)
    learning_curve(MajorityClassifier, X, y, groups, np.arange(300) // 3 % 2, 2, resamples, shares=(0.5, 1), draws=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
