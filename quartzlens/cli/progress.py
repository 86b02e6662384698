"""Progress of an ingest: a live bar in a terminal, a line a minute in a file or a pipe."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from quartzlens.cli.common import outcome_counts
from quartzlens.records import Result


@contextmanager
def bar(total: int) -> Iterator[Callable[[Result], None]]:
    """A live bar on standard error: done, kept and lost by outcome, time left."""
    columns = (
        TextColumn("embedding"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[outcomes]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    counts: Counter[str] = Counter()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("embedding", total=total, outcomes="loading the encoder")

        def on_result(result: Result) -> None:
            counts[result.outcome] += 1
            progress.update(task, advance=1, outcomes=outcome_counts(counts))

        yield on_result


def minute_lines(total: int, every_seconds: float = 60.0) -> Callable[[Result], None]:
    """A line on standard error after the first video, every minute, and at the end."""
    counts: Counter[str] = Counter()
    began = time.monotonic()
    spoke = -every_seconds

    def on_result(result: Result) -> None:
        nonlocal spoke
        counts[result.outcome] += 1
        done, elapsed = counts.total(), time.monotonic() - began
        if done == total or elapsed - spoke >= every_seconds:
            spoke = elapsed
            left = elapsed / done * (total - done)
            typer.echo(
                f"{done} of {total} ({outcome_counts(counts)}), {elapsed:.0f} s, about {left:.0f} s left", err=True
            )

    return on_result
