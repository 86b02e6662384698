"""A selection of any form: boxes and lines drawn freely, added or taken away one after the other, or box by numbers."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from analysis.outline import within
from dashboard import map_steps, working_set
from dashboard.charts_map import PADDING
from dashboard.errors_component import component
from dashboard.state import Key
from quartzlens.records import Json

NEW, ADD, AWAY = "New", "Add", "Take away"
MOST_CORNERS = 1000
_ROOM = 1e-6
HELP = (
    "What a box, a line that you draw, or a click on a value of the legend does: select anew, add to what is selected, "
    "or take away from it (from everything, where nothing is selected)."
)
_SIDES = {"left": ("Left", 0), "right": ("Right", 100), "bottom": ("Bottom", 0), "top": ("Top", 100)}


def how() -> str:
    """What the next box does."""
    chosen = st.session_state.get(Key.MAP_BOX) or st.query_params.get(Key.MAP_BOX)
    return chosen if chosen in {ADD, AWAY} else NEW


def chart_key() -> str:
    """Key of the chart; another one when boxes that are drawn on it hold no more."""
    turn = map_steps.done().turn
    return f"{Key.MAP_CHART}-{turn}" if turn else str(Key.MAP_CHART)


def combined(held: frozenset[str] | None, found: frozenset[str], every: frozenset[str], action: str) -> frozenset[str]:
    """What is selected after a box; ``held`` None: nothing was, which is to take away from ``every``.

    >>> sorted(combined(frozenset("ab"), frozenset("bc"), frozenset("abcd"), AWAY))
    ['a']
    """
    if action == ADD:
        return (held or frozenset()) | found
    if action == AWAY:
        return (every if held is None else held) - found
    return found


def after(found: Sequence[Iterable[str]], every: Iterable[str]) -> frozenset[str] | None:
    """What is selected once each selection that is new (``found``) was added, taken away or selected anew.

    ``every`` are all of the map. None where nothing is new.
    """
    held, action = working_set.current(), how()
    left = held
    for some in found:
        whole = frozenset(every) if left is None and action == AWAY else frozenset()
        left = combined(left, frozenset(some), whole, action)
    return left if found else None


def in_outline(table: pd.DataFrame, outline: Sequence[Sequence[float]]) -> pd.Series:
    """(n,) whether each point is within a line around shares of the map, drawn freely or given by numbers."""
    places = table[["x", "y"]].to_numpy(dtype=float)
    least, most = places.min(axis=0), places.max(axis=0)
    shares = (places - least) / np.where(most > least, most - least, 1.0)
    return pd.Series(within(shares, np.array(outline, dtype=float)), table.index)


def show() -> None:
    """Draw what a box does, the box by numbers, and the way back."""
    st.segmented_control(
        "The next selection",
        (NEW, ADD, AWAY),
        default=NEW,
        required=True,
        key=Key.MAP_BOX,
        bind="query-params",
        help=HELP,
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        _lasso()
        with st.popover("By numbers", help="Give a box by numbers, without a mouse."):
            _numbers()
        words = "Take back what was selected last on the map."
        st.button("Undo", on_click=map_steps.undo, disabled=not map_steps.left(), key="map-undo", help=words)


def _numbers() -> None:
    with st.form("map-numbers", border=False):
        st.text("In percent of the map, from its left and lower edge")
        with st.container(horizontal=True):
            for side, (name, value) in _SIDES.items():
                st.number_input(name, 0, 100, value, key=f"map-box-{side}", width=88)
        st.form_submit_button("Use this box", on_click=_typed, type="primary")


def _typed() -> None:
    left, right, bottom, top = (st.session_state[f"map-box-{side}"] / 100 for side in _SIDES)
    across, up = sorted((left, right)), sorted((bottom, top))
    (left, right), (bottom, top) = (across[0] - _ROOM, across[1] + _ROOM), (up[0] - _ROOM, up[1] + _ROOM)
    map_steps.wipe([(left, bottom), (right, bottom), (right, top), (left, top)])


def _lasso() -> None:
    """Draw the button after which a line can be drawn around points."""
    data: Json = {
        "chart": ".st-key-panel-map",
        "padding": PADDING,
        "words": "Draw freely",
        "help": "Draw a line around points; Escape leaves it.",
    }
    component("map_lasso")(key=Key.MAP_LASSO, data=data, width="content", on_outline_change=_drawn)


def _drawn() -> None:
    """Keep a line that a browser drew, whatever it sent."""
    outline = st.session_state[Key.MAP_LASSO].get("outline")
    if not isinstance(outline, list) or not 2 < len(outline) <= MOST_CORNERS:
        return
    try:
        corners = np.array(outline, dtype=float)
    except (ValueError, TypeError):
        return
    if corners.shape == (len(outline), 2) and np.isfinite(corners).all():
        map_steps.wipe(corners.tolist())
