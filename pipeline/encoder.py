"""The encoder: 16 kHz sound in, embeddings out. One protocol, whatever computes it."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.blocks import block_ends, upto
from pipeline.checkpoint import Checkpoint
from pipeline.pooling import POOLINGS, Sums, pool
from quartzlens.errors import CheckpointError, UsageError
from quartzlens.records import Embedded, Fingerprint, Words

PRECISIONS = ("f32", "bf16", "int8", "amp-bf16", "amp-f16")
_LONGEST_STEP_SECONDS = 1.0


class Encoder(Protocol):
    """What the runner needs of an engine."""

    @property
    def fingerprint(self) -> Fingerprint:
        """What makes this encoder's embeddings comparable; cheap, nothing is loaded for it."""
        ...

    @property
    def in_flight(self) -> int:
        """How many clips to have submitted before waiting for the first of them."""
        ...

    @property
    def clip_gflop(self) -> float:
        """Work for 60 s of sound, in GFLOP."""
        ...

    @property
    def share_of_peak(self) -> float:
        """About which share of the machine's matrix-multiply rate in float32 it reaches: how long it will take."""
        ...

    def load(self) -> None:
        """Get ready, as ``submit`` does too: raises what would fail for every clip, CheckpointError above all."""
        ...

    def submit(self, audio: NDArray[np.float32]) -> Future[Embedded]:
        """Embeddings of one clip, (n,) float32 at 16 kHz, at least 1 s, to come: returns at once.

        Deterministic bit for bit on one machine, whatever else is in flight, on the CPU.
        """
        ...

    def close(self) -> None:
        """Finish what was submitted and not cancelled, and let go of threads and memory."""
        ...


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What is made of a checkpoint's network: all that changes the numbers, with the defaults of a new collection.

    Attributes
    ----------
    start_seconds, clip_seconds
        The stretch of each video that is embedded.
    pooling
        ``mean``, ``mean_std`` or ``mean3008`` (see ``pipeline.pooling``).
    precision
        ``f32``; ``bf16`` or ``int8``, in which OpenVINO computes the large convolutions; ``amp-bf16`` or ``amp-f16``,
        which are torch's autocast on CUDA and other numbers than those.
    block
        The block whose output is pooled, by name; empty for the last.
    calibration
        For int8, the digest of the clips that it was calibrated with.
    """

    start_seconds: float = 0.0
    clip_seconds: float = 60.0
    pooling: str = "mean"
    precision: str = "f32"
    block: str = ""
    calibration: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """The part of a checkpoint's network that is computed.

    Attributes
    ----------
    channels
        Of the block that is pooled.
    ends
        Names of the blocks up to it, with the number of the table's entry at which each ends.
    strides, step_seconds
        Frames of the front end that make one step of its output, and the time between two steps.
    clip_gflop
        Work for 60 s of sound.
    local
        Whether a clip's own length makes no difference to what is computed of it: convolutions are masked, and nothing
        is normalised over time by what may be padding.
    pads_alike
        Whether all steps that only pad come out the same, whatever the sound.
    """

    channels: int
    ends: dict[str, int]
    strides: int
    step_seconds: float
    clip_gflop: float
    local: bool
    pads_alike: bool


def network_of(checkpoint: Checkpoint, block: str) -> Network:
    """The network up to ``block`` (empty: all of it).

    Raises
    ------
    UsageError
        It has no such block.
    CheckpointError
        A step of its output is longer than a second, so that fragments could not be told apart.
    """
    table = checkpoint.config["encoder"]["jasper"]
    part = upto(table, block)
    layout = checkpoint.layout.first(len(part))
    frames_a_minute = 60 * checkpoint.layout.strides / checkpoint.step_seconds
    step_seconds = checkpoint.step_seconds * layout.strides / checkpoint.layout.strides
    if round(step_seconds, 6) > _LONGEST_STEP_SECONDS:
        raise CheckpointError(
            f"{checkpoint.path}: a step of its output is {step_seconds:g} s long; quartzlens takes at most a second."
        )
    local, last = layout.masked and layout.normalization == "batch", layout.blocks[-1]
    return Network(
        channels=last.channels,
        ends=block_ends(part),
        strides=layout.strides,
        step_seconds=step_seconds,
        clip_gflop=2 * frames_a_minute * layout.multiply_adds / 1e9,
        local=local,
        # A block's last convolution sees zeros where there is only padding: one step wide, it gives its constant.
        pads_alike=local and not last.squeezed and (last.separable or last.kernel == 1),
    )


def shares_of_work(checkpoint: Checkpoint, block: str = "") -> dict[str, float]:
    """Share of the work of the whole network (0..1) that is done at the end of each block, in the network's order.

    With ``block`` no further than to it. By multiplications, from the table of blocks; nothing is loaded. Raises
    UsageError where the network has no such block.
    """
    layout, table = checkpoint.layout, checkpoint.config["encoder"]["jasper"]
    ends = block_ends(upto(table, block))
    return {name: layout.first(end + 1).multiply_adds / layout.multiply_adds for name, end in ends.items()}


def fingerprint_of(checkpoint: Checkpoint, settings: EncoderSettings) -> Fingerprint:
    """The fingerprint of a checkpoint's embeddings under ``settings``; nothing is loaded for it.

    The last block by its name is the same as none. Raises UsageError for a block, pooling or precision that is not
    known, CheckpointError as ``network_of``.
    """
    if settings.pooling not in POOLINGS:
        raise UsageError(f"Pooling {settings.pooling!r} is not known; use one of {', '.join(POOLINGS)}.")
    if settings.precision not in PRECISIONS:
        raise UsageError(f"Precision {settings.precision!r} is not known; use one of {', '.join(PRECISIONS)}.")
    if (settings.precision == "int8") != bool(settings.calibration):
        raise UsageError(
            "int8, and int8 alone, needs clips to be calibrated with: use `quartzlens reembed --precision int8`."
        )
    network = network_of(checkpoint, settings.block)
    last = list(block_ends(checkpoint.config["encoder"]["jasper"]))[-1]
    return Fingerprint(
        checkpoint_sha256=checkpoint.sha256,
        front_end=checkpoint.front_end,
        start_seconds=float(settings.start_seconds),
        clip_seconds=float(settings.clip_seconds),
        pooling=settings.pooling,
        precision=settings.precision,
        dimension=network.channels * (2 if settings.pooling == "mean_std" else 1),
        block="" if settings.block == last else settings.block,
        calibration=settings.calibration,
        checkpoint_name=checkpoint.name,
    )


def embedded_of(
    fingerprint: Fingerprint,
    step_seconds: float,
    sums: Sums,
    edges: NDArray[np.int64],
    profile: Mapping[str, NDArray[np.float32]],
    words: tuple[Words, ...],
) -> Embedded:
    """What an engine computed of one clip, pooled as its fingerprint says; fragments lie between ``edges`` (f + 1,)."""
    embedding, fragments = pool(sums, edges, fingerprint.pooling)
    ends = edges * step_seconds + fingerprint.start_seconds
    bounds = np.stack([ends[:-1], ends[1:]], axis=1).astype(np.float32)
    return Embedded(fingerprint, embedding, fragments, bounds, profile, words)


def encode(encoder: Encoder, audio: NDArray[np.float32]) -> Embedded:
    """Embeddings of one clip, (n,) float32 at 16 kHz, waited for."""
    return encoder.submit(audio).result()
