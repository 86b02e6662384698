"""Is more data worth it: training parts are whole groups, and gains are of the same videos."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.naive_bayes import GaussianNB

from analysis.classifier import make_classifier
from analysis.intervals import Resamples
from analysis.learning_curve import _drawn, learning_curve, learning_sentence, refused_sentence

K = 3


def channels(n: int, per_channel: int) -> np.ndarray:
    """Names of channels of so many videos that follow one another."""
    return np.array([f"channel {i // per_channel}" for i in range(n)], dtype=object)


def curve_of(X: np.ndarray, y: np.ndarray, groups: np.ndarray, **options: object) -> list:
    """A curve of logistic regression over four folds of whole groups."""
    _, group_of = np.unique(groups.astype(str), return_inverse=True)
    resamples = Resamples.of(groups, draws=300)
    return learning_curve(
        lambda: make_classifier("logistic", K, 0), X, y, groups, group_of % 4, K, resamples, **options
    )


@pytest.fixture(scope="module")
def easy() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """240 videos of 80 channels in 12 dimensions: hard to tell by few, easier by many."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(80) % K, 3)
    X = (rng.normal(size=(240, 12)) + 0.8 * rng.normal(size=(K, 12))[y]).astype(np.float32)
    return X, y, channels(240, 3)


def test_more_videos_tell_more(easy: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Sizes about double, the last is all of the training parts, and each gain is over the size before."""
    curve = curve_of(*easy)
    sizes = [one["n"] for one in curve]
    assert [one["share"] for one in curve] == [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0]
    assert sizes[-1] == 180
    assert [one["draws"] for one in curve] == [3, 3, 3, 3, 1]
    assert all(1.4 < more / fewer < 2.6 for fewer, more in pairwise(sizes))
    assert curve[0]["gain"] is None
    for before, after in pairwise(curve):
        step = after["accuracy"]["value"] - before["accuracy"]["value"]
        assert after["gain"]["value"] == pytest.approx(step)
    assert curve[-1]["accuracy"]["value"] > curve[0]["accuracy"]["value"] + 0.05
    assert "From " in learning_sentence(curve)


def test_the_same_seed_draws_the_same(easy: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """A curve repeats to the last digit, and another seed draws other channels."""
    first, again, other = (curve_of(*easy, seed=seed, shares=(0.25, 1.0), draws=2) for seed in (1, 1, 2))
    assert first == again
    assert first[0] != other[0]
    assert first[1]["accuracy"] == other[1]["accuracy"]


def test_a_gain_of_nothing_may_be_a_loss() -> None:
    """Where every size tells all right, a gain of 0 is as far from surely a loss as from surely a gain."""
    y = np.repeat(np.arange(12) % K, 5)
    last = curve_of(np.eye(K, dtype=np.float32)[y], y, channels(60, 5))[-1]
    apart = pytest.approx(1 - 0.025 ** (1 / 12))
    assert (last["accuracy"]["value"], last["gain"]["value"]) == (1, 0)
    assert (-last["gain"]["low"], last["gain"]["high"]) == (apart, apart)


def test_sizes_that_are_the_same_are_one() -> None:
    """With two channels of each category in training a sixteenth, an eighth and a quarter buy one channel of each."""
    y = np.repeat(np.arange(12) % K, 5)
    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    curve = curve_of(X, y, channels(60, 5))
    assert [one["share"] for one in curve] == [1 / 16, 1 / 2, 1.0]
    assert [one["groups"] for one in curve] == sorted(one["groups"] for one in curve)


class Choosy(GaussianNB):
    """Refuses to learn from fewer than ``least`` videos."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least = least

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "Choosy":
        """Learn, or complain."""
        if len(y) < self.least:
            raise ValueError(f"at least\n{self.least}.")
        return super().fit(X, y, sample_weight)


def test_sizes_that_an_estimator_refuses_are_left_out(easy: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """The others are judged, the first of them without a gain; what refuses all that there is ends in its error."""
    X, y, groups = easy
    fold_of, refused = np.unique(groups, return_inverse=True)[1] % 4, list[tuple[float, str]]()
    given = (X, y, groups, fold_of, K, Resamples.of(groups, draws=300))
    curve = learning_curve(lambda: Choosy(60), *given, on_refused=lambda *one: refused.append(one))
    assert [one["share"] for one in curve] == [1 / 2, 1.0]
    assert curve[0]["gain"] is None
    assert [round(n) for n, _ in refused] == sorted(round(n) for n, _ in refused)
    assert len(refused) == 3
    assert refused_sentence(refused).endswith("training videos, so these sizes are left out (at least 60).")
    assert "from 12 training videos, so this size is left out (too few)" in refused_sentence(
        [(12.0, "few"), (12.2, "too few")]
    )
    assert refused_sentence([]) == ""
    with pytest.raises(ValueError, match="at least"):
        learning_curve(lambda: Choosy(1000), *given)


@settings(max_examples=50, deadline=None)
@given(n_groups=st.integers(3, 30), share=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_a_drawn_part_is_of_whole_groups_and_of_every_category(n_groups: int, share: float, seed: int) -> None:
    """No group is parted, nothing held out is in it, and of each category it has its share, or all."""
    rng = np.random.default_rng(seed)
    group_of = rng.integers(0, n_groups, 80)
    y, groups = rng.integers(0, K, 80), np.array([f"g{g}" for g in group_of], dtype=object)
    learn = ~np.isin(group_of, [0])
    part = _drawn(y, groups, learn, share, (seed, 0, 0))
    assert not part[~learn].any()
    assert all(len(set(part[learn & (group_of == g)].tolist())) < 2 for g in range(n_groups))
    for category in range(K):
        assert part[y == category].sum() >= share * learn[y == category].sum()


def size(n: float, accuracy: float, gain: tuple[float, float, float] | None) -> dict:
    """One row of a made-up curve."""
    ends = ("value", "low", "high")
    return {"n": n, "accuracy": {"value": accuracy}, "gain": gain and dict(zip(ends, gain, strict=True))}


def test_the_sentence_promises_no_more_than_is_left() -> None:
    """However wide the interval, no gain leads beyond an accuracy of 1, and there nothing is promised."""
    small, doubtful = size(100, 0.94, None), (0.006, -0.17, 0.17)
    assert learning_sentence([small, size(200, 0.946, doubtful)]).endswith("hardly bring more than 0.05.")
    assert learning_sentence([small, size(200, 0.5, doubtful)]).endswith("hardly bring more than 0.17.")
    assert learning_sentence([small, size(200, 0.5, (-0.01, -0.02, 0.0))]).endswith("hardly bring more than 0.00.")
    for perfect in (0.998, 1.0):
        assert learning_sentence([small, size(200, perfect, doubtful)]).endswith("that may be chance.")


def test_the_sentence_says_whether_more_is_worth_it() -> None:
    """A sure gain asks for more videos and foretells the next; a doubtful one tells what is left; a loss warns."""
    small = size(100, 0.6, None)
    sure = learning_sentence([small, size(200, 0.7, (0.1, 0.05, 0.15))])
    assert "more videos are worth it" in sure
    assert "+0.075" in sure
    doubtful = learning_sentence([small, size(200, 0.61, (0.01, -0.02, 0.04))])
    assert "may be chance" in doubtful
    assert "more than 0.04" in doubtful
    assert "made it worse" in learning_sentence([small, size(200, 0.5, (-0.1, -0.15, -0.05))])
    assert learning_sentence([small]) == ""
    assert "at most about +0.000" in learning_sentence([size(100, 1.0, None), size(200, 1.0, (0.01, 0.005, 0.02))])
