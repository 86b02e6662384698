"""The collection laid out so that what sounds alike lies together; a brush or a click selects videos."""

import streamlit as st

from dashboard import charts, parts, selection, state
from dashboard.state import Key
from quartzlens.figures import how_many

COLUMNS = {"category": "category", "right or wrong": "verdict"}


def show() -> None:
    """Draw the view."""
    now = state.tables()
    if not now.embedded:
        parts.heading("Map")
        parts.start_here("Nothing is embedded yet.")
        return
    table = selection.points(now)
    judged = bool((table["verdict"] != selection.NOT_JUDGED).any())
    ringed = " · ringed: wrong out of fold" if judged else ""
    parts.heading("Map", f"UMAP of {how_many(len(table), 'video')} · neighbours 15 · seed 0{ringed}")
    left, right = st.columns([2.1, 1])
    with left, parts.panel("map"):
        by = "category"
        if judged:
            label = "Colour by"
            by = st.segmented_control(
                label, list(COLUMNS), default="category", required=True, label_visibility="collapsed"
            )
        chart = charts.scatter(table, now.colours, COLUMNS[by])
        key, modes = Key.MAP_CHART, ["brush", "pick"]
        st.altair_chart(chart, key=key, on_select=selection.picked, selection_mode=modes, theme=None)
    with right, parts.panel("selected", height=735):
        selection.show(now, table)


if __name__ == "__main__":
    show()
