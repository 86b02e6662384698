"""Which encoder a command uses: the options, and the encoder of a collection's choice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from quartzlens.cli.common import fetch_options, fingerprint_of
from quartzlens.errors import EncoderMismatchError, UsageError

if TYPE_CHECKING:
    from pipeline.encoder import Encoder, EncoderSettings
    from quartzlens.records import Video
    from store.collection import Collection, EncoderChoice

CheckpointName = Annotated[str | None, typer.Option(help="Checkpoint: a name of `checkpoint list`, or a file's path.")]
Block = Annotated[
    str | None,
    typer.Option(help="Embed the output of this block, such as B2, and compute no further (default: the last)."),
]
Pooling = Annotated[str | None, typer.Option(help="mean, mean_std or mean3008 (the original work's; default: mean).")]
Precision = Annotated[str | None, typer.Option(help="f32, bf16, int8; on CUDA f32, amp-bf16, amp-f16 (default: f32).")]
Engine = Annotated[str, typer.Option(help="openvino, or reference: NeMo in torch.")]
Device = Annotated[str, typer.Option(help="cpu or cuda (which the reference engine computes on).")]
NoWords = Annotated[bool, typer.Option("--no-words", help="Do not keep what the checkpoint's decoder hears.")]

_ENGINES = ("openvino", "reference")


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the numbers are computed, which does not change them; ``streams`` clips at a time, None for one a core."""

    engine: str = "openvino"
    device: str = "cpu"
    words: bool = True
    streams: int | None = None


def settings_of(choice: "EncoderChoice") -> "EncoderSettings":
    """A collection's choice as the pipeline takes it."""
    from pipeline.encoder import EncoderSettings

    return EncoderSettings(
        start_seconds=choice.start_seconds,
        clip_seconds=choice.clip_seconds,
        pooling=choice.pooling,
        precision=choice.precision,
        block=choice.block,
        calibration=choice.calibration,
    )


def checked(choice: "EncoderChoice", options: EngineOptions) -> "EncoderChoice":
    """The choice with its block as fingerprints name it, its checkpoint's file by its absolute path, and its digest.

    Raises
    ------
    UsageError, CheckpointError
        It asks for something that is not there.
    """
    from dataclasses import replace

    from pipeline.checkpoint import open_checkpoint
    from pipeline.encoder import fingerprint_of as fingerprint

    checkpoint = open_checkpoint(choice.checkpoint)
    settings = settings_of(choice)
    if choice.precision == "int8":
        if (options.engine, options.device) != ("openvino", "cpu"):
            raise UsageError("int8 is computed by the openvino engine on the CPU alone.")
        settings = replace(settings, precision="f32", calibration="")  # which may still be to come
    name = str(checkpoint.path) if Path(choice.checkpoint).is_file() else choice.checkpoint
    found = fingerprint(checkpoint, settings)
    return replace(choice, checkpoint=name, block=found.block, checkpoint_sha256=found.checkpoint_sha256)


def encoder_of(
    folder: Path,
    choice: "EncoderChoice",
    options: EngineOptions = EngineOptions(),
    say: Callable[[str], None] = lambda _: None,
) -> "Encoder":
    """The encoder that a choice for the collection in ``folder`` means; its network loads at the first use.

    Raises
    ------
    UsageError
        An engine, device, block, pooling or precision that is not there.
    CheckpointError
        The checkpoint is not here.
    """
    from pipeline.calibration import calibration_file
    from pipeline.checkpoint import open_checkpoint

    if options.engine not in _ENGINES:
        raise UsageError(f"--engine {options.engine!r} is not known; use {' or '.join(_ENGINES)}.")
    checkpoint, settings = open_checkpoint(choice.checkpoint), settings_of(choice)
    if options.engine == "reference" or options.device != "cpu":
        from pipeline.reference import ReferenceEncoder

        return ReferenceEncoder(checkpoint, settings, device=options.device, words=options.words)
    from pipeline.engine import OpenVinoEncoder

    return OpenVinoEncoder(
        checkpoint,
        settings,
        streams=options.streams,
        words=options.words,
        calibration=calibration_file(folder, choice.calibration) if choice.calibration else None,
        on_export=lambda: say(f"Preparing {checkpoint.name} for this machine, once: up to a minute."),
    )


def calibrated(
    folder: Path,
    choice: "EncoderChoice",
    videos: Sequence["Video"],
    *,
    cut: bool,
    say: Callable[[str], None],
) -> "EncoderChoice":
    """An int8 choice with the digest of its calibration, made from a spread of videos that are files here.

    ``cut`` says that the files are clips already. Any other choice, or one that was calibrated, is given back as it is.

    Raises
    ------
    UsageError
        Too few of the videos are files that can be decoded.
    """
    from dataclasses import replace

    from pipeline.calibration import features_of, own_front_end, write_calibration
    from pipeline.checkpoint import open_checkpoint
    from pipeline.encoder import fingerprint_of as fingerprint
    from pipeline.fetch import Fetcher
    from pipeline.identity import is_link

    if choice.precision != "int8" or choice.calibration:
        return choice
    say("Choosing and decoding the clips that int8 is calibrated with.")
    checkpoint = open_checkpoint(choice.checkpoint)
    whole = fingerprint(checkpoint, replace(settings_of(choice), precision="f32"))
    files = [video for video in videos if not is_link(video.source)]
    with TemporaryDirectory() as incoming:
        options = replace(fetch_options(Path(incoming)), cut=cut)
        with Fetcher(whole, options) as fetcher:
            clips = features_of(files, fetcher, own_front_end(checkpoint))
            return replace(choice, calibration=write_calibration(folder, clips))


def _query_encoder(collection: "Collection") -> "Encoder":
    """The default engine; the reference where the network or its precision is of a kind that only this one computes."""
    try:
        return encoder_of(collection.folder, collection.encoder, EngineOptions(words=False, streams=1))
    except UsageError:
        return encoder_of(collection.folder, collection.encoder, EngineOptions("reference", words=False))


def query_encoder_of(collection: "Collection") -> "Encoder":
    """The encoder for a query from outside of the collection: one clip at a time, on all cores, words not wanted.

    Raises
    ------
    EncoderMismatchError
        The checkpoint is another file than the one that made the collection's embeddings; the message names both.
    """
    there, encoder = fingerprint_of(collection), _query_encoder(collection)
    if encoder.fingerprint != there:
        encoder.close()
        raise EncoderMismatchError(
            f"{collection.folder} was embedded by {there}, but its checkpoint is now {encoder.fingerprint}: "
            "run the ingest again to embed the videos anew, or put the first checkpoint back."
        )
    return encoder
