"""The line of filters above the neighbours: what is chosen in it lives in the address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

import pandas as pd
import streamlit as st

from analysis.where import Condition, Operator, Where, parse
from dashboard import nearest, parts, similar_kept, state, working_set
from dashboard.pick_video import MOST_LISTED
from quartzlens.errors import QuartzlensError

EXAMPLE = 'title~soup and "View Count">=1000'
HELP = (
    "Conditions on any column, joined by and: `=` `!=` `<` `<=` `>` `>=` `~` (holds this text) `!~` `in (a, b)`. "
    "Names and values with spaces or commas go in quotes."
)
_WIDTHS = {"category": 120, "prediction": 120, "judged": 120, "channel": 150, "fold": 75, "over": 105, "under": 105}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The conditions that are chosen, the ids that they are true of (None: there are no conditions), or a problem."""

    where: Where
    within: frozenset[str] | None
    problem: str = ""


def show(now: state.Tables) -> Chosen:
    """Draw the filters of the videos that may be found."""
    with parts.panel("filters"):
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="filters"):
            conditions = [*_pickers(now), *_lengths()]
            text = st.text_input("Other conditions", key="where", bind="query-params", placeholder=EXAMPLE, help=HELP)
        chosen = _chosen(conditions, text)
        if chosen.problem:
            parts.notice(chosen.problem, "filters")
    return chosen


def within(chosen: Chosen) -> frozenset[str] | None:
    """Ids of the videos that may be found, by the filters and the working set; None: all."""
    return working_set.among(chosen.within) if similar_kept.alone() else chosen.within


def _pickers(now: state.Tables) -> Iterable[Condition]:
    found = state.evaluation()
    judged = ((state.identity(), found[0].id), found[1].predictions) if found else None
    yield from _picked("category", "Label", "category", _values(now.stamp, "category", now.videos))
    if judged is not None:
        yield from _picked("prediction", "Predicted", "prediction", _values(judged[0], "predicted", judged[1]))
        yield from _picked("judged", "Right or wrong", "right", {"right": "yes", "wrong": "no"})
    yield from _picked("channel", "Channel", "channel", _values(now.stamp, "channel", now.videos))
    if judged is not None:
        yield from _picked("fold", "Fold", "fold", _values(judged[0], "fold", judged[1]))


@st.cache_resource(show_spinner=False, max_entries=16)
def _values(of: tuple[object, ...], column: str, _table: pd.DataFrame) -> dict[str, str]:  # noqa: ARG001 (the cache's key)
    return {str(value): str(value) for value in _table[column].dropna().drop_duplicates().sort_values()}


def _picked(key: str, label: str, column: str, options: Mapping[str, str]) -> Iterable[Condition]:
    """A box with the values that there are; one that an old address names stays, so that its mistake is told."""
    tip = f"The first {MOST_LISTED:,} of {len(options):,} are offered; any other can be typed."
    value = st.selectbox(
        label,
        list(islice(options, MOST_LISTED)),
        index=None,
        key=key,
        bind="query-params",
        placeholder="any",
        accept_new_options=True,
        help=tip if len(options) > MOST_LISTED else None,
        width=_WIDTHS[key],
    )
    if value is not None:
        yield Condition(column, "=", (options.get(value, value),))


def _lengths() -> Iterable[Condition]:
    sides: tuple[tuple[str, str, Operator], ...] = (("over", "Seconds over", ">"), ("under", "Seconds under", "<"))
    for key, label, operator in sides:
        value = st.number_input(
            label, 0, value=None, key=key, bind="query-params", placeholder="any", width=_WIDTHS[key]
        )
        if value is not None:
            yield Condition("length", operator, (str(value),))


def _chosen(conditions: Iterable[Condition], text: str) -> Chosen:
    where = Where(tuple(conditions))
    try:
        where = Where((*where.conditions, *parse(text).conditions))
        return Chosen(where, nearest.matching(where) if where.conditions else None)
    except QuartzlensError as error:
        return Chosen(where, None, str(error))


def remaining(now: state.Tables, chosen: Chosen) -> None:
    """Tell how many embedded videos the filters leave, with a button that takes them back; nothing without filters."""
    if chosen.problem or chosen.within is not None:
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="muted-remaining"):
            if chosen.within is not None:
                st.text(f"of {len(chosen.within & now.embedded):,} of {len(now.embedded):,} videos")
            st.button("Clear the filters", on_click=_clear, type="tertiary")


def _clear() -> None:
    for key in (*_WIDTHS, "where"):
        if key in st.session_state:
            st.session_state[key] = "" if key == "where" else None
