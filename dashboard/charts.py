"""Charts of documented tables: each function draws one, none computes what it shows.

Vega writes titles and categories as text; they reach it as data, never as part of an expression or a column's name.
"""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from dashboard.style import GREY, INK, PAPER, QUIET, TRACK, on_both

FONT = "Source Sans, sans-serif"


def bars(values: pd.DataFrame, colours: Mapping[str, str]) -> alt.LayerChart:
    """Draw one bar for each category: ``category``, ``value`` (its length) and ``shown`` (the text beside it)."""
    order = list(values["category"])
    top = max(float(values["value"].max()), 1e-9)
    base = alt.Chart(values).encode(
        y=alt.Y(
            "category:N",
            sort=order,
            axis=alt.Axis(title=None, ticks=False, domain=False, labelLimit=120, labelPadding=8, labelOverlap=False),
        ),
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, top * 1.22])),
    )
    drawn = base.mark_bar(cornerRadius=4, height={"band": 0.55}).encode(color=_categories(values["category"], colours))
    texts = base.mark_text(align="left", dx=6, fontSize=12, color=INK).encode(text="shown:N")
    return finish([drawn, texts], max(24 * len(order), 40))


def kept(shares: pd.DataFrame, colours: Mapping[str, str]) -> alt.LayerChart:
    """Draw how much of each category was kept: a bar on a track from 0 to 1, its interval, numbers at the right edge.

    Parameters
    ----------
    shares
        ``category``, ``share``, ``low``, ``high`` (0..1), ``percent`` and ``counts`` (texts), ``pending``.
    """
    order = list(shares["category"])
    axis = alt.Axis(title=None, ticks=False, domain=False, labelLimit=130, labelPadding=8, labelOverlap=False)
    base = alt.Chart(shares.assign(whole=1.0)).encode(y=alt.Y("category:N", sort=order, axis=axis))
    across = alt.Scale(domain=[0, 1], nice=False, range=[0, alt.ExprRef("max(width - 180, 40)")])
    height = {"band": 0.56}
    track = base.mark_bar(cornerRadius=4, height=height, color=TRACK).encode(x=_along("whole:Q", across))
    drawn = base.mark_bar(cornerRadius=4, height=height).encode(
        x=_along("share:Q", across),
        color=_categories(shares["category"], colours),
        tooltip=[
            alt.Tooltip("category:N"),
            alt.Tooltip("percent:N", title="kept"),
            alt.Tooltip("counts:N"),
            alt.Tooltip("pending:Q"),
        ],
    )
    halo = base.mark_rule(strokeWidth=5, color=PAPER, opacity=0.85).encode(x=_along("low:Q", across), x2="high:Q")
    line = base.mark_rule(strokeWidth=2, color=INK).encode(x=_along("low:Q", across), x2="high:Q")
    right = alt.ExprRef("width - 130")
    number = base.mark_text(align="right", fontSize=12, color=INK, x=right).encode(text="percent:N")
    counts = base.mark_text(align="left", dx=8, fontSize=12, color=QUIET, x=right).encode(text="counts:N")
    return finish([track, drawn, halo, line, number, counts], max(30 * len(order), 40))


def _along(field: str, scale: alt.Scale) -> alt.X:
    return alt.X(field, axis=None, scale=scale)


def loss(history: pd.DataFrame, height: int = 240) -> alt.LayerChart:
    """Draw the loss curves: ``epoch``, ``part`` (training, validation), ``loss``."""
    colour = alt.Color(
        "part:N",
        scale=alt.Scale(domain=["training", "validation"], range=[GREY, INK]),
        legend=alt.Legend(orient="top", title=None, symbolType="stroke"),
    )
    lines = (
        alt.Chart(history)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("epoch:Q", axis=alt.Axis(title="epoch", tickMinStep=1, grid=False)),
            y=alt.Y("loss:Q", axis=alt.Axis(title="loss (nats)", tickCount=4), scale=alt.Scale(zero=False)),
            color=colour,
            tooltip=["epoch:Q", "part:N", alt.Tooltip("loss:Q", format=".3f")],
        )
    )
    return finish([lines], height)


def _categories(shown: pd.Series, colours: Mapping[str, str]) -> alt.Color:
    names = list(dict.fromkeys(shown))
    scale = alt.Scale(domain=names, range=[on_both(colours.get(name, GREY)) for name in names])
    return alt.Color("category:N", scale=scale, legend=None)


def finish(layers: Sequence[alt.Chart], height: int) -> alt.LayerChart:
    """Put layers into one chart of the dashboard's look, ``height`` pixels high."""
    quiet = {
        "labelFont": FONT,
        "titleFont": FONT,
        "labelColor": QUIET,
        "titleColor": QUIET,
        "labelFontSize": 12,
    }
    chart: alt.LayerChart = alt.LayerChart(layer=list(layers))
    finished: alt.LayerChart = (
        chart.properties(height=height, padding={"left": 2, "top": 2, "right": 2, "bottom": 2})
        .configure_view(stroke=None)
        .configure_axis(**quiet, titleFontWeight="normal", gridColor=TRACK)
        .configure_legend(**quiet)
        .configure_text(font=FONT)
    )
    return finished
