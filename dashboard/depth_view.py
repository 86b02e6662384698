"""Which depth of the encoder hears the categories, and one click to embed by another."""

from typing import Any

import streamlit as st

from analysis.depths import depth_table
from analysis.evaluation import Evaluation
from dashboard import charts_evaluation, depth_embed, gone, parts, scores, state
from dashboard.training_form import choose
from quartzlens.records import Run

_ALL = "all of them"


def show(run: Run, evaluation: Evaluation) -> None:
    """Draw the accuracy of every block, and the choice of one."""
    metrics: Any = evaluation.metrics
    scores.caption(run, evaluation)
    st.subheader("Which depth hears it?", anchor=False)
    if metrics.get("depths_missing"):
        st.text(metrics["depths_missing"])
    table = depth_table(metrics.get("depths") or [])
    if table.empty:
        parts.muted(f"{choose('usual')}.", "no-depths")
        depth_embed.show(state.tables())
        return
    names = [name for name in table["category"].unique() if name is not None]
    gone.chosen("depth-category", names, "No category {} was looked at. All of them are shown instead.")
    category = st.selectbox("Category", [_ALL, *names], key="depth-category", bind="query-params")
    rows = table[table["category"].isna()] if category == _ALL else table[table["category"] == category]
    st.altair_chart(charts_evaluation.depths(rows), theme=None)
    choice = metrics.get("depth_choice") or {}
    known = f"{choose('full')}: it chooses a block by videos that had no part in the choice."
    st.text(choice.get("sentence") or known)
    best = (choice["block"], choice["pooling"]) if choice else None
    depth_embed.show(state.tables(), best)
    parts.as_table("depths", {"Depths": rows.drop(columns=["category", "position"])})
