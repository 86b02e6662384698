"""Which depth of the encoder hears the categories, and one click to embed by it."""

from typing import Any

import streamlit as st

from analysis.depths import depth_table
from analysis.evaluation import Evaluation
from dashboard import charts_evaluation, children, gone, parts, scores, state
from dashboard.background import Background, How
from dashboard.training_form import choose
from dashboard.work import begin, follow
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
        return
    names = [name for name in table["category"].unique() if name is not None]
    gone.chosen("depth-category", names, "No category {} was looked at. All of them are shown instead.")
    category = st.selectbox("Category", [_ALL, *names], key="depth-category", bind="query-params")
    rows = table[table["category"].isna()] if category == _ALL else table[table["category"] == category]
    st.altair_chart(charts_evaluation.depths(rows), theme=None)
    choice = metrics.get("depth_choice") or {}
    known = f"{choose('full')}: it chooses a block by videos that had no part in the choice."
    st.text(choice.get("sentence") or known)
    _embed(table, choice)
    parts.as_table("depths", {"Depths": rows.drop(columns=["category", "position"])})


def _embed(table: Any, choice: Any) -> None:
    """Choose a block and embed by it, in the background."""
    work = children.background("reembed")
    if work.how is How.RUNNING:
        follow("reembed", _tell)
        return
    if work.how is How.FAILED:
        parts.failure(work.complaint or "It ended before it was done: try once more.")
    options = list(dict.fromkeys(zip(table["block"], table["pooling"], strict=True)))
    best = (choice.get("block"), choice.get("pooling"))
    at = options.index(best) if best in options else len(options) - 2
    words = {"mean": "mean", "mean_std": "mean and deviation"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        block, pooling = st.selectbox("Block", options, index=at, format_func=lambda one: f"{one[0]}, {words[one[1]]}")
        if st.button(
            "Embed by this block", help="From the kept sound, beside what is there: going back takes a moment."
        ):
            how = ["--block", block, "--pooling", pooling, "--progress", "json"]
            begin("reembed", "-c", str(state.folder()), *how)


def _tell(work: Background) -> None:
    told = [event for event in work.events if "of" in event]
    share = told[-1]["done"] / max(told[-1]["of"], 1) if told else 0.0
    doing = f"{told[-1]['done']:,} of {told[-1]['of']:,} videos are embedded" if told else "Loading the encoder"
    st.progress(share, text=doing)
    st.button("Stop", on_click=work.stop, key="stop-reembed")
