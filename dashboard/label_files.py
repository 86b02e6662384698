"""The label history, and what a person takes along: labels, predictions, errors, evidence, and the report."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from analysis.evaluation import Evaluation
from analysis.evidence_table import evidence_blocks
from analysis.exports import errors_table, predictions_table
from analysis.label_work import label_history, labelled_list
from dashboard import parts, reasons, report_file, said, state
from quartzlens.records import Run
from quartzlens.spreadsheet import harmless_table

_MOST = 500


def history() -> None:
    """Draw every label that was ever given, the latest first."""
    st.subheader("Every label that was ever given", anchor=False)
    table = said.said().table
    if table.empty:
        parts.muted("No label was given yet.", "no-history")
        return
    there = state.tables().by_id
    latest = table.iloc[::-1].head(_MOST)
    shown = said.shown(latest)
    shown.insert(1, "title", [there[one].title if one in there else "" for one in latest["id"]])
    st.dataframe(shown[[*shown.columns.drop("id"), "id"]], hide_index=True)
    if len(table) > _MOST:
        parts.muted(f"The latest {_MOST} of {len(table):,}; the whole: the labels CSV.", "more-history")


def show() -> None:
    """Draw a button for each file; nothing is made before it is asked for."""
    st.subheader("Files", anchor=False)
    store, found = state.collection().store, state.evaluation()
    with st.container(horizontal=True, gap="small"):
        _file("Labels, old and new", "labels.csv", lambda: labelled_list(store))
        _file("Label history", "label-history.csv", lambda: label_history(store))
        if found is not None:
            run, evaluation = found
            _file("Predictions", f"predictions-{run.id}.csv", lambda: predictions_table(_whole(run.id)))
            _file("Errors", f"errors-{run.id}.csv", lambda: errors_table(store, _whole(run.id)))
            _file("Evidence", f"evidence-{run.id}.csv", lambda: evidence_of(run, evaluation))
            report_file.button(run.id)
    if found is None:
        parts.muted("Predictions, errors, evidence and the report are there after an evaluation.", "no-predictions")
    parts.muted("In no cell does a spreadsheet find a formula: such text begins with an apostrophe.", "harmless")


def _whole(run_id: str) -> Run:
    """A run with its files."""
    return state.collection().store.runs(run_id)[0]


def evidence_of(run: Run, evaluation: Evaluation) -> pd.DataFrame:
    """Why each misjudged video was judged so: what is computed of the whole collection is kept for the next view."""
    known = reasons.shared(run.id, evaluation)
    return pd.concat(list(evidence_blocks(state.collection().store, state.fingerprint(), evaluation, known)))


def _file(words: str, name: str, made: Callable[[], pd.DataFrame]) -> None:
    st.download_button(words, lambda: csv_bytes(made()), file_name=name, mime="text/csv", on_click="ignore")


def csv_bytes(table: pd.DataFrame) -> bytes:
    """A table as CSV for spreadsheets: UTF-8 with its mark, no formulas."""
    return harmless_table(table).to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")
