"""The lines of choices above the map: everything that is chosen in them lives in the address."""

from dataclasses import dataclass

import streamlit as st

from analysis.projection import Layout
from dashboard import gone, map_facts
from dashboard.map_facts import Facts
from dashboard.state import Key

VIDEOS, FRAGMENTS = "Videos", "Fragments"
SAME = "all the same"
_NO_COLUMN = "Nothing is known as {} any more."
_MOST_NEIGHBOURS = 200
_HELP = {
    "neighbours": "How many neighbours of each point count: few show small groups, many the large picture.",
    "min_dist": "How close points may come: 0 packs groups tightly, 1 spreads them evenly.",
    "seed": "Another seed gives another map of the same neighbours: what differs means nothing.",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person wants to see: columns of ``map_facts`` to colour and size by, and a text to look for."""

    colour: str
    size: str | None
    search: str


def kind() -> bool:
    """Draw the choice between videos and fragments; whether it is fragments."""
    chosen = st.segmented_control(
        "Points",
        (VIDEOS, FRAGMENTS),
        default=VIDEOS,
        required=True,
        key=Key.MAP_POINTS,
        bind="query-params",
        label_visibility="collapsed",
    )
    return chosen == FRAGMENTS


def choices(facts: Facts) -> Choices:
    """Draw what the points are coloured and sized by, and the field to search in."""
    columns = list(facts.columns.columns)
    gone.chosen(Key.MAP_COLOUR, columns, f"{_NO_COLUMN} Coloured by category instead.")
    gone.chosen(Key.MAP_SIZE, facts.numbers, f"{_NO_COLUMN} All points have the same size instead.")
    colour = st.selectbox(
        "Colour",
        columns,
        key=Key.MAP_COLOUR,
        bind="query-params",
        help=None if facts.judged else "Prediction, right or wrong and confidence: after an evaluation.",
    )
    size = st.selectbox("Size", facts.numbers, index=None, placeholder=SAME, key=Key.MAP_SIZE, bind="query-params")
    search = st.text_input(
        "Find",
        key=Key.MAP_SEARCH,
        bind="query-params",
        placeholder="title, channel or id",
        live="300ms",
        type="search",
    )
    return Choices(colour or map_facts.CATEGORY, size, search.strip())


def layout() -> Layout:
    """Draw the settings of UMAP, behind a button."""
    with st.popover("Layout", help="Settings of UMAP"):
        return _settings(Layout())


def _settings(standard: Layout) -> Layout:
    with st.form("layout", border=False):
        neighbours = st.number_input(
            "Neighbours",
            2,
            _MOST_NEIGHBOURS,
            standard.neighbours,
            key=Key.MAP_NEIGHBOURS,
            bind="query-params",
            help=_HELP["neighbours"],
        )
        min_dist = st.number_input(
            "Least distance",
            0.0,
            1.0,
            standard.min_dist,
            0.05,
            key=Key.MAP_MIN_DIST,
            bind="query-params",
            help=_HELP["min_dist"],
        )
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, standard.seed, key=Key.MAP_SEED, bind="query-params", help=_HELP["seed"]
        )
        st.form_submit_button("Draw the map", type="primary")
    return Layout(int(neighbours), round(float(min_dist), 3), int(seed))
