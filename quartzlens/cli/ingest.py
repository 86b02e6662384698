"""``quartzlens ingest``: from a list of videos to embeddings in a collection."""

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import (
    CollectionOption,
    JsonOption,
    collection_folder,
    encoder_of,
    fetch_options,
    outcome_counts,
    show_json,
)
from quartzlens.errors import UsageError

if TYPE_CHECKING:
    from quartzlens.records import Outcome, Result, Video
    from store.collection import Collection, EncoderChoice

_INCOMING = ".incoming-"
OnResult = Callable[["Result"], None]


SOURCES_HELP = "CSV lists, folders, media files or links. After `--` also ids that start with a dash."
LabelColumn = Annotated[str | None, typer.Option(help="Column of the label (default: category, else label).")]
CheckpointName = Annotated[
    str | None, typer.Option(help="Checkpoint of a new collection: name or path (default: demo).")
]
ClipSeconds = Annotated[
    float | None, typer.Option(min=1, max=600, help="Seconds of each video to embed (default: 60).")
]
StartSeconds = Annotated[
    float | None, typer.Option(min=0, max=86400, help="Skip so many seconds first: shared intros.")
]
Retries = Annotated[list[str] | None, typer.Option(help="Try again what ended in this outcome, or `all`; repeatable.")]
Evaluate = Annotated[bool, typer.Option("--evaluate", help="Evaluate afterwards, unless that was done before.")]
ProgressKind = Annotated[str, typer.Option(help="auto, json (a line a video) or none.", hidden=True)]


def ingest(
    sources: Annotated[list[str], typer.Argument(help=SOURCES_HELP)],
    collection: CollectionOption = None,
    label_column: LabelColumn = None,
    checkpoint: CheckpointName = None,
    clip_seconds: ClipSeconds = None,
    start_seconds: StartSeconds = None,
    retry: Retries = None,
    evaluate: Evaluate = False,
    json_: JsonOption = False,
    progress: ProgressKind = "auto",
) -> None:
    """Embed the videos of lists, folders, files or links into a collection; run it again to go on where it stopped.

    Example: quartzlens ingest videos.csv -c my-collection
    """
    given = {"checkpoint": checkpoint, "clip_seconds": clip_seconds, "start_seconds": start_seconds}
    choice = {name: value for name, value in given.items() if value is not None}
    folder = collection_folder(collection)
    summary = run_ingest(sources, folder, choice, label_column=label_column, retry=retry or [], progress=progress)
    stopped = summary.pop("stopped")
    if json_:
        show_json(summary)
    elif progress == "json":
        typer.echo(json.dumps({"summary": summary}))
    if stopped:
        raise typer.Exit(1)
    if evaluate and summary["outcomes"].get("ok"):
        from quartzlens.cli.learn import ensure_evaluation

        ensure_evaluation(folder)


def run_ingest(
    sources: list[str],
    folder: Path,
    choice: dict[str, Any],
    *,
    label_column: str | None = None,
    retry: list[str] | None = None,
    progress: str = "auto",
) -> dict[str, Any]:
    """Read the sources, work on what is due, and return the summary (the keys of ``status`` and ``stopped``).

    Raises
    ------
    UsageError
        A source or an outcome that is not one.
    CollectionError
        The collection cannot be used; LockedError while another ingest runs.
    """
    from pipeline import runner
    from pipeline.sources import read_source
    from quartzlens.cli.look import summarise
    from store.collection import ingest_lock

    again = _outcomes(retry or [])
    lists = [read_source(source, label_column) for source in sources]
    with ExitStack() as stack:
        collection = stack.enter_context(_open_for_ingest(folder, choice))
        stack.enter_context(ingest_lock(collection.folder))
        encoder = encoder_of(collection)
        options = fetch_options(_incoming(collection.folder), collection.media_folder)
        for one in lists:
            collection.store.add_rows(one.name, one.rows, one.bad_rows)
        videos = runner.to_try(collection.store, encoder.fingerprint, again)
        say = _sayer(progress)
        _announce(say, lists, len(videos), _seconds_expected(encoder, videos, options.pause_seconds))
        stop = stack.enter_context(_stoppable(say))
        on_result = stack.enter_context(_progress(progress, len(videos)))
        if videos:
            runner.ingest(collection.store, encoder, videos, options, on_result, stop)
        summary = summarise(collection.store)
    kept, outcomes = summary["outcomes"].get("ok", 0), outcome_counts(summary["outcomes"])
    say(f"{kept} of {summary['videos']} videos are in {folder} ({outcomes}).")
    if stop.is_set():
        say("Stopped; run the same command again to go on.")
    return {**summary, "stopped": stop.is_set()}


def _incoming(folder: Path) -> Path:
    """A new folder for this run's downloads; what killed runs left goes (the caller holds the ingest lock)."""
    for left in folder.glob(f"{_INCOMING}*"):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=_INCOMING, dir=folder))


def _open_for_ingest(folder: Path, choice: dict[str, Any]) -> "Collection":
    """The collection, made where it is new.

    One that is there keeps its encoder unless told otherwise, which is refused.
    """
    from store.collection import EncoderChoice, create_collection, open_collection

    if "checkpoint" in choice:
        choice["checkpoint"] = _portable(choice["checkpoint"])
    if (folder / "collection.toml").exists():
        with open_collection(folder) as there:
            wanted: EncoderChoice = _replaced(there.encoder, choice)
        create_collection(folder, wanted)
        return open_collection(folder)
    return open_collection(folder, create=EncoderChoice(**choice))


def _portable(checkpoint: str) -> str:
    """A checkpoint as collection.toml keeps it: a name as it is, a file by its absolute path."""
    from pipeline.checkpoint import open_checkpoint

    found = open_checkpoint(checkpoint)
    return str(found.path) if Path(checkpoint).is_file() else checkpoint


def _replaced(encoder: "EncoderChoice", choice: dict[str, Any]) -> "EncoderChoice":
    from dataclasses import replace

    return replace(encoder, **choice)


def _outcomes(names: list[str]) -> frozenset["Outcome"]:
    from quartzlens.records import Outcome

    if "all" in names:
        return frozenset(Outcome) - {Outcome.OK}
    unknown = [name for name in names if name not in set(Outcome)]
    if unknown:
        raise UsageError(f"--retry {unknown[0]!r} is not an outcome; use one of: all, {', '.join(sorted(Outcome))}.")
    return frozenset(Outcome(name) for name in names)


def _seconds_expected(encoder: Any, videos: tuple["Video", ...], pause_seconds: float) -> float:
    from pipeline.estimate import seconds_expected
    from pipeline.identity import is_link

    links = sum(is_link(video.source) for video in videos)
    return seconds_expected(
        encoder.clip_gflop * encoder.fingerprint.clip_seconds / 60, len(videos), links, pause_seconds
    )


def _sayer(progress: str) -> Callable[[str], None]:
    return (lambda _: None) if progress in ("json", "none") else (lambda text: typer.echo(text, err=True))


def _announce(say: Callable[[str], None], lists: list[Any], n_videos: int, seconds: float) -> None:
    for one in lists:
        bad = f", {len(one.bad_rows)} unusable" if one.bad_rows else ""
        say(f"{one.name}: {len(one.rows) + len(one.bad_rows)} rows{bad}")
        for row in one.bad_rows[:10]:
            say(f"  row {row.number}: {row.problem}")
        if len(one.bad_rows) > 10:
            say(f"  and {len(one.bad_rows) - 10} more; see `quartzlens status --bad-rows`")
    say(f"{n_videos} videos to embed, at most about {_spoken(seconds)}." if n_videos else "Nothing new to embed.")


def _spoken(seconds: float) -> str:
    """A length of time for people: ``40 seconds``, ``5 minutes``, ``3.5 hours``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


@contextmanager
def _stoppable(say: Callable[[str], None]) -> Iterator[Event]:
    """Ctrl-C finishes the current video; a second one stops at once. Neither loses anything."""
    stop = Event()

    def on_interrupt(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say("Finishing the current video; Ctrl-C again stops at once.")

    before = {number: signal.signal(number, on_interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except KeyboardInterrupt:
        say("Stopped at once; run the same command again to go on.")
        raise typer.Exit(1) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(kind: str, total: int) -> Iterator[OnResult]:
    if kind == "json":
        yield _json_lines(total)
    elif kind == "none" or not total:
        yield lambda _: None
    elif sys.stderr.isatty():
        from quartzlens.cli.progress import bar

        with bar(total) as on_result:
            yield on_result
    else:
        from quartzlens.cli.progress import minute_lines

        yield minute_lines(total)


def _json_lines(total: int) -> OnResult:
    done = 0

    def on_result(result: "Result") -> None:
        nonlocal done
        done += 1
        typer.echo(json.dumps({"done": done, "of": total, "id": result.video_id, "outcome": result.outcome}))

    return on_result
