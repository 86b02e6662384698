"""``quartzlens ingest``: from a list of videos to embeddings in a collection."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import (
    CollectionOption,
    CookiesOption,
    JsonOption,
    ProxyOption,
    collection_folder,
    cookie_file,
    fetch_options,
    proxy_of,
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
from quartzlens.cli.evaluating import ensure_evaluation
from quartzlens.cli.ingest_text import announce, say_end, seconds_expected
from quartzlens.cli.playlists import as_json, nothing_read, playlists_of, say_unread
from quartzlens.cli.progress import ProgressKind, incoming, sayer, stoppable
from quartzlens.cli.progress import progress as shown_progress
from quartzlens.cli.reading import confined, read_sources
from quartzlens.cli.survey import show_survey
from quartzlens.errors import UsageError

if TYPE_CHECKING:
    from pipeline.asking import Asker
    from pipeline.encoder import Encoder
    from pipeline.expansion import Expansion
    from pipeline.fetch import FetchOptions
    from pipeline.portion import Portion
    from pipeline.sources import Playlist, SourceList
    from quartzlens.outcomes import Outcome
    from quartzlens.records import Video
    from store.collection import Collection

SOURCES_HELP = (
    "CSV lists, text files of links, folders, media files, links, playlists or channels; `-` is standard input. After "
    "`--` also ids that start with a dash."
)
LabelColumn = Annotated[str | None, typer.Option(help="Column of the label (default: category, else label).")]
ClipSeconds = Annotated[
    float | None, typer.Option(min=1, max=600, help="Seconds of each video to embed (default: 60).")
]
StartSeconds = Annotated[
    float | None, typer.Option(min=0, max=86400, help="Skip so many seconds first: shared intros.")
]
Retries = Annotated[list[str] | None, typer.Option(help="Try again what ended in this outcome, or `all`; repeatable.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count what the lists hold: no request, no collection.")]
MaxVideos = Annotated[int | None, typer.Option(min=1, help="End after so many videos; run again to go on.")]
MaxHours = Annotated[float | None, typer.Option(min=0, help="Begin no video after so many hours; run again to go on.")]
KeepMedia = Annotated[
    str | None,
    typer.Option(help="yes or no: whether the sound that was heard is kept for listening (default: as before, yes)."),
]
FilesWithin = Annotated[Path | None, typer.Option(hidden=True, help="The folder whose files alone lists may name.")]
Evaluate = Annotated[bool, typer.Option("--evaluate", help="Evaluate afterwards, unless that was done before.")]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far one ingest goes: with which cookies and proxy (None: the settings'), and where it ends (None: no end).

    ``keep_audio`` is what the collection is to do from now on; None for what it does already. ``files_within`` is the
    one folder whose files lists may name; None where they may name any.
    """

    cookies: Path | None = None
    max_videos: int | None = None
    max_hours: float | None = None
    keep_audio: bool | None = None
    proxy: str | None = None
    files_within: Path | None = None


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
    cookies: CookiesOption = None,
    proxy: ProxyOption = None,
    max_videos: MaxVideos = None,
    max_hours: MaxHours = None,
    keep_media: KeepMedia = None,
    evaluate: Evaluate = False,
    dry_run: DryRun = False,
    files_within: FilesWithin = None,
    json_: JsonOption = False,
    progress: ProgressKind = "auto",
) -> None:
    """Embed the videos of lists, folders, files or links into a collection; run it again to go on where it stopped.

    Checkpoint, seconds, block, pooling and precision are chosen once, for a new collection; `reembed` changes them.

    Example: quartzlens ingest videos.csv -c my-collection
    """
    if dry_run:
        show_survey(sources, label_column, json_=json_, files_within=files_within)
        return
    given = {"checkpoint": checkpoint, "clip_seconds": clip_seconds, "start_seconds": start_seconds}
    given |= {"block": block, "pooling": pooling, "precision": precision}
    choice = {name: value for name, value in given.items() if value is not None}
    folder, options = collection_folder(collection), EngineOptions(engine, device, words=not no_words)
    bounds = Bounds(cookies, max_videos, max_hours, _yes_or_no(keep_media), proxy, files_within)
    summary = run_ingest(sources, folder, choice, options, bounds, label_column, retry or [], progress)
    stopped, unread = summary.pop("stopped"), summary.pop("unread")
    _print(summary, json_, progress)
    if stopped or unread:
        raise typer.Exit(1)
    if evaluate and summary["outcomes"].get("ok"):
        ensure_evaluation(folder)
    elif evaluate:
        typer.echo("not evaluated: no video is embedded", err=True)


def run_ingest(
    sources: list[str],
    folder: Path,
    choice: dict[str, Any],
    engine: EngineOptions = EngineOptions(),  # noqa: B008 -- frozen
    bounds: Bounds = Bounds(),
    label_column: str | None = None,
    retry: Sequence[str] = (),
    progress: str = "auto",
) -> dict[str, Any]:
    """Read the sources, work on what is due, and return the summary.

    It has the keys of ``status``, ``playlists`` (how far each was read), ``stopped``, and ``unread``: that the sources
    are playlists alone, none of which could be read.

    Raises
    ------
    UsageError
        A source, an outcome, a choice of the encoder, a file of cookies or a proxy that is not one.
    CollectionError
        The collection cannot be used, or the disk is full; LockedError while another ingest runs.
    BlockedError
        Downloads are taken for a bot's; what was finished is kept.
    """
    from pipeline.expansion import Expansion
    from pipeline.portion import Portion
    from pipeline.runner import to_try
    from quartzlens.cli.look import summarise
    from store.collection import ingest_lock

    again, say = _outcomes(retry), sayer(progress)
    ways = cookie_file(bounds.cookies), proxy_of(bounds.proxy)
    lists = confined(read_sources(sources, label_column), bounds.files_within)
    with ExitStack() as stack:
        collection = stack.enter_context(_open_for_ingest(folder, choice, engine, lists, say))
        stack.enter_context(ingest_lock(collection.folder))
        keeps_audio = _keeps_audio(collection, bounds.keep_audio, say)
        playlists = _add_rows(collection, lists)
        encoder = stack.enter_context(closing(encoder_of(collection.folder, collection.encoder, engine, say)))
        _note_checkpoint(collection, encoder.fingerprint.checkpoint_sha256)
        place = incoming(collection.folder)
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        options = replace(fetch_options(place, collection.media_folder, *ways), patient=True, keep_audio=keeps_audio)
        due = partial(to_try, collection.store, encoder.fingerprint, again)
        expansion = Expansion(collection.store, playlists, due)
        portion = Portion(expansion.offer(due()), bounds.max_videos, bounds.max_hours)
        announce(say, lists, portion, seconds_expected(encoder, portion.videos, options.pause_seconds), bool(playlists))
        stop = stack.enter_context(stoppable(say))
        if portion.videos or playlists:
            _work_on(collection, encoder, portion, expansion, options, progress, stop)
        summary = {**summarise(collection.store), "playlists": as_json(expansion.readings), "stopped": stop.is_set()}
    say_end(say, folder, summary, portion.n_left)
    say_unread(say, expansion.readings)
    return {**summary, "unread": nothing_read(lists, expansion.readings)}


def _add_rows(collection: "Collection", lists: Sequence["SourceList"]) -> tuple["Playlist", ...]:
    """Add the rows of sources to the store; the playlists, whose rows only their sites can tell."""
    playlists = playlists_of(lists, collection.store)
    told_later = {playlist.link for playlist in playlists}
    for one in lists:
        if one.name not in told_later:
            collection.store.add_rows(one.name, one.rows, one.bad_rows)
    return playlists


def _work_on(
    collection: "Collection",
    encoder: "Encoder",
    portion: "Portion",
    expansion: "Expansion",
    options: "FetchOptions",
    kind: str,
    stop: Event,
) -> None:
    """Ingest a portion, what is known of it and what playlists hold, showing how it goes."""
    from pipeline import runner

    def more(asker: "Asker") -> Iterator[Iterator["Video"]]:
        return portion.more(expansion.pages(asker))

    encoder.load()
    from store.indexing import keep_up

    with closing(expansion), shown_progress(kind, len(portion.videos)) as shown:
        portion.on_total = shown.on_total
        runner.ingest(collection.store, encoder, portion, options, shown.on_result, stop, shown.on_wait, more)
    if not stop.is_set():
        keep_up(collection, encoder.fingerprint)


def _print(summary: dict[str, Any], as_json: bool, progress: str) -> None:
    if as_json:
        show_json(summary)
    elif progress == "json":
        typer.echo(json.dumps({"summary": summary}))


def _open_for_ingest(
    folder: Path, choice: dict[str, Any], engine: EngineOptions, lists: list[Any], say: Callable[[str], None]
) -> "Collection":
    """The collection, made where it is new and its encoder is one that this machine has.

    One that is there keeps its encoder unless told otherwise, which is refused.
    """
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
    from store.collection import change_encoder

    if collection.encoder.checkpoint_sha256 != sha256:
        change_encoder(collection.folder, replace(collection.encoder, checkpoint_sha256=sha256))


def _yes_or_no(text: str | None) -> bool | None:
    if text is not None and text not in {"yes", "no"}:
        raise UsageError(f"--keep-media takes yes or no, not {text!r}.")
    return None if text is None else text == "yes"


def _keeps_audio(collection: "Collection", wanted: bool | None, say: Callable[[str], None]) -> bool:
    """Whether the collection keeps sound from now on, noted where that is new."""
    from store.collection import keep_audio

    if wanted is None or wanted == collection.keeps_audio:
        return collection.keeps_audio
    keep_audio(collection.folder, wanted)
    n_kept = sum(bool(video.media and video.media.media_file) for video in collection.store.videos())
    if n_kept and not wanted:
        say(f"No sound is kept from now on; what was kept before ({n_kept}) stays in {collection.media_folder}.")
    return wanted


def _outcomes(names: Sequence[str]) -> frozenset["Outcome"]:
    from quartzlens.outcomes import Outcome

    if "all" in names:
        return frozenset(Outcome) - {Outcome.OK}
    unknown = [name for name in names if name not in set(Outcome)]
    if unknown:
        raise UsageError(f"--retry {unknown[0]!r} is not an outcome; use one of: all, {', '.join(sorted(Outcome))}.")
    return frozenset(Outcome(name) for name in names)
