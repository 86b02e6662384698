"""Which colour stands for what on the map: categories as in every view, other values by how frequent they are."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dashboard import map_facts
from dashboard.style import GREY, INK, PALETTE, both

MOST_VALUES = 20
UNKNOWN_SHADE = both("#808896", "#666e7c")
RIGHT_WRONG = {"right": UNKNOWN_SHADE, "wrong": INK, map_facts.NOT_JUDGED: both("#dfe3e9", "#2f3642")}


@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """The colour of every point.

    Attributes
    ----------
    column
        (n,) float64 where they are on a scale of numbers (NaN: unknown), else text: one of ``shades``.
    shades
        Colour of each text, in the order of the legend; empty for numbers.
    """

    column: pd.Series
    shades: Mapping[str, str]


def coloured(column: pd.Series, name: str, categories: Mapping[str, str]) -> Colouring:
    """Colour a column of ``map_facts``; numbers with more than twenty values are a scale.

    Of texts with more than twenty values, the twenty most frequent have a colour and the others are grey together;
    ``categories`` are those of the collection, which have the same colour in every view.
    """
    if column.dtype == "float64" and column.nunique() > MOST_VALUES:
        return Colouring(column, {})
    texts = _written(column)
    if name == map_facts.VERDICT:
        return Colouring(texts, {value: shade for value, shade in RIGHT_WRONG.items() if (texts == value).any()})
    counts = texts.value_counts()
    if name in {map_facts.CATEGORY, map_facts.PREDICTION}:
        shades = {value: shade for value, shade in categories.items() if value in counts.index}
        return _grouped(texts, _most_frequent(shades, counts))
    frequent = counts.drop([map_facts.UNKNOWN], errors="ignore").index[:MOST_VALUES]
    ordered = column.dropna().drop_duplicates().sort_values() if column.dtype == "float64" else pd.Series(frequent)
    return _grouped(texts, dict(zip(_written(ordered), PALETTE, strict=False)))


def _most_frequent(shades: Mapping[str, str], counts: pd.Series) -> dict[str, str]:
    """Of more than twenty categories those that are most frequent, and of these all that have a colour of their own."""
    kept = set(sorted(shades, key=lambda value: -int(counts[value]))[:MOST_VALUES])
    many = len(shades) > MOST_VALUES or list(shades.values()).count(GREY) > 1
    return {value: shade for value, shade in shades.items() if value in kept and not (many and shade == GREY)}


def _grouped(texts: pd.Series, shades: Mapping[str, str]) -> Colouring:
    """Put the values without a colour together, and what is not known by itself."""
    unknown = [value for value in (map_facts.NO_LABEL, map_facts.NOT_JUDGED, map_facts.UNKNOWN) if value not in shades]
    rest = set(texts.unique()) - set(shades) - set(unknown)
    greys = {value: UNKNOWN_SHADE for value in unknown if (texts == value).any()}
    if not rest:
        return Colouring(texts, {**shades, **greys})
    others = f"{len(rest)} others" if len(rest) > 1 else next(iter(rest))
    return Colouring(texts.mask(texts.isin(rest), others), {**shades, others: GREY, **greys})


def _written(column: pd.Series) -> pd.Series:
    """Numbers as a person writes them; texts as they are."""
    if column.dtype != "float64":
        return column.astype("str")
    return column.map(lambda number: map_facts.UNKNOWN if pd.isna(number) else f"{number:g}").astype("str")
