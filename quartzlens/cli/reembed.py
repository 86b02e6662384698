"""``quartzlens reembed``: another encoder for a collection, from its kept media, beside what it has."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from quartzlens.cli.common import CollectionOption, JsonOption, fetch_options, open_existing, show_json
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
from quartzlens.cli.progress import ProgressKind, incoming, sayer, stoppable
from quartzlens.cli.progress import progress as shown_progress
from quartzlens.errors import NotEnoughDataError, QuartzlensError, UsageError
from quartzlens.figures import how_many

if TYPE_CHECKING:
    from quartzlens.records import Result, Video
    from store.collection import Collection, EncoderChoice

Say = Callable[[str], None]
_KEEP = "`quartzlens ingest LIST --keep-media yes --retry ok` fetches and keeps the sound of videos without it."


def reembed(
    collection: CollectionOption = None,
    checkpoint: CheckpointName = None,
    block: Block = None,
    pooling: Pooling = None,
    precision: Precision = None,
    engine: Engine = "openvino",
    device: Device = "cpu",
    no_words: NoWords = False,
    json_: JsonOption = False,
    progress: ProgressKind = "auto",
) -> None:
    """Embed the whole collection by another encoder, from its kept media: offline, beside what is there.

    What was embedded before stays, so going back takes a moment. `--block C3` (the last by its name) means all of the
    network. Run it again to go on where it stopped; the collection changes over once all is done.

    Example: quartzlens reembed --block B2 -c my-collection
    """
    given = {"checkpoint": checkpoint, "block": block, "pooling": pooling, "precision": precision}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise UsageError("reembed changes the encoder: give --block, --pooling, --precision or --checkpoint.")
    with open_existing(collection) as opened:
        summary = run_reembed(opened, changes, EngineOptions(engine, device, words=not no_words), progress)
    if json_:
        show_json(summary)
    if summary["stopped"] or not summary["changed"]:
        raise typer.Exit(1)


def run_reembed(
    collection: "Collection", changes: dict[str, Any], engine: EngineOptions, progress: str
) -> dict[str, Any]:
    """Embed every video that is ok by the changed encoder; the collection's choice is changed at the end.

    Returns
    -------
    dict
        ``embedded`` videos, ``missing`` ones (whose media is not there), ``failed`` ones, the number of ``reencoded``
        ones with the cosines of their ``differences`` (least and median), whether the collection ``changed`` over (not
        where more was lost than embedded), and whether it was ``stopped``.

    Raises
    ------
    UsageError
        A choice of the encoder that is not one.
    NotEnoughDataError
        There is no kept media at all.
    """
    from pipeline.reembed import Beside, sources
    from pipeline.runner import ingest
    from store.collection import change_encoder, ingest_lock

    say, store = sayer(progress), collection.store
    with ExitStack() as stack:
        stack.enter_context(ingest_lock(collection.folder))
        everything = sources(store, collection.media_folder)
        if not everything.kept:
            raise NotEnoughDataError(f"{collection.folder} has no kept sound to embed anew. {_KEEP}")
        choice = _changed(collection, changes, everything.kept, engine, say)
        encoder = encoder_of(collection.folder, choice, engine, say)
        stack.callback(encoder.close)
        done = set(store.embeddings(encoder.fingerprint).ids)
        due = everything.without(done)
        _announce(say, len(due.kept), len(due.missing))
        stop, beside = stack.enter_context(stoppable(say)), Beside(store)
        if due.kept:
            encoder.load()
            with shown_progress(progress, len(due.kept)) as shown:
                options = replace(fetch_options(incoming(collection.folder)), cut=True)
                ingest(beside, encoder, due.kept, options, shown.on_result, stop)
        embedded = len(done) + beside.n_embedded
        lost = len(due.missing) + len(beside.failed)
        differing = _differences(collection, due.kept, engine, say) if due.kept and not stop.is_set() else {}
        if changed := not stop.is_set() and embedded > lost:
            change_encoder(collection.folder, choice)
    _say_failed(say, beside.failed)
    say(_ending(stop.is_set(), changed, embedded, lost, str(encoder.fingerprint)))
    return {
        "embedded": embedded,
        "missing": [video.id for video in due.missing],
        "failed": [result.video_id for result in beside.failed],
        **differing,
        "changed": changed,
        "stopped": stop.is_set(),
    }


def _say_failed(say: Say, failed: "Sequence[Result]") -> None:
    for result in failed[:10]:
        say(f"{result.video_id}: {result.outcome} ({result.detail})")


def _ending(stopped: bool, changed: bool, embedded: int, lost: int, fingerprint: str) -> str:
    if stopped:
        return "Stopped; run the same command again to go on."
    if not changed:
        return (
            f"The collection keeps its encoder: {how_many(embedded, 'video')} could be embedded anew and {lost} could "
            f"not. Bring the media folder back, or ingest its list into a new collection. {_KEEP}"
        )
    return f"{how_many(embedded, 'video')} by {fingerprint}."


def _changed(
    collection: "Collection", changes: dict[str, Any], kept: Sequence["Video"], engine: EngineOptions, say: Say
) -> "EncoderChoice":
    """The collection's choice with the changes; int8 is calibrated with its kept media, once for each checkpoint."""
    from pipeline.calibration import calibration_file, is_whole

    wanted = replace(collection.encoder, **changes)
    digest = collection.encoder.calibration
    same = "checkpoint" not in changes and is_whole(calibration_file(collection.folder, digest), digest)
    calibration = digest if same and wanted.precision == "int8" else ""
    wanted = checked(replace(wanted, calibration=calibration), engine)
    return calibrated(collection.folder, wanted, kept, cut=True, say=say)


def _announce(say: Say, n_due: int, n_missing: int) -> None:
    due = f"{how_many(n_due, 'video')} to embed anew from kept media."
    say(due if n_due else "All kept media is embedded so already.")
    if n_missing:
        missing = how_many(n_missing, "video has", "videos have")
        say(f"{missing} no kept media: an ingest of the list again, afterwards, embeds from the source.")


def _differences(collection: "Collection", kept: Sequence["Video"], engine: EngineOptions, say: Say) -> dict[str, Any]:
    """How far kept media that was encoded anew is from its source, by the collection's first encoder, which heard both.

    Only counted where nothing can be measured: its checkpoint is gone, or this machine has not its precision.
    """
    import numpy as np

    from pipeline.reembed import reencoded

    anew = reencoded(kept)
    try:
        cosines = _cosines(collection, anew, engine) if anew else []
    except QuartzlensError as error:
        say(f"What encoding media anew has cost could not be measured: {error}")
        cosines = []
    if not cosines:
        return {"reencoded": len(anew)}
    least, median = float(np.min(cosines)), float(np.median(cosines))
    say(
        f"The kept media of {how_many(len(anew), 'video')} was encoded anew; measured are {len(cosines)}, by the first "
        f"encoder: cosine to their source {median:.4f} in the median, {least:.4f} at worst."
    )
    return {"reencoded": len(anew), "differences": {"least": least, "median": median, "measured": len(cosines)}}


def _cosines(collection: "Collection", videos: Sequence["Video"], engine: EngineOptions) -> list[float]:
    """By the first encoder, if it is of the checkpoint that the collection had before."""
    from pipeline.fetch import Fetcher
    from pipeline.reembed import differences

    first = collection.store.info().encoders[0]
    names = ("pooling", "precision", "block", "calibration")
    choice = replace(collection.encoder, **{name: getattr(first, name) for name in names})
    before = encoder_of(collection.folder, choice, engine)
    try:
        if before.fingerprint != first:
            return []
        options = replace(fetch_options(incoming(collection.folder)), cut=True)
        with Fetcher(first, options) as fetcher:
            return list(differences(collection.store, before, videos, fetcher))
    finally:
        before.close()
