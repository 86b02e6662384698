"""Runs as they are listed and found."""

from datetime import UTC, datetime

import numpy as np
import pytest

from analysis.runs import RUN_COLUMNS, make_run, named_run, runs_table
from quartzlens.errors import UsageError
from store.memory import MemoryStore
from tests.analysis.made_up_collections import filled_store, fingerprint_of, result, row

PRINT = fingerprint_of(4)


def test_runs_are_listed_with_what_they_have() -> None:
    """Accuracy without an interval, and none at all, are NaN; an encoder that the store does not know is its key."""
    store = filled_store([row(1)], [result("v1", np.ones((2, 4), np.float32))])
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    interval = {"value": 0.5, "low": 0.25, "high": 0.75}
    for results, encoder in (
        ({"accuracy": interval, "n": 4, "classifier": "knn"}, PRINT),
        ({"accuracy": {"value": 0.5}, "n": 4}, fingerprint_of(5)),
        ({}, PRINT),
    ):
        store.add_run(make_run("evaluate", encoder, 7, 0, settings={}, results=results, files={}, created_at=when))
    table = runs_table(store)
    assert list(table.columns) == list(RUN_COLUMNS)
    assert table["created_at"].tolist() == ["2026-01-02T03:04:05+00:00"] * 3
    assert table["classifier"].tolist() == ["knn", None, None]
    np.testing.assert_array_equal(
        table[["accuracy", "low", "high"]].to_numpy(), [[0.5, 0.25, 0.75], [0.5, np.nan, np.nan], [np.nan] * 3]
    )
    assert table["n"].tolist() == [4, 4, 0]
    assert table["encoder"].tolist() == [str(PRINT), fingerprint_of(5).key, str(PRINT)]
    assert runs_table(MemoryStore()).empty


def test_an_unknown_run_is_told_which_there_are() -> None:
    """The latest twelve are named, the others counted; where there is none, that is said."""
    store = MemoryStore()
    with pytest.raises(UsageError, match="No run is called 'x': there is none yet"):
        named_run(store, "x")
    made = [make_run("train", PRINT, 0, 0, settings={}, results={}, files={"a": b"b"}) for _ in range(14)]
    for run in made:
        store.add_run(run)
    assert named_run(store, made[3].id).files == {"a": b"b"}
    with pytest.raises(UsageError, match=f"there are {made[13].id}, .*{made[2].id} and 2 more"):
        named_run(store, "x")
