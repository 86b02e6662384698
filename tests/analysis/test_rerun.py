"""An evaluation made again from what its run kept: the same numbers, whatever became of labels since."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import judging
from analysis.class_weights import CLASS_WEIGHTS
from analysis.classifier import CLASSIFIERS
from analysis.dataset import load_dataset
from analysis.evaluation import FOLDS, evaluate, evaluation_run
from analysis.rerun import Rerun, comparison, rerun
from analysis.runs import make_run, read_table
from quartzlens.errors import CollectionError, UsageError
from quartzlens.records import Json, Label, LabelSource, Run
from store.memory import MemoryStore
from tests.analysis.made_up_collections import WHEN, fingerprint_of, labelled_store, result, row

PRINT = fingerprint_of(8)


def small() -> MemoryStore:
    """Two categories that overlap, three channels of two videos each."""
    return labelled_store(("food", "travel"), channels=3, per_channel=2, dimension=8, apart=0.7)


def kept(store: MemoryStore, fold_column: str | None = None, **options: object) -> Run:
    """The run of a fresh evaluation, stored."""
    dataset = load_dataset(store, PRINT, fold_column)
    judged = evaluate(dataset, store.fragments(PRINT), **{"folds": 2, "seed": 3, **options})  # type: ignore[arg-type]
    run = evaluation_run(judged, PRINT, 3, store.info().labels, settings={"fold_column": fold_column})
    store.add_run(run)
    return store.runs(run.id)[0]


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """One small collection."""
    return small()


@pytest.fixture(scope="module")
def run(store: MemoryStore) -> Run:
    """Its evaluation by logistic regression."""
    return kept(store, classifier="logistic")


@pytest.mark.parametrize("class_weight", CLASS_WEIGHTS)
@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_a_fresh_run_made_again_differs_in_nothing(store: MemoryStore, classifier: str, class_weight: str) -> None:
    """For every classifier and class weight all figures are the same to the last digit, and so are the tables."""
    run = kept(store, classifier=classifier, class_weight=class_weight)
    made = rerun(store, run)
    assert made.differing == ()
    for name, table in (("predictions.parquet", made.evaluation.predictions), (FOLDS, made.evaluation.folds)):
        pd.testing.assert_frame_equal(read_table(run, name), table)
    assert comparison(made, run)["sentence"] == f"Run {run.id} made again: every figure that is made again is the same."


def test_repeats_and_published_folds_are_made_again(store: MemoryStore) -> None:
    """Every repeat has its own folds and seed back; published folds are still a list's, so fewer are no news."""
    assert rerun(store, kept(store, classifier="logistic", repeats=2, class_weight="auto")).differing == ()
    other = small()
    other.add_rows("list.csv", [folded(int(video.id[1:]), video) for video in other.videos()], [])
    run = kept(other, "part", classifier="logistic", folds=5)
    assert run.results["notes"] == []
    assert rerun(other, run).differing == ()


def folded(number, video):
    """Its row, with a fold by its channel."""
    return row(number, video.category, video.channel, {"part": video.channel[-1]})


def test_what_was_left_out_on_its_day_is_told_again() -> None:
    """A video without a label then is left out in the rerun, though it has one now."""
    store = small()
    store.add_rows("more.csv", [row(100, None, "another channel", source_list="more.csv")], [])
    store.commit([result("v100", np.random.default_rng(0).normal(size=(2, 8)))])
    run = kept(store, classifier="logistic")
    store.add_labels([Label("v100", "travel", LabelSource.PERSON, "", WHEN)])
    made = rerun(store, run)
    assert made.differing == ()
    assert made.evaluation.metrics["left_out"] == [{"category": None, "reason": "no label", "n": 1}]


def test_labels_of_today_change_nothing() -> None:
    """After a relabelling the rerun has the figures of its day, and a new evaluation has others."""
    store = small()
    run = kept(store, classifier="logistic")
    store.add_labels([Label(f"v{n}", "travel", LabelSource.PERSON, "", WHEN) for n in (1, 3)])
    assert rerun(store, run).differing == ()
    assert kept(store, classifier="logistic").results["confusion"] != run.results["confusion"]


def test_other_texts_are_said_by_the_figures_that_they_move() -> None:
    """Where a description is another than on its day, only figures of text differ; they are counted and named."""
    store = small()
    run = kept(store, classifier="logistic")
    rows = [replace(row(int(v.id[1:]), v.category, v.channel), title=f"{v.category} pie") for v in store.videos()]
    store.add_rows("list.csv", rows, [])
    made = rerun(store, run)
    assert made.differing
    assert all(name.startswith(("baselines.text.", "baselines.audio+text.")) for name in made.differing)
    said = comparison(made, run)
    assert (said["of"], said["same"], said["differing"]) == (run.id, False, list(made.differing))
    assert f"{len(made.differing)} figures differ (baselines.text.accuracy.value" in str(said["sentence"])
    assert f" and {len(made.differing) - 5} more)" in str(said["sentence"])
    assert json.loads(json.dumps(said)) == said


def test_one_figure_that_differs_is_named(store: MemoryStore, run: Run) -> None:
    """Numbers, entries of lists, lists of another length and other kinds of value are each found by name."""
    results = {**run.results, "n": 11, "notes": ["older"], "coverage": run.results["coverage"][:-1], "brier": None}  # type: ignore[index]
    confusion: Json = [[1, *run.results["confusion"][0][1:]], *run.results["confusion"][1:]]  # type: ignore[index,misc]
    made = rerun(store, replace(run, results={**results, "confusion": confusion}))
    assert made.differing == ("n", "brier", "confusion[0][0]", "coverage")  # notes are sentences
    alone = Rerun(made.evaluation, ("n",))
    assert "1 figure differs (n)." in str(comparison(alone, run)["sentence"])


def test_figures_that_a_run_did_not_have_are_not_compared(store: MemoryStore, run: Run) -> None:
    """A run of a day without calibration, and with a part that reruns lack, is the same in all that both have."""
    fewer = {name: value for name, value in run.results.items() if name != "calibration"}
    assert rerun(store, replace(run, results={**fewer, "leaks": None})).differing == ()


def test_what_a_run_has_that_is_not_made_again_is_named(store: MemoryStore, run: Run) -> None:
    """Of leaks, depths, curve, preset and model each that the run has is named; of a run without them nothing is."""
    assert rerun(store, run).not_made == ()
    results = {**run.results, "leaks": {"copies": {}}, "depths": [{}], "depth_choice": {}, "learning_curve": []}
    files = {**run.files, "model.safetensors": b"", "history.parquet": b""}
    fuller = replace(run, results={**results, "original_protocol": {"pooling": "mean3008"}}, files=files)
    said = comparison(rerun(store, fuller), fuller)
    assert said["not_made"] == ["leaks", "depths", "original_protocol", "model"]
    assert said["sentence"] == (
        f"Run {run.id} made again: every figure that is made again is the same. "
        "Not made again, so not compared: leaks, depths, original protocol, model."
    )


def test_progress_of_a_rerun_is_told(store: MemoryStore, run: Run) -> None:
    """Folds and steps are heard as in an evaluation."""
    folds: list[tuple[int, int]] = []
    steps: list[str] = []
    rerun(store, run, on_fold=lambda *now: folds.append(now), on_step=steps.append)
    assert folds == [(1, 2), (2, 2)]
    assert steps == ["majority", "knn", "logistic", "text", "metrics"]


def test_fragments_are_read_a_part_at_a_time(store: MemoryStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rerun holds no more fragments in memory than an evaluation does."""
    asked: list[int] = []
    read = store.fragments
    monkeypatch.setattr(judging, "VIDEOS_AT_ONCE", 4)
    monkeypatch.setattr(store, "fragments", lambda print_, ids: asked.append(len(ids)) or read(print_, ids))
    assert rerun(store, run).differing == ()
    assert (max(asked), sum(asked)) == (4, 12)


def test_runs_that_cannot_be_made_again_say_why(store: MemoryStore, run: Run) -> None:
    """A training, a run without folds, one of an estimator from Python, and one whose encoder is gone."""
    training = make_run("train", PRINT, 0, 0, settings={}, results={}, files={})
    older = {name: one for name, one in run.files.items() if name != FOLDS}
    for wrong, said in (
        (training, "is a train run: evaluations alone"),
        (replace(run, files=older), "is older than kept folds"),
        (replace(run, settings={**run.settings, "classifier": "GaussianNB()"}), r"made by GaussianNB\(\), which was"),
        (replace(run, fingerprint_key="0" * 16), "Nothing is embedded any more by the encoder of run"),
    ):
        with pytest.raises(UsageError, match=said):
            rerun(store, wrong)


def test_damaged_folds_are_said(store: MemoryStore, run: Run) -> None:
    """One sentence names the file, the run and the command that evaluates anew."""
    damaged = replace(run, files={**run.files, FOLDS: b"PAR1nonsensePAR1"})
    with pytest.raises(CollectionError, match=r"folds\.parquet of run evaluate-.* is damaged.*quartzlens evaluate"):
        rerun(store, damaged)


@pytest.mark.parametrize(
    ("gone", "said"), [(1, r"1 video that is gone .*\(v1\)"), (7, r"7 videos that are .* v5 \.\.\.\)")]
)
def test_a_removed_video_is_named(gone: int, said: str) -> None:
    """What was judged and is no more there cannot be judged again: some are named, all are counted."""
    store = small()
    run = kept(store, classifier="logistic")
    store.remove([f"v{n}" for n in range(1, gone + 1)])
    with pytest.raises(UsageError, match=said):
        rerun(store, run)
