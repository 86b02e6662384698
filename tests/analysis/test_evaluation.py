"""Out-of-fold evaluation: nobody is judged by a model that knows him."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.classifier import fit_classifier, load_model, make_classifier, train
from analysis.dataset import load_dataset
from analysis.evaluation import (
    cell,
    confusion_table,
    evaluate,
    evaluation_run,
    latest_evaluation,
    probability_columns,
    read_evaluation,
    with_model,
)
from analysis.network import OriginalClassifier
from analysis.runs import read_table
from quartzlens.errors import CollectionError, UsageError
from quartzlens.records import Fragments
from tests.analysis.made_up_collections import filled_store, fingerprint_of, labelled_store, result, row

PRINT = fingerprint_of(16)


@pytest.fixture(scope="module")
def store():
    """Three categories, 4 channels of 3 videos, overlapping, and one category with a single channel."""
    return labelled_store(channels=4, per_channel=3, apart=0.7)


@pytest.fixture(scope="module")
def dataset(store):
    """What can be judged of it."""
    return load_dataset(store, PRINT)


@pytest.fixture(scope="module")
def evaluation(store, dataset):
    """One evaluation by the original network."""
    return evaluate(dataset, store.fragments(PRINT), seed=2, folds=4)


def test_every_video_is_judged_once_in_the_order_of_the_data_set(dataset, evaluation):
    """Predictions hold each video with its label, the category of the highest probability, and its fold."""
    table = evaluation.predictions
    assert list(table.columns) == ["id", "category", "predicted", "fold", "food", "history", "travel"]
    assert tuple(table["id"]) == dataset.ids
    assert table["category"].tolist() == [dataset.categories[i] for i in dataset.y]
    P = table[["food", "history", "travel"]].to_numpy()
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-5)
    assert table["predicted"].tolist() == [dataset.categories[i] for i in P.argmax(axis=1)]
    assert set(table["fold"]) == {0, 1, 2, 3}
    assert evaluation.metrics["folds"] == 4


def test_no_channel_is_in_two_folds(dataset, evaluation):
    """The folds that an evaluation reports part no channel."""
    assert pd.Series(dataset.groups).groupby(evaluation.predictions["fold"].to_numpy()).nunique().sum() == 12


def test_the_same_seed_gives_the_same_numbers_to_the_last_digit(store, dataset, evaluation):
    """An evaluation repeats exactly, with what is written to files."""
    again = evaluate(dataset, store.fragments(PRINT), seed=2, folds=4)
    first, second = evaluation_run(evaluation, PRINT, 2, 0), evaluation_run(again, PRINT, 2, 0)
    assert first.files == second.files
    assert first.results == second.results
    assert first.id != second.id


def test_held_out_videos_do_not_reach_their_model(dataset, monkeypatch):
    """Whatever the held-out videos are, their model has the same weights: scaling and stopping never see them."""
    empty = Fragments((), np.zeros((0, 2), np.float32), np.zeros((0, 16), np.float32), ())
    held = evaluate(dataset, empty, classifier="logistic", seed=2, folds=2).predictions["fold"].to_numpy() == 0
    perturbed = dataset.X.copy()
    perturbed[held] = 1e3 * np.random.default_rng(0).normal(size=perturbed[held].shape)
    trained = []
    keep = OriginalClassifier.fit

    def remember(self, X, y, groups=None):
        trained.append(keep(self, X, y, groups))
        return self

    monkeypatch.setattr(OriginalClassifier, "fit", remember)
    for X in (dataset.X, perturbed):
        evaluate(replace(dataset, X=X), empty, seed=2, folds=2)
    for name, array in trained[0].weights_.items():
        np.testing.assert_array_equal(array, trained[2].weights_[name])
    assert not np.array_equal(trained[1].weights_["hidden.weight"], trained[3].weights_["hidden.weight"])


def test_fragments_are_judged_by_the_model_of_their_videos_fold(store, dataset, evaluation):
    """The seconds of a video get probabilities from the model that never saw it; other videos' seconds get none."""
    table, held = evaluation.fragments, evaluation.predictions["fold"] == 1
    assert list(table.columns) == ["id", "start_seconds", "end_seconds", "food", "history", "travel"]
    assert len(table) == 3 * len(dataset.ids)
    assert table["end_seconds"].tolist() == [5.0, 10.0, 15.0] * len(dataset.ids)
    learn = ~held.to_numpy()
    model = make_classifier("original", 3, seed=2)
    fit_classifier(model, dataset.X[learn], dataset.y[learn], dataset.groups[learn])
    ids = list(evaluation.predictions["id"][held])
    expected = model.predict_proba(store.fragments(PRINT, ids).matrix)
    mine = table[table["id"].isin(ids)][["food", "history", "travel"]].to_numpy()
    np.testing.assert_allclose(mine, expected, atol=1e-6)


def test_fragments_of_videos_outside_the_data_set_are_passed_over():
    """Unlabelled videos have fragments, and no model to judge them out of fold."""
    rows = [row(n, None if n > 8 else ("food" if n % 2 else "travel")) for n in range(1, 11)]
    random = np.random.default_rng(0)
    store = filled_store(rows, [result(r.video_id, random.random((2, 4))) for r in rows])
    fragments = store.fragments(fingerprint_of(4))
    found = evaluate(load_dataset(store, fingerprint_of(4)), fragments, classifier="logistic", folds=2)
    assert set(found.fragments["id"]) == {f"v{n}" for n in range(1, 9)}
    assert found.metrics["left_out"] == [{"category": None, "reason": "no label", "n": 2}]


def test_a_category_with_one_channel_is_in_nothing_but_the_list_of_those_left_out():
    """It is left out of categories, confusion and n, and named with its count."""
    store = labelled_store(("food", "travel"), channels=3, per_channel=2)
    alone = [row(n, "alone", "one channel", source_list="more.csv") for n in range(100, 104)]
    store.add_rows("more.csv", alone, [])
    store.commit([result(r.video_id, np.random.default_rng(r.number).random((2, 16))) for r in alone])
    found = evaluate(load_dataset(store, PRINT), store.fragments(PRINT), classifier="logistic")
    assert found.metrics["categories"] == ["food", "travel"]
    assert found.metrics["n"] == 12
    assert found.confusion.shape == (2, 2)
    reason = "its category has a single channel, or copies tie its channels: it cannot be evaluated"
    assert found.metrics["left_out"] == [{"category": "alone", "reason": reason, "n": 4}]


def test_folds_drop_to_the_fewest_channels_of_a_category():
    """Three channels cannot fill five folds: three are made, and the metrics say so."""
    store = labelled_store(("food", "travel"), channels=3, per_channel=2)
    found = evaluate(load_dataset(store, PRINT), store.fragments(PRINT), classifier="logistic", folds=5)
    assert found.metrics["folds"] == 3
    assert set(found.predictions["fold"]) == {0, 1, 2}


def test_published_folds_are_held_out_as_they_are():
    """Each published fold is one held-out part, under its own number."""
    store = labelled_store(("food", "travel"), channels=4, per_channel=2)
    store.add_rows("list.csv", [_folded(video) for video in store.videos()], [])
    found = evaluate(load_dataset(store, PRINT, "fold"), store.fragments(PRINT), classifier="logistic")
    assert found.predictions["fold"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4] * 2
    assert found.metrics["folds"] == 4


def _folded(video):
    number = int(video.id[1:])
    return row(number, video.category, video.channel, {"fold": str(int(video.channel[-1]) + 1)})


def test_separated_categories_are_all_right_and_shuffled_labels_are_chance():
    """An evaluation tells knowledge from luck: 1.0 where it is easy, about a third where there is nothing to know."""
    store = labelled_store(apart=6.0, channels=6, per_channel=3)
    data = load_dataset(store, PRINT)
    fragments = store.fragments(PRINT)
    assert evaluate(data, fragments, folds=2).metrics["accuracy"]["value"] == 1.0
    alone = np.array([f"video {i}" for i in range(len(data.ids))], dtype=object)
    random = replace(data, y=np.random.default_rng(1).permutation(data.y), groups=alone)
    value = evaluate(random, fragments, classifier="logistic").metrics["accuracy"]["value"]
    assert 0.15 < value < 0.55


def test_a_run_gives_the_evaluation_back(store, evaluation):
    """Tables, confusion and metrics survive the store, as JSON values and Parquet."""
    run = evaluation_run(evaluation, PRINT, seed=2, labels_seen=36, settings={"fold_column": None})
    assert json.loads(json.dumps(run.results)) == run.results
    own = {"classifier": "original", "folds": 4, "repeats": 1, "class_weight": "none", "grouped_by": "channel"}
    settings = dict(run.settings)
    assert settings.pop("versions")["quartzlens"]
    assert len(settings.pop("fold_keys")) == 4
    assert settings == {**own, "folds_asked": 4, "fold_column": None}
    assert run.id.startswith("evaluate-20")
    store.add_run(run)
    back = read_evaluation(store.runs(run.id)[0])
    pd.testing.assert_frame_equal(back.predictions, evaluation.predictions)
    pd.testing.assert_frame_equal(back.fragments, evaluation.fragments)
    np.testing.assert_array_equal(back.confusion, evaluation.confusion)
    pd.testing.assert_frame_equal(back.folds, evaluation.folds)
    pd.testing.assert_frame_equal(back.left_out, evaluation.left_out)
    assert back.metrics == evaluation.metrics


def test_the_latest_evaluation_is_found_for_its_encoder(evaluation):
    """The newest run of kind evaluate, of the encoder asked for; None where there is none."""
    store = labelled_store(channels=1, per_channel=1)
    assert latest_evaluation(store) is None
    old, new = (evaluation_run(evaluation, PRINT, seed, 0) for seed in (0, 1))
    other = evaluation_run(evaluation, fingerprint_of(8), 5, 0)
    for run in (old, new, other):
        store.add_run(run)
    found = latest_evaluation(store, PRINT)
    assert found is not None
    assert found[0].id == new.id
    latest = latest_evaluation(store)
    assert latest is not None
    assert latest[0].seed == 5


def test_a_run_with_a_missing_or_damaged_table_is_said(evaluation):
    """One sentence with the command that makes it anew."""
    run = evaluation_run(evaluation, PRINT, 2, 0)
    with pytest.raises(CollectionError, match=r"has kept no predictions\.parquet.*quartzlens evaluate"):
        read_evaluation(replace(run, files={}))
    with pytest.raises(CollectionError, match=r"is damaged.*quartzlens evaluate"):
        read_evaluation(replace(run, files={**run.files, "fragments.parquet": b"PAR1nonsensePAR1"}))


def test_cells_hold_exactly_the_videos_that_they_count(evaluation):
    """The ids behind each cell are those of its two categories, the surest first; all cells make all videos."""
    predictions, categories = evaluation.predictions, evaluation.metrics["categories"]
    counted = confusion_table(predictions, categories)
    seen = []
    for true, predicted, n, share, _ in counted.itertuples(index=False):
        behind = cell(predictions, true, predicted)
        assert len(behind) == n == evaluation.confusion[categories.index(true), categories.index(predicted)]
        assert set(behind["category"]) <= {true}
        assert set(behind["predicted"]) <= {predicted}
        assert behind[predicted].is_monotonic_decreasing
        assert share == pytest.approx(n / 12)
        seen += list(behind["id"])
    assert sorted(seen) == sorted(predictions["id"])
    assert counted["n"].sum() == evaluation.metrics["n"] == evaluation.confusion.sum()


def test_categories_named_like_columns_of_the_tables_keep_their_probabilities():
    """A list may call its categories id and fold: their probabilities get columns of their own."""
    store = labelled_store(("fold", "id"), channels=2, per_channel=2, apart=6.0)
    found = evaluate(load_dataset(store, PRINT), store.fragments(PRINT), classifier="logistic")
    assert probability_columns(found.predictions) == ["fold (category)", "id (category)"]
    assert found.metrics["accuracy"]["value"] == 1.0
    assert len(cell(found.predictions, "id", "id")) == 4


def test_progress_is_told_by_fold_and_epoch(dataset, store):
    """Whoever draws progress hears each fold once, and the epochs of each network."""
    folds, epochs = [], []
    evaluate(
        dataset,
        store.fragments(PRINT),
        folds=2,
        on_fold=lambda done, of: folds.append((done, of)),
        on_epoch=epochs.append,
    )
    assert folds == [(1, 2), (2, 2)]
    assert [epoch.epoch for epoch in epochs].count(1) == 2


def test_one_fold_is_a_wrong_usage(dataset, store):
    """Nothing can be held out of one fold."""
    with pytest.raises(UsageError, match="at least 2"):
        evaluate(dataset, store.fragments(PRINT), folds=1)


@pytest.mark.parametrize("classifier", ["original", "logistic"])
def test_the_smallest_collection_trains_and_evaluates(classifier):
    """Two categories of two channels with one video each are enough for every public function."""
    store = labelled_store(("food", "travel"), channels=2, per_channel=1)
    data = load_dataset(store, PRINT)
    assert train(data, classifier=classifier).metrics["n"] == 2
    assert evaluate(data, store.fragments(PRINT), classifier=classifier).metrics["n"] == 4


def test_a_classifier_of_all_videos_is_kept_where_it_is_weights(store, dataset):
    """It is what a training on every video gives, and comes with the run and its epochs; neighbours are no weights."""
    fragments, epochs = store.fragments(PRINT), []
    found = evaluate(dataset, fragments, classifier="logistic", seed=2, folds=2, class_weight="balanced")
    run = evaluation_run(with_model(found, dataset, classifier="logistic", seed=2), PRINT, 2, 0)
    plain = make_classifier("logistic", 3, seed=2, class_weight="balanced")
    fit_classifier(plain, dataset.X, dataset.y, dataset.groups)
    np.testing.assert_allclose(load_model(run).predict_proba(dataset.X), plain.predict_proba(dataset.X), atol=1e-5)
    network = with_model(found, dataset, seed=2, on_epoch=epochs.append)
    assert len(network.history) == len(epochs) > 0
    assert read_table(evaluation_run(network, PRINT, 2, 0), "history.parquet").equals(network.history)
    neighbours = with_model(found, dataset, classifier="knn")
    assert neighbours.weights is None
    assert "model.safetensors" not in evaluation_run(neighbours, PRINT, 2, 0).files


def test_what_begins_is_told_by_name(store, dataset):
    """Each baseline and the metrics, in their order."""
    steps = []
    evaluate(dataset, store.fragments(PRINT), classifier="knn", folds=2, on_step=steps.append)
    assert steps == ["majority", "knn", "logistic", "text", "metrics"]


def test_texts_that_tell_nothing_are_no_baseline(store, dataset):
    """Where no two titles differ there is neither text nor sound with text; else both are beside the others."""
    same = replace(dataset, videos=tuple(replace(video, title="one") for video in dataset.videos))
    found = evaluate(same, store.fragments(PRINT), classifier="logistic", folds=2).metrics["baselines"]
    assert list(found) == ["majority", "knn", "logistic"]
    found = evaluate(dataset, store.fragments(PRINT), classifier="logistic", folds=2).metrics["baselines"]
    assert list(found) == ["majority", "knn", "logistic", "text", "audio+text"]


def test_the_folds_of_each_repeat_are_kept_with_what_they_kept_together(store, dataset):
    """Ids, groups, channels and sounds stand beside one column of folds a repeat."""
    copies = pd.DataFrame({"group": [1, 1], "id": ["v1", "v2"]})
    found = evaluate(
        replace(dataset, copies_found=copies), store.fragments(PRINT), classifier="logistic", folds=2, repeats=2
    ).folds
    assert list(found.columns) == ["id", "group", "channel", "sound", "fold_1", "fold_2"]
    assert found["sound"].tolist() == [1, 1] + [-1] * (len(found) - 2)
    assert found["channel"].tolist() == list(dataset.channels)
    assert set(found["fold_1"]) == set(found["fold_2"]) == {0, 1}
