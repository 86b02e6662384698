"""The original work's protocol: one random stratified split, beside the figure under whole groups."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis import original_protocol as module
from analysis.dataset import Dataset, load_dataset
from analysis.original_protocol import original_protocol
from quartzlens.errors import NotEnoughDataError
from tests.analysis.made_up_collections import fingerprint_of, labelled_store

PRINT = fingerprint_of(8)
BELIEVABLE = {name: {"value": 0.5, "low": 0.4, "high": 0.6} for name in ("accuracy", "precision_macro", "recall_macro")}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Three categories of twenty videos, far apart."""
    return load_dataset(labelled_store(channels=5, per_channel=4, dimension=8, apart=4.0), PRINT)


@pytest.fixture(scope="module")
def told(dataset: Dataset) -> Mapping[str, Any]:
    """What the protocol finds there."""
    return original_protocol(dataset, BELIEVABLE, "mean3008", seed=1)


def test_a_fifth_is_judged_by_a_network_that_learned_from_the_rest(told: Mapping[str, Any]) -> None:
    """Metrics have value and interval, the parts make all videos, and the sentence sets both figures side by side."""
    assert list(told) == ["accuracy", "precision_macro", "recall_macro", "parts", "pooling", "sentence"]
    assert told["parts"] == {"train": 48, "test": 12}
    assert all(told[name]["low"] <= told[name]["value"] <= told[name]["high"] for name in BELIEVABLE)
    assert told["accuracy"]["value"] == 1.0
    low = f"{told['accuracy']['low']:.0%}".replace("%", " %")
    assert told["sentence"] == (
        f"As the original work measured (one random stratified split, pooling mean3008): accuracy 100.0 % ({low} to "
        "100 %), macro precision 100.0 %, macro recall 100.0 %. "
        "Out of fold by whole groups: accuracy 50.0 % (40 % to 60 %), macro precision 50.0 %, macro recall 50.0 %."
    )
    assert json.loads(json.dumps(told)) == told


def test_the_same_seed_splits_and_learns_the_same(dataset: Dataset, told: Mapping[str, Any]) -> None:
    """Equal to the last digit, whatever was drawn in between."""
    np.random.default_rng().random()
    assert original_protocol(dataset, BELIEVABLE, "mean3008", seed=1) == told


def test_the_split_is_stratified_and_parts_channels(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network learns from sixteen of each category, and is told no group; the videos judged share its channels."""
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    fit = module.fit_classifier

    def remembered(model: Any, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> Any:
        seen.append((y, groups))
        return fit(model, X, y, groups)

    monkeypatch.setattr(module, "fit_classifier", remembered)
    original_protocol(dataset, BELIEVABLE, "mean", seed=1)
    (y, groups), learned = seen[0], [int(group) for group in seen[0][1]]
    assert np.bincount(y).tolist() == [16, 16, 16]
    assert len(set(groups)) == 48
    judged = sorted(set(range(60)) - set(learned))
    assert set(dataset.groups[judged]) <= set(dataset.groups[learned])


def test_too_few_videos_for_one_split_are_said(dataset: Dataset) -> None:
    """A fifth that is fewer than the categories cannot hold each: the sentence has the counts and what to do."""
    few = replace(dataset, X=dataset.X[::6], y=dataset.y[::6], groups=dataset.groups[::6])
    with pytest.raises(NotEnoughDataError, match=r"split of 10 videos in 3 categories cannot be made .*--preset away"):
        original_protocol(few, BELIEVABLE, "mean")
