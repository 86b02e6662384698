"""All runs, and two of them side by side."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analysis.compare_runs import ComparedRuns, compare_runs, groups_of
from analysis.evaluation_tables import OVERALL
from analysis.runs import evaluations_of
from dashboard import charts_evaluation, copies, gone, parts, scores, state
from dashboard.state import Key
from dashboard.wording import encoder_words
from quartzlens.figures import how_many
from quartzlens.records import Run

_CHANGED = ("id", "title", "label", "said before", "says now", "probability")


def show(now: state.Tables) -> None:
    """Draw a comparison of two evaluations, where there are two, and the table of all runs."""
    judged = evaluations_of(now.runs, None)
    if len(judged) > 1:
        with parts.panel("compare"):
            _compare(now, judged)
    with parts.panel("runs"):
        scores.runs(now)


def _compare(now: state.Tables, judged: list[Run]) -> None:
    st.subheader("What changed?", anchor=False)
    ids = [run.id for run in reversed(judged)]
    names = scores.runs_words(judged)
    for end in ("from", "to"):
        gone.chosen(
            end, set(names.values()), "The evaluation “{}” of this address is not kept any more. Choose another."
        )
    _follow(ids)
    left, right = st.columns(2)
    # The first of each are the newest two: what is first needs no place in the address.
    earlier = [*ids[1:], ids[0]]
    first = left.selectbox("From", earlier, format_func=names.__getitem__, key="from", bind="query-params")
    second = right.selectbox("To", ids, format_func=names.__getitem__, key="to", bind="query-params")
    if first == second:
        parts.muted("Choose two different evaluations.", "same")
        return
    two(now, first, second)


def _follow(ids: Sequence[str]) -> None:
    """Let a box that holds its usual choice, which the address does not name, go on to the usual one of now."""
    usual = {"from": ids[1], "to": ids[0]}
    before = st.session_state.get(Key.COMPARED, usual)
    for end, run_id in usual.items():
        if before[end] != run_id and st.session_state.get(end) == before[end]:
            st.session_state[end] = run_id
    st.session_state[Key.COMPARED] = usual


def two(now: state.Tables, first: str, second: str) -> None:
    """Draw what changed from one evaluation to another: figures with their intervals, and videos gained and lost."""
    found = _compared(state.identity(), first, second, copies.at_hand())
    table = found.metrics.assign(name=found.metrics["metric"].map(OVERALL))
    st.altair_chart(charts_evaluation.differences(table), theme=None)
    parts.muted(
        f"Over {how_many(found.n, 'video')} that both judged. Where a line holds 0, the difference may be chance; "
        "log loss, Brier score and calibration error are better when they fall. Training anew "
        "also moves predictions of videos whose label stayed.",
        "differences",
    )
    if not copies.at_hand():
        parts.muted(copies.UNSOUGHT, "unsought")
    for note in found.notes:
        st.text(note)
    for change, title in (("wrong to right", "Now right"), ("right to wrong", "Now wrong")):
        _changed(now, found, change, title)
    parts.as_table("differences", {"Differences": table.drop(columns="metric")})


def _changed(now: state.Tables, found: ComparedRuns, change: str, title: str) -> None:
    rows = found.changes[found.changes["change"] == change]
    if rows.empty:
        st.text(f"{title}: none.")
        return
    titles = [now.by_id[video].title if video in now.by_id else "" for video in rows["id"]]
    values = (rows["category_second"], rows["predicted_first"], rows["predicted_second"], rows["probability_second"])
    table = pd.DataFrame(dict(zip(_CHANGED, (rows["id"], titles, *values), strict=True)))
    relabelled = int((rows["category_first"] != rows["category_second"]).sum())
    others = f", {relabelled:,} of them with another label" if relabelled else ""
    st.subheader(f"{title}: {how_many(len(rows), 'video')}{others}", anchor=False)
    st.dataframe(table, hide_index=True, column_config={"probability": st.column_config.NumberColumn(format="%.2f")})


@st.cache_resource(show_spinner="Comparing", max_entries=4)
def _compared(place: str, first: str, second: str, sought: bool) -> ComparedRuns:  # noqa: ARG001 (runs never change)
    store, now = state.collection().store, state.tables()
    runs = [run for name in (first, second) for run in store.runs(name)]
    encoders = {one.key: encoder_words(one) for one in now.info.encoders}
    return compare_runs(runs[0], runs[1], groups_of(store, copies.known()), encoders)
