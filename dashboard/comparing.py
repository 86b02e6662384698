"""Two runs side by side, and the way to the videos that only one of them had right."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analysis.compare_runs import ComparedRuns, compare_runs, groups_of
from analysis.evaluation_tables import OVERALL
from analysis.runs import evaluations_of
from dashboard import address, charts_evaluation, copies, gone, kept_runs, parts, scores, state, working_set
from dashboard.state import Key
from dashboard.wording import encoder_words
from quartzlens.figures import how_many
from quartzlens.records import Run

_CHANGED = ("id", "title", "label", "said before", "says now", "probability")
_TITLE = st.column_config.Column(width=190)  # a long one hides no column beside it


def show(now: state.Tables) -> None:
    """Draw a comparison of two evaluations, where there are two, and the table of all runs."""
    judged = evaluations_of(now.runs, None)
    if len(judged) > 1:
        with parts.panel("compare"):
            _compare(now, judged)
    with parts.panel("runs"):
        kept_runs.show(now)


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
    key = f"{title.lower().replace(' ', '-')}-{found.first.id}-{found.second.id}"
    shape = {"title": _TITLE, "probability": st.column_config.NumberColumn(format="%.2f")}
    chosen = kept_runs.selected(table, key, "multi-row", shape)
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(chosen) == 1 and rows.iloc[chosen[0]]["id"] in now.by_id and not kept_runs.why_not(now, found.second):
            _open(found.second, rows.iloc[chosen[0]], title)
        _take(now, list((rows.iloc[chosen] if chosen else rows)["id"]), title)


def _take(now: state.Tables, ids: Sequence[str], title: str) -> None:
    """A button that makes these the working set, of those that are in the collection; or that they are it."""
    there = frozenset(one for one in ids if one in now.by_id)
    if there and there == working_set.current():
        parts.muted("They are the working set.", f"taken-{title}")
    elif there:
        tip = f"{how_many(len(there), 'video')}: those selected in the table, or all of it."
        st.button("Use as working set", on_click=working_set.keep, args=(there,), key=f"take-{title}", help=tip)


def _open(run: Run, row: "pd.Series[str]", title: str) -> None:
    """A button that opens a video in Errors, in the evaluation that judged it last."""
    if st.button("Open in Errors", key=f"open-{title}"):
        cell = {"label": row["category_second"], "predicted": row["predicted_second"]}
        address.go("errors", run=run.id, video=row["id"], **cell)


@st.cache_resource(show_spinner="Comparing", max_entries=4)
def _compared(place: str, first: str, second: str, sought: bool) -> ComparedRuns:  # noqa: ARG001 (runs never change)
    store, now = state.collection().store, state.tables()
    runs = [run for name in (first, second) for run in store.runs(name)]
    encoders = {one.key: encoder_words(one) for one in now.info.encoders}
    return compare_runs(runs[0], runs[1], groups_of(store, copies.known()), encoders)
