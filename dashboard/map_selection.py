"""What a person does on the map: a box or a value of the legend becomes the working set, a click opens a point."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import address, map_shape, map_steps, state, working_set
from dashboard.charts_map import BRUSH, LEGEND, MOST_FADED, PICK
from dashboard.map_steps import Event

OUTLINE = "outline"


def take(table: pd.DataFrame) -> None:
    """Act on what changed on the chart since the last time; ``table`` holds its points with their ``colour``."""
    map_steps.finish()
    map_steps.lie(_first(table))
    before = map_steps.done()
    chart = (st.session_state.get(map_shape.chart_key()) or {}).get("selection", {})
    now: Event = {**chart, OUTLINE: before.outline}
    new = {name for name, value in now.items() if value and value != before.event.get(name)}
    if PICK in new:
        open_point(now[PICK][0])
    found = [inside(table, now[name]) for name, inside in _INSIDE.items() if name in new]
    map_steps.act(now, map_shape.after([table.loc[some, "id"] for some in found if some.any()], table["id"]))


def fading(table: pd.DataFrame) -> bool:
    """Whether what is outside of the box may fade: not where the working set is another one than what is inside.

    That is asked of few points alone.
    """
    box = map_steps.done().event.get(BRUSH)
    if map_shape.how() != map_shape.NEW or not box or len(table) > MOST_FADED:
        return map_shape.how() == map_shape.NEW
    return frozenset(table.loc[_in_box(table, box), "id"]) == working_set.current()


def open_point(point: Mapping[str, Any]) -> None:
    """Put a video, or the fragment of one, into the address."""
    state.silence()
    address.put("video", str(point["id"]))
    if "start_seconds" in point:
        address.put("at", f"{point['start_seconds']:g}")
    else:
        st.query_params.pop("at", None)


def _first(table: pd.DataFrame) -> tuple[Any, ...]:
    """Which point is the first one, and where: another for each map, as new videos move none."""
    return tuple(table[["id", "x", "y"]].head(1).to_numpy().ravel())


def _in_box(table: pd.DataFrame, box: Mapping[str, Sequence[float]]) -> pd.Series:
    if "x" not in box or "y" not in box:
        return pd.Series(False, table.index)
    (left, right), (low, high) = sorted(box["x"]), sorted(box["y"])
    return table["x"].between(left, right) & table["y"].between(low, high)


def _of_values(table: pd.DataFrame, values: Sequence[Mapping[str, Any]]) -> pd.Series:
    return table["colour"].isin([value.get("colour") for value in values])


_INSIDE: Mapping[str, Callable[[pd.DataFrame, Any], pd.Series]] = {
    BRUSH: _in_box,
    LEGEND: _of_values,
    OUTLINE: map_shape.in_outline,
}
