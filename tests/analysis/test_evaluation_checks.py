"""What is checked of an evaluation by each report, and what is computed for it."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis import evaluation_checks as module
from analysis.baselines import MajorityClassifier
from analysis.dataset import Dataset, load_dataset
from analysis.evaluation import Evaluation, evaluate
from analysis.evaluation_checks import LEVELS, checks
from analysis.out_of_fold import out_of_fold
from quartzlens.errors import UsageError
from store.memory import MemoryStore
from tests.analysis.made_up_collections import filled_store, fingerprint_of, result, row

PRINT = fingerprint_of(8)
KEYS = [
    "leaks", "depths", "depths_missing", "depth_choice", "depths_of_videos", "learning_curve", "learning",
]  # fmt: skip
STEPS = {"brief": [], "usual": ["leaks", "depths"], "full": ["leaks", "random split", "depths", "learning curve"]}


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """Two categories, 6 channels of 3 videos each, with depth profiles of two blocks."""
    rng = np.random.default_rng(0)
    centres, rows, results = 2 * rng.normal(size=(2, 8)), [], []
    for number in range(1, 37):
        which = number % 2
        rows.append(row(number, ("food", "travel")[which], f"channel {which} {number % 12}"))
        one = result(f"v{number}", centres[which] + rng.normal(size=(2, 8)) + 8.0)
        assert one.embedded is not None
        profile = {name: rng.random((2, 4)).astype(np.float32) for name in ("C1", "C2")}
        results.append(replace(one, embedded=replace(one.embedded, profile=profile)))
    return filled_store(rows, results)


@pytest.fixture(scope="module")
def dataset(store: MemoryStore) -> Dataset:
    """Its videos."""
    return load_dataset(store, PRINT)


@pytest.fixture(scope="module")
def evaluation(store: MemoryStore, dataset: Dataset) -> Evaluation:
    """Judged by logistic regression in three folds."""
    return evaluate(dataset, store.fragments(PRINT), classifier="logistic", folds=3)


@pytest.mark.parametrize("level", LEVELS)
def test_each_report_has_the_same_keys_and_tells_what_begins(
    level: str, store: MemoryStore, dataset: Dataset, evaluation: Evaluation
) -> None:
    """Parts that were not asked for are empty, never missing; progress names each part once; all is JSON."""
    steps: list[str] = []
    found: Any = checks(
        store, PRINT, dataset, evaluation, level=level, classifier="logistic", work={"C1": 0.1, "C2": 1.0},
        on_step=steps.append,
    )  # fmt: skip
    assert list(found) == KEYS
    assert steps == STEPS[level]
    assert json.loads(json.dumps(found)) == found
    assert (found["leaks"] is None) == (level == "brief")
    assert len(found["depths"]) == (0 if level == "brief" else 4)
    assert found["depths_of_videos"] == (0 if level == "brief" else 36)
    assert bool(found["learning_curve"]) == bool(found["learning"]) == bool(found["depth_choice"]) == (level == "full")
    if level != "brief":
        assert (found["leaks"]["random_split"] is None) == (level == "usual")
        assert [one["work"] for one in found["depths"]] == [0.1, 0.1, 1.0, 1.0]


def test_the_random_split_is_by_the_same_classifier_and_weights(
    store: MemoryStore, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is trained as the evaluation was, once for each repeat, and set beside the evaluation's own accuracy."""
    options: Any = {"classifier": "linear", "folds": 2, "repeats": 2, "class_weight": "balanced"}
    judged = evaluate(dataset, store.fragments(PRINT), **options)
    made: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        module, "make_classifier", lambda *args, **more: made.append((*args, more)) or MajorityClassifier()
    )
    monkeypatch.setattr(module, "learning_curve", lambda *_, **__: [])
    found: Any = checks(store, PRINT, dataset, judged, level="full", classifier="linear", seed=4)
    assert made == [("linear", 2, 4, {"class_weight": "balanced"})] * 4
    assert found["leaks"]["random_split"]["grouped"]["value"] == judged.metrics["accuracy"]["value"]  # type: ignore
    assert found["learning"] == ""


def test_the_curve_ends_at_the_evaluations_own_accuracy(
    store: MemoryStore, dataset: Dataset, evaluation: Evaluation
) -> None:
    """Its last size is the whole training part under the same folds."""
    found: Any = checks(store, PRINT, dataset, evaluation, level="full", classifier="logistic")
    told, _ = out_of_fold(
        lambda: module.make_classifier("logistic", 2, 0), dataset.X, dataset.y, dataset.groups,
        evaluation.folds["fold_1"].to_numpy(), 2,
    )  # fmt: skip
    assert found["learning_curve"][-1]["accuracy"]["value"] == pytest.approx((told.argmax(axis=1) == dataset.y).mean())
    assert found["learning_curve"][-1]["accuracy"] == evaluation.metrics["accuracy"]


def test_of_many_videos_whole_groups_judge_the_depths(
    store: MemoryStore, dataset: Dataset, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """About as many as are wanted, groups undivided, the same by the same seed; the count is told."""
    monkeypatch.setattr(module, "MOST_FOR_DEPTHS", 20)
    first, again, other = (
        checks(store, PRINT, dataset, evaluation, classifier="logistic", seed=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first["depths_of_videos"] == other["depths_of_videos"] == 21
    assert first["depths"] != other["depths"]
    fold_of = evaluation.folds["fold_1"].to_numpy()
    some, folds = module._some(dataset, fold_of, 20, 0)
    sizes = dict(zip(*np.unique(dataset.groups.astype(str), return_counts=True), strict=True))
    drawn = dict(zip(*np.unique(some.groups.astype(str), return_counts=True), strict=True))
    assert all(sizes[name] == n for name, n in drawn.items())
    position = {video_id: at for at, video_id in enumerate(dataset.ids)}
    rows = [position[video_id] for video_id in some.ids]
    np.testing.assert_array_equal(some.X, dataset.X[rows])
    np.testing.assert_array_equal(some.y, dataset.y[rows])
    np.testing.assert_array_equal(folds, fold_of[rows])


def test_an_unknown_report_is_wrong_usage(store: MemoryStore, dataset: Dataset, evaluation: Evaluation) -> None:
    """The sentence has those that there are."""
    with pytest.raises(UsageError, match="no report 'long'; there are: brief, usual, full"):
        checks(store, PRINT, dataset, evaluation, level="long")
