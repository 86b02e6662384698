"""The evidence of every misjudged video as a table."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import evidence_table
from analysis.dataset import load_dataset
from analysis.evaluation import Evaluation, evaluate, evaluation_run
from analysis.evidence import background, evidence
from analysis.evidence_table import EVIDENCE_COLUMNS, encoder_of, evidence_blocks, surest_mistakes
from analysis.exports import errors_table
from quartzlens.errors import UsageError
from quartzlens.records import Run
from store.memory import MemoryStore
from tests.analysis.made_up_collections import fingerprint_of, labelled_store

PRINT = fingerprint_of(16)


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """36 videos of three overlapping categories."""
    return labelled_store(channels=4, per_channel=3, apart=0.5)


@pytest.fixture(scope="module")
def judged(store: MemoryStore) -> Evaluation:
    """An evaluation that holds errors."""
    return evaluate(load_dataset(store, PRINT), store.fragments(PRINT), classifier="logistic", folds=3)


@pytest.fixture(scope="module")
def run(store: MemoryStore, judged: Evaluation) -> Run:
    """The same as it is kept."""
    return evaluation_run(judged, PRINT, 0, store.info().labels)


def test_every_mistake_has_its_evidence(
    store: MemoryStore, judged: Evaluation, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks put together are the videos of the errors table in its order, with what the evidence of each says."""
    monkeypatch.setattr(evidence_table, "BLOCK_VIDEOS", 4)
    expected, told = errors_table(store, run), list[tuple[int, int]]()
    known = background(store, PRINT, judged)
    blocks = list(evidence_blocks(store, PRINT, judged, known, lambda *done: told.append(done)))
    rows = [row for block in blocks for row in block.to_dict("records")]
    assert len(blocks) > 1
    assert all(list(block.columns) == list(EVIDENCE_COLUMNS) for block in blocks)
    assert [row["id"] for row in rows] == expected["id"].tolist()
    assert told == [(at, len(rows)) for at in range(1, len(rows) + 1)]
    for row, one in zip(rows, expected.to_dict("records"), strict=True):
        found = evidence(judged, row["id"], store, PRINT, known)
        same = ("title", "channel", "category", "predicted", "probability", "probability_of_label")
        assert [row[name] for name in same] == [one[name] for name in same]
        assert (row["verdict"], row["reasons"]) == (str(found.verdict.kind), "; ".join(found.verdict.reasons))
        assert (row["margin"], row["label_quality"]) == (found.margin, found.label_quality)
        assert (row["outlier_percentile"], row["neighbours"]) == (found.outlier, found.vote.neighbours)
        misled = [[float(end) for end in part.split("-")] for part in str(row["misleading"]).split("; ") if part]
        assert misled == [list(stretch) for stretch in found.timeline.misleading]
        assert row["misleading_seconds"] == sum(end - start for start, end in misled)


def test_what_was_removed_since_keeps_what_the_run_knows(judged: Evaluation) -> None:
    """Without its video a row has no title, no channel and no neighbours, but its label and prediction."""
    (table,) = evidence_blocks(MemoryStore(), PRINT, judged)
    assert table["title"].isna().all()
    assert set(table["channel"]) == {None}
    assert (table["neighbours"] == 0).all()
    assert np.isnan(table["outlier_percentile"].to_numpy(dtype=float)).all()
    assert table["category"].tolist() == surest_mistakes(judged)["category"].tolist()


def test_nothing_misjudged_is_a_table_without_rows(store: MemoryStore, judged: Evaluation) -> None:
    """A file of it has its columns all the same."""
    right = judged.predictions.assign(predicted=judged.predictions["category"])
    (table,) = evidence_blocks(store, PRINT, replace(judged, predictions=right))
    assert (list(table.columns), len(table)) == (list(EVIDENCE_COLUMNS), 0)


def test_a_run_names_its_encoder(store: MemoryStore, run: Run) -> None:
    """Its embeddings are found by the run's own key, whichever encoder is in use now; gone ones are said."""
    assert encoder_of(store, run) == PRINT
    with pytest.raises(UsageError, match=f"The embeddings that {run.id} is of are gone"):
        encoder_of(MemoryStore(), run)


def test_an_unknown_channel_is_none_beside_known_ones(store: MemoryStore, judged: Evaluation) -> None:
    """One misjudged video is removed: its row has None where others have text; tables have one type a column."""
    whole = surest_mistakes(judged)["id"].tolist()
    left = labelled_store(channels=4, per_channel=3, apart=0.5)
    left.remove(whole[:1])
    (table,) = evidence_blocks(left, PRINT, judged)
    assert table["channel"][0] is None
    assert all(isinstance(channel, str) for channel in table["channel"][1:])
    right = judged.predictions[judged.predictions["category"] == judged.predictions["predicted"]]
    (empty,) = evidence_blocks(store, PRINT, replace(judged, predictions=right))
    assert empty.dtypes.tolist() == table.dtypes.tolist()
