"""The table of all runs, and the way from one of them to its errors."""

from typing import Any

import pandas as pd
import streamlit as st

from analysis.metrics import interval
from analysis.runs import evaluations_of
from dashboard import address, parts, scores, state
from quartzlens.figures import spread
from quartzlens.records import Run

COLUMNS = ("run", "when (UTC)", "kind", "classifier", "accuracy", "95 %", "n", "seed", "encoder")
"""The id first: it is read in full however narrow the table is."""
_ELSEWHERE = "Its errors are not shown: it is of another encoder than the present one."
_TRAINING = "A training alone judges nothing: evaluate to see errors."


def show(now: state.Tables) -> None:
    """Draw all runs, the newest first, each with its encoder; of the selected one, the way to its errors."""
    st.subheader("Runs", anchor=False)
    if not now.runs:
        parts.muted("Every training and evaluation is kept and listed here.", "no-runs")
        return
    listed, encoders = list(reversed(now.runs)), scores.encoders(now)
    rows = [_row(run, encoders.get(run.fingerprint_key, run.fingerprint_key)) for run in listed]
    chosen = selected(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        f"runs-{len(listed)}-{listed[0].id}",
        "single-row",
        {"accuracy": st.column_config.NumberColumn(format="%.3f")},
    )
    if chosen:
        _lead(now, listed[chosen[0]])
    else:
        parts.muted(
            "Select an evaluation, by its box or with Shift and Space, to see its figures or errors.", "runs-select"
        )


def selected(table: pd.DataFrame, key: str, mode: Any, shape: Any) -> list[int]:
    """Draw a table of whose rows some can be selected; which are. Another ``key`` begins with none."""
    event: Any = st.dataframe(
        table, hide_index=True, column_config=shape, key=key, on_select="rerun", selection_mode=mode
    )
    return [int(row) for row in event["selection"]["rows"]]


def why_not(now: state.Tables, run: Run) -> str:
    """Why Errors cannot show a run; empty where it can."""
    if run.kind != "evaluate":
        return _TRAINING
    shown = evaluations_of(now.runs, now.fingerprint) if now.fingerprint else []
    return "" if run.id in {one.id for one in shown} else _ELSEWHERE


def _lead(now: state.Tables, run: Run) -> None:
    if said := why_not(now, run):
        parts.muted(f"{run.id}: {said}", "runs-select")
        return
    with st.container(horizontal=True, gap="small"):
        st.button("Show its figures", key="run-figures", help=run.id, on_click=_open, args=(run.id,))
        if st.button("Open in Errors", key="run-errors", help=run.id):
            address.go("errors", run=run.id)


def _open(run_id: str) -> None:
    """Show a run's figures in this view."""
    address.put("run", run_id)
    st.session_state["section"] = "Figures"


def _row(run: Run, encoder: str) -> tuple[object, ...]:
    return (
        run.id,
        f"{run.created_at[:10]} {run.created_at[11:16]}",
        run.kind,
        run.settings.get("classifier"),
        scores.value(run.results, "accuracy"),
        spread(*interval(run.results.get("accuracy"))),
        run.results.get("n"),
        run.seed,
        encoder,
    )
