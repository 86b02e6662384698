"""Colours and the static style sheets. No text of a stranger ever enters it."""

from pathlib import Path

import streamlit as st

OWN_COLOURS = {"food": "#D55E00", "travel": "#0072B2", "history": "#009E73", "art_music": "#CC79A7"}
MORE_COLOURS = (
    "#E69F00",
    "#56B4E9",
    "#8C6D00",
    "#332288",
    "#882255",
    "#44AA99",
    "#999933",
    "#661100",
    "#6699CC",
    "#AA4499",
)
"""Okabe and Ito's other colours (yellow darkened to be legible on white), then Tol's muted set for more categories."""
PALETTE = (*OWN_COLOURS.values(), *MORE_COLOURS)
GREY = "#8b93a1"


def both(light: str, dark: str) -> str:
    """A colour for each theme, in charts as in style sheets: the browser takes the one of the theme that is on.

    It is CSS (``light-dark()``, CSS Color 5), which holds in the SVG that charts are drawn as, and follows a change of
    the theme at once. What is drawn by WebGL needs one plain colour instead.

    >>> both("#000000", "#ffffff")
    'light-dark(#000000, #ffffff)'
    """
    return f"light-dark({light}, {dark})"


INK = both("#1c1f26", "#e8eaee")
QUIET = both("#5c6472", "#a3adbd")
TRACK = both("#eceef1", "#2a303b")
PAPER = both("#ffffff", "#14171d")
_ON_DARK = {"#332288": "#8a7fe8", "#882255": "#c2477f", "#661100": "#b3604c"}


def on_both(colour: str) -> str:
    """A category's colour as charts draw it: those that would be lost on a dark ground are lighter there.

    >>> on_both("#0072B2"), on_both("#332288")
    ('#0072B2', 'light-dark(#332288, #8a7fe8)')
    """
    return both(colour, _ON_DARK[colour]) if colour in _ON_DARK else colour


def category_colours(categories: list[str]) -> dict[str, str]:
    """A colour for every category of a collection: the same in every view, whatever subset a view shows.

    The four categories of the original work keep their own; others take the rest in sorted order, then grey.

    >>> category_colours(["travel", "cats"])
    {'cats': '#E69F00', 'travel': '#0072B2'}
    """
    others = [name for name in sorted(categories) if name not in OWN_COLOURS]
    spare = dict(zip(others, MORE_COLOURS, strict=False))
    return {name: OWN_COLOURS.get(name) or spare.get(name, GREY) for name in sorted(categories)}


def tint(colour: str) -> str:
    """The key prefix of containers whose dots and bars have a colour (see ``apply``)."""
    return f"tint{PALETTE.index(colour)}" if colour in PALETTE else "tintgrey"


def _tints() -> str:
    rules = []
    for name, colour in [*((f"tint{n}", colour) for n, colour in enumerate(PALETTE)), ("tintgrey", GREY)]:
        rules.append(f'[class*="st-key-{name}-"] {{--tint: {on_both(colour)};}}')
    return "\n".join(rules)


def apply() -> None:
    """Put the style sheet on the page."""
    sheet("style.css", _tints())


def sheet(name: str, more: str = "") -> None:
    """Put one of the static style sheets beside this file on the page, and rules of our own after it."""
    st.html(f"<style>{Path(__file__).with_name(name).read_text(encoding='utf-8')}\n{more}</style>")
