"""A run as one HTML file that opens anywhere: its figures, its worst confusions, and their evidence with the sound.

Nothing in it asks for anything from outside, and nothing in it runs: it has no scripts. Strangers' titles, channels and
categories reach it as text, by a template that escapes what it is given.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from analysis.evidence_timeline import categories_of
from analysis.worst import Confusion, worst_confusions
from dashboard import report_charts, report_facts, report_matrix
from dashboard.report_subject import Asked, Cut, Subject
from dashboard.report_videos import Maker
from dashboard.style import category_colours
from quartzlens import __version__

_FOLDER = Path(__file__).parent
Tell = Callable[[str], None]


def written(subject: Subject, asked: Asked, cut: Cut, tell: Tell = lambda _: None) -> str:
    """The whole report as HTML; ``tell`` hears how far it is."""
    tell("drawing the charts")
    there = {video.id: video for video in subject.videos}
    evaluation, labels = subject.evaluation, [name for video in subject.videos for name in video.categories]
    gone = [name for name in categories_of(evaluation) if name not in set(labels)]
    maker = Maker(subject, there, category_colours([*labels, *gone]), cut if asked.sound else None)
    page = _template().render(
        style=Markup((_FOLDER / "report.css").read_text(encoding="utf-8")),  # noqa: S704 (our own file)
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        version=__version__,
        subject=subject,
        charts=report_charts.charts(evaluation.metrics),
        **report_facts.facts(subject),
        **report_matrix.matrix(evaluation),
        worst=_worst(worst_confusions(evaluation, there, asked.confusions, asked.videos), maker, tell),
    )
    return page.lstrip()


def _worst(worst: tuple[Confusion, ...], maker: Maker, tell: Tell) -> list[dict[str, object]]:
    """Each confusion with the evidence of its videos."""
    total, done, found = sum(len(one.ids) for one in worst), 0, []
    for one in worst:
        videos = []
        for video_id in one.ids:
            done += 1
            tell(f"video {done} of {total}")
            videos.append(maker.shown(video_id))
        found.append(
            {"of": one, "videos": videos, "colours": [maker.colour(one.category), maker.colour(one.predicted)]}
        )
    return found


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.filters["number"] = number
    return environment.get_template("report.html")


def number(value: float, form: str = ".2f") -> str:
    """A figure, or nothing where it is not known.

    >>> number(0.256), number(-0.25, "+.2f"), number(float("nan"))
    ('0.26', '−0.25', '')
    """
    return "" if value != value else format(value, form).replace("-", "−")  # noqa: PLR0124 -- NaN alone differs from itself
