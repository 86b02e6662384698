"""The points of the map, and which of them a browser has selected."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from dashboard import parts, sound, state
from dashboard.state import Key

MOST_CARDS = 50
NOT_JUDGED = "not judged"


def points(now: state.Tables) -> pd.DataFrame:
    """The projection with what is known of each video (see ``charts.scatter``)."""
    table = state.projection().merge(now.videos[["id", "title", "channel", "category"]], on="id")
    found = state.evaluation()
    predicted = dict(zip(found[1].predictions["id"], found[1].predictions["predicted"], strict=True)) if found else {}
    table["predicted"] = [predicted.get(video_id, NOT_JUDGED) for video_id in table["id"]]
    table["category"] = table["category"].fillna("no label")
    table["title"] = table["title"].where(table["title"] != "", table["id"])
    judged = zip(table["category"], table["predicted"], strict=True)
    table["verdict"] = [NOT_JUDGED if p == NOT_JUDGED else "right" if c == p else "wrong" for c, p in judged]
    table["chosen"] = table["id"] == st.query_params.get("video", "")
    return table


def picked() -> None:
    """A click on a point puts its video into the address."""
    clicked = st.session_state[Key.MAP_CHART]["selection"].get("pick")
    if clicked:
        st.query_params["video"] = clicked[0]["id"]


def show(now: state.Tables, table: pd.DataFrame) -> None:
    """Draw the list of the brushed videos, else the clicked one; the chosen one plays."""
    chosen = st.query_params.get("video", "")
    brushed = inside(table)
    listed = brushed if len(brushed) else table[table["id"] == chosen]
    if listed.empty:
        parts.strong("Nothing selected", "selected")
        parts.muted(f"Drag over the map to select videos, or {sound.of_a_point(now)}.", "selected")
        return
    parts.strong(f"Selected: {len(listed):,} {'video' if len(listed) == 1 else 'videos'}", "selected")
    wrong = int((listed["verdict"] == "wrong").sum())
    counts = ", ".join(f"{n} {name}" for name, n in listed["category"].value_counts().items())
    parts.muted(counts + (f" · {wrong} wrong" if wrong else ""), "counts")
    # The chosen one is in the list however many were selected.
    rest = listed.iloc[MOST_CARDS:]
    shown = pd.concat([listed.head(MOST_CARDS), rest[rest["chosen"]]])
    for number, row in enumerate(shown.to_dict("records")):
        judged = "" if row["predicted"] == NOT_JUDGED else f", predicted {row['predicted']}"
        lines, video = (row["channel"] or "", f"{row['category']}{judged}"), now.by_id[row["id"]]
        parts.card(video, f"map-{number}", lines, chosen=video.id == chosen, on_open=_open, args=(video.id,))
        if video.id == chosen:
            parts.player(video)
            parts.similar_button(video.id, "map")
    if len(listed) > len(shown):
        parts.muted(f"{len(listed) - len(shown):,} more: make the selection smaller to see them.", "more")


def inside(table: pd.DataFrame) -> pd.DataFrame:
    """The points inside the brush; none without a brush."""
    event: Mapping[str, Mapping[str, Mapping[str, list[float]]]] = st.session_state.get(Key.MAP_CHART) or {}
    brush = event.get("selection", {}).get("brush") or {}
    if "x" not in brush or "y" not in brush:
        return table.iloc[:0]
    (left, right), (low, high) = sorted(brush["x"]), sorted(brush["y"])
    return table[table["x"].between(left, right) & table["y"].between(low, high)]


def _open(video_id: str) -> None:
    st.query_params["video"] = video_id
