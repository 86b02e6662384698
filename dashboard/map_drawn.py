"""What of the map is drawn: all points up to ten thousand; above, how densely it is filled, with a draw of points."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.map_points import FULL, Points
from dashboard.state import Key

MOST_DOTS = 10_000
DRAWN_DOTS = 4_000
MOST_ROWS = 1_000
_TABLE = {"title": "title", "clock": "seconds", "channel": "channel", "category": "label", "predicted": "prediction"}


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The points that are drawn, the cells below them (None: all points are drawn), and a sentence that says so."""

    points: pd.DataFrame
    cells: pd.DataFrame | None
    said: str


def drawn(points: Points, looks: pd.DataFrame, *, highlighted: bool) -> Drawn:
    """Choose what is drawn of points that look like ``looks``; ``highlighted``: some stand out from the rest."""
    n = len(looks)
    if n <= MOST_DOTS:
        return Drawn(looks, None, "")
    counts = points.cells["n"]
    strength = np.log1p(counts) / np.log1p(counts.max())
    cells = points.cells.assign(shade=(0.08 + 0.5 * strength) * (0.35 if highlighted else 1.0))
    outstanding = looks.index[looks["chosen"] | (highlighted & (looks["shade"] == FULL))]
    rng = np.random.default_rng(0)
    if highlighted:
        rows = np.union1d(_some(rng, outstanding.to_numpy(), DRAWN_DOTS), looks.index[looks["chosen"]])
    else:
        rows = np.union1d(_some(rng, looks.index.to_numpy(), DRAWN_DOTS), outstanding)
    of = "those that stand out" if highlighted else "them"
    dots = "all" if highlighted and len(outstanding) <= DRAWN_DOTS else f"a draw of {len(rows):,}"
    said = f"The shades count all {n:,} points; the dots are {dots} of {of}. A box selects from all of them."
    return Drawn(looks.loc[rows], cells, said)


def table(looks: pd.DataFrame, colour: str, *, highlighted: bool) -> None:
    """Draw what can be opened as a table of the points: of those that stand out, else of all."""
    opened = st.expander("As a table", key=Key.MAP_TABLE, on_change="rerun")
    if opened.open:
        with opened:
            _rows(looks, colour, highlighted=highlighted)


def _rows(looks: pd.DataFrame, colour: str, *, highlighted: bool) -> None:
    listed = looks[looks["shade"] == FULL] if highlighted else looks
    columns = {name: title for name, title in _TABLE.items() if name in listed}
    shown = listed.head(MOST_ROWS)[list(columns)].rename(columns=columns)
    if colour not in shown:
        shown[colour] = listed["colour"].head(MOST_ROWS)
    st.dataframe(shown, hide_index=True, height=min(36 * (len(shown) + 1), 400))
    if len(listed) > MOST_ROWS:
        st.text(f"The first {MOST_ROWS:,} of {len(listed):,}: select fewer to see the others.")


def _some(rng: np.random.Generator, rows: np.ndarray, most: int) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
