"""The clips that an int8 network is calibrated with: a spread of the collection's own, kept for making it again."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pipeline.ahead import ahead
from pipeline.checkpoint import Checkpoint
from pipeline.export import filters
from pipeline.fetch import Fetcher
from pipeline.front_end import FrontEnd, front_end
from pipeline.whole import whole_file
from pipeline.work import Refused
from pipeline.worker import Worker, WorkerDiedError, WorkerKilledError
from quartzlens.errors import CheckpointError, UsageError
from quartzlens.records import Video

CLIPS = 32
FEWEST = 4
_READ_SECONDS = 600.0
_UNREADABLE = (OSError, ValueError, EOFError, KeyError, TypeError, RuntimeError, MemoryError, BadZipFile, zlib.error)
T = TypeVar("T")


def spread(things: Sequence[T], count: int) -> list[T]:
    """At most ``count`` of the things, evenly over their order.

    >>> spread("abcdefgh", 4)
    ['a', 'c', 'e', 'g']
    >>> spread("ab", 4)
    ['a', 'b']
    """
    chosen = min(count, len(things))
    return [things[number * len(things) // chosen] for number in range(chosen)]


def own_front_end(checkpoint: Checkpoint) -> FrontEnd:
    """The front end that the engine runs with: the settings of a checkpoint, with its own window and mel filters.

    They are read in a process of its own, for they need torch. Raises CheckpointError where they cannot be.
    """
    try:
        with Worker(None) as worker:
            own = worker.call(filters, checkpoint.path, checkpoint.name, timeout_seconds=_READ_SECONDS)
    except (WorkerDiedError, WorkerKilledError) as error:
        raise CheckpointError(f"{checkpoint.path} could not be read: {error}.") from error
    return front_end(checkpoint.front_end, own.get("window"), own.get("filterbank"))


def features_of(videos: Sequence[Video], fetcher: Fetcher, front_end: FrontEnd) -> Iterator[NDArray[np.float32]]:
    """Log-mel features (m, t) of a spread of 32 videos, without those that cannot be decoded."""
    with closing(ahead(fetcher.fetch, spread(videos, CLIPS), fetcher.ahead)) as arrivals:
        for _, arrival in arrivals:
            if not isinstance(arrival, Refused):
                yield front_end.features(arrival.audio)


def write_calibration(folder: Path, clips: Iterable[NDArray[np.float32]]) -> str:
    """Keep calibration features, (m, t) each, under ``folder`` as float16; the digest that names them.

    Raises
    ------
    UsageError
        Fewer than four clips.
    """
    arrays = [clip.astype(np.float16) for clip in clips]
    if len(arrays) < FEWEST:
        raise UsageError(
            f"int8 is calibrated with at least {FEWEST} clips of the collection, and {len(arrays)} can be read from "
            "files here: embed the videos in f32 first, then run `quartzlens reembed --precision int8`."
        )
    digest = _digest(arrays)
    path = calibration_file(folder, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path.parent, path.name) as partial, partial.open("wb") as stream:
        np.savez(stream, *arrays)
    return digest


def is_whole(path: Path, digest: str) -> bool:
    """Whether the calibration features in a file are those of this digest."""
    try:
        with path.open("rb") as stream, np.load(stream) as arrays:
            return _digest([arrays[name] for name in _in_order(arrays.files)]) == digest
    except _UNREADABLE:
        return False


def read_calibration(path: Path) -> list[NDArray[np.float32]]:
    """The calibration features (m, t) in a file, in the order in which they were written."""
    with np.load(path) as arrays:
        return [arrays[name].astype(np.float32) for name in _in_order(arrays.files)]


def _in_order(names: Iterable[str]) -> list[str]:
    """Names as ``numpy.savez`` gives them, ``arr_0`` to ``arr_31``, by their numbers."""
    return sorted(names, key=lambda name: (len(name), name))


def _digest(arrays: Iterable[NDArray[np.float16]]) -> str:
    return sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:32]


def calibration_file(folder: Path, digest: str) -> Path:
    """Where the calibration features of this digest are kept in a collection's folder."""
    return folder / "calibration" / f"{digest}.npz"
