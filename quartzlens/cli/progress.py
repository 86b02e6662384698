"""What long commands share: progress (a live bar in a terminal, a line a minute in a file or a pipe) and stopping."""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from quartzlens.cli.common import outcome_counts
from quartzlens.cli.rate import Rate, spoken

if TYPE_CHECKING:
    from pipeline.pace import Wait


class Told(Protocol):
    """What is told of a video."""

    @property
    def video_id(self) -> str:
        """Its id."""
        ...

    @property
    def outcome(self) -> str:
        """What became of it, by which it is counted."""
        ...


OnResult = Callable[[Told], None]
OnWait = Callable[["Wait"], None]
ProgressKind = Annotated[str, typer.Option(help="auto, json (a line a video) or none.", hidden=True)]
_INCOMING = ".incoming-"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is told how it goes.

    Of each video's result, of each wait before a request and its end, and of how many videos there are in all where
    playlists turn out to hold more.
    """

    on_result: OnResult = lambda _: None
    on_wait: OnWait = lambda _: None
    on_total: Callable[[int], None] = lambda _: None


def waiting(wait: "Wait") -> str:
    """What is shown of a wait."""
    if wait.slowed:
        return f"waiting {spoken(wait.seconds)}: the site asked to slow down"
    return f"pause of {wait.seconds:.0f} s" if wait.seconds >= 0.5 else ""


@contextmanager
def bar(total: int, doing: str = "embedding", first: str = "loading the encoder") -> Iterator[Shown]:
    """A live bar on standard error: done, kept and lost by outcome, rate, time left, and the wait that is on now."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    fields = [TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("outcomes", "rate", "wait")]
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), *fields, TimeElapsedColumn())
    counts, rate = Counter[str](), Rate()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(doing, total=total, outcomes=first, rate="", wait="")

        def on_result(result: Told) -> None:
            nonlocal total
            counts[result.outcome] += 1
            rate.count()
            said = rate.words(total - counts.total())
            progress.update(task, advance=1, outcomes=outcome_counts(counts), rate=said)

        def on_wait(wait: "Wait") -> None:
            progress.update(task, wait=waiting(wait))

        def on_total(more: int) -> None:
            nonlocal total
            total = more
            progress.update(task, total=more)

        yield Shown(on_result, on_wait, on_total)


def minute_lines(total: int, every_seconds: float = 60.0) -> Shown:
    """A line on standard error after the first video, every minute, at the end, and before a wait of half a minute."""
    counts, rate = Counter[str](), Rate()
    began = time.monotonic()
    spoke = -every_seconds

    def on_result(result: Told) -> None:
        nonlocal spoke
        counts[result.outcome] += 1
        rate.count()
        done, elapsed = counts.total(), time.monotonic() - began
        if done == total or elapsed - spoke >= every_seconds:
            spoke = elapsed
            said = rate.words(total - done)
            typer.echo(f"{done} of {total} ({outcome_counts(counts)}){said and f', {said}'}", err=True)

    def on_wait(wait: "Wait") -> None:
        """A line where the minute's line may not come."""
        if wait.slowed and wait.seconds >= every_seconds / 2:
            typer.echo(waiting(wait), err=True)

    def on_total(more: int) -> None:
        nonlocal total
        total = more

    return Shown(on_result, on_wait, on_total)


@contextmanager
def quiet_line(*, shown: bool = True) -> Iterator[Callable[[str], None]]:
    """What shows how far long work is: in a terminal one line that changes and goes, elsewhere a line a minute."""
    if not shown or not sys.stderr.isatty():
        yield _minutely() if shown else _silent
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("looking") as status:
        yield lambda text: status.update(Text(text))


@contextmanager
def saying(progress: str, *, shown: bool = True) -> Iterator[Callable[[str], None]]:
    """What shows how far long work is, or prints a line of JSON, ``{"doing": ...}``, for a program that reads along."""
    if progress == "json":
        yield lambda text: typer.echo(json.dumps({"doing": text}))
        return
    with quiet_line(shown=shown and progress != "none") as say:
        yield say


def _minutely(every_seconds: float = 60.0) -> Callable[[str], None]:
    spoke = time.monotonic()

    def say(text: str) -> None:
        nonlocal spoke
        if time.monotonic() - spoke >= every_seconds:
            spoke = time.monotonic()
            typer.echo(text, err=True)

    return say


def sayer(progress: str) -> Callable[[str], None]:
    """What tells people how it goes, on standard error; silent where a program reads along."""
    return _silent if progress in ("json", "none") else (lambda text: typer.echo(text, err=True))


def _silent(_: str) -> None:
    """Say nothing."""


@contextmanager
def stoppable(say: Callable[[str], None], what: str = "video") -> Iterator[Event]:
    """Ctrl-C finishes the current video (or ``what`` it is); a second one stops at once. Neither loses anything."""
    stop = Event()

    def on_interrupt(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        if say is not _silent:
            _say_amid(f"Finishing the current {what}; Ctrl-C again stops at once.")

    before = {number: signal.signal(number, on_interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except KeyboardInterrupt:
        say("Stopped at once; run the same command again to go on.")
        raise typer.Exit(1) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say_amid(text: str) -> None:
    """A line on standard error from a signal's handler, which may have come amid another write there."""
    with suppress(OSError):
        os.write(2, ("\n" * os.isatty(2) + f"{text}\n").encode())


@contextmanager
def progress(kind: str, total: int, doing: str = "embedding", first: str = "loading the encoder") -> Iterator[Shown]:
    """What hears of each video's result and shows it, by ``ProgressKind``; ``first`` is shown before any."""
    if kind == "json":
        yield _json_lines(total)
    elif kind == "none":
        yield Shown()
    elif sys.stderr.isatty():
        with bar(total, doing, first) as shown:
            yield shown
    else:
        yield minute_lines(total)


def _json_lines(total: int) -> Shown:
    done = 0

    def on_result(result: Told) -> None:
        nonlocal done
        done += 1
        typer.echo(json.dumps({"done": done, "of": total, "id": result.video_id, "outcome": result.outcome}))

    def on_total(more: int) -> None:
        nonlocal total
        total = more

    return Shown(on_result, on_total=on_total)


def incoming(folder: Path) -> Path:
    """A new folder for this run's downloads; what killed runs left goes (the caller holds the ingest lock)."""
    for left in folder.glob(f"{_INCOMING}*"):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=_INCOMING, dir=folder))
