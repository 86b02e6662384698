"""Some seconds of a kept sound, small enough to be put into a page: mono Opus in Ogg, as bytes."""

import io
from pathlib import Path
from types import TracebackType
from typing import Self

import av

from pipeline.container import refusal_of_file
from pipeline.decode import read_sound
from pipeline.media import OPUS_RATE_HZ, write_opus
from pipeline.worker import Worker, WorkerDiedError, WorkerKilledError

BITS_PER_SECOND = 32_000
"""A minute is about 240 kB: speech and music are still told apart, and more is not needed to judge a category."""
_MEMORY_BYTES = 2 * 2**30
_TIMEOUT_SECONDS = 60.0


class Excerpts:
    """Cuts sound in a child process, as kept sound is a stranger's still; use it as a context."""

    def __init__(self) -> None:
        self._worker = Worker(_MEMORY_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.close()

    def cut(self, path: Path, start_seconds: float, seconds: float) -> bytes | None:
        """A stretch of a file's sound as Opus in Ogg; None where it cannot be read, or ends before."""
        try:
            return self._worker.call(opus_excerpt, path, start_seconds, seconds, timeout_seconds=_TIMEOUT_SECONDS)
        except (WorkerKilledError, WorkerDiedError):
            return None


def opus_excerpt(path: Path, start_seconds: float, seconds: float) -> bytes | None:
    """What ``Excerpts.cut`` gives, in this process."""
    if refusal_of_file(path):
        return None
    file = io.BytesIO()
    try:
        sound = read_sound(path, start_seconds, seconds, OPUS_RATE_HZ)
        if sound is None or not len(sound.audio):
            return None
        with av.open(file, "w", format="ogg") as target:
            write_opus(target, sound.audio, BITS_PER_SECOND)
    except (av.FFmpegError, ValueError, MemoryError):
        return None
    return file.getvalue()
