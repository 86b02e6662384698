"""Charts of documented tables: each function draws one, none computes what it shows.

Vega writes titles and categories as text; they reach it as data, never as part of an expression or a column's name.
"""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from dashboard.style import GREY, INK, PAPER, QUIET, TRACK, both, on_both
from quartzlens.figures import percent as percent_of

FONT = "Source Sans, sans-serif"
_CLOCK = "floor(datum.value / 60) + ':' + (datum.value % 60 < 10 ? '0' : '') + floor(datum.value % 60)"
_RIGHT_WRONG = {"right": both("#c6ccd5", "#4d5665"), "wrong": INK, "not judged": both("#e6e9ee", "#2f3642")}


def scatter(points: pd.DataFrame, colours: Mapping[str, str], by: str, height: int = 655) -> alt.LayerChart:
    """Draw the map. A drag selects (``brush``), a click picks one (``pick``, by id).

    Parameters
    ----------
    points
        ``id``, ``x``, ``y``, ``title``, ``channel``, ``category``, ``predicted``,
        ``verdict`` (right, wrong, not judged), ``chosen`` (bool: drawn larger, with a thick edge).
    by
        The column that colours: ``category`` or ``verdict``.
    """
    shades = dict(colours) if by == "category" else _RIGHT_WRONG
    named = [name for name in shades if name in set(points[by])]
    rest = sorted(set(points[by]) - set(named))
    scale = alt.Scale(domain=[*named, *rest], range=[*(on_both(shades[name]) for name in named), *(GREY for _ in rest)])
    brush = alt.selection_interval(name="brush", encodings=["x", "y"])
    pick = alt.selection_point(name="pick", fields=["id"], on="click", clear=False, toggle=False)
    plain_axis = alt.Axis(labels=False, ticks=False, domain=False, grid=False, title=None)
    dots = (
        alt.Chart(points)
        .mark_circle(opacity=0.75)
        .encode(
            x=alt.X("x:Q", axis=plain_axis, scale=alt.Scale(zero=False, nice=False, padding=18)),
            y=alt.Y("y:Q", axis=plain_axis, scale=alt.Scale(zero=False, nice=False, padding=18)),
            color=alt.Color(f"{by}:N", scale=scale, legend=_legend(len(named) + len(rest))),
            size=alt.condition(alt.datum.chosen, alt.value(320), alt.value(70)),
            opacity=alt.condition(brush, alt.value(0.8), alt.value(0.18)),
            stroke=alt.condition(
                (alt.datum.verdict == "wrong") | alt.datum.chosen, alt.value(INK), alt.value("transparent")
            ),
            strokeWidth=alt.condition(alt.datum.chosen, alt.value(3.5), alt.value(1.6)),
            description=alt.Description("title:N"),
            tooltip=[alt.Tooltip(f"{name}:N") for name in ("title", "channel", "category", "predicted")],
        )
        .add_params(brush, pick)
    )
    return _finish([dots], height)


def matrix(cells: pd.DataFrame, categories: Sequence[str], chosen: tuple[str, str] | None) -> alt.LayerChart:
    """Draw the confusion matrix; a click on a cell selects it (``cell``, by category and predicted).

    Parameters
    ----------
    cells
        ``analysis.evaluation.confusion_table``: ``category``, ``predicted``, ``n``, ``share``.
    """
    click = alt.selection_point(name="cell", fields=["category", "predicted"], on="click", clear=False, toggle=False)
    many = len(categories) > 6
    angle = -90 if many else -40 if len(categories) > 4 or any(len(name) > 10 for name in categories) else 0
    limit = 84 if many else 110
    top = alt.Axis(
        orient="top", labelAngle=angle, labelLimit=limit, labelOverlap=False, ticks=False, domain=False, title=None
    )
    side = alt.Axis(labelPadding=8, labelLimit=limit, labelOverlap=False, ticks=False, domain=False, title=None)
    band = alt.Scale(paddingInner=0.07, paddingOuter=0.05)
    base = alt.Chart(_looks(cells, chosen)).encode(
        x=alt.X("predicted:N", sort=list(categories), axis=top, scale=band),
        y=alt.Y("category:N", sort=list(categories), axis=side, scale=band),
    )
    tips = [alt.Tooltip("category:N", title="label"), alt.Tooltip("predicted:N"), alt.Tooltip("n:Q", title="videos")]
    boxes = (
        base.mark_rect(cornerRadius=6, strokeWidth=2.5, cursor="pointer")
        .encode(
            color=alt.Color("fill:N", scale=None),
            stroke=alt.Stroke("edge:N", scale=None),
            tooltip=[*tips, alt.Tooltip("percent:N", title="of the label")],
        )
        .add_params(click)
    )
    count = base.mark_text(fontSize=12 if many else 15, fontWeight=600, dy=0 if many else -6, cursor="pointer")
    shares = base.mark_text(fontSize=10.5, dy=10, opacity=0.85, cursor="pointer")
    layers = [boxes, count.encode(text="n:Q", color=alt.Color("ink:N", scale=None))]
    if not many:
        layers.append(shares.encode(text="percent:N", color=alt.Color("ink:N", scale=None)))
    room = 98 if many else 84 if angle else 26  # the height holds the labels above the cells as well
    return _finish(layers, (34 if many else 58) * len(categories) + room)


def _looks(cells: pd.DataFrame, chosen: tuple[str, str] | None) -> pd.DataFrame:
    """Add how each cell of the matrix looks: its percentage, and the colours of its box, text and edge."""
    right = cells["category"] == cells["predicted"]
    strongest = max(float(cells.loc[~right, "share"].max()), 0.05)
    return cells.assign(
        percent=[percent_of(share) if n else "" for n, share in zip(cells["n"], cells["share"], strict=True)],
        fill=[_fill(same, share, strongest) for same, share in zip(right, cells["share"], strict=True)],
        ink=[_ink(same, share) for same, share in zip(right, cells["share"], strict=True)],
        edge=[
            INK if (c, p) == chosen else "transparent"
            for c, p in zip(cells["category"], cells["predicted"], strict=True)
        ],
    )


def timeline(
    fragments: pd.DataFrame, colours: Mapping[str, str], misleading: Sequence[tuple[float, float]]
) -> alt.LayerChart:
    """Draw stacked probabilities of every fragment; a click on one selects it (``fragment``, by its start).

    Parameters
    ----------
    fragments
        ``start_seconds``, ``end_seconds``, ``category``, ``probability``, ``low``, ``high``
        (where its bar begins and ends), one row a fragment and category.
    misleading
        Stretches (start, end) in seconds that get a frame.
    """
    last = float(fragments["end_seconds"].max())
    click = alt.selection_point(name="fragment", fields=["start_seconds"], on="click", clear=False, toggle=False)
    ticks = [float(second) for second in range(0, int(last) + 1, 10)]
    across = alt.X(
        "start_seconds:Q",
        scale=alt.Scale(domain=[0, last], nice=False),
        axis=alt.Axis(
            title=None, grid=False, domain=False, ticks=False, values=ticks, labelExpr=_CLOCK, labelFlush=True
        ),
    )
    bars = (
        alt.Chart(fragments)
        .mark_rect(stroke=PAPER, strokeWidth=1.2, cursor="pointer")
        .encode(
            x=across,
            x2="end_seconds:Q",
            y=alt.Y("low:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False)),
            y2="high:Q",
            color=_categories(fragments["category"], colours),
            tooltip=[
                alt.Tooltip("clock:N", title="seconds"),
                alt.Tooltip("category:N"),
                alt.Tooltip("probability:Q", format=".2f"),
            ],
        )
        .add_params(click)
    )
    frames = pd.DataFrame(list(misleading), columns=["start", "end"]).assign(low=0.0, high=1.0)
    box = (
        alt.Chart(frames)
        .mark_rect(fillOpacity=0, stroke=INK, strokeWidth=2, cornerRadius=3, tooltip=None)
        .encode(x="start:Q", x2="end:Q", y="low:Q", y2="high:Q")
    )
    return _finish([bars, box], 104)


def bars(values: pd.DataFrame, colours: Mapping[str, str], top: float | None = None) -> alt.LayerChart:
    """Draw one bar for each category: ``category``, ``value`` (its length) and ``shown`` (the text beside it).

    Parameters
    ----------
    top
        The value of a bar of full length, such as 1 for probabilities; the largest where it is left out.
    """
    order = list(values["category"])
    top = top or max(float(values["value"].max()), 1e-9)
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
    return _finish([drawn, texts], max(24 * len(order), 40))


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
    return _finish([track, drawn, halo, line, number, counts], max(30 * len(order), 40))


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
    return _finish([lines], height)


def _categories(shown: pd.Series, colours: Mapping[str, str]) -> alt.Color:
    names = list(dict.fromkeys(shown))
    scale = alt.Scale(domain=names, range=[on_both(colours.get(name, GREY)) for name in names])
    return alt.Color("category:N", scale=scale, legend=None)


def _legend(n: int) -> alt.Legend:
    return alt.Legend(orient="top", title=None, columns=min(n, 6), symbolOpacity=1, symbolStrokeWidth=0, labelLimit=160)


def _fill(right: bool, share: float, strongest: float) -> str:
    """Colour of a cell: greys for what is right, a warm one for errors, by their share of the worst."""
    if right:
        return both(_mix("#7d838d", "#545b67", share), _mix("#47505f", "#6d7788", share)) if share else TRACK
    return both(_mix("#fdf3ea", "#eba875", share / strongest), _mix("#2b241f", "#8f5426", share / strongest))


def _ink(right: bool, share: float) -> str:
    """Colour of the numbers in a cell, legible on its fill."""
    if not share:
        return QUIET
    return "#ffffff" if right else INK


def _mix(low: str, high: str, share: float) -> str:
    """A colour between two, as #rrggbb.

    >>> _mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    share = min(max(share, 0.0), 1.0)
    pairs = zip(bytes.fromhex(low[1:]), bytes.fromhex(high[1:]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _finish(layers: Sequence[alt.Chart], height: int) -> alt.LayerChart:
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
