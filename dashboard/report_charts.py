"""Charts as pictures inside a page: the dashboard's own, drawn as SVG by Altair's saver, without a browser."""

import io
from collections.abc import Mapping

import altair as alt
from markupsafe import Markup

from analysis.evaluation_tables import baselines_table, coverage_table, reliability_table
from dashboard import charts_evaluation
from quartzlens.records import Json

WIDTH_PIXELS = 340
"""So wide that texts stay legible where a phone makes the picture smaller."""


def charts(metrics: Mapping[str, Json]) -> dict[str, Markup]:
    """Pictures by name: ``beside``, ``coverage``, ``reliability``; without those that the run is too old to know.

    No text of a stranger is in them: what they show has names of our own.
    """
    drawn = {
        "beside": (baselines_table(metrics), charts_evaluation.beside),
        "coverage": (coverage_table(metrics), charts_evaluation.coverage),
        "reliability": (reliability_table(metrics), charts_evaluation.reliability),
    }
    return {name: svg(draw(table)) for name, (table, draw) in drawn.items() if not table.empty}


def svg(chart: alt.LayerChart) -> Markup:
    """A chart as an SVG element that takes the colours of the page's theme."""
    file = io.StringIO()
    chart.properties(width=WIDTH_PIXELS, background="transparent").save(file, format="svg")
    return Markup(file.getvalue())  # noqa: S704 (Vega's own, of tables without strangers' text)
