"""The videos behind cells of the confusion matrix: which they are, in which order, and how cells moved."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.cells import Rank, behind, confusion_change, ranked
from analysis.dataset import load_dataset
from analysis.evaluation import evaluate
from analysis.evidence import background
from analysis.evidence_timeline import categories_of
from store.vectors import normalised
from tests.analysis.made_up_collections import fingerprint_of, labelled_store

FINGERPRINT = fingerprint_of(16)


@pytest.fixture(scope="module")
def made():
    """Three categories with their evaluation and background."""
    store = labelled_store()
    dataset = load_dataset(store, FINGERPRINT)
    evaluation = evaluate(dataset, store.fragments(FINGERPRINT), classifier="logistic", folds=3)
    return evaluation, background(store, FINGERPRINT, evaluation)


def test_a_row_and_a_column_hold_their_cells(made):
    """A category alone gives all videos of it, a prediction alone all that were taken for it, neither gives all."""
    table = made[0].predictions
    assert set(behind(table, "food")["category"]) == {"food"}
    assert len(behind(table, "food")) == (table["category"] == "food").sum()
    assert set(behind(table, predicted="food")["predicted"]) == {"food"}
    both = behind(table, "food", "food")
    assert list(both["id"]) == list(table["id"][(table["category"] == "food") & (table["predicted"] == "food")])
    assert len(behind(table)) == len(table)


def test_the_surest_and_the_most_doubtful_come_first(made):
    """Confidence is the probability of the prediction, descending; label quality that of the label, ascending."""
    evaluation, known = made
    chosen = behind(evaluation.predictions, "food")
    names = categories_of(evaluation)
    sure = ranked(evaluation, chosen, Rank.CONFIDENCE)
    assert sure["value"].is_monotonic_decreasing
    assert sure["value"].tolist() == sorted(chosen[names].max(axis=1), reverse=True)
    doubtful = ranked(evaluation, chosen, Rank.QUALITY)
    assert doubtful["value"].is_monotonic_increasing
    assert [known.quality[video_id] for video_id in doubtful["id"]] == pytest.approx(doubtful["value"].tolist())
    assert ranked(evaluation, chosen.head(0), Rank.CONFIDENCE).empty


def test_the_nearest_are_near_without_their_own_group(made):
    """Nearness is the cosine to the mean of the predicted category's videos of other groups."""
    evaluation, known = made
    chosen = behind(evaluation.predictions, "travel")
    near = ranked(evaluation, chosen, Rank.NEARNESS, known)
    assert near["value"].is_monotonic_decreasing
    first = near.iloc[0]
    row = known.row_of[first["id"]]
    others = (known.categories == first["predicted"]) & known.apart(row)
    mean = normalised(known.unit[others].mean(axis=0)[None])[0]
    assert first["value"] == pytest.approx(float(known.unit[row] @ mean), abs=1e-5)


def test_what_cannot_be_near_comes_last(made):
    """Without a background, without an embedding or without videos of other groups there is no nearness."""
    evaluation, known = made
    chosen = behind(evaluation.predictions, "food").head(3)
    assert ranked(evaluation, chosen, Rank.NEARNESS)["value"].isna().all()
    gone = {**known.row_of}
    del gone[chosen["id"].iloc[0]]
    last = ranked(evaluation, chosen, Rank.NEARNESS, replace(known, row_of=gone)).iloc[-1]
    assert last["id"] == chosen["id"].iloc[0]
    assert np.isnan(last["value"])
    alone = replace(known, groups=np.zeros_like(known.groups))
    assert ranked(evaluation, chosen, Rank.NEARNESS, alone)["value"].isna().all()


def test_cells_move_by_the_videos_that_both_judged(made):
    """A video that is judged otherwise leaves one cell for another; one that was not judged before does not count."""
    after = made[0]
    table = after.predictions.copy()
    row = table.index[(table["category"] == "food") & (table["predicted"] == "food")][0]
    table.loc[row, "predicted"] = "travel"
    new = table.index[-1]
    before = replace(after, predictions=table.drop(index=new))
    moved = confusion_change(before, after, categories_of(after))
    differ = moved[moved["difference"] != 0].set_index(["category", "predicted"])["difference"]
    assert differ.to_dict() == {("food", "food"): 1, ("food", "travel"): -1}
    assert moved["after"].sum() == len(table) - 1
    few = confusion_change(before, after, ["food"])
    assert isinstance(few, pd.DataFrame)
    assert few["after"].tolist() == [int(moved.set_index(["category", "predicted"])["after"]["food", "food"])]
