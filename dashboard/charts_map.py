"""The chart of the map. Titles and channels reach it as data, never as part of an expression or a column's name."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts import FONT
from dashboard.style import GREY

BRUSH, PICK, LEGEND = "brush", "pick", "legend"
_GREY_TEXT = "#4a5260"


def scatter(points: pd.DataFrame, shades: Mapping[str, str], height: int) -> alt.Chart:
    """Draw the map. A drag selects (``brush``), a click picks one (``pick``), one on the legend its value (``legend``).

    Parameters
    ----------
    points
        ``id``, ``x``, ``y``, ``title``, ``channel``, ``category``, ``predicted``, ``colour`` (a text of ``shades``, or
        a number), ``area``, ``shade``, ``edge``, ``edge_width``; of fragments also ``start_seconds`` and ``clock``.
    shades
        Colour of each text, in the order of the legend; empty where ``colour`` is a number.
    height
        Of all, in pixels, the legend included.
    """
    brush = alt.selection_interval(name=BRUSH, encodings=["x", "y"])
    what = ["id", "start_seconds"] if "start_seconds" in points else ["id"]
    pick = alt.selection_point(name=PICK, fields=what, on="click", clear=False, toggle=False)
    params = [brush, pick]
    if shades:
        params.append(alt.selection_point(name=LEGEND, fields=["colour"], bind="legend"))
    tips = ["title", *(["clock"] if "clock" in points else []), "channel", "category", "predicted"]
    names = {"clock": "seconds", "category": "label", "predicted": "prediction"}
    chart: alt.Chart = (
        alt.Chart(points)
        .mark_circle(invalid="show")
        .encode(
            x=_place("x"),
            y=_place("y"),
            color=_colour(shades),
            size=alt.Size("area:Q", scale=None),
            opacity=alt.condition(brush, alt.Opacity("shade:Q", scale=None), alt.value(0.1)),
            stroke=alt.Stroke("edge:N", scale=None),
            strokeWidth=alt.StrokeWidth("edge_width:Q", scale=None),
            description=alt.Description("title:N"),
            tooltip=[alt.Tooltip(f"{name}:N", title=names.get(name, name)) for name in tips],
        )
        .add_params(*params)
        .properties(
            height=height,
            padding={"left": 2, "top": 2, "right": 2, "bottom": 2},
            autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        )
        .configure_view(stroke=None)
        .configure_legend(labelFont=FONT, labelColor=_GREY_TEXT, labelFontSize=12, titleFont=FONT)
    )
    return chart


def modes(shades: Mapping[str, str]) -> list[str]:
    """Names of the chart's selections."""
    return [BRUSH, PICK, LEGEND] if shades else [BRUSH, PICK]


def _place(name: str) -> alt.X | alt.Y:
    axis = alt.Axis(labels=False, ticks=False, domain=False, grid=False, title=None)
    scale = alt.Scale(zero=False, nice=False, padding=18)
    return alt.X("x:Q", axis=axis, scale=scale) if name == "x" else alt.Y("y:Q", axis=axis, scale=scale)


def _colour(shades: Mapping[str, str]) -> Any:
    if shades:
        legend = alt.Legend(
            title=None,
            orient="top",
            symbolOpacity=1,
            symbolStrokeWidth=0,
            columns=6 if len(shades) <= 12 else 7,
            labelLimit=140 if len(shades) <= 6 else 84,
        )
        scale = alt.Scale(domain=list(shades), range=list(shades.values()))
        return alt.Color("colour:N", scale=scale, legend=legend)
    along = alt.Legend(title=None, orient="top", gradientLength=220, gradientThickness=10)
    scheme = alt.Scale(scheme=alt.SchemeParams(name="viridis", extent=[0.0, 0.92]))
    number = alt.Color("colour:Q", scale=scheme, legend=along)
    return alt.condition("isValid(datum.colour)", number, alt.value(GREY))
