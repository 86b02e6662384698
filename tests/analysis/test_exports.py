"""Tables of all that a collection holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import exports
from analysis.dataset import load_dataset
from analysis.evaluation import evaluate, evaluation_run
from analysis.exports import (
    ERROR_COLUMNS,
    LABEL_COLUMNS,
    NEIGHBOUR_COLUMNS,
    embedding_blocks,
    errors_table,
    evaluation_of,
    every_column,
    fragment_blocks,
    fragments_table,
    labels_table,
    neighbours_table,
    predictions_table,
)
from analysis.neighbours import neighbours_of
from quartzlens.errors import NotEnoughDataError, UnknownVideoError, UsageError
from quartzlens.records import Label, LabelSource, Run, Words
from store.memory import MemoryStore
from tests.analysis.made_up_collections import filled_store, fingerprint_of, labelled_store, result, row

PRINT = fingerprint_of(16)


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """36 videos of three overlapping categories, evaluated."""
    store = labelled_store(channels=4, per_channel=3, apart=0.5)
    judged = evaluate(load_dataset(store, PRINT), store.fragments(PRINT), classifier="logistic", folds=3)
    store.add_run(evaluation_run(judged, PRINT, 0, store.info().labels))
    return store


@pytest.fixture(scope="module")
def run(store: MemoryStore) -> Run:
    """The evaluation."""
    return evaluation_of(store, PRINT, None)


def test_videos_have_the_columns_of_their_lists() -> None:
    """Extra columns follow as text, None where a list has none; a name that is taken gets `list.` before it."""
    rows = [row(1, "food", extra={"year": "2020", "outcome": "mine"}), row(2, extra={"list.outcome": "odd"}), row(3)]
    table = every_column(filled_store(rows, []))
    assert list(table.columns)[-4:] == ["description", "year", "list.outcome", "list.list.outcome"]
    assert table["year"].tolist() == ["2020", None, None]
    assert table["list.outcome"].tolist() == ["mine", None, None]
    assert table["list.list.outcome"].tolist() == [None, "odd", None]


def test_labels_are_the_whole_history() -> None:
    """Each entry in its order, a label that was taken back with no category."""
    store = filled_store([row(1, "food")], [])
    store.add_labels([Label("v1", None, LabelSource.PERSON, "", "t", "Ana", "why")])
    table = labels_table(store)
    assert list(table.columns) == list(LABEL_COLUMNS)
    assert table.drop(columns="given_at").to_numpy().tolist() == [
        ["v1", "food", "csv", "list.csv#1", "", ""], ["v1", None, "person", "", "Ana", "why"]
    ]  # fmt: skip


def test_errors_are_the_wrong_predictions_surest_first(store: MemoryStore, run: Run) -> None:
    """One row a wrong video with both probabilities; a video that was removed since has no title."""
    predictions, table = predictions_table(run), errors_table(store, run)
    wrong = predictions[predictions["category"] != predictions["predicted"]]
    assert list(table.columns) == list(ERROR_COLUMNS)
    assert set(table["id"]) == set(wrong["id"])
    assert len(table) > 0
    assert table["probability"].is_monotonic_decreasing
    for one in table.to_dict("records"):
        (own,) = wrong[wrong["id"] == one["id"]].to_dict("records")
        assert (one["probability"], one["probability_of_label"]) == (own[one["predicted"]], own[one["category"]])
        assert one["title"] == f"title of {one['id']}"
    gone = table["id"][0]
    partly = filled_store([row(int(gone[1:]), "food", None)], [])
    partly.add_rows("more", [row(int(table["id"][1][1:]), "food", "c1", source_list="more")], [])
    assert errors_table(partly, run)["channel"].tolist() == [None, "c1"] + [None] * (len(table) - 2)
    left = MemoryStore()
    assert errors_table(left, run)["title"].isna().all()
    assert gone in set(errors_table(left, run)["id"])


def test_an_evaluation_is_the_latest_or_the_named_one(store: MemoryStore, run: Run) -> None:
    """An unknown id is told which there are, a training that it is none, and nothing evaluated what to run."""
    assert evaluation_of(store, PRINT, run.id).id == run.id
    with pytest.raises(UsageError, match=f"No run is called 'x': there are {run.id}"):
        evaluation_of(store, PRINT, "x")
    with pytest.raises(NotEnoughDataError, match="quartzlens evaluate"):
        evaluation_of(store, replace(PRINT, block="B1"), None)
    other = MemoryStore()
    other.add_run(replace(run, kind="train"))
    with pytest.raises(UsageError, match="is a train run"):
        evaluation_of(other, PRINT, run.id)


def test_neighbours_are_those_of_a_single_search(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every video's nearest are what ``neighbours_of`` finds, ranks count from 1, also over several blocks."""
    monkeypatch.setattr(exports, "BLOCK_VIDEOS", 7)
    table = neighbours_table(store, PRINT, 4)
    assert list(table.columns) == list(NEIGHBOUR_COLUMNS)
    assert len(table) == 36 * 4
    for video in ("v1", "v9", "v36"):
        expected, found = neighbours_of(store, PRINT, video, 4), table[table["id"] == video]
        assert found["neighbour"].tolist() == expected["id"].tolist()
        assert found["rank"].tolist() == [1, 2, 3, 4]
        np.testing.assert_allclose(found["similarity"], expected["similarity"], atol=1e-6)
        np.testing.assert_allclose(found["percentile"], expected["percentile"], atol=0.2)
        assert found["neighbour_category"].tolist() == expected["category"].tolist()
    for asked in (["v3"], "v3", pd.Series(["v3", "v3"]), np.array(["v3"])):
        assert set(neighbours_table(store, PRINT, 2, asked)["id"]) == {"v3"}
    assert neighbours_table(store, PRINT, 2, pd.Series([], dtype=object)).empty


def test_neighbours_that_cannot_be_found_are_said(store: MemoryStore) -> None:
    """None asked for and an unknown id are errors; a video alone has no neighbour and no row."""
    with pytest.raises(UsageError, match="at least 1"):
        neighbours_table(store, PRINT, 0)
    with pytest.raises(UnknownVideoError, match="'x'"):
        neighbours_table(store, PRINT, 1, ["v1", "x"])
    alone = filled_store([row(1)], [result("v1", np.ones((1, 16), np.float32))])
    assert neighbours_table(alone, PRINT).empty


def test_blocks_put_together_are_everything(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embeddings and fragments in blocks are, under one another, those of the store in its order."""
    monkeypatch.setattr(exports, "BLOCK_VIDEOS", 10)
    for blocks, whole in (
        (list(embedding_blocks(store, PRINT)), store.embeddings(PRINT)),
        (list(fragment_blocks(store, PRINT)), store.fragments(PRINT)),
    ):
        assert len(blocks) == 4
        assert tuple(one for table, _ in blocks for one in table["id"]) == whole.ids
        assert (np.concatenate([vectors for _, vectors in blocks]) == whole.matrix).all()
    ((table, vectors),) = embedding_blocks(MemoryStore(), PRINT)
    assert (list(table.columns), vectors.shape) == (["id"], (0, 16))


def test_fragments_tell_what_was_heard_and_where_nobody_listened(store: MemoryStore) -> None:
    """Words and their probability stand beside the seconds; without words None and NaN."""
    found = store.fragments(PRINT, ["v1"])
    heard = replace(found, words=(Words("soup", 0.5), None, Words("", 0.25)))
    table = fragments_table(heard)
    assert table["words"].tolist() == ["soup", None, ""]
    assert table["words_probability"].tolist() == [0.5, pytest.approx(np.nan, nan_ok=True), 0.25]
    assert table[["start_seconds", "end_seconds"]].to_numpy().tolist() == [[0, 5], [5, 10], [10, 15]]
