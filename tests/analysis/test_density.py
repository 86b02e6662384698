"""How densely a map is filled: every point is counted once, in the cell that it is in."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.density import COLUMNS, density

PLACES = st.lists(
    st.tuples(
        st.floats(-100, 100, width=32), st.floats(-100, 100, width=32), st.sampled_from(["food", "travel", "history"])
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=40)
@given(PLACES, st.integers(1, 12))
def test_every_point_is_counted_in_the_cell_that_it_is_in(places, bins):
    """Counts add up to all points, and each cell holds as many as lie between its edges."""
    points = pd.DataFrame(places, columns=["x", "y", "colour"]).astype({"x": float, "y": float, "colour": "str"})
    cells = density(points, bins)
    assert tuple(cells.columns) == COLUMNS
    assert cells["n"].sum() == len(points)
    assert len(cells) <= bins * bins
    assert ((cells["share"] > 0) & (cells["share"] <= 1)).all()
    for cell in cells.itertuples():
        edge = 1e-6 * (1 + abs(cell.left) + abs(cell.bottom))
        inside = points["x"].between(cell.left - edge, cell.right + edge)
        inside &= points["y"].between(cell.bottom - edge, cell.top + edge)
        assert inside.sum() >= cell.n
        assert (points.loc[inside, "colour"] == cell.colour).any()


def test_a_cell_has_the_colour_of_most_of_its_points():
    """The most frequent text of a cell colours it, with the share of points that have it; of equals the first."""
    points = pd.DataFrame({"x": [0, 0, 0, 9, 9], "y": 0, "colour": ["b", "a", "b", "d", "c"]})
    cells = density(points, 2)
    assert cells["colour"].tolist() == ["b", "c"]
    assert np.allclose(cells["share"], [2 / 3, 1 / 2])
    assert cells["n"].tolist() == [3, 2]


def test_numbers_colour_a_cell_by_their_mean():
    """The mean of what is known; unknown where nothing is."""
    points = pd.DataFrame({"x": [0, 0, 9], "y": 0, "colour": [1.0, 3.0, np.nan]})
    cells = density(points, 2)
    assert cells["colour"].iloc[0] == 2.0
    assert np.isnan(cells["colour"].iloc[1])
    assert (cells["share"] == 1.0).all()
