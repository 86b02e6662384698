"""The collection laid out so that what sounds alike lies together; a box, the legend or a click selects videos."""

from functools import partial

import streamlit as st

from dashboard import (
    charts_map,
    map_choices,
    map_drawn,
    map_facts,
    map_panel,
    map_points,
    map_selection,
    map_shape,
    map_wording,
    map_work,
    parts,
    state,
    working_set,
)

HEIGHT = 680
CHART_HEIGHT = 560
LINE = 40


def show() -> None:
    """Draw the view."""
    now = state.tables()
    if not now.embedded:
        parts.heading("Map")
        parts.start_here("Nothing is embedded yet.")
        return
    facts = map_facts.facts(now)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom", key="map-top"):
        below = map_wording.heading()
        fragments = map_choices.kind()
    left, right = st.columns([2.1, 1])
    with left, parts.panel("map", height=HEIGHT):
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="map-choices", wrap=False):
            choices = map_choices.choices(facts)
            layout = map_choices.layout()
        projection = map_work.projection(layout, fragments=fragments)
        if projection is None:
            return
        map_wording.placed(projection, partial(map_work.again, layout, fragments=fragments))
        points = map_points.points(projection, facts, choices.colour)
        table = points.table
        map_selection.take(table)
        matched, kept = map_points.matching(table, choices.search), working_set.current()
        looks = map_points.looking(table, facts, choices, matched, kept)
        highlighted = bool(choices.search or kept)
        shown = map_drawn.drawn(points, looks, highlighted=highlighted)
        height = CHART_HEIGHT - LINE * (bool(shown.said) + (not facts.judged))
        fading = not choices.search and map_selection.fading(table)
        chart = charts_map.scatter(shown.points, points.shades, height, shown.cells, fading=fading)
        modes = charts_map.modes(points.shades)
        st.altair_chart(chart, key=map_shape.chart_key(), on_select="rerun", selection_mode=modes, theme=None)
        if shown.said:
            parts.muted(shown.said, "map-drawn")
        map_wording.next_step(facts)
    map_wording.tell(below, projection, layout, judged=facts.judged)
    with right, parts.panel("selected", height=HEIGHT):
        map_panel.show(now, facts, table, choices, matched)
    map_drawn.table(looks, choices.colour, highlighted=highlighted)


if __name__ == "__main__":
    show()
