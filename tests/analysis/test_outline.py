"""Which points lie within a line that was drawn around them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.outline import within

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def test_a_hook_has_a_bay_outside() -> None:
    """A line may be bent inwards: what lies in its bay is outside, and so is what it goes around twice."""
    hook = np.array([[0, 0], [3, 0], [3, 3], [2, 3], [2, 1], [1, 1], [1, 3], [0, 3]], dtype=float)
    assert within(np.array([[0.5, 2], [1.5, 2], [2.5, 2], [1.5, 0.5], [9, 9]]), hook).tolist() == [
        True, False, True, True, False,
    ]  # fmt: skip
    twice = np.concatenate([SQUARE, SQUARE])
    assert not within(np.array([[0.5, 0.5]]), twice).any()


@pytest.mark.parametrize("corners", [0, 1, 2])
def test_no_line_holds_nothing(corners: int) -> None:
    """With fewer than three corners nothing is inside; of no points none is."""
    assert not within(np.array([[0.5, 0.5], [0.0, 0.0]]), SQUARE[:corners]).any()
    assert within(np.empty((0, 2)), SQUARE).shape == (0,)


@given(st.lists(st.tuples(st.floats(-1, 2), st.floats(-1, 2)), min_size=1, max_size=20), st.integers(0, 3))
def test_a_square_holds_what_is_between_its_sides(points: list[tuple[float, float]], turn: int) -> None:
    """Wherever the line begins, and whichever way it goes, a square holds the points between its sides."""
    places = np.array(points)
    places = places[(np.abs(places) > 1e-9).all(axis=1) & (np.abs(places - 1) > 1e-9).all(axis=1)].reshape(-1, 2)
    expected = ((places > 0) & (places < 1)).all(axis=1)
    for line in (np.roll(SQUARE, turn, axis=0), np.roll(SQUARE, turn, axis=0)[::-1]):
        assert within(places, line).tolist() == expected.tolist()
