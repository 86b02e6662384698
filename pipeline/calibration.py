"""The clips that an int8 network is calibrated with: a spread of the collection's own, kept for making it again."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.ahead import ahead
from pipeline.fetch import Fetcher, Refused
from pipeline.front_end import FrontEnd
from quartzlens.errors import UsageError
from quartzlens.records import Video

CLIPS = 32
FEWEST = 4
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
    digest = sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:32]
    path = calibration_file(folder, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as stream:
        np.savez(stream, *arrays)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    return digest


def calibration_file(folder: Path, digest: str) -> Path:
    """Where the calibration features of this digest are kept in a collection's folder."""
    return folder / "calibration" / f"{digest}.npz"
