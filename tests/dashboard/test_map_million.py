"""The map of a million points, at the level of the functions that draw it: coordinates are made up, not laid out."""

import numpy as np
import pandas as pd
import pytest

from analysis.density import BINS
from analysis.projection import Projection
from dashboard import charts_map, map_drawn, map_points, map_selection, map_shape, working_set
from dashboard.map_choices import Choices
from dashboard.map_facts import Facts
from dashboard.style import category_colours

N = 1_000_000
NAMES = ("art_music", "food", "history", "travel")


@pytest.fixture(scope="module")
def facts() -> Facts:
    """A million videos of four categories."""
    index = pd.Index(np.char.mod("v%07d", np.arange(N)), dtype="str")
    known = pd.DataFrame({"category": np.array(NAMES)[np.arange(N) % 4], "channel": "one"}, index=index, dtype="str")
    return Facts(pd.Series("a title", index, dtype="str"), known, judged=False, colours=category_colours(NAMES))


@pytest.fixture(scope="module")
def points(facts: Facts) -> map_points.Points:
    """The points of the map with their colours."""
    places = np.random.default_rng(0).normal(size=(N, 2)).astype(np.float32)
    made = pd.DataFrame({"id": facts.columns.index, "x": places[:, 0], "y": places[:, 1], "placed": False})
    return map_points.points(Projection(made, N, float("nan"), 0), facts, "category")


@pytest.mark.slow
def test_a_million_points_are_shades_and_a_draw(facts: Facts, points: map_points.Points) -> None:
    """Every point is counted in a shade, four thousand are dots, the line below says both, and no more is sent."""
    table = points.table
    looks = map_points.looking(table, facts, Choices("category", None, ""), pd.Series(False, table.index), None)
    shown = map_drawn.drawn(points, looks, highlighted=False)
    assert shown.cells is not None
    assert shown.cells["n"].sum() == N
    assert len(shown.points) == map_drawn.DRAWN_DOTS
    assert shown.said.startswith("The shades count all 1,000,000 points; the dots are a draw of 4,000 of them.")
    chart = charts_map.scatter(shown.points, category_colours(NAMES), 500, shown.cells)
    assert sum(map(len, chart.to_dict()["datasets"].values())) <= map_drawn.DRAWN_DOTS + BINS * BINS


@pytest.mark.slow
def test_a_box_selects_of_all_of_a_million(facts: Facts, points: map_points.Points) -> None:
    """A box over half of the map selects each video in it, drawn or not, and these are what stands out then."""
    table = points.table
    box = {"x": [0.0, float(table["x"].max())], "y": [float(table["y"].min()), float(table["y"].max())]}
    held = frozenset(table.loc[map_selection._in_box(table, box), "id"])
    assert len(held) == int((table["x"] >= 0).sum())
    assert len(map_shape.combined(None, held, frozenset(table["id"]), map_shape.AWAY)) == N - len(held)
    assert working_set.inside(table["id"], held).equals(table["x"] >= 0)
    looks = map_points.looking(table, facts, Choices("category", None, ""), pd.Series(False, table.index), held)
    shown = map_drawn.drawn(points, looks, highlighted=True)
    assert len(shown.points) == map_drawn.DRAWN_DOTS
    assert set(shown.points["id"]) <= held
    assert "a draw of 4,000 of those that stand out" in shown.said
