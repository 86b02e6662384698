"""Charts of an evaluation: figures with their intervals, calibration, coverage, depths and the learning curve."""

import altair as alt
import pandas as pd

from dashboard.charts import finish
from dashboard.style import INK, OWN_COLOURS, QUIET, on_both
from dashboard.wording import POOLED

_WARM = on_both(OWN_COLOURS["food"])


def beside(table: pd.DataFrame) -> alt.LayerChart:
    """Draw the accuracy of a classifier and its baselines as dots on their intervals: ``baselines_table``."""
    base = _rows(table, "name", 220, ("own", INK, QUIET))
    lines = base.mark_rule(strokeWidth=3).encode(x=_share("low:Q"), x2="high:Q")
    dots = base.mark_circle(size=110, opacity=1).encode(x="value:Q")
    texts = base.mark_text(dy=-13, fontSize=12).encode(x="value:Q", text=alt.Text("value:Q", format=".3f"))
    return finish([lines, dots, texts], 44 * len(table) + 36)


def by_category(table: pd.DataFrame, figures: list[str]) -> alt.LayerChart:
    """Draw these figures of each category, dots on their intervals under one another: ``category_scores.drawn``."""
    names = list(dict.fromkeys(table["category"]))
    base = alt.Chart(table).encode(
        y=alt.Y(
            "category:N",
            sort=names,
            scale=alt.Scale(paddingInner=0.3, paddingOuter=0.15),
            axis=alt.Axis(title=None, ticks=False, domain=False, labelLimit=160, labelPadding=8),
        ),
        yOffset=alt.YOffset("figure:N", sort=figures),
        color=alt.Color(
            "figure:N",
            scale=alt.Scale(domain=figures, range=[INK, _WARM]),
            legend=alt.Legend(orient="top", title=None, labelLimit=240, symbolOpacity=1),
        ),
        tooltip=[*_tips("category:N", "figure:N"), alt.Tooltip("n:Q", title="videos", format=",")],
    )
    lines = base.mark_rule(strokeWidth=3, opacity=0.45).encode(x=_share("low:Q"), x2="high:Q")
    dots = base.mark_circle(size=80, opacity=1).encode(x="value:Q")
    texts = base.mark_text(align="left", fontSize=12, dx=10).encode(
        x=alt.datum(1), text=alt.Text("value:Q", format=".2f"), color=alt.value(QUIET)
    )
    return finish([lines, dots, texts], 50 * len(names) + 64)


def reliability(table: pd.DataFrame) -> alt.LayerChart:
    """Draw confidence against accuracy, with the line where both agree: ``reliability_table``."""
    ideal = (
        alt.Chart(pd.DataFrame({"x": [0.0, 1.0]})).mark_line(strokeDash=[4, 4], color=QUIET).encode(x="x:Q", y="x:Q")
    )
    base = alt.Chart(table).encode(
        x=_share("confidence:Q", "how sure the classifier is"),
        tooltip=[alt.Tooltip("n:Q", title="videos"), alt.Tooltip("confidence:Q", format=".2f"), *_tips()],
    )
    lines = base.mark_rule(strokeWidth=2, color=QUIET).encode(y=alt.Y("low:Q"), y2="high:Q")
    dots = base.mark_circle(color=INK, opacity=1).encode(
        y=alt.Y("value:Q", axis=_axis("how often it is right"), scale=alt.Scale(domain=[0, 1])),
        size=alt.Size("n:Q", scale=alt.Scale(range=[30, 320]), legend=None),
    )
    return finish([ideal, lines, dots], 300)


def coverage(table: pd.DataFrame) -> alt.LayerChart:
    """Draw accuracy where only the surest videos are answered for: ``coverage_table``."""
    return _band(table, _share("share:Q", "share of videos answered for, the surest first", zero=False), "share:Q")


def learning(table: pd.DataFrame) -> alt.LayerChart:
    """Draw accuracy against the number of training videos, each step doubling them: ``learning_table``."""
    doubling = alt.Scale(type="log", base=2, nice=False, padding=12)
    along = alt.X("n:Q", scale=doubling, axis=alt.Axis(title="videos to learn from", grid=False, format=",.0f"))
    return _band(table, along, "n:Q")


def _band(table: pd.DataFrame, along: alt.X, tip: str) -> alt.LayerChart:
    base = alt.Chart(table).encode(x=along, tooltip=[alt.Tooltip(tip, format=",.2~f"), *_tips()])
    up = alt.Scale(zero=False)
    area = base.mark_area(color=QUIET, opacity=0.22).encode(y=alt.Y("low:Q", scale=up), y2="high:Q")
    line = base.mark_line(color=INK, strokeWidth=2, point=alt.OverlayMarkDef(color=INK, size=45)).encode(
        y=alt.Y("value:Q", axis=_axis("accuracy"), scale=up)
    )
    return finish([area, line], 300)


def depths(table: pd.DataFrame) -> alt.LayerChart:
    """Draw the accuracy of every block, or a category's recall: rows of ``depth_table`` of one category."""
    table = table.assign(by=table["pooling"].map(POOLED))
    blocks = list(dict.fromkeys(table.sort_values("position")["block"]))
    base = alt.Chart(table).encode(
        x=alt.X(
            "block:N",
            sort=blocks,
            scale=alt.Scale(paddingInner=0.6, paddingOuter=0.3),
            axis=alt.Axis(title="block, from the sound to the text", labelAngle=0),
        ),
        xOffset=alt.XOffset("by:N"),
        color=alt.Color(
            "by:N",
            scale=alt.Scale(domain=list(POOLED.values()), range=[INK, _WARM]),
            legend=alt.Legend(orient="top", title=None),
        ),
        tooltip=["block:N", alt.Tooltip("by:N", title="pooling"), *_tips()],
    )
    up = alt.Scale(zero=False)
    lines = base.mark_rule(strokeWidth=2, opacity=0.5).encode(y=alt.Y("low:Q", scale=up), y2="high:Q")
    dots = base.mark_circle(size=90, opacity=1).encode(y=alt.Y("value:Q", axis=_axis("told right"), scale=up))
    return finish([lines, dots], 320)


def probes(table: pd.DataFrame) -> alt.LayerChart:
    """Draw how well facts that are no sound tell the category, beside the largest category: ``probes_table``."""
    base = _rows(table, "fact", 160, ("warning", _WARM, INK))
    lines = base.mark_rule(strokeWidth=3).encode(x=_share("low:Q"), x2="high:Q")
    dots = base.mark_circle(size=90, opacity=1).encode(x="value:Q")
    usual = alt.Chart(table.head(1)).mark_rule(strokeDash=[4, 4], color=QUIET).encode(x="majority:Q")
    return finish([usual, lines, dots], 34 * len(table) + 36)


def differences(table: pd.DataFrame) -> alt.LayerChart:
    """Draw by how much one run's figures differ from another's: ``ComparedRuns.metrics`` with ``name`` in words."""
    order = list(table["name"])
    base = alt.Chart(table).encode(
        y=alt.Y(
            "name:N", sort=order, axis=alt.Axis(title=None, ticks=False, domain=False, labelLimit=160, labelPadding=8)
        ),
        tooltip=[alt.Tooltip(f"{name}:Q", format="+.3f") for name in ("difference", "low", "high")],
    )
    zero = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color=QUIET, strokeDash=[4, 4]).encode(x="x:Q")
    axis = alt.Axis(title="second run less first", format="+.2f", grid=False, tickCount=6)
    lines = base.mark_rule(strokeWidth=3, color=QUIET).encode(x=alt.X("low:Q", axis=axis), x2="high:Q")
    dots = base.mark_circle(size=100, opacity=1, color=INK).encode(x="difference:Q")
    return finish([zero, lines, dots], 36 * len(order) + 44)


def _rows(table: pd.DataFrame, name: str, room: int, colour: tuple[str, str, str]) -> alt.Chart:
    """A row for each name in the table's order, coloured by whether a column holds: its name, and both colours."""
    holds, yes, no = colour
    return alt.Chart(table).encode(
        y=alt.Y(
            f"{name}:N",
            sort=list(table[name]),
            axis=alt.Axis(title=None, ticks=False, domain=False, labelLimit=room, labelPadding=8),
        ),
        color=alt.Color(f"{holds}:N", scale=alt.Scale(domain=[True, False], range=[yes, no]), legend=None),
        tooltip=_tips(f"{name}:N"),
    )


def _share(field: str, title: str = "", *, zero: bool = True) -> alt.X:
    scale = alt.Scale(domain=[0, 1]) if zero else alt.Scale(zero=False, nice=False)
    return alt.X(field, scale=scale, axis=alt.Axis(title=title or None, format=".2~f", tickCount=5, grid=False))


def _axis(title: str) -> alt.Axis:
    return alt.Axis(title=title, format=".2f", tickCount=5)


def _tips(*first: str) -> list[alt.Tooltip | str]:
    return [*first, *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high"))]
