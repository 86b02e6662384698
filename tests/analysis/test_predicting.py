"""What a run's classifier says of videos without a label, and when it is not to be trusted."""

import doctest
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import predicting
from analysis.classifier import load_model, train, training_run
from analysis.dataset import load_dataset
from analysis.predicting import COLUMNS, learned_from, outliers, predict, trust_of
from analysis.runs import make_run, parquet_bytes
from quartzlens.errors import CollectionError, EncoderMismatchError, UsageError
from quartzlens.records import Embeddings, Label, LabelSource, Run
from store.memory import MemoryStore
from tests.analysis.made_up_collections import fingerprint_of, labelled_store

PRINT = fingerprint_of(16)
COVERAGE = [
    {"share": 1.0, "threshold": 0.2, "n": 40, "accuracy": {"value": 0.6, "low": 0.5, "high": 0.7}},
    {"share": 0.8, "threshold": 0.5, "n": 32, "accuracy": {"value": 0.8, "low": 0.7, "high": 0.9}},
    {"share": 0.5, "threshold": 0.9, "n": 20, "accuracy": {"value": 0.95, "low": 0.9, "high": 1.0}},
]


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """60 videos of three categories that lie well apart."""
    return labelled_store()


@pytest.fixture(scope="module")
def trained(store: MemoryStore) -> Run:
    """A regression trained on them, kept."""
    run = training_run(train(load_dataset(store, PRINT), classifier="logistic"), PRINT, 0, store.info().labels)
    store.add_run(run)
    return run


def asked_of(store: MemoryStore, away: float = 0.0, n: int = 3) -> Embeddings:
    """Videos that the collection does not have: near to ``v1`` and the like, or far away from all."""
    found = store.embeddings(PRINT)
    rng = np.random.default_rng(4)
    apart = away * rng.normal(size=(n, 16)) + 0.1 * rng.normal(size=(n, 16))
    return Embeddings(tuple(f"new{at}" for at in range(n)), (found.matrix[:n] + apart).astype(np.float32))


def test_the_table_holds_what_the_model_says(store: MemoryStore, trained: Run) -> None:
    """Probabilities are the model's, the category is the most probable one, titles are those given."""
    model, asked = load_model(trained), asked_of(store)
    found = predict(store, trained, model, PRINT, asked, {"new1": "<b>one</b>"})
    assert list(found.table.columns) == [*COLUMNS, *model.categories]
    shares = model.predict_proba(asked.matrix)
    assert (found.table[list(model.categories)].to_numpy() == shares).all()
    assert found.table["predicted"].tolist() == ["food"] * 3
    assert (found.table["probability"] == shares.max(axis=1).astype(np.float64)).all()
    assert found.table["title"].tolist() == ["", "<b>one</b>", ""]
    assert (found.table["trusted"].all(), found.untrusted_share, set(found.table["why"])) == (True, 0.0, {""})
    assert "no table of accuracy against coverage" in found.trust.sentence


def test_nothing_asked_is_an_empty_table(store: MemoryStore, trained: Run) -> None:
    """Without a video the table has its columns, and no share is untrusted."""
    nothing = Embeddings((), np.empty((0, 16), np.float32))
    found = predict(store, trained, load_model(trained), PRINT, nothing, {})
    assert (len(found.table), found.untrusted_share, list(found.table.columns)[:7]) == (0, 0.0, list(COLUMNS))


def test_what_is_unlike_all_that_was_learned_is_not_trusted(store: MemoryStore, trained: Run) -> None:
    """Videos far from the collection lie beyond 99 % of those learned from, near ones do not."""
    found = predict(store, trained, load_model(trained), PRINT, asked_of(store, away=60.0), {})
    assert set(found.table["why"]) == {"unlike the videos learned from"}
    assert (found.table["outlier"] > 99).all()
    assert found.untrusted_share == 1.0


def test_what_is_not_sure_enough_is_not_trusted(store: MemoryStore, trained: Run) -> None:
    """Below the threshold of the largest share that was right often enough, the reason says so."""
    run = replace(trained, results={**trained.results, "coverage": COVERAGE})
    model, learned = load_model(trained), store.embeddings(PRINT)
    between = Embeddings(("half",), (learned.matrix[:1] + learned.matrix[-1:]) / 2)
    found = predict(store, run, model, PRINT, between, {}, wanted=0.9)
    assert found.trust.threshold == 0.9
    unsure = found.table["probability"][0] < 0.9
    assert ("not sure enough" in found.table["why"][0]) == unsure


def test_what_is_labelled_as_nothing_that_was_learned_is_not_trusted(store: MemoryStore, trained: Run) -> None:
    """A category that a run left out is named, and no video of it is trusted to be of another one."""
    model = load_model(trained)
    assert predict(store, trained, model, PRINT, asked_of(store), {}).unlearned == ()
    left_out = model.categories[1]
    fewer = replace(model, categories=(model.categories[0], "rain", model.categories[2]))
    found = predict(store, trained, fewer, PRINT, store.embeddings(PRINT), {})
    assert found.unlearned == (left_out,)
    own = np.array([video.category == left_out for video in store.videos(found.table["id"].tolist())])
    said = f"its label '{left_out}' was never learned"
    assert own.any()
    assert [said in why for why in found.table["why"]] == own.tolist()
    assert not found.table["trusted"].to_numpy()[own].any()


def test_what_the_classifier_learned_from_is_not_trusted(store: MemoryStore, trained: Run) -> None:
    """Neither a video learned from, nor its sound under another name, nor a copy that is told by its fragments."""
    learned, new = store.embeddings(PRINT), asked_of(store)
    matrix = np.concatenate([learned.matrix[:1], 3 * learned.matrix[1:2], new.matrix])
    asked = Embeddings((learned.ids[0], "again", *new.ids), matrix)
    groups = pd.DataFrame({"group": [1, 1, 2, 2], "id": [learned.ids[5], "new1", "new2", "elsewhere"]})
    found = predict(store, trained, load_model(trained), PRINT, asked, {}, copies=groups).table
    sound = "the classifier learned from its sound"
    assert found["why"].tolist() == ["the classifier learned from it", sound, "", sound, ""]
    assert found["trusted"].tolist() == [False, False, True, False, True]


@pytest.mark.parametrize(
    ("wanted", "threshold", "share", "said"),
    [
        (0.5, 0.2, 1.0, "From a probability of 0.20 on the run was right 60 % of the time"),
        (0.8, 0.5, 0.8, "80 % of them reached it"),
        (0.95, 0.9, 0.5, "right 95 % of the time"),
        (0.96, float("inf"), 0.0, "never right 96 % of the time, not even on the 50 %"),
    ],
)
def test_the_threshold_is_of_the_largest_share_that_suffices(
    trained: Run, wanted: float, threshold: float, share: float, said: str
) -> None:
    """The table of accuracy against coverage decides; where no share suffices nothing is trusted, and that is said."""
    trust = trust_of(replace(trained, results={"coverage": COVERAGE}), wanted)
    assert (trust.threshold, trust.share, trust.wanted) == (threshold, share, wanted)
    assert said in trust.sentence


def test_another_encoder_is_refused_with_both_names(store: MemoryStore, trained: Run) -> None:
    """The run's encoder and the embeddings' are named; one that the store does not know by its key."""
    foreign = replace(trained, fingerprint_key="0123456789abcdef")
    with pytest.raises(EncoderMismatchError, match=f"0123456789abcdef.*{PRINT.key}"):
        predict(store, foreign, load_model(trained), PRINT, asked_of(store), {})


@pytest.mark.parametrize("wanted", [0.0, 1.1, float("nan")])
def test_an_accuracy_that_is_no_share_is_refused(store: MemoryStore, trained: Run, wanted: float) -> None:
    """Nothing, more than all and no number are wrong usage."""
    with pytest.raises(UsageError, match="accuracy of"):
        predict(store, trained, load_model(trained), PRINT, asked_of(store), {}, wanted)


def test_what_was_learned_from_is_read_from_the_run_or_its_labels() -> None:
    """An evaluation names its videos; a training's are those with one category by the labels that it saw."""
    store = labelled_store(categories=("food", "travel"), channels=2, per_channel=2)
    store.add_labels([Label("v1", None, LabelSource.PERSON, "", "t"), Label("v2", "x", LabelSource.PERSON, "", "t")])
    store.add_labels([Label("v3", "x", LabelSource.IMPORT, "i", "t")])
    seen = store.info().labels
    store.add_labels([Label("v4", "y", LabelSource.IMPORT, "i", "t")])
    run = make_run("train", PRINT, 0, seen, settings={}, results={}, files={})
    assert learned_from(store, run) == {f"v{n}" for n in (1, 2, 4, 5, 6, 7, 8)}
    table = parquet_bytes(labels_of(["v5", "gone"]))
    assert learned_from(store, replace(run, files={"predictions.parquet": table})) == {"v5", "gone"}


def labels_of(ids: list[str]) -> pd.DataFrame:
    """A table of ids."""
    return pd.DataFrame({"id": ids})


def test_outliers_by_hand() -> None:
    """Among 20 equal directions and one across, the one across is farther than 95 % of them, its copy no farther."""
    store = labelled_store(categories=("a",), channels=20, per_channel=1, dimension=16)
    one = Embeddings(("new", "v1"), np.stack([-store.embeddings(PRINT).matrix[0], store.embeddings(PRINT).matrix[0]]))
    nearest, (far, near) = outliers(store, PRINT, one, [f"v{n}" for n in range(1, 21)])
    assert far == 100.0
    assert near < 100.0
    others = store.search(PRINT, one.matrix, 20)
    assert nearest[0] == others[0][0].similarity
    assert nearest[1] == next(found.similarity for found in others[1] if found.video_id != "v1")
    nearest, outlier = outliers(store, PRINT, one, ["v1"])
    assert (np.isnan(nearest).tolist(), np.isnan(outlier).all()) == ([False, True], True)
    assert np.isnan(outliers(store, PRINT, one, [])).all()


def test_large_collections_are_drawn_from(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more videos than are drawn a fixed draw is compared with: the numbers are the same each time, and close."""
    ids, asked = store.embeddings(PRINT).ids, asked_of(store, away=1.0)
    _, whole = outliers(store, PRINT, asked, ids)
    monkeypatch.setattr(predicting, "DRAWN", 40)
    monkeypatch.setattr(predicting, "_BLOCK", 2)
    _, drawn = outliers(store, PRINT, asked, ids)
    assert (drawn == outliers(store, PRINT, asked, ids)[1]).all()
    assert np.abs(drawn - whole).max() < 25


def test_categories_that_are_named_like_columns_have_columns_of_their_own() -> None:
    """No probability takes the place of another column, whatever categories are called."""
    assert doctest.testmod(predicting).failed == 0
    names = predicting.column_names(["id", "title", "title (category)", "why"])
    assert len({*names, *COLUMNS}) == 4 + len(COLUMNS)


def test_a_damaged_embedding_is_named(store: MemoryStore, trained: Run) -> None:
    """Numbers that are none end in a sentence with the video's id, not in a trusted prediction."""
    asked = store.embeddings(PRINT)
    matrix = asked.matrix.copy()
    matrix[2, 0] = np.nan
    with pytest.raises(CollectionError, match=rf"1 video are damaged \({asked.ids[2]}\).*check --repair"):
        predict(store, trained, load_model(trained), PRINT, Embeddings(asked.ids, matrix), {})
