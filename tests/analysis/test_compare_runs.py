"""Two evaluations side by side: differences with intervals, and the videos that changed."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)

from analysis.compare_runs import compare_runs, groups_of
from analysis.duplicates import duplicate_groups, no_copies
from analysis.metrics import probability_names
from analysis.runs import make_run, parquet_bytes, read_table
from quartzlens.errors import NotEnoughDataError, UsageError
from quartzlens.records import Run
from tests.analysis.made_up_collections import filled_store, fingerprint_of, result, row

PRINT = fingerprint_of(8)
CATEGORIES = ["food", "id", "travel"]


def judged(ids: list[str], labels: list[str], shares: np.ndarray, categories: list[str] = CATEGORIES, **facts) -> Run:
    """An evaluation that gave these probabilities (n, k)."""
    table = pd.DataFrame({"id": ids, "category": labels})
    table["predicted"] = np.array(categories, dtype=object)[shares.argmax(axis=1)]
    table["fold"] = 0
    for name, column in zip(probability_names(categories), shares.T, strict=True):
        table[name] = column.astype(np.float32)
    results = {"categories": categories}
    files = {"predictions.parquet": parquet_bytes(table)}
    run = make_run("evaluate", PRINT, 0, 9, settings={"folds": 5}, results=results, files=files)
    return replace(run, **facts)


def drawn(seed: int, n: int = 60, sure: float = 1.0) -> tuple[list[str], list[str], np.ndarray]:
    """Ids, labels and probabilities that are right more often than not."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    logits = rng.normal(size=(n, 3)) + sure * np.eye(3)[y]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return [f"v{number}" for number in range(n)], [CATEGORIES[one] for one in y], shares.astype(np.float32)


def values_of(compared, column: str) -> dict[str, float]:
    """A column of the metrics by name."""
    return dict(zip(compared.metrics["metric"], compared.metrics[column], strict=True))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_metrics_are_scikit_learns(seed: int) -> None:
    """Each run's figures are scikit-learn's to 1e-6, Brier score and calibration error those of their definitions."""
    ids, labels, shares = drawn(seed)
    compared = compare_runs(judged(ids, labels, shares), judged(ids, labels, shares[::-1]), {})
    predicted = [CATEGORIES[at] for at in shares.argmax(axis=1)]
    truth = np.array([[label == name for name in CATEGORIES] for label in labels])
    macro = {"average": "macro", "labels": CATEGORIES, "zero_division": 0}
    expected = {
        "accuracy": accuracy_score(labels, predicted),
        "balanced_accuracy": balanced_accuracy_score(labels, predicted),
        "precision_macro": precision_score(labels, predicted, **macro),
        "recall_macro": recall_score(labels, predicted, **macro),
        "f1_macro": f1_score(labels, predicted, **macro),
        "log_loss": log_loss(labels, shares / shares.sum(axis=1, keepdims=True, dtype=np.float64)),
        "brier": ((shares - truth) ** 2).sum(axis=1).mean(),
        "calibration_error": calibration_error(shares, truth.argmax(axis=1)),
    }
    assert values_of(compared, "first") == pytest.approx(expected, abs=1e-6)
    each = compared.per_category.pivot_table(index="category", columns="metric", values="first")
    of_sklearn = precision_recall_fscore_support(labels, predicted, labels=CATEGORIES, zero_division=0)
    for name, values in zip(("precision", "recall", "f1"), of_sklearn, strict=False):
        assert each.loc[CATEGORIES, name].tolist() == pytest.approx(values.tolist())


def calibration_error(shares: np.ndarray, y: np.ndarray) -> float:
    """The mean gap between confidence and accuracy over 15 bins of equal width, by its definition."""
    confidence, right = shares.max(axis=1).astype(float), shares.argmax(axis=1) == y
    bins = [(confidence > at / 15) & (confidence <= (at + 1) / 15) for at in range(15)]
    return sum(abs((right[one] - confidence[one]).sum()) for one in bins) / len(y)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), other=st.integers(0, 10_000))
def test_the_other_way_round_signs_change(seed: int, other: int) -> None:
    """From B to A every difference and interval is the negative of that from A to B, and changes swap their kinds."""
    ids, labels, shares = drawn(seed)
    groups = {one: f"channel {at % 12}" for at, one in enumerate(ids)}
    runs = judged(ids, labels, shares), judged(ids, labels, drawn(other)[2])
    there, back = compare_runs(*runs, groups), compare_runs(*reversed(runs), groups)
    for name, difference in values_of(there, "difference").items():
        assert difference == pytest.approx(-values_of(back, "difference")[name], abs=1e-12)
        assert values_of(there, "low")[name] == pytest.approx(-values_of(back, "high")[name], abs=1e-9)
        assert values_of(there, "low")[name] <= difference <= values_of(there, "high")[name]
    columns = ["difference", "low", "high"]
    both = (one.per_category.set_index(["category", "metric"])[columns] for one in (there, back))
    forth, reverse = (one.to_numpy() for one in both)
    np.testing.assert_allclose(forth, -reverse[:, [0, 2, 1]], atol=1e-9)
    assert (forth[:, 1] <= forth[:, 0]).all()
    assert (forth[:, 0] <= forth[:, 2]).all()
    swap = {"wrong to right": "right to wrong", "right to wrong": "wrong to right"}
    changed = {(one.id, swap[one.change]) for one in there.changes.itertuples()}
    assert changed == {(one.id, one.change) for one in back.changes.itertuples()}
    assert there.mcnemar_p == pytest.approx(back.mcnemar_p)


def test_a_run_and_itself_differ_by_nothing() -> None:
    """Every difference and both its ends are 0, nothing changed, p is 1, and there is nothing to note."""
    ids, labels, shares = drawn(3)
    run = judged(ids, labels, shares)
    compared = compare_runs(run, run, {})
    for table in (compared.metrics, compared.per_category):
        assert (table[["difference", "low", "high"]] == 0).all(axis=None)
    assert (len(compared.changes), compared.mcnemar_p, compared.notes) == (0, 1.0, ())
    assert (compared.only_first, compared.only_second, compared.n) == ((), (), 60)


def test_the_same_predictions_by_other_probabilities_are_not_surely_equal() -> None:
    """Intervals of right and wrong hold more than 0; in a macro mean a group weighs by the size of its category."""
    ids, labels, shares = drawn(3)
    compared = compare_runs(judged(ids, labels, shares), judged(ids, labels, (shares + 1) / 4), {})
    low, high = values_of(compared, "low"), values_of(compared, "high")
    each = np.unique(labels, return_counts=True)[1]
    for name, groups in {"accuracy": 60, "f1_macro": 9 / (1 / each).sum()}.items():
        apart = pytest.approx(1 - 0.025 ** (1 / groups))
        assert (-low[name], high[name]) == (apart, apart)
    recall = compared.per_category.set_index(["metric", "category"]).loc[("recall", "food")]
    assert recall["high"] == -recall["low"] > high["f1_macro"]


def test_code_of_another_day_is_told_in_a_sentence() -> None:
    """Versions, keys of folds and what was asked for are no settings that a person compares."""
    ids, labels, shares = drawn(3)
    runs = [
        judged(ids, labels, shares, settings={"versions": {"code": code}, "fold_keys": [code], "folds_asked": n})
        for n, code in enumerate(("a", "b"), start=4)
    ]
    assert compare_runs(*runs, {}).notes == ("They were made by different versions of the code or of its libraries.",)


def test_only_videos_in_both_are_compared() -> None:
    """Others are named, in their order; the figures are those of the common ones."""
    ids, labels, shares = drawn(1)
    first = judged(ids[:40], labels[:40], shares[:40])
    second = judged(ids[20:][::-1], labels[20:][::-1], shares[20:][::-1])
    compared = compare_runs(first, second, {})
    assert (compared.n, compared.only_first[:2], compared.only_second[:2]) == (20, ("v0", "v1"), ("v59", "v58"))
    assert (compared.metrics["difference"] == 0).all()
    with pytest.raises(NotEnoughDataError, match="judged by both"):
        compare_runs(first, judged(ids[40:], labels[40:], shares[40:]), {})


def test_what_changed_is_told_with_both_labels_and_probabilities() -> None:
    """Of two videos one was put right and one relabelled: both are named, the sentence counts the relabelled one."""
    ids, sure = ["a", "b", "c"], np.float32([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.7, 0.2, 0.1]])
    first = judged(ids, ["travel", "travel", "food"], sure, seed=1)
    second = judged(ids, ["travel", "food", "food"], sure[[1, 1, 2]], seed=2, labels_seen=10, settings={"folds": 4})
    compared = compare_runs(first, second, {})
    relabelled = "the label history had 9 entries, then 10; 1 video of those compared had another label."
    assert compared.changes.to_dict("records") == [
        {
            "id": "a", "change": "wrong to right", "category_first": "travel", "category_second": "travel",
            "predicted_first": "food", "predicted_second": "travel",
            "probability_first": pytest.approx(0.8), "probability_second": pytest.approx(0.8),
        },
        {
            "id": "b", "change": "right to wrong", "category_first": "travel", "category_second": "food",
            "predicted_first": "travel", "predicted_second": "travel",
            "probability_first": pytest.approx(0.8), "probability_second": pytest.approx(0.8),
        },
    ]  # fmt: skip
    assert compared.notes == (
        f"They are of different labels: {relabelled}",
        "folds: 5, then 4.",
        "seed: 1, then 2.",
    )
    assert compared.mcnemar_p == 1.0
    assert json.loads(json.dumps(compared.as_json()))["changes"][0]["id"] == "a"


def test_other_encoders_and_categories_are_compared_and_said() -> None:
    """A run of another encoder with a category less is compared on the same videos; encoders and category are named."""
    ids, labels, shares = drawn(2)
    kept = [at for at, label in enumerate(labels) if label != "id"]
    ids, labels = [ids[at] for at in kept], [labels[at] for at in kept]
    narrow = judged(ids, labels, shares[kept][:, [0, 2]], ["food", "travel"], fingerprint_key="abc", labels_seen=12)
    compared = compare_runs(judged(ids, labels, shares[kept]), narrow, {}, {PRINT.key: "the first"})
    assert compared.notes[0].startswith("They chose among different categories: 3, then 2 ('id' in the first alone).")
    assert compared.notes[0].endswith("labels of these videos: 2.")
    assert compared.notes[1] == "They judged embeddings of different encoders: the first and abc."
    assert "no video of those compared had another label" in compared.notes[2]
    assert compared.n == len(kept)
    assert sorted(set(compared.per_category["category"])) == ["food", "travel"]


def test_a_category_that_is_gone_counts_for_nothing_and_one_never_predicted_for_all_that_is_possible() -> None:
    """After two categories became one, macro figures are over what is left; without a precision nothing is sure."""
    ids, sure = list("abcdef"), np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2, 2]]
    first = judged(ids, ["food", "food", "id", "id", "travel", "travel"], sure)
    merged = sure[:, [0, 2]] + np.outer(sure[:, 1], [0, 1]).astype(np.float32)
    second = judged(ids, ["food", "food", *["travel"] * 4], merged, ["food", "travel"])
    compared = compare_runs(first, second, {})
    assert values_of(compared, "second")["f1_macro"] == values_of(compared, "first")["f1_macro"] == 1.0
    assert sorted(set(compared.per_category["category"])) == ["food", "travel"]
    blind = judged(ids, ["food", "food", *["travel"] * 4], np.eye(2, dtype=np.float32)[[1] * 6], ["food", "travel"])
    each = compare_runs(second, blind, {}).per_category.set_index(["category", "metric"]).loc[("food", "precision")]
    assert each.tolist() == [1.0, 0.0, -1.0, -1.0, 1.0]


def test_a_category_without_a_label_in_common_is_in_no_mean() -> None:
    """A wrong guess of it costs its video's category; no mean has a 0 for it that the narrower run would not have."""
    ids, labels, three = list("abcd"), ["food", "food", "travel", "travel"], np.eye(3, dtype=np.float32)
    wide = judged(ids, labels, three[[0, 1, 2, 2]])
    narrow = judged(ids, labels, np.eye(2, dtype=np.float32)[[0, 0, 1, 1]], ["food", "travel"])
    first, difference = (values_of(compare_runs(wide, narrow, {}), column) for column in ("first", "difference"))
    assert first["recall_macro"] == first["balanced_accuracy"] == first["accuracy"] == 0.75
    assert (first["precision_macro"], first["f1_macro"]) == (1.0, pytest.approx(5 / 6))
    assert difference["recall_macro"] == 0.25


def test_where_no_category_is_in_both_no_means_are_compared() -> None:
    """After all categories got other names there is accuracy, but no macro mean; both sides' names are told."""
    ids, labels, shares = drawn(2)
    renamed = judged(ids, [f"{one}s" for one in labels], shares, [f"{one}s" for one in CATEGORIES])
    compared = compare_runs(judged(ids, labels, shares), renamed, {})
    assert compared.metrics["metric"].tolist() == ["accuracy", "log_loss", "brier", "calibration_error"]
    assert compared.per_category.empty
    said = "3, then 3 ('food', 'id', 'travel' in the first alone; 'foods', 'ids', 'travels' in the second alone)"
    assert said in compared.notes[0]
    assert compared.notes[0].endswith("of these videos: none.")


def test_groups_widen_the_interval() -> None:
    """Where videos of a channel change together, the interval by channels is wider than by videos."""
    ids, labels, shares = drawn(5, n=240)
    channel = np.arange(240) // 20
    flipped = np.where((channel % 3 == 0)[:, None], np.roll(shares, 1, axis=1), shares)
    runs = judged(ids, labels, shares), judged(ids, labels, flipped)
    width = []
    for groups in ({}, {one: f"channel {at}" for one, at in zip(ids, channel, strict=True)}):
        compared = compare_runs(*runs, groups)
        width.append(values_of(compared, "high")["accuracy"] - values_of(compared, "low")["accuracy"])
    assert width[1] > 1.5 * width[0]


def test_a_training_cannot_be_compared() -> None:
    """It judged its own test part only: the message says what to give instead."""
    ids, labels, shares = drawn(1)
    run = judged(ids, labels, shares)
    with pytest.raises(UsageError, match="is a train run.*give two evaluations"):
        compare_runs(run, replace(run, kind="train"), {})


def test_groups_are_channels_recordings_and_copies() -> None:
    """Videos of one channel are one group; with a fingerprint, so are copies; a video alone is its own."""
    rng = np.random.default_rng(0)
    pieces = rng.normal(size=(12, 8)).astype(np.float32)
    rows = [row(1, channel="x"), row(2, channel="x"), row(3), row(4)]
    heard = [pieces[:6], pieces[6:], rng.normal(size=(6, 8)).astype(np.float32), pieces[:6]]
    store = filled_store(rows, [result(f"v{at}", one) for at, one in enumerate(heard, 1)])
    assert groups_of(store, no_copies()) == {"v1": "channel x", "v2": "channel x", "v3": "video v3", "v4": "video v4"}
    tied = groups_of(store, duplicate_groups(store, PRINT))
    assert tied["v4"] == tied["v1"] == "channel x"
    assert tied["v3"] == "video v3"


def kept(run: Run, groups: list[str], folds: list[int]) -> Run:
    """The run with these groups and folds of its videos."""
    ids = read_table(run, "predictions.parquet")["id"]
    table = pd.DataFrame({"id": ids, "group": groups, "fold_1": folds})
    return replace(run, files={**run.files, "folds.parquet": parquet_bytes(table)})


def test_intervals_are_over_the_groups_that_the_runs_kept() -> None:
    """Fewer groups make wider intervals, whatever the collection would group today; either run's ties hold."""
    ids, labels, shares = drawn(3)
    first, second = judged(ids, labels, shares), judged(ids, labels, drawn(4)[2])
    alone, tied = [f"v{n}" for n in range(60)], [f"g{n // 10}" for n in range(60)]
    folds = [n % 5 for n in range(60)]

    def width(one: list[str], other: list[str]) -> float:
        """Of the interval of accuracy."""
        row = compare_runs(kept(first, one, folds), kept(second, other, folds), {}).metrics.iloc[0]
        return float(row["high"] - row["low"])

    assert width(tied, alone) == width(alone, tied) == width(tied, tied) > width(alone, alone)


def test_other_folds_are_told_and_other_numbers_of_the_same_are_not() -> None:
    """What is compared is who was dealt together."""
    ids, labels, shares = drawn(3)
    run, alone = judged(ids, labels, shares), [f"v{n}" for n in range(60)]
    one, renamed, other = [n % 5 for n in range(60)], [4 - n % 5 for n in range(60)], [n // 12 for n in range(60)]
    assert compare_runs(kept(run, alone, one), kept(run, alone, renamed), {}).notes == ()
    (said,) = compare_runs(kept(run, alone, one), kept(run, alone, other), {}).notes
    assert said.startswith("Their folds differ")


def test_a_setting_that_one_run_did_not_have_is_told() -> None:
    """Published folds against dealt ones: the column is named beside none."""
    ids, labels, shares = drawn(3)
    runs = [judged(ids, labels, shares, settings={"fold_column": column}) for column in (None, "split")]
    assert compare_runs(*runs, {}).notes == ("fold_column: none, then split.",)
