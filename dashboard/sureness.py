"""How far probabilities can be believed, and what more videos would bring."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis.evaluation import Evaluation
from analysis.evaluation_tables import coverage_table, learning_table, reliability_table
from analysis.timeline_measure import TimelineMeasure, timeline_measure
from dashboard import charts_evaluation, parts, scores, state
from dashboard.training_form import choose
from quartzlens.figures import percent
from quartzlens.records import Run
from store.collection import Collection

_OLDER = "This evaluation is older than this: evaluate again."


def show(run: Run, evaluation: Evaluation) -> None:
    """Draw confidence beside accuracy, and accuracy where the least sure go to a person."""
    table, shares = reliability_table(evaluation.metrics), coverage_table(evaluation.metrics)
    scores.caption(run, evaluation)
    if table.empty:
        parts.muted(_OLDER, "older")
        return
    left, right = st.columns(2)
    with left:
        st.subheader("Is it right as often as it is sure?", anchor=False)
        st.altair_chart(charts_evaluation.reliability(table), theme=None)
        parts.muted("On the dashed line it is. Below it the classifier is surer than it should be.", "reliability")
    with right:
        st.subheader("What if the least sure go to a person?", anchor=False)
        st.altair_chart(charts_evaluation.coverage(shares), theme=None)
        parts.muted(_answered(shares), "coverage")
    parts.as_table("reliability", {"Confidence": table, "Coverage": shares})
    if found := _timeline(state.stamp(), run.id, run, state.collection()):
        st.subheader("Does the timeline hear both?", anchor=False)
        parts.muted(found.sentence, "timeline")


@st.cache_resource(show_spinner=False, max_entries=4)
def _timeline(stamp: state.Stamp, run_id: str, _run: Run, _opened: Collection) -> TimelineMeasure | None:  # noqa: ARG001
    return timeline_measure(_opened.store, _run, state.fingerprint())


def _answered(shares: pd.DataFrame) -> str:
    """What it would bring to leave a fifth to a person."""
    found = shares[np.isclose(shares["share"], 0.8)]
    if found.empty:
        return ""
    threshold, right = float(found["threshold"].iloc[0]), float(found["value"].iloc[0])
    return f"For the surest 80 % (a probability of {threshold:.2f} or more) {percent(right)} are right."


def show_learning(run: Run, evaluation: Evaluation) -> None:
    """Draw the learning curve, or how to have one."""
    table = learning_table(evaluation.metrics)
    scores.caption(run, evaluation)
    st.subheader("Are more videos worth it?", anchor=False)
    if table.empty:
        parts.muted(f"{choose('full')}: it learns from fewer videos, too, to see.", "learning")
        return
    st.altair_chart(charts_evaluation.learning(table), theme=None)
    st.text(str(evaluation.metrics.get("learning", "")))
    parts.as_table("learning", {"Learning curve": table})
