"""``quartzlens repair``: find the videos of damaged ids by their titles, and write the list anew."""

import json
import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import (
    CookiesOption,
    JsonOption,
    ProxyOption,
    cookie_file,
    fetch_options,
    proxy_of,
    show_json,
    show_table,
    shown,
)
from quartzlens.cli.progress import ProgressKind, sayer, stoppable
from quartzlens.cli.progress import progress as shown_progress
from quartzlens.cli.rate import spoken
from quartzlens.cli.survey_text import stripped_lines
from quartzlens.figures import how_many

if TYPE_CHECKING:
    from pipeline.answers import Answers
    from pipeline.damaged_list import DamagedList
    from pipeline.repair import Judgement, Wanted
    from pipeline.upstream import Upstream

_SHOWN = 10
Say = Callable[[str], None]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Where the repaired list goes (default: NAME.repaired.csv beside NAME.csv)."),
]
MaxVideos = Annotated[int | None, typer.Option(min=1, help="End after so many searches; run again to go on.")]
MaxHours = Annotated[float | None, typer.Option(min=0, help="Begin no search after so many hours; run again to go on.")]
Retry = Annotated[bool, typer.Option("--retry", help="Search again for what was searched for and not repaired.")]


@dataclass(frozen=True, slots=True)
class Repair:
    """What is to be repaired, where the result goes, and how far one run goes (None: to the end).

    ``again`` searches once more for what was searched for and not repaired.
    """

    damaged: "DamagedList"
    output: Path
    cookies: Path | None = None
    proxy: "Upstream | None" = None
    max_videos: int | None = None
    max_hours: float | None = None
    again: bool = False

    @property
    def kept(self) -> Path:
        """The file of what searches answered."""
        return self.output.with_name(f"{self.output.name}.searches.jsonl")


@dataclass(frozen=True, slots=True)
class _Found:
    """What is told of a search."""

    video_id: str
    outcome: str


def repair(
    list_: Annotated[Path, typer.Argument(metavar="LIST", help="A CSV with links or ids, titles and channels.")],
    output: Out = None,
    cookies: CookiesOption = None,
    proxy: ProxyOption = None,
    max_videos: MaxVideos = None,
    max_hours: MaxHours = None,
    retry: Retry = False,
    json_: JsonOption = False,
    progress: ProgressKind = "auto",
) -> None:
    """Find the videos of a list's damaged ids by their titles, and write the list anew; run it again to go on.

    An id is accepted only where the channel agrees and the damage explains all that is missing; the rest is listed.

    Example: quartzlens repair youtube.csv
    """
    from pipeline.answers import answers_in
    from pipeline.asking import BlockedError
    from pipeline.damaged_list import DamagedList, check_output
    from pipeline.repairing import UnreachedError

    output = output or list_.with_name(f"{list_.stem}.repaired{list_.suffix}")
    damaged, checked_cookies = DamagedList.open(list_), cookie_file(cookies)
    check_output(output)
    what = Repair(damaged, output, checked_cookies, proxy_of(proxy), max_videos, max_hours, retry)
    ended: BlockedError | UnreachedError | None = None
    stopped = False
    with answers_in(what.kept, list_) as answers:
        try:
            stopped = run_repair(what, answers, sayer(progress), progress)
        except (BlockedError, UnreachedError) as error:
            ended = error
        summary = summarise(what, answers, stopped=stopped or ended is not None)
    if json_:
        show_json(summary)
    elif progress == "json":
        typer.echo(json.dumps({"summary": summary}))
    else:
        _show(summary)
    if ended:
        raise ended
    if stopped:
        raise typer.Exit(1)


def run_repair(what: Repair, answers: "Answers", say: Say, progress: str = "auto") -> bool:
    """Search for what is due, as far as this run goes; whether it was stopped before that.

    The output is there, complete, from the beginning on, and up to date at the end, whatever ended it; none is made of
    a list without damage.

    Raises
    ------
    BlockedError
        The site takes us for a bot; what was answered is kept.
    UnreachedError
        The site cannot be reached; likewise.
    """
    from pipeline.repairing import due

    wanted = due(what.damaged.wanted.values(), answers, what.damaged.causes, again=what.again)
    _announce(say, what, len(wanted))
    with stoppable(say, "search") as stop:
        if what.damaged.wanted or what.output.exists():
            what.damaged.write(what.output, answers)
        if wanted:
            try:
                _search(what, wanted[: what.max_videos], answers, stop, progress)
            finally:
                what.damaged.write(what.output, answers)
        return stop.is_set()


def _search(what: Repair, wanted: tuple["Wanted", ...], answers: "Answers", stop: Event, kind: str) -> None:
    """Work through searches at the polite pace, showing how it goes."""
    from pipeline.repairing import asking, work_through
    from pipeline.work import Refused

    folder = what.output.with_name(f".{what.output.name}.incoming")
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    options = replace(fetch_options(folder, cookies=what.cookies, proxy=what.proxy), patient=True)
    with shown_progress(kind, len(wanted), "searching", "") as told, asking(options, stop, told.on_wait) as ask:

        def on_judged(one: "Wanted", judged: "Judgement") -> None:
            answer = answers.get(one)
            told.on_result(_Found(one.damaged, answer.outcome if isinstance(answer, Refused) else judged.verdict))

        work_through(wanted, ask, answers, what.damaged.causes, on_judged, what.max_hours, stop)


def _announce(say: Say, what: Repair, n_due: int) -> None:
    """How many ids are damaged, how they were, and about how long it takes to search for them."""
    from pipeline.survey import DAMAGE, by_damage, n_rows
    from quartzlens.config import load_settings

    found = what.damaged.found
    kinds = {DAMAGE[kind]: n_rows(ids) for kind, ids in by_damage(found.damaged).items() if ids}
    rows = how_many(n_rows(found.damaged), "row")
    say(f"{what.damaged.path}: {rows} with a damaged id ({len(found.damaged):,} different).")
    for reason, n in kinds.items():
        say(f"- {n:,}: {reason}")
    if what.damaged.causes:
        say("\n".join(stripped_lines(what.damaged.causes)))
    elif found.damaged:
        say("How ids were damaged, the ids themselves do not show: none can be accepted without you.")
    if not n_due:
        say("Nothing to search for.")
        return
    n_now = min(n_due, what.max_videos or n_due)
    now = f", {n_now:,} of them now" if n_now < n_due else ""
    pauses = f"about {spoken(n_now * load_settings().pause_seconds)} of polite pauses"
    say(f"{how_many(n_due, 'search', 'searches')} to make{now}, {pauses}; longer where one has to be tried again.")


def summarise(what: Repair, answers: "Answers", *, stopped: bool) -> dict[str, Any]:
    """What became of the rows with a damaged id: the one object of ``--json``.

    ``rows`` counts them by verdict, ``failed`` those whose search failed by its outcome, each with an example's detail;
    ``output`` is None where nothing is written, as nothing is damaged; ``for_you`` is what a person has to decide, each
    with its rows and its candidates; ``searches_left`` are those that the same command would go on with.
    """
    from pipeline.repair import FOR_A_PERSON
    from pipeline.repairing import due

    damaged = what.damaged
    judged = damaged.judgements(answers)
    verdicts = Counter(str(judged[one].verdict) for one in damaged.wanted.values())
    unsure = {one: said for one, said in judged.items() if said.verdict in FOR_A_PERSON}
    return {
        "list": str(damaged.path),
        "output": str(what.output) if what.output.exists() else None,
        "answers": str(what.kept),
        "damaged_rows": verdicts.total(),
        "rows": dict(verdicts.most_common()),
        "failed": _failed(what, answers),
        "for_you": [_for_you(one, said, damaged.rows_of(one)) for one, said in unsure.items()],
        "searches_left": len(due(damaged.wanted.values(), answers, damaged.causes, again=what.again)),
        "stopped": stopped,
    }


def _failed(what: Repair, answers: "Answers") -> dict[str, dict[str, Any]]:
    from pipeline.work import Refused

    failed: dict[str, dict[str, Any]] = {}
    for one in what.damaged.wanted.values():
        answer = answers.get(one)
        if one.title.strip() and isinstance(answer, Refused):
            failed.setdefault(str(answer.outcome), {"rows": 0, "detail": answer.detail})["rows"] += 1
    return failed


def _for_you(wanted: "Wanted", judged: "Judgement", rows: Sequence[int]) -> dict[str, Any]:
    return {
        "rows": rows,
        "title": wanted.title,
        "channel": wanted.channel,
        "damaged": wanted.damaged,
        "verdict": judged.verdict,
        "why": judged.why,
        "candidates": [{"id": hit.youtube_id, "channel": hit.channel, "title": hit.title} for hit in judged.candidates],
    }


def _show(summary: Mapping[str, Any]) -> None:
    """Print what became of the rows, what is left for a person, and what to do next."""
    from pipeline.repair import Verdict

    if not summary["damaged_rows"]:
        output = summary["output"]
        written = "no list was written" if output is None else f"{shown(output)} is the list as it is"
        typer.echo(f"No row of {shown(summary['list'])} has a damaged id: {written}.")
        return
    named = [(f"{n:,}", name, "") for name, n in summary["rows"].items() if name != Verdict.FAILED]
    failed = [(f"{one['rows']:,}", f"failed: {name}", one["detail"]) for name, one in summary["failed"].items()]
    show_table(("rows", "what became of them", "for example"), named + failed)
    typer.echo(f"The list with what was found is {shown(summary['output'])}.")
    unsure = summary["for_you"]
    if unsure:
        cells = [(_rows(one), one["title"], one["why"], _candidates(one)) for one in unsure[:_SHOWN]]
        show_table(("rows", "title", "why unsure", "candidates"), cells, title=f"For you to decide: {len(unsure):,}")
        more = f"; {len(unsure) - _SHOWN:,} more are there" if len(unsure) > _SHOWN else ""
        typer.echo(
            f"All candidates are in the column repair_candidates of {summary['output']}{more}. Put the links that you "
            f"choose into {summary['list']}, and run the same command again: nothing is asked twice."
        )
    if summary["searches_left"]:
        left = how_many(summary["searches_left"], "search is", "searches are")
        typer.echo(f"{left} left: the same command goes on.")
    if Verdict.REPAIRED in summary["rows"]:
        output = summary["output"]
        typer.echo(f"next: quartzlens ingest {shlex.quote(f'./{output}' if output.startswith('-') else output)}")


def _rows(one: Mapping[str, Any]) -> str:
    return ", ".join(map(str, one["rows"]))


def _candidates(one: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{hit['id']} ({hit['channel'] or 'channel unknown'}: {hit['title']})" for hit in one["candidates"]
    )
