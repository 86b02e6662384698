"""Bad input from end to end: a clear message, or a narrower answer that says so; no crash, no figure that is NaN."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from analysis import exports, network
from analysis.cells import Rank, ranked
from analysis.class_weights import ChosenWeights
from analysis.classifier import make_classifier
from analysis.compare_runs import compare_runs, groups_of
from analysis.dataset import DAMAGED, SEVERAL_LABELS, load_dataset
from analysis.duplicates import copies_of, duplicate_groups
from analysis.evaluation import evaluate, evaluation_run, with_model
from analysis.evaluation_checks import checks
from analysis.evidence import background, evidence
from analysis.knn import KnnClassifier
from analysis.label_next import next_to_label
from analysis.label_quality import suggested_errors
from analysis.metrics import probability_columns
from analysis.neighbours import neighbours_of
from analysis.predicting import predict
from analysis.weights import load_model
from quartzlens.errors import NotEnoughDataError
from quartzlens.records import Embeddings
from tests.analysis.made_up_collections import filled_store, fingerprint_of, labelled_store, result, row

PRINT = fingerprint_of(16)
ODD = ("", " ", "id", "predicted", "fold", "title", "🎸🎸", "العربية", "\u202ertl", "x" * 3000, "a\nb\x07", "=1+1")


@pytest.fixture(scope="module", autouse=True)
def shortest_trainings(short_trainings):
    """Five epochs: what these tests state does not hang on what a network learned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "MAX_EPOCHS", 5)
        patch.setattr(network, "EPOCHS_WITHOUT_VALIDATION", 5)
        yield


def embedded(rows, vector_of=lambda _: None):
    """A store in which each row's video has two fragments by chance, or those that its number is given."""
    random = np.random.default_rng(0)
    pieces = [vector_of(one.number) for one in rows]
    drawn = [random.random((2, 16)) if own is None else own for own in pieces]
    return filled_store(rows, [result(one.video_id, own) for one, own in zip(rows, drawn, strict=True)])


def two_kinds(n=40, category=lambda n: "food" if n % 2 else "travel"):
    """Rows of two categories in turn; channels of three videos hold both."""
    return [row(number, category(number), f"c{number // 3}") for number in range(1, n + 1)]


def strict(value):
    """Assert that a value is JSON as strict readers take it."""
    json.loads(json.dumps(value, allow_nan=False))


def everything(store, classifier="logistic", level="usual"):
    """Ask for all that there is to know of a collection, and give its evaluation, run and checks."""
    dataset = load_dataset(store, PRINT)
    judged = evaluate(dataset, store.fragments(PRINT), classifier=classifier)
    judged = with_model(judged, dataset, classifier=classifier)
    found = checks(store, PRINT, dataset, judged, level=level, classifier=classifier)
    strict({**judged.metrics, **found})
    sound(judged)
    run = evaluation_run(judged, PRINT, 0, store.info().labels)
    store.add_run(run)
    known = background(store, PRINT, judged)
    told = [evidence(judged, one, store, PRINT, known) for one in judged.predictions["id"][:3]]
    assert all(0 <= one.margin <= 1 and str(one.verdict) for one in told)
    assert len(suggested_errors(judged)) == len(dataset.ids)
    next_to_label(store, PRINT, 500, classifier=classifier)
    strict(compare_runs(run, run, groups_of(store, duplicate_groups(store, PRINT))).as_json())
    if judged.weights is not None:
        assert len(predict(store, run, load_model(run), PRINT, store.embeddings(PRINT), {}).table)
    exported = exports.every_column(store), exports.labels_table(store), exports.errors_table(store, run)
    assert len(exported[0]) == len(store.videos())
    return SimpleNamespace(metrics=judged.metrics, run=run, checks=found, evaluation=judged)


def sound(judged):
    """Assert what holds of every evaluation: one fold a group, probabilities that sum to 1, a matrix that sums to n."""
    assert (judged.folds.groupby("group")["fold_1"].nunique() == 1).all()
    for table in (judged.predictions, judged.fragments):
        np.testing.assert_allclose(table[probability_columns(table)].sum(axis=1), 1, atol=1e-5)
    assert judged.confusion.sum() == judged.metrics["n"] == len(judged.predictions)


def test_a_video_of_several_categories_stays_out_and_is_said():
    """Until a person decides it is in no figure; the notes count it, and it is among those to label next."""
    store = embedded(two_kinds(30))
    store.add_rows("more.csv", [row(1, "travel", source_list="more.csv")], [])
    found = everything(store)
    assert found.metrics["n"] == 29
    assert "v1" not in set(found.evaluation.predictions["id"])
    assert {"category": "food + travel", "reason": SEVERAL_LABELS, "n": 1} in found.metrics["left_out"]
    assert any("1 video has several categories" in note and "labels set" in note for note in found.metrics["notes"])
    assert next_to_label(store, PRINT, 9)["claimed"].tolist() == ["food + travel"]


@pytest.mark.parametrize(
    ("category", "channel", "said"),
    [
        (lambda n: "food", lambda n: f"c{n}", r"only 'food' has them \(8 videos\)\. Label more"),
        (lambda n: None, lambda n: f"c{n}", r"none has them \(8 videos; 8 left out: no label\)"),
        (lambda n: "food" if n < 4 else "travel", lambda n: "one", r"none has .* 8 left out: .*single channel"),
        (lambda n: "food" if n < 4 else "travel", lambda n: f"c{n // 4}", r"none has .* 8 left out: .*single channel"),
    ],
    ids=["one category", "no label", "one group", "a group each"],
)
def test_too_little_to_judge_is_one_sentence(category, channel, said):
    """One category, no label, or a single group: what is there is counted, and what to do is said."""
    rows = [row(n, category(n), channel(n)) for n in range(8)]
    with pytest.raises(NotEnoughDataError, match=said):
        load_dataset(embedded(rows), PRINT)


@pytest.mark.parametrize("classifier", ["original", "logistic", "linear", "knn"])
def test_a_category_of_few_groups_makes_fewer_folds_and_one_of_a_single_group_stays_out(classifier):
    """Both are named in the notes, and every other part of the report is there."""
    rows = two_kinds(24, lambda n: "food") + [row(n, "travel", f"d{n % 2}") for n in range(50, 60)]
    found = everything(embedded([*rows, *(row(n, "alone", "one") for n in range(70, 74))]), classifier)
    assert found.metrics["folds"] == 2
    assert any("2 folds instead of 5: 'travel' has 2 groups (channels" in note for note in found.metrics["notes"])
    assert any("'alone' is left out" in note for note in found.metrics["notes"])
    assert found.metrics["categories"] == ["food", "travel"]


def test_without_channels_each_video_is_its_own_group_and_that_is_a_warning():
    """Nothing says what belongs together: the figures are there, and may be too good."""
    found = everything(embedded([row(n, "food" if n % 2 else "travel") for n in range(1, 31)]))
    assert found.metrics["groups"]["by"] == "video"
    assert "may be too good" in found.metrics["groups"]["warning"]
    assert found.checks["leaks"]["same_channel"]["n"] == 0


def test_half_of_the_labels_are_enough():
    """Videos without one are counted, predicted by the kept model, and offered to be labelled."""
    store = embedded(two_kinds(40, lambda n: ("food" if n % 3 else "travel") if n % 2 else None))
    found = everything(store)
    assert found.metrics["n"] == 20
    assert found.metrics["left_out"] == [{"category": None, "reason": "no label", "n": 20}]
    assert len(next_to_label(store, PRINT, 500)) == 20


@pytest.mark.parametrize("classifier", ["original", "logistic", "linear", "knn"])
@pytest.mark.parametrize("vector", [0.0, 1e-38, 65504.0], ids=["zero", "tiny", "the largest"])
def test_vectors_of_zeros_and_extremes_are_judged_as_all_others(classifier, vector):
    """Zero vectors, or ones at either end of what is kept, leave every figure a number: a few, or all."""
    odd = np.full((2, 16), vector)
    everything(embedded(two_kinds(30), lambda n: odd if n in (1, 5, 6) else None), classifier)
    everything(embedded(two_kinds(30), lambda n: odd), classifier)


@pytest.mark.parametrize("vector", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_no_numbers_are_never_kept(vector):
    """The store refuses one with the id of its video: what is in a collection are numbers."""
    with pytest.raises(ValueError, match="Video v1: an embedding, fragment, bound or profile is not finite"):
        embedded(two_kinds(4), lambda n: np.full((2, 16), vector) if n == 1 else None)


def damage(store, monkeypatch, vector, embedding_of=(), fragments_of=()):
    """Let a store give embeddings, and the second fragments, of some videos with what is no number in them."""
    embeddings, fragments = store.embeddings, store.fragments

    def damaged_embeddings(*asked, **more):
        found = embeddings(*asked, **more)
        matrix = found.matrix.copy()
        matrix[[one in embedding_of for one in found.ids], 3] = vector
        return Embeddings(found.ids, matrix)

    def damaged_fragments(*asked, **more):
        found = fragments(*asked, **more)
        matrix = found.matrix.copy()
        of_those = np.array([one in fragments_of for one in found.ids], dtype=bool)
        matrix[of_those & (found.bounds[:, 0] == 5), 3] = vector
        return replace(found, matrix=matrix)

    monkeypatch.setattr(store, "embeddings", damaged_embeddings)
    monkeypatch.setattr(store, "fragments", damaged_fragments)


@pytest.mark.parametrize("vector", [np.nan, np.inf])
def test_an_embedding_that_was_damaged_in_its_place_is_left_out_with_the_command_that_finds_it(vector, monkeypatch):
    """A disk's errors do not reach a figure, and do not stop the others from being judged."""
    store = embedded(two_kinds(30))
    damage(store, monkeypatch, vector, ["v4"])
    dataset = load_dataset(store, PRINT)
    assert "v4" not in dataset.ids
    assert dataset.left_out.to_dict("records") == [{"id": "v4", "category": "travel", "reason": DAMAGED}]
    assert evaluate(dataset, store.fragments(PRINT), classifier="logistic").metrics["n"] == 29


@pytest.mark.parametrize("vector", [np.nan, np.inf, -np.inf])
def test_a_damaged_embedding_has_no_say_in_the_evidence_of_others(vector, monkeypatch):
    """What a video is set beside is the same as without the damaged ones; of these there is less evidence."""
    store, without = labelled_store(), labelled_store()
    without.remove(["v4", "v30"])
    judged = evaluate(load_dataset(store, PRINT), store.fragments(PRINT), classifier="logistic", folds=3)
    damage(store, monkeypatch, vector, ["v4", "v30"])
    known, wanted = background(store, PRINT, judged), background(without, PRINT, judged)
    assert known.ids == wanted.ids
    for one in ("unit", "distances", "pairs"):
        np.testing.assert_array_equal(getattr(known, one), getattr(wanted, one))
    near = ranked(judged, judged.predictions, Rank.NEARNESS, known)
    assert set(near["id"][near["value"].isna()]) == {"v4", "v30"}
    found, beside = (evidence(judged, "v2", *where) for where in ((store, PRINT, known), (without, PRINT, wanted)))
    assert (found.vote, found.outlier, found.verdict) == (beside.vote, beside.outlier, beside.verdict)
    assert evidence(judged, "v4", store, PRINT, known).vote.neighbours == 0


@pytest.mark.parametrize("vector", [np.nan, np.inf, -np.inf])
def test_a_damaged_fragment_is_missing_and_nothing_else(vector, monkeypatch):
    """Its video is judged by the others, its seconds are in no stretch, and copies of other videos are found."""
    rows = [*two_kinds(30), row(31, "food", "elsewhere")]
    store = embedded(rows, lambda n: np.random.default_rng(1 if n == 31 else n).random((8, 16)) + n % 2)
    assert copies_of(duplicate_groups(store, PRINT), "v31") == ("v1",)
    damage(store, monkeypatch, vector, fragments_of=["v2", "v5"])
    copies = duplicate_groups(store, PRINT)
    assert copies_of(copies, "v31") == ("v1",)
    judged = evaluate(load_dataset(store, PRINT, copies=copies), store.fragments(PRINT), classifier="logistic")
    sound(judged)
    known = background(store, PRINT, judged, copies)
    assert np.isfinite(known.directions).all()
    found = evidence(judged, "v2", store, PRINT, known)
    assert found.timeline.fragments["start_seconds"].tolist() == [0, 10, 15, 20, 25, 30, 35]
    assert np.isfinite(found.pairs["similarity"]).all()
    assert found.change is not None
    damage(store, monkeypatch, vector, fragments_of=["v1"])
    assert duplicate_groups(store, PRINT).empty


def test_more_neighbours_than_there_are_videos_are_all_of_them():
    """Of six videos five are neighbours, whatever was asked for; a vote by ten is a vote by all."""
    store = labelled_store(("food", "travel"), channels=3, per_channel=1)
    assert len(neighbours_of(store, PRINT, "v1", k=1000)) == 5
    assert (exports.neighbours_table(store, PRINT, k=1000).groupby("id").size() == 5).all()
    dataset = load_dataset(store, PRINT)
    told = KnnClassifier(k=1000).fit(dataset.X, dataset.y).predict_proba(dataset.X)
    np.testing.assert_allclose(told.sum(axis=1), 1, atol=1e-6)
    judged = everything(store, "knn").evaluation
    assert evidence(judged, "v1", store, PRINT).vote.neighbours == 5


@pytest.mark.parametrize("classifier", ["original", "logistic"])
def test_whatever_categories_are_called_they_are_only_names(classifier):
    """Empty, blank, other scripts, markup, control characters, names of columns, 3,000 letters: each is judged."""
    rows = [row(n, ODD[n % len(ODD)], f"c{n}") for n in range(1, 3 * len(ODD) + 1)]
    found = everything(embedded(rows), classifier)
    assert found.metrics["categories"] == sorted(ODD)
    assert set(found.metrics["per_category"]) == set(ODD)
    assert all(len(note) < 600 for note in found.metrics["notes"])


def test_two_hundred_categories_are_told_apart_or_not_but_judged():
    """Three videos each: the report is whole, and its sentences name a few and count the rest."""
    found = everything(embedded([row(n, f"category {n % 200}", f"c{n}") for n in range(1, 601)]), "knn", "brief")
    assert len(found.metrics["confusion"]) == 200
    assert any("and 195 more" in note for note in found.metrics["notes"])


@pytest.mark.parametrize("classifier", ["original", "logistic", "linear", "knn"])
def test_the_full_report_of_the_smallest_collection_is_there(classifier):
    """Two categories of two channels with one video each: random split, learning curve and all."""
    rows = [row(n, "food" if n % 2 else "travel", f"c{n}") for n in range(1, 5)]
    found = everything(embedded(rows), classifier, "full")
    assert found.metrics["n"] == 4
    assert found.checks["learning_curve"]


def test_where_nothing_can_be_dealt_to_choose_weights_by_the_first_way_is_taken():
    """Groups whose every deal leaves a fold one category to learn from: no way is tried, and nothing fails."""
    y = np.array([0] * 10 + [1] * 5 + [0] + [1] * 5)
    groups = np.array(["a"] * 10 + ["d"] * 5 + ["b"] * 6, dtype=object)
    X = np.random.default_rng(0).random((len(y), 4)).astype(np.float32)
    model = make_classifier("logistic", 2, 0, class_weight="auto")
    assert isinstance(model, ChosenWeights)
    assert model.fit(X, y, groups).chosen_ == "none"
