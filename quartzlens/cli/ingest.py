"""``quartzlens ingest``: from a list of videos to embeddings in a collection."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import (
    CollectionOption,
    JsonOption,
    collection_folder,
    fetch_options,
    outcome_counts,
    show_json,
)
from quartzlens.cli.encoders import (
    Block,
    CheckpointName,
    Device,
    Engine,
    EngineOptions,
    NoWords,
    Pooling,
    Precision,
    calibrated,
    checked,
    encoder_of,
)
from quartzlens.cli.progress import ProgressKind, incoming, sayer, spoken, stoppable
from quartzlens.cli.progress import progress as shown_progress
from quartzlens.cli.survey import show_survey
from quartzlens.errors import UsageError

if TYPE_CHECKING:
    from quartzlens.outcomes import Outcome
    from quartzlens.records import Video
    from store.collection import Collection

SOURCES_HELP = "CSV lists, folders, media files or links. After `--` also ids that start with a dash."
LabelColumn = Annotated[str | None, typer.Option(help="Column of the label (default: category, else label).")]
ClipSeconds = Annotated[
    float | None, typer.Option(min=1, max=600, help="Seconds of each video to embed (default: 60).")
]
StartSeconds = Annotated[
    float | None, typer.Option(min=0, max=86400, help="Skip so many seconds first: shared intros.")
]
Retries = Annotated[list[str] | None, typer.Option(help="Try again what ended in this outcome, or `all`; repeatable.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count what the lists hold: no request, no collection.")]
Evaluate = Annotated[bool, typer.Option("--evaluate", help="Evaluate afterwards, unless that was done before.")]


def ingest(
    sources: Annotated[list[str], typer.Argument(help=SOURCES_HELP)],
    collection: CollectionOption = None,
    label_column: LabelColumn = None,
    checkpoint: CheckpointName = None,
    clip_seconds: ClipSeconds = None,
    start_seconds: StartSeconds = None,
    block: Block = None,
    pooling: Pooling = None,
    precision: Precision = None,
    engine: Engine = "openvino",
    device: Device = "cpu",
    no_words: NoWords = False,
    retry: Retries = None,
    evaluate: Evaluate = False,
    dry_run: DryRun = False,
    json_: JsonOption = False,
    progress: ProgressKind = "auto",
) -> None:
    """Embed the videos of lists, folders, files or links into a collection; run it again to go on where it stopped.

    Checkpoint, seconds, block, pooling and precision are chosen once, for a new collection; `reembed` changes them.

    Example: quartzlens ingest videos.csv -c my-collection
    """
    if dry_run:
        show_survey(sources, label_column, json_=json_)
        return
    given = {"checkpoint": checkpoint, "clip_seconds": clip_seconds, "start_seconds": start_seconds}
    given |= {"block": block, "pooling": pooling, "precision": precision}
    choice = {name: value for name, value in given.items() if value is not None}
    folder, options = collection_folder(collection), EngineOptions(engine, device, words=not no_words)
    summary = run_ingest(
        sources, folder, choice, options, label_column=label_column, retry=retry or [], progress=progress
    )
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
    engine: EngineOptions = EngineOptions(),  # noqa: B008 -- frozen
    *,
    label_column: str | None = None,
    retry: list[str] | None = None,
    progress: str = "auto",
) -> dict[str, Any]:
    """Read the sources, work on what is due, and return the summary (the keys of ``status`` and ``stopped``).

    Raises
    ------
    UsageError
        A source, an outcome or a choice of the encoder that is not one.
    CollectionError
        The collection cannot be used; LockedError while another ingest runs.
    """
    from pipeline import runner
    from pipeline.sources import read_source
    from quartzlens.cli.look import summarise
    from store.collection import ingest_lock

    again, say = _outcomes(retry or []), sayer(progress)
    lists = [read_source(source, label_column) for source in sources]
    with ExitStack() as stack:
        collection = stack.enter_context(_open_for_ingest(folder, choice, engine, lists, say))
        stack.enter_context(ingest_lock(collection.folder))
        for one in lists:
            collection.store.add_rows(one.name, one.rows, one.bad_rows)
        encoder = encoder_of(collection.folder, collection.encoder, engine, say)
        stack.callback(encoder.close)
        _note_checkpoint(collection, encoder.fingerprint.checkpoint_sha256)
        options = fetch_options(incoming(collection.folder), collection.media_folder)
        videos = runner.to_try(collection.store, encoder.fingerprint, again)
        _announce(say, lists, len(videos), _seconds_expected(encoder, videos, options.pause_seconds))
        stop = stack.enter_context(stoppable(say))
        if videos:
            encoder.load()
            on_result = stack.enter_context(shown_progress(progress, len(videos)))
            runner.ingest(collection.store, encoder, videos, options, on_result, stop)
        summary = summarise(collection.store)
    kept, outcomes = summary["outcomes"].get("ok", 0), outcome_counts(summary["outcomes"])
    say(f"{kept} of {summary['videos']} videos are in {folder} ({outcomes}).")
    if stop.is_set():
        say("Stopped; run the same command again to go on.")
    return {**summary, "stopped": stop.is_set()}


def _open_for_ingest(
    folder: Path, choice: dict[str, Any], engine: EngineOptions, lists: list[Any], say: Callable[[str], None]
) -> "Collection":
    """The collection, made where it is new and its encoder is one that this machine has.

    One that is there keeps its encoder unless told otherwise, which is refused.
    """
    from dataclasses import replace

    from quartzlens.records import Video
    from store.collection import EncoderChoice, create_collection, open_collection

    if (folder / "collection.toml").exists():
        with open_collection(folder) as there:
            wanted: EncoderChoice = checked(replace(there.encoder, **choice), engine) if choice else there.encoder
        create_collection(folder, wanted)
        return open_collection(folder)
    videos = [Video(row.video_id, row.source) for one in lists for row in one.rows]
    wanted = calibrated(folder, checked(EncoderChoice(**choice), engine), videos, cut=False, say=say)
    encoder_of(folder, wanted, engine).close()
    return open_collection(folder, create=wanted)


def _note_checkpoint(collection: "Collection", sha256: str) -> None:
    """Keep which file the checkpoint's name stands for, so that its embeddings are told from those of another file."""
    from dataclasses import replace

    from store.collection import change_encoder

    if collection.encoder.checkpoint_sha256 != sha256:
        change_encoder(collection.folder, replace(collection.encoder, checkpoint_sha256=sha256))


def _outcomes(names: list[str]) -> frozenset["Outcome"]:
    from quartzlens.outcomes import Outcome

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
    gflop = encoder.clip_gflop * encoder.fingerprint.clip_seconds / 60
    return seconds_expected(gflop, encoder.share_of_peak, len(videos), links, pause_seconds)


def _announce(say: Callable[[str], None], lists: list[Any], n_videos: int, seconds: float) -> None:
    for one in lists:
        bad = f", {len(one.bad_rows)} unusable" if one.bad_rows else ""
        say(f"{one.name}: {len(one.rows) + len(one.bad_rows)} rows{bad}")
        for row in one.bad_rows[:10]:
            say(f"  row {row.number}: {row.problem}")
        if len(one.bad_rows) > 10:
            say(f"  and {len(one.bad_rows) - 10} more; see `quartzlens status --bad-rows`")
    say(f"{n_videos} videos to embed, at most about {spoken(seconds)}." if n_videos else "Nothing new to embed.")
