"""What a person does on the map: a box or a value of the legend becomes the working set, a click opens a point."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd
import streamlit as st

from dashboard import map_shape, state
from dashboard.charts_map import BRUSH, LEGEND, PICK
from dashboard.state import Key

Event: TypeAlias = Mapping[str, Any]


def take(table: pd.DataFrame) -> None:
    """Act on what changed on the chart since the last time; ``table`` holds its points with their ``colour``."""
    now: Event = dict((st.session_state.get(map_shape.chart_key()) or {}).get("selection", {}))
    before: Event = st.session_state.get(Key.MAP_SEEN, {})
    st.session_state[Key.MAP_SEEN] = now
    if now.get(PICK) and now.get(PICK) != before.get(PICK):
        open_point(now[PICK][0])
    for name, inside in ((BRUSH, _in_box), (LEGEND, _of_values)):
        if now.get(name) and now.get(name) != before.get(name):
            _use(table, inside(table, now[name]))
    if (within := map_shape.given(table)) is not None:
        _use(table, within)


def _use(table: pd.DataFrame, inside: pd.Series) -> None:
    if inside.any():
        map_shape.take(table.loc[inside, "id"], table["id"])


def open_point(point: Mapping[str, Any]) -> None:
    """Put a video, or the fragment of one, into the address."""
    state.silence()
    st.query_params["video"] = str(point["id"])
    if "start_seconds" in point:
        st.query_params["at"] = f"{point['start_seconds']:g}"
    else:
        st.query_params.pop("at", None)


def _in_box(table: pd.DataFrame, box: Mapping[str, Sequence[float]]) -> pd.Series:
    if "x" not in box or "y" not in box:
        return pd.Series(False, table.index)
    (left, right), (low, high) = sorted(box["x"]), sorted(box["y"])
    return table["x"].between(left, right) & table["y"].between(low, high)


def _of_values(table: pd.DataFrame, values: Sequence[Mapping[str, Any]]) -> pd.Series:
    return table["colour"].isin([value.get("colour") for value in values])
