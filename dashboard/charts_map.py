"""The chart of the map. Titles and channels reach it as data, never as part of an expression or a column's name."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts import FONT
from dashboard.style import GREY, INK, QUIET, on_both

PADDING = 18
BRUSH, PICK, LEGEND = "brush", "pick", "legend"
MOST_FADED = 2_000
"""Of how many points those outside the box fade while it is dragged: of more, each move would draw all of them anew."""
_AS_SVG = {"embedOptions": {"renderer": "svg"}}
"""Streamlit draws more than 2,000 marks on a canvas, which knows no ``light-dark`` colour and stays empty."""
_NAMES = {"clock": "seconds", "category": "label", "predicted": "prediction"}


def scatter(
    points: pd.DataFrame,
    shades: Mapping[str, str],
    height: int,
    cells: pd.DataFrame | None = None,
    *,
    fading: bool = True,
) -> alt.LayerChart:
    """Draw the map. A drag selects (``brush``), a click picks one (``pick``), one on the legend its value (``legend``).

    Parameters
    ----------
    points
        ``id``, ``x``, ``y``, ``title``, ``channel``, ``category``, ``predicted``, ``colour`` (a text of ``shades``, or
        a number), ``area``, ``shade``, ``edged``, ``edge_width``; of fragments also ``start_seconds`` and ``clock``.
    shades
        Colour of each text, in the order of the legend; empty where ``colour`` is a number.
    height
        Of all, in pixels, the legend included.
    cells
        ``analysis.density.density`` with ``shade`` (0..1), drawn below the points where these are only a draw.
    fading
        Whether what is outside of the box fades while it is dragged; of more than ``MOST_FADED`` nothing does.
    """
    brush = alt.selection_interval(name=BRUSH, encodings=["x", "y"])
    what = ["id", "start_seconds"] if "start_seconds" in points else ["id"]
    pick = alt.selection_point(name=PICK, fields=what, on="click", clear=False, toggle=False)
    params = [brush, pick]
    if shades:
        params.append(alt.selection_point(name=LEGEND, fields=["colour"], bind="legend"))
    shade = alt.Opacity("shade:Q", scale=None)
    tips = ["title", *(["clock"] if "clock" in points else []), "channel", "category", "predicted"]
    dots = (
        alt.Chart(points)
        .mark_circle(invalid="show")
        .encode(
            x=_place("x"),
            y=_place("y"),
            color=_colour(shades),
            size=alt.Size("area:Q", scale=None),
            opacity=shade if len(points) > MOST_FADED or not fading else alt.condition(brush, shade, alt.value(0.1)),
            stroke=alt.condition("datum.edged", alt.value(INK), alt.value("transparent")),
            strokeWidth=alt.StrokeWidth("edge_width:Q", scale=None),
            description=alt.Description("title:N"),
            tooltip=[alt.Tooltip(f"{name}:N", title=_NAMES.get(name, name)) for name in tips],
        )
        .add_params(*params)
    )
    chart: alt.LayerChart = alt.LayerChart(layer=[dots] if cells is None else [_filled(cells, shades), dots])
    return _finished(chart, height)


def _filled(cells: pd.DataFrame, shades: Mapping[str, str]) -> alt.Chart:
    """Draw how densely the map is filled."""
    filled: alt.Chart = (
        alt.Chart(cells)
        .mark_rect(invalid="show", strokeWidth=0)
        .encode(
            x=_place("left"),
            x2="right:Q",
            y=_place("bottom"),
            y2="top:Q",
            color=_colour(shades),
            opacity=alt.Opacity("shade:Q", scale=None),
            tooltip=[
                alt.Tooltip("n:Q", title="videos here", format=","),
                alt.Tooltip("colour:N" if shades else "colour:Q", title="most of them" if shades else "mean"),
                *([alt.Tooltip("share:Q", title="share", format=".0%")] if shades else []),
            ],
        )
    )
    return filled


def _finished(chart: alt.LayerChart, height: int) -> alt.LayerChart:
    quiet = {"labelFont": FONT, "titleFont": FONT, "labelColor": QUIET, "labelFontSize": 12}
    padding = {"left": 2, "top": 2, "right": 2, "bottom": 2}
    fitted = alt.AutoSizeParams(type="fit", contains="padding")
    finished: alt.LayerChart = (
        chart.properties(height=height, padding=padding, autosize=fitted, usermeta=_AS_SVG)
        .configure_view(stroke=None)
        .configure_legend(**quiet)
    )
    return finished


def modes(shades: Mapping[str, str]) -> list[str]:
    """Names of the chart's selections."""
    return [BRUSH, PICK, LEGEND] if shades else [BRUSH, PICK]


def _place(name: str) -> Any:
    axis = alt.Axis(labels=False, ticks=False, domain=False, grid=False, title=None)
    scale = alt.Scale(zero=False, nice=False, padding=PADDING)
    kind = alt.X if name in {"x", "left"} else alt.Y
    return kind(f"{name}:Q", axis=axis, scale=scale)


def _colour(shades: Mapping[str, str]) -> Any:
    if shades:
        legend = alt.Legend(
            title=None,
            orient="top",
            symbolOpacity=1,
            symbolStrokeWidth=0,
            columns=4 if len(shades) <= 4 else 5,
            labelLimit=90 if len(shades) <= 4 else 68,
        )
        scale = alt.Scale(domain=list(shades), range=[on_both(shade) for shade in shades.values()])
        return alt.Color("colour:N", scale=scale, legend=legend)
    along = alt.Legend(title=None, orient="top", gradientLength=220, gradientThickness=10, gradientOpacity=1)
    scheme = alt.Scale(scheme=alt.SchemeParams(name="viridis", extent=[0.0, 0.92]))
    number = alt.Color("colour:Q", scale=scheme, legend=along)
    return alt.condition("isValid(datum.colour)", number, alt.value(GREY))
