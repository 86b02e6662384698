"""What could make the figures better than they are: leaks."""

from typing import Any

import streamlit as st

from analysis.evaluation import Evaluation
from analysis.evaluation_tables import probes_table
from dashboard import charts_evaluation, parts, scores
from dashboard.training_form import choose
from quartzlens.records import Run


def show(run: Run, evaluation: Evaluation) -> None:
    """Draw the leak report: the random split, copies, channels, and facts that tell the category without the sound."""
    leaks: Any = evaluation.metrics.get("leaks")
    scores.caption(run, evaluation)
    if not leaks:
        parts.muted(f"{choose('usual')}.", "no-leaks")
        return
    st.subheader("Would a random split look better?", anchor=False)
    split = leaks["random_split"]
    if split:
        _gap(split)
    st.text(split["sentence"] if split else f"{choose('full')}: it takes a second evaluation.")
    st.subheader("Does the file give the category away?", anchor=False)
    table = probes_table(evaluation.metrics)
    if table.empty:
        st.text("Nothing is known of the files that differs between videos.")
    else:
        st.altair_chart(charts_evaluation.probes(table), theme=None)
        parts.muted(
            "How often a small decision tree tells the category by these alone; dashed: the largest one.", "probe"
        )
    for probe in leaks["probes"]:
        if probe["warning"]:
            st.text(probe["sentence"])
    st.subheader("Are channels or copies recognised?", anchor=False)
    for name in ("same_channel", "copies"):
        st.text(leaks[name]["sentence"])
    parts.as_table("probes", {"Facts": table})


def _gap(split: Any) -> None:
    figures = {"grouped": "by whole groups", "accuracy": "random split", "gap": "gap"}
    with st.container(horizontal=True, gap="large"):
        for name, label in figures.items():
            sign = "+" if name == "gap" else ""
            among = f"{split[name]['low']:{sign}.2f} to {split[name]['high']:{sign}.2f}"
            parts.figure(f"{split[name]['value']:{sign}.3f}", f"{label} ({among})", f"split-{name}")
