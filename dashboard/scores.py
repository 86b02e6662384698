"""What a classifier is worth, and the runs that say so."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from analysis.evaluation import scores_table
from dashboard import parts
from quartzlens.records import Json, Run

NAMES = {"accuracy": "accuracy", "precision_macro": "precision, macro", "recall_macro": "recall, macro"}


def value(results: Mapping[str, Json], name: str) -> float:
    """A figure of a run's results; NaN where it has none.

    >>> value({"accuracy": {"value": 0.5}}, "accuracy")
    0.5
    """
    found = results.get(name)
    number = found.get("value") if isinstance(found, dict) else None
    return float(number) if isinstance(number, int | float) else float("nan")


def show(metrics: dict[str, Json], run_id: str) -> None:
    """Draw an evaluation's figures, those of each category, the baseline beside them, and what was left out."""
    table = scores_table(metrics)
    st.subheader("Out of fold", anchor=False)
    settings = f"{metrics['classifier']} · {metrics['folds']} folds by channel · {metrics['n']} videos"
    parts.muted(f"{run_id} · {settings}", "run")
    majority = table["n"].max() / max(table["n"].sum(), 1)
    with st.container(horizontal=True, gap="large"):
        for name, label in NAMES.items():
            parts.figure(f"{value(metrics, name):.3f}", label, name)
        parts.figure(f"{majority:.3f}", "accuracy of always saying the largest category", "majority")
    shares = {name: st.column_config.ProgressColumn(name, min_value=0, max_value=1, format="%.2f") for name in SHARES}
    st.dataframe(table, hide_index=True, column_config={**shares, "n": "videos"})
    _left_out(metrics.get("left_out"))
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("See the errors"):
            st.switch_page("views/errors.py")


SHARES = ("precision", "recall")


def _left_out(left_out: Json) -> None:
    rows = [row for row in left_out if isinstance(row, dict)] if isinstance(left_out, list) else []
    if not rows:
        return
    with st.container(key="muted-left-out", gap="xsmall"):
        for row in rows:
            st.text(f"Left out: {row['n']} of {row['category'] or 'no category'} ({row['reason']})")


def runs(kept: Sequence[Run]) -> None:
    """Draw a table of all runs, the newest first."""
    st.subheader("Earlier runs", anchor=False)
    if not kept:
        parts.muted("Every training and evaluation is kept and listed here.", "no-runs")
        return
    rows = [
        (run.created_at, run.kind, run.settings.get("classifier"), run.seed, value(run.results, "accuracy"), run.id)
        for run in reversed(kept)
    ]
    table = pd.DataFrame(rows, columns=["when (UTC)", "kind", "classifier", "seed", "accuracy", "run"])
    st.dataframe(table, hide_index=True, column_config={"accuracy": st.column_config.NumberColumn(format="%.3f")})
