"""Which depth hears it: blocks are judged alike, and the choice between them does not flatter itself."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from analysis.classifier import fit_classifier, make_classifier
from analysis.classifier import probabilities as probabilities_of
from analysis.dataset import load_dataset
from analysis.depth_choice import depth_choice, depths_of
from analysis.depths import COLUMNS, Depth, Profile, depth_report, depth_table, judged, profile_missing, profile_of
from analysis.intervals import Resamples
from tests.analysis.made_up_collections import filled_store, fingerprint_of, result, row

CATEGORIES = ("food", "history", "travel")
FOLDS, K = 5, 3
PRINT = fingerprint_of(4)


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """Of 180 videos, three categories."""
    return np.arange(180) % K


@pytest.fixture(scope="module")
def fold_of() -> np.ndarray:
    """Folds with numbers of their own, as published ones have."""
    return 10 * (1 + (np.arange(180) // K) % FOLDS)


@pytest.fixture(scope="module")
def resamples() -> Resamples:
    """Groups of three videos."""
    return Resamples.of(np.array([f"channel {i // 3}" for i in range(180)], dtype=object), draws=500)


def heard(y: np.ndarray, channels: int, apart: float, seed: int) -> np.ndarray:
    """A block's means, in which categories are so far apart, and deviations that say nothing: (n, 2c)."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(len(y), channels)) + apart * rng.normal(size=(K, channels))[y]
    return np.hstack([means, rng.random((len(y), channels))]).astype(np.float32)


@pytest.fixture(scope="module")
def profile(labels: np.ndarray) -> Profile:
    """A network that hears the categories at B1 and goes deaf to them."""
    blocks = {
        name: heard(labels, 6, apart, seed)
        for seed, (name, apart) in enumerate([("C1", 0.4), ("B1", 2.0), ("C2", 0.1)])
    }
    return Profile(np.arange(len(labels)), tuple(blocks), blocks.__getitem__)


@pytest.fixture(scope="module")
def depths(profile: Profile, labels: np.ndarray, fold_of: np.ndarray) -> list[Depth]:
    """Every block by both poolings, with what the choice needs."""
    return list(judged(profile, labels, fold_of, K, nested=True))


def test_each_block_is_judged_by_both_poolings_in_the_order_of_the_network(depths: list[Depth]) -> None:
    """``mean`` is the first half of a profile, ``mean_std`` all of it."""
    assert [(one.block, one.pooling, one.dimension) for one in depths] == [
        ("C1", "mean", 6), ("C1", "mean_std", 12), ("B1", "mean", 6), ("B1", "mean_std", 12),
        ("C2", "mean", 6), ("C2", "mean_std", 12),
    ]  # fmt: skip


def test_a_block_is_as_good_as_the_classifier_says(
    profile: Profile, depths: list[Depth], labels: np.ndarray, fold_of: np.ndarray
) -> None:
    """Out-of-fold probabilities are those of ``--classifier logistic`` under the same folds."""
    X = profile.read("B1")
    plain = np.zeros((len(labels), K), dtype=np.float32)
    for fold in np.unique(fold_of):
        model = make_classifier("logistic", K, 0)
        fit_classifier(model, X[fold_of != fold], labels[fold_of != fold], labels.astype(object))
        plain[fold_of == fold] = probabilities_of(model, X[fold_of == fold], K)
    np.testing.assert_allclose(plain, depths[3].probabilities, atol=1e-6)


def test_the_report_has_a_metric_for_all_and_for_each_category(
    depths: list[Depth], labels: np.ndarray, resamples: Resamples
) -> None:
    """Accuracy is the mean of what is right, recall the same within a category, both within their intervals."""
    report = depth_report(depths, labels, CATEGORIES, resamples, {"C1": 0.1, "B1": 0.3})
    for one, depth in zip(report, depths, strict=True):
        right = depth.probabilities.argmax(axis=1) == labels
        assert one["accuracy"]["value"] == pytest.approx(right.mean())
        assert one["accuracy"]["low"] <= one["accuracy"]["value"] <= one["accuracy"]["high"]
        assert one["n"] == 180
        for position, name in enumerate(CATEGORIES):
            assert one["per_category"][name]["n"] == 60
            assert one["per_category"][name]["recall"]["value"] == pytest.approx(right[labels == position].mean())
    assert [one["position"] for one in report] == [0, 0, 1, 1, 2, 2]
    assert [one["work"] for one in report] == [0.1, 0.1, 0.3, 0.3, None, None]


def test_the_table_is_the_report_in_long_form(depths: list[Depth], labels: np.ndarray, resamples: Resamples) -> None:
    """A row for each block, pooling and category, and one for all together; unknown work is NaN."""
    report = depth_report(depths, labels, CATEGORIES, resamples)
    table = depth_table(report)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 6 * (1 + K)
    whole = table[table["category"].isna()]
    assert whole["value"].tolist() == [one["accuracy"]["value"] for one in report]
    assert table["work"].isna().all()
    assert table["value"].dtype == table["low"].dtype == np.float64
    assert depth_table([]).empty


def test_the_block_that_hears_best_is_recommended_with_its_gain_and_cost(
    depths: list[Depth], labels: np.ndarray, fold_of: np.ndarray, resamples: Resamples
) -> None:
    """Every fold chooses B1 without being asked, its gain over the last block is sure, and the command is said."""
    found = depth_choice(depths, labels, fold_of, resamples, work={"B1": 0.3})
    assert (found["block"], found["work"]) == ("B1", 0.3)
    assert {one["block"] for one in found["chosen"]} == {"B1"}
    assert sum(one["folds"] for one in found["chosen"]) == FOLDS
    assert (found["last"]["block"], found["last"]["pooling"]) == ("C2", "mean")
    gain = found["gain"]["difference"]
    assert gain["value"] == pytest.approx(found["accuracy"]["value"] - found["last"]["accuracy"]["value"])
    assert gain["low"] > 0
    assert "30 % of the network's work" in found["sentence"]
    assert f"`quartzlens reembed --block B1 --pooling {found['pooling']}`" in found["sentence"]
    assert depth_choice(depths, labels, fold_of, resamples, pooling="mean_std")["last"]["pooling"] == "mean_std"
    assert depth_choice(depths, labels, fold_of, resamples, pooling="mean3008")["last"]["pooling"] == "mean"


def test_the_choice_for_a_fold_never_sees_it(
    profile: Profile, depths: list[Depth], labels: np.ndarray, fold_of: np.ndarray
) -> None:
    """Other labels in a fold change nothing of what is known inside of its training part; its own row says nothing."""
    other = np.where(fold_of == 20, (labels + 1) % K, labels)
    again = list(judged(profile, other, fold_of, K, nested=True))
    for before, after in zip(depths, again, strict=True):
        assert not before.inside[1, fold_of == 20].any()
        assert (before.inside[1] == after.inside[1]).all()
        assert before.inside[0].any()


def test_chance_is_no_gain(labels: np.ndarray, fold_of: np.ndarray, resamples: Resamples) -> None:
    """Where no block hears anything the best figure of six is not taken for a gain, and the sentence says so."""
    blocks = {name: heard(labels, 6, 0.0, seed) for seed, name in enumerate(["C1", "B1", "C2"])}
    deaf = list(judged(Profile(np.arange(180), tuple(blocks), blocks.__getitem__), labels, fold_of, K, nested=True))
    found = depth_choice(deaf, labels, fold_of, resamples)
    assert found["gain"]["difference"]["low"] <= 0
    assert found["sentence"].startswith(("No block is surely better", "The last block"))
    assert "work" not in found["sentence"]


def test_the_last_block_can_be_the_best(
    depths: list[Depth], labels: np.ndarray, fold_of: np.ndarray, resamples: Resamples
) -> None:
    """Then its gain is nothing, and the sentence says that it serves as it is."""
    found = depth_choice([depths[0], depths[2]], labels, fold_of, resamples)
    assert found["gain"]["difference"]["value"] == 0
    assert found["sentence"].startswith("The last block, B1, serves best as it is")


def test_equal_figures_go_to_the_block_nearest_to_the_sound(
    depths: list[Depth], labels: np.ndarray, fold_of: np.ndarray, resamples: Resamples
) -> None:
    """Of two blocks that tell the same, the first is taken: it costs least."""
    twice = [depths[2], replace(depths[2], block="B2")]
    assert depth_choice(twice, labels, fold_of, resamples)["block"] == "B1"


def test_a_single_category_that_two_folds_leave_is_all_that_can_be_said() -> None:
    """Where the pair of a choice leaves one category to learn from, its model says that one of every video."""
    y = np.array([0, 1, 0, 2, 0, 0, 0, 0])
    X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    found = list(
        judged(Profile(np.arange(8), ("C1",), lambda _: X), y, np.array([0, 0, 1, 1, 2, 2, 2, 2]), 3, nested=True)
    )
    assert found[0].inside[0].tolist() == [False, False, True, False, *found[0].inside[0, 4:].tolist()]


def test_two_folds_leave_nothing_to_choose_by(profile: Profile, labels: np.ndarray, resamples: Resamples) -> None:
    """With two folds, or without ``nested``, blocks are judged and no choice is made."""
    halves = np.arange(180) % 2
    for found in (judged(profile, labels, halves, K, nested=True), judged(profile, labels, halves, K)):
        depths = list(found)
        assert all(one.inside is None for one in depths)
        assert depth_choice(depths, labels, halves, resamples) == {}


def test_a_data_set_is_judged_where_it_has_profiles() -> None:
    """Report, choice and what is missing come in one call; where all profiles are in one fold there is no figure."""
    y = np.arange(36) % 2
    made = heard(y, 3, 3.0, 0).reshape(36, 2, 3)
    names = ("C1", "B1")
    blocks_of = {number: dict.fromkeys(names, made[number]) if number else {} for number in range(36)}
    store = stored(blocks_of, ["food" if position else "history" for position in y])
    dataset = load_dataset(store, PRINT)
    fold_of = np.arange(36) // 2 % 3
    found = depths_of(store, PRINT, dataset, fold_of, work={"C1": 0.5, "B1": 1.0}, nested=True)
    assert [(one["block"], one["n"], one["work"]) for one in found["depths"]][::2] == [("C1", 35, 0.5), ("B1", 35, 1.0)]
    assert found["depths_missing"].startswith("1 video of 36 lacks")
    assert found["depth_choice"]["block"] == "C1"
    assert json.loads(json.dumps(found)) == found
    assert depths_of(store, PRINT, dataset, fold_of)["depth_choice"] == {}
    one_fold = depths_of(store, PRINT, dataset, np.where(np.arange(36) == 0, 1, 0))
    assert (one_fold["depths"], one_fold["depth_choice"]) == ([], {})


def stored(blocks_of: dict[int, dict[str, np.ndarray]], labels: Sequence[str] = ()) -> object:
    """A store of videos with these profiles, or none."""
    rng = np.random.default_rng(0)
    results = []
    for number, blocks in blocks_of.items():
        one = result(f"v{number}", rng.normal(size=(3, 4)))
        results.append(replace(one, embedded=replace(one.embedded, profile=blocks)))
    named = zip(blocks_of, labels or ["food"] * len(blocks_of), strict=True)
    return filled_store([row(number, label, f"channel {number}") for number, label in named], results)


def blocks(*names: str) -> dict[str, np.ndarray]:
    """A profile with the position of each block in its numbers."""
    return {name: np.full((2, 3), at, dtype=np.float32) for at, name in enumerate(names)}


def test_profiles_are_read_in_the_order_asked_for() -> None:
    """Blocks come in the order of the network and rows in that of the ids; what lacks a block is left out and said."""
    whole = blocks("C1", "B1", "B2", "C2", "C3")
    store = stored({1: {}, 2: whole, 3: whole, 4: blocks("C1")})
    found = profile_of(store, PRINT, ["v3", "v1", "v2", "v4"])
    assert found.names == ("C1", "B1", "B2", "C2", "C3")
    assert found.rows.tolist() == [0, 2]
    assert found.read("B2").tolist() == [[2.0] * 6] * 2
    said = profile_missing(found, 4, "mean")
    assert said.startswith("2 videos of 4 lack a depth profile")
    assert "`quartzlens reembed --pooling mean_std`" in said
    assert profile_of(store, PRINT, ["v2"], order=("C1", "C2", "B9")).names == ("C1", "C2")


def test_no_profile_at_all_says_how_to_get_one() -> None:
    """Without a profile there are no blocks to judge, and the sentence names the commands that make one."""
    found = profile_of(stored({1: {}, 2: {}}), PRINT, ["v1", "v2"])
    assert (found.names, len(found.rows)) == ((), 0)
    assert list(judged(found, np.zeros(0, np.int64), np.zeros(0, np.int64), K)) == []
    said = profile_missing(found, 2, "mean_std")
    assert said.startswith("None of these videos has a depth profile")
    assert "`quartzlens ingest LIST --retry ok`" in said
    assert "--pooling mean`" in said
    assert profile_missing(Profile(np.arange(2), ("C1",), dict.__getitem__), 2, "mean") == ""
