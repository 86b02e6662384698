"""The colours of categories are told apart by everybody as far as that is possible, on a light and on a dark ground."""

import re
from itertools import combinations, pairwise

import pytest

from dashboard.map_colours import UNKNOWN_SHADE
from dashboard.map_points import FULL
from dashboard.style import GREY, MORE_COLOURS, OWN_COLOURS, PALETTE, category_colours, on_both
from tests.dashboard.colour_sight import SIGHTS, apart, contrast

GROUNDS = ("#ffffff", "#14171d")
NEXT, ANY, FROM_GREY = 0.085, 0.045, 0.035
"""Distances in OKLab, where 0.02 is just seen: of neighbours in the palette, of any two of twenty, and from grey."""


def shade(colour: str, ground: str) -> str:
    """A colour as it is drawn on a ground."""
    found = re.findall("#[0-9a-f]{6}", on_both(colour) if colour.startswith("#") else colour)
    return str(found[-1] if ground == GROUNDS[1] else found[0])


def blended(colour: str, ground: str, opacity: float) -> str:
    """What is seen of a colour that is drawn with an opacity on a ground."""
    sides = [(int(colour[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(opacity * own + (1 - opacity) * below):02x}" for own, below in sides)


def least(one: str, other: str) -> float:
    """How far two colours are apart to whom sees least of it, on the ground where they are nearest."""
    return min(apart(shade(one, ground), shade(other, ground), sight) for ground in GROUNDS for sight in SIGHTS)


def test_neighbours_in_the_palette_are_far_apart() -> None:
    """Colours that follow each other, and any two of the original work, are apart whatever cone is missing."""
    close = [(one, other) for one, other in pairwise(PALETTE) if least(one, other) < NEXT]
    close += [pair for pair in combinations(OWN_COLOURS.values(), 2) if least(*pair) < NEXT]
    assert close == []


def test_any_two_of_twenty_can_be_told_apart() -> None:
    """Twenty colours are all different, to whomever, and none is taken for the grey of the others."""
    assert len(PALETTE) == 20
    assert [pair for pair in combinations(PALETTE, 2) if least(*pair) < ANY] == []
    assert [colour for colour in PALETTE if least(colour, GREY) < FROM_GREY] == []


@pytest.mark.parametrize("ground", GROUNDS)
def test_points_stand_out_from_their_ground(ground: str) -> None:
    """A point of any category, of the others, or of what is unknown has a contrast of 3 as it is drawn."""
    shades = {colour: shade(colour, ground) for colour in (*PALETTE, GREY, UNKNOWN_SHADE)}
    faint = {name for name, one in shades.items() if contrast(blended(one, ground, FULL), ground) < 3}
    assert faint == set()


def test_a_colour_is_measured_as_published() -> None:
    """White and black are one apart in OKLab; red and green of one lightness come together for who lacks a cone."""
    assert apart("#ffffff", "#000000") == pytest.approx(1.0, abs=1e-3)
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    red, green = "#c00000", "#707000"
    assert apart(red, green, "deuteranopia") < 0.5 * apart(red, green)


def test_twenty_categories_have_a_colour_of_their_own() -> None:
    """Up to twenty categories have one each; of more the twenty most frequent have one, and the rest are grey."""
    names = [f"c{n:02d}" for n in range(20)]
    assert sorted(category_colours(names).values()) == sorted(PALETTE)
    frequent = category_colours([*(name for name in names for _ in range(3)), *("food" for _ in range(2)), "rare"])
    assert frequent["food"] == OWN_COLOURS["food"]
    assert frequent["rare"] == GREY
    assert len(set(frequent.values())) == 21


def test_the_original_categories_keep_their_colours() -> None:
    """Food is food's colour beside whatever else there is, and nothing else has it then."""
    found = category_colours(["zoo", "food", "art"])
    assert found["food"] == OWN_COLOURS["food"]
    assert {found["art"], found["zoo"]} == set(MORE_COLOURS[:2])
