"""The points of the map as they are drawn: where they are, what is known of them, and how they look."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from analysis.density import density
from analysis.evidence_parts import clock
from analysis.projection import Projection
from dashboard import map_facts, working_set
from dashboard.map_choices import Choices
from dashboard.map_colours import coloured
from dashboard.map_facts import Facts

FULL, DIM = 0.9, 0.1
MANY = 2_000
_AREAS = (16.0, 340.0)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """All points of a map by one colouring: shared by all browsers, never changed.

    Attributes
    ----------
    table
        ``id``, ``x``, ``y``, ``title``, ``channel``, ``category``, ``predicted``, ``verdict``, ``colour``; of fragments
        also ``start_seconds`` and ``clock`` (its seconds in words). What an evaluation does not tell is told as such.
    shades
        As ``map_colours.Colouring.shades``.
    cells
        How densely the map is filled: ``analysis.density.density``.
    of
        What they were made from: as long as it is kept, its ``id`` is nothing else's.
    """

    table: pd.DataFrame
    shades: Mapping[str, str]
    cells: pd.DataFrame
    of: tuple[Projection, Facts]


@st.cache_resource(show_spinner=False, max_entries=2, hash_funcs={Projection: id, Facts: id})
def points(projection: Projection, facts: Facts, colour: str) -> Points:
    """The points of a projection, coloured by a column of ``facts``."""
    table = _known(projection, facts)
    colouring = coloured(facts.columns[colour].loc[table["id"]], colour, facts.colours)
    table["colour"] = colouring.column.array
    return Points(table, colouring.shades, density(table), (projection, facts))


def _known(projection: Projection, facts: Facts) -> pd.DataFrame:
    rows = facts.columns.index.get_indexer(pd.Index(projection.table["id"]))
    table = projection.table[rows >= 0].reset_index(drop=True)
    known = facts.columns.iloc[rows[rows >= 0]].reset_index(drop=True)
    table["title"] = facts.titles.iloc[rows[rows >= 0]].reset_index(drop=True)
    table["channel"], table["category"] = known[map_facts.CHANNEL], known[map_facts.CATEGORY]
    table["predicted"] = known[map_facts.PREDICTION] if facts.judged else map_facts.NOT_JUDGED
    table["verdict"] = known[map_facts.VERDICT] if facts.judged else map_facts.NOT_JUDGED
    if "start_seconds" in table:
        bounds = zip(table["start_seconds"], table["end_seconds"], strict=True)
        table["clock"] = [f"{clock(start)} to {clock(end)}" for start, end in bounds]
    return table.drop(columns=["digest", "placed", "end_seconds"], errors="ignore")


def matching(table: pd.DataFrame, text: str) -> pd.Series:
    """(n,) whether title, channel or id hold a text, in whatever case; nothing holds an empty one."""
    if not text:
        return pd.Series(False, table.index)
    wanted = text.casefold()
    found = [table[name].str.casefold().str.contains(wanted, regex=False) for name in ("title", "channel", "id")]
    return found[0] | found[1] | found[2]


def looking(
    table: pd.DataFrame, facts: Facts, choices: Choices, matched: pd.Series, kept: frozenset[str] | None
) -> pd.DataFrame:
    """Add how each point looks: ``area`` (square pixels), ``shade`` (0..1), ``edged``, ``edge_width`` (pixels).

    What is looked for stands out, else the working set; wrong ones have a thin edge, and the one in the address a thick
    one.
    """
    chosen = chosen_point(table)
    aside = (
        ~matched
        if choices.search
        else ~working_set.inside(table["id"], kept)
        if kept
        else pd.Series(False, table.index)
    )
    wrong = (table["verdict"] == "wrong") & ~aside
    area, many = _areas(table["id"], facts, choices.size), len(table) > MANY
    area = np.where(aside & many, area * 0.3, area)
    return table.assign(
        area=np.where(chosen, np.maximum(area, 320.0), np.where(matched, np.maximum(area, 110.0), area)),
        shade=np.where(aside & ~chosen, DIM / 2 if many else DIM, FULL),
        edged=wrong | chosen | matched,
        edge_width=np.where(chosen, 3.5, np.where(matched, 2.0, 1.5 if len(table) <= 1000 else 1.0)),
        chosen=chosen,
    )


def chosen_point(table: pd.DataFrame) -> pd.Series:
    """(n,) whether it is the video in the address, of fragments the one that begins at its second."""
    chosen = table["id"] == st.query_params.get("video", "")
    if "start_seconds" in table:
        chosen &= table["start_seconds"].map(lambda start: f"{start:g}") == st.query_params.get("at", "")
    return chosen


def _areas(ids: pd.Series, facts: Facts, size: str | None) -> np.ndarray:
    """(n,) square pixels: by the order of a column's numbers, or the same for all, less the more there are."""
    if size is None:
        return np.full(len(ids), 70.0 if len(ids) <= 500 else 40.0 if len(ids) <= 3000 else 20.0)
    values = facts.columns[size].loc[ids].to_numpy(dtype=float)
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return _AREAS[0] + (_AREAS[1] - _AREAS[0]) * np.nan_to_num(share)
