"""The leak report: what a random split would add, copies in several folds, channels that can be recognised."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import leaks
from analysis.classifier import make_classifier
from analysis.dataset import load_dataset
from analysis.duplicates import no_copies
from analysis.intervals import Resamples
from analysis.leaks import beside_random_split, leak_report, random_folds, same_channel, shared_sounds
from analysis.out_of_fold import out_of_fold
from analysis.probes import facts_of
from analysis.splits import grouped_folds, joined_groups
from tests.analysis.made_up_collections import fingerprint_of, labelled_store

K = 3


@pytest.fixture(scope="module")
def recognisable() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Channels of four videos that sound alike, of categories that do not: all there is to know is the channel."""
    rng = np.random.default_rng(0)
    channel_of = np.repeat(np.arange(30), 4)
    X = (5 * rng.normal(size=(30, 16)))[channel_of] + rng.normal(size=(120, 16))
    return X.astype(np.float32), channel_of % K, np.array([f"channel {i}" for i in channel_of], dtype=object)


def make() -> object:
    """Logistic regression."""
    return make_classifier("logistic", K, 0)


def test_a_random_split_shows_more_where_channels_are_recognised(
    recognisable: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Under it nearly all is right, under whole channels hardly more than chance; the gap is sure, and said."""
    X, y, groups = recognisable
    fold_of = grouped_folds(y, groups, 5, 0)
    grouped, _ = out_of_fold(make, X, y, groups, fold_of, K)
    found = beside_random_split(make, X, y, K, fold_of, grouped, Resamples.of(groups, draws=300))
    assert found["accuracy"]["value"] > 0.8
    assert found["grouped"]["value"] < 0.6
    assert found["gap"]["value"] == pytest.approx(found["accuracy"]["value"] - found["grouped"]["value"])
    assert found["gap"]["low"] > 0
    assert "were heard before" in found["sentence"]


def test_no_gap_is_claimed_where_every_video_is_its_own_channel() -> None:
    """Then a random split is as good a split, and the sentence says that the gap may be chance."""
    rng = np.random.default_rng(1)
    y = np.arange(90) % K
    X = (rng.normal(size=(90, 8)) + rng.normal(size=(K, 8))[y]).astype(np.float32)
    groups = np.array([f"video {i}" for i in range(90)], dtype=object)
    fold_of = grouped_folds(y, groups, 5, 0)
    grouped, _ = out_of_fold(make, X, y, groups, fold_of, K)
    found = beside_random_split(make, X, y, K, fold_of, grouped, Resamples.of(groups, draws=300))
    assert found["gap"]["low"] <= 0
    assert "may be chance" in found["sentence"]


@settings(max_examples=50, deadline=None)
@given(y=st.lists(st.integers(0, 4), min_size=2, max_size=60), folds=st.integers(2, 6), seed=st.integers(0, 99))
def test_random_folds_are_as_even_as_can_be(y: list[int], folds: int, seed: int) -> None:
    """Sizes of the folds differ by one at most, and so do those of a category in them."""
    labels = np.array(y)
    dealt = random_folds(labels, folds, seed)
    sizes = [np.bincount(dealt, minlength=folds)]
    sizes += [np.bincount(dealt[labels == category], minlength=folds) for category in np.unique(labels)]
    assert all(len(one) == folds and one.max() - one.min() <= 1 for one in sizes)


def copies_of(*groups: tuple[str, ...]) -> pd.DataFrame:
    """Groups of copies, as much of their table as is needed."""
    rows = [(number, video_id) for number, own in enumerate(groups, 1) for video_id in own]
    return pd.DataFrame(rows, columns=["group", "id"])


def test_copies_in_several_folds_are_counted() -> None:
    """A group counts where two of its videos are judged here; parted is one whose videos are in several folds."""
    ids, fold_of, random = ("a", "b", "c", "d", "e"), np.array([1, 1, 2, 1, 2]), np.array([0, 1, 0, 1, 0])
    found = shared_sounds(ids, fold_of, random, copies_of(("a", "b"), ("c", "d"), ("e", "elsewhere")))
    assert {key: found[key] for key in ("groups", "videos", "parted", "parted_at_random", "equal_ids")} == {
        "groups": 2, "videos": 4, "parted": 1, "parted_at_random": 2, "equal_ids": 0,
    }  # fmt: skip
    assert found["sentence"] == "Of 2 groups of copies 1 is parted by the folds; a random split would part 2."


def test_nothing_to_part_is_said() -> None:
    """Without copies there is one plain sentence, and how many could not be compared where some could not."""
    found = shared_sounds(("a", "b"), np.array([0, 1]), np.array([1, 0]), no_copies())
    assert found["sentence"] == "No two of the judged videos have the same sound."
    told = no_copies()
    told.attrs.update(short=1, even=0)
    found = shared_sounds(("a", "b"), np.array([0, 1]), np.array([1, 0]), told)
    assert found["sentence"] == (
        "No two of the judged videos have the same sound. The collection has 1 video too short for changed copies to "
        "be known."
    )


def test_an_id_in_two_folds_is_a_fault() -> None:
    """The same id twice counts where its folds differ, and is called a fault."""
    found = shared_sounds(("a", "a", "b", "b"), np.array([0, 1, 0, 0]), np.array([0, 0, 0, 0]), no_copies())
    assert found["equal_ids"] == 1
    assert found["sentence"].endswith("1 id is in several folds: this is a fault.")


def test_nearest_neighbours_of_the_same_channel_are_counted_against_chance(
    recognisable: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """All have a fellow of their channel nearest, where 3 of 119 others, or of 39 of the category, are of it."""
    X, y, groups = recognisable
    found = same_channel(X, y, groups, Resamples.of(groups, draws=300))
    assert found["n"] == 120
    assert found["share"]["value"] > 0.95
    assert found["chance"] == pytest.approx(3 / 119)
    assert found["chance_in_category"] == pytest.approx(3 / 39)
    assert "chance would give 2.5 %, within the category 7.7 %" in found["sentence"]


def test_videos_alone_in_their_channel_are_not_asked() -> None:
    """Who has no fellow cannot have one nearest: only the two of one channel are asked, among all."""
    X = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], dtype=np.float32)
    channels = np.array(["x", "x", "y", "z"], dtype=object)
    found = same_channel(X, np.array([0, 0, 1, 1]), channels, Resamples.of(channels, draws=50))
    assert (found["n"], found["share"]["value"]) == (2, 1.0)
    alone = np.array(["w", "x", "y", "z"], dtype=object)
    assert same_channel(X, np.array([0, 0, 1, 1]), alone, Resamples.of(alone, draws=50))["share"] is None


def test_of_many_videos_some_are_asked(
    recognisable: tuple[np.ndarray, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fixed draw stands for all, with about the same share, and it repeats."""
    X, y, groups = recognisable
    monkeypatch.setattr(leaks, "MOST_ASKED", 40)
    first, again = (same_channel(X, y, groups, Resamples.of(groups, draws=50), seed=3) for _ in range(2))
    assert first == again
    assert first["n"] == 40
    assert first["share"]["value"] > 0.9


def test_the_report_of_a_collection_is_json() -> None:
    """All parts are there, with metrics and sentences, and the slow one is left for who asks for it."""
    store = labelled_store(channels=6, per_channel=3)
    dataset = load_dataset(store, fingerprint_of(16))
    videos = store.videos(dataset.ids)
    fold_of = grouped_folds(dataset.y, dataset.groups, 3, 0)
    report = leak_report(
        dataset.ids, dataset.X, dataset.y, K, fold_of, Resamples.of(dataset.groups, draws=100),
        channels=joined_groups(videos), copies=no_copies(), facts=facts_of(videos),
    )  # fmt: skip
    assert list(report) == ["random_split", "copies", "same_channel", "probes"]
    assert report["random_split"] is None
    assert json.loads(json.dumps(report)) == report
    assert report["copies"]["parted"] == 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), small=st.integers(5, 40))
def test_random_folds_are_as_large_as_those_that_they_are_set_beside(seed: int, small: int) -> None:
    """A published split of train and test leaves as much to learn from at random, give or take one of each category."""
    y = np.random.default_rng(seed).integers(0, 3, 200)
    fold_of = (np.arange(200) < small).astype(np.int64)
    dealt = leaks.like_folds(y, fold_of, seed)
    assert abs(int((dealt == 1).sum()) - small) <= 3
    assert set(dealt) == {0, 1}
    even = np.arange(200) % 5
    assert leaks.like_folds(y, even, seed).tolist() == random_folds(y, 5, seed).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_a_rare_category_is_in_several_random_folds(seed: int) -> None:
    """Beside a published split of 80 and 20, two videos of a category are never judged together by who knew neither."""
    y = (np.arange(100) < 2).astype(np.int64)
    fold_of = (np.arange(100) % 5 == 1).astype(np.int64)
    dealt = leaks.like_folds(y, fold_of, seed)
    assert sorted(dealt[y == 1]) == [0, 1]
    X = np.random.default_rng(seed).normal(size=(100, 4)).astype(np.float32)
    groups = np.array([f"video {i}" for i in range(100)], dtype=object)
    even = np.full((100, 2), 0.5, np.float32)
    found = beside_random_split(
        lambda: make_classifier("logistic", 2, 0), X, y, 2, fold_of, even, Resamples.of(groups, draws=20), seed=seed
    )
    assert 0 <= found["accuracy"]["value"] <= 1  # type: ignore[index,call-overload]
