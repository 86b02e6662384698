"""Tables of the store, and what their import costs."""

import subprocess
import sys

import numpy as np

from analysis.tables import videos_table
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Label, LabelSource, Result
from store.memory import MemoryStore
from tests.analysis.made_up_collections import WHEN, filled_store, result, row


def test_the_table_of_videos_tells_each_with_what_is_known():
    """Decoded, refused, pending and contradictory videos each have a row; missing is None or NaN."""
    store = filled_store([row(1, "food", "c"), row(2), row(3), row(4, "food")], [result("v1", [[1.0, 0.0]])])
    store.commit([Result("v2", Outcome.TOO_SHORT, Stage.DECODE, WHEN)])
    store.add_labels([Label("v4", "travel", LabelSource.IMPORT, "x", WHEN)])
    table = videos_table(store)
    assert videos_table(MemoryStore(), store.videos()).equals(table)
    assert table["id"].tolist() == ["v1", "v2", "v3", "v4"]
    assert table["outcome"].tolist() == ["ok", "too_short", "pending", "pending"]
    assert table["category"].tolist() == ["food", None, None, None]
    assert table["channel"].tolist() == ["c", None, None, None]
    assert table.loc[0, ["title", "source", "silent"]].tolist() == ["title of v1", "/media/v1.mp4", False]
    np.testing.assert_array_equal(table["loudness_dbfs"], [-20, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(table["clip_seconds"], [5, np.nan, np.nan, np.nan])


def test_an_empty_store_has_an_empty_table_with_all_columns():
    """Charts can draw it before anything is ingested."""
    table = videos_table(MemoryStore())
    assert table.empty
    assert list(table.columns) == [
        "id",
        "title",
        "channel",
        "category",
        "source",
        "outcome",
        "loudness_dbfs",
        "clip_seconds",
        "silent",
    ]
    assert table["silent"].dtype == bool


def test_reading_tables_loads_no_learning_library():
    """The dashboard's first page does not wait for torch, scikit-learn or UMAP."""
    code = (
        "import sys, analysis.tables, analysis.dataset, analysis.neighbours, analysis.evaluation, analysis.evidence, "
        "analysis.classifier, analysis.projection, analysis.label_quality, analysis.label_work, analysis.label_next; "
        "print(sorted({'torch', 'sklearn', 'umap', 'skorch', 'numba', 'cleanlab'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
