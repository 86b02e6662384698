"""Colours and the static style sheets. No text of a stranger ever enters it."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

_OWN = {
    "food": ("#df6717", "#c75700"),
    "travel": ("#2484c5", "#0072b2"),
    "history": ("#0f7555", "#1da87c"),
    "art_music": ("#ae5e8c", "#e590bf"),
}
_MORE = (
    ("#323100", "#dedfa8"),
    ("#781eaa", "#b967f1"),
    ("#9a4002", "#fc7d37"),
    ("#024462", "#a0dafe"),
    ("#7d7035", "#b9ac70"),
    ("#772538", "#a95363"),
    ("#c27182", "#ffc4ce"),
    ("#7a4030", "#ae6f5d"),
    ("#176fb6", "#87c3ff"),
    ("#d33a1a", "#f85f40"),
    ("#2d187f", "#9d9ffe"),
    ("#545991", "#7a80bc"),
    ("#60003d", "#fea9d2"),
    ("#424100", "#c3c461"),
    ("#076055", "#3db8a6"),
    ("#5d915b", "#98ce95"),
)
"""Twenty colours, each as drawn on a light and on a dark ground.

Their hues are published ones: Okabe and Ito (2008, https://jfly.uni-koeln.de/color/), Tol (2021, SRON/EPS/TN/09-002,
https://sronpersonalpages.nl/~pault/: dark, vibrant, muted, bright and medium-contrast) and Petroff (2021, arXiv
2107.02270). Their lightness was moved, for each ground by itself, until points of each have a contrast of 3 to it and
any two are apart as far as twenty can be for whoever lacks one kind of cone (``tests/dashboard/test_palette.py``).
"""
OWN_COLOURS = {name: light for name, (light, _) in _OWN.items()}
MORE_COLOURS = tuple(light for light, _ in _MORE)
PALETTE = (*OWN_COLOURS.values(), *MORE_COLOURS)
GREY = "#5f6775"
"""Of what has no colour of its own: no category, or one beyond the twenty most frequent."""
_ON_DARK = {**dict(_OWN.values()), **dict(_MORE), GREY: "#8b93a1"}


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


def on_both(colour: str) -> str:
    """A category's colour as charts draw it: each ground has its own shade of it.

    >>> on_both(OWN_COLOURS["travel"]), on_both("#123456")
    ('light-dark(#2484c5, #0072b2)', '#123456')
    """
    return both(colour, _ON_DARK[colour]) if colour in _ON_DARK else colour


def category_colours(categories: Iterable[str]) -> dict[str, str]:
    """A colour for every category of a collection: the same in every view, whatever subset a view shows.

    The four categories of the original work keep their own; others take the rest in sorted order. Of more than twenty
    the most frequent have one and the others are grey; ``categories`` hold each as often as it is given.

    >>> category_colours(["travel", "cats"]) == {"cats": MORE_COLOURS[0], "travel": OWN_COLOURS["travel"]}
    True
    """
    counts = Counter(categories)
    own = {name: colour for name, colour in OWN_COLOURS.items() if name in counts}
    unused = [colour for name, colour in OWN_COLOURS.items() if name not in own]
    free = [*MORE_COLOURS, *unused] if own else [*unused, *MORE_COLOURS]
    others = sorted((name for name in counts if name not in own), key=lambda name: (-counts[name], name))
    given = own | dict(zip(sorted(others[: len(free)]), free, strict=False))
    return {name: given.get(name, GREY) for name in sorted(counts)}


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
