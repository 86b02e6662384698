"""From a video's source to a clip ready for the encoder, in worker processes that may crash without harm."""

import errno
import random
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from pipeline.cores import cores
from pipeline.decode import Refusal
from pipeline.identity import damaged, is_link
from pipeline.pool import ClosedError, Pool
from pipeline.prepare import Prepared, prepare_file
from pipeline.worker import WorkerDiedError, WorkerKilledError
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Fingerprint, Video

DECODE_BYTES = 3 << 30
MAX_DECODERS = 4
TIMEOUT_SECONDS = {Stage.DOWNLOAD: 300.0, Stage.DECODE: 120.0}
_KILLED = {Stage.DOWNLOAD: Outcome.NETWORK, Stage.DECODE: Outcome.UNDECODABLE}
_DIED = {Stage.DOWNLOAD: Outcome.FAILED, Stage.DECODE: Outcome.UNDECODABLE}
Arrived = TypeVar("Arrived")


def usual_decoders() -> int:
    """How many files are decoded at a time where nobody says: one a core, at most 4."""
    return min(MAX_DECODERS, cores())


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """Where things go and how politely they are fetched.

    ``media_folder`` None keeps no media; ``incoming_folder`` holds downloads until they are decoded; ``pause_seconds``
    is the mean pause between two downloads; ``allow_hosts`` are private hosts that links may lead to all the same;
    ``decoders`` is how many files are decoded at a time; ``cut`` says that the sources are clips already: they begin
    with the first second wanted.
    """

    incoming_folder: Path
    media_folder: Path | None = None
    pause_seconds: float = 7.0
    allow_hosts: frozenset[str] = frozenset()
    decoders: int = field(default_factory=usual_decoders)
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a video did not reach the encoder, and at which stage."""

    outcome: Outcome
    stage: Stage
    detail: str


class Fetcher:
    """Long-lived worker processes, one that downloads and some that decode; a context manager that ends them.

    ``fetch`` may be called by many threads at once.
    """

    def __init__(self, fingerprint: Fingerprint, options: FetchOptions) -> None:
        self._start_seconds = 0.0 if options.cut else fingerprint.start_seconds
        self._clip_seconds = fingerprint.clip_seconds
        self._options = options
        self._downloader, self._decoders = Pool(1, None), Pool(max(1, options.decoders), DECODE_BYTES)
        for folder in (options.incoming_folder, options.media_folder):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        self._downloading, self._closing = threading.Lock(), threading.Event()
        self._next_download = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def ahead(self) -> int:
        """How many videos to fetch at a time, so that each decoder has work while its last clip waits to be taken."""
        return 2 * max(1, self._options.decoders)

    def close(self) -> None:
        """End all workers at once, whatever they are doing; what was half downloaded goes.

        A ``fetch`` that is under way in another thread ends with ClosedError or as refused, and starts nothing more.
        """
        self._closing.set()
        self._decoders.close()
        self._downloader.close()
        shutil.rmtree(self._options.incoming_folder, ignore_errors=True)

    def fetch(self, video: Video) -> Prepared | Refused:
        """Bring one video to a decoded clip, or say why not; never raises for what a stranger's link or file does."""
        reason = damaged(video.source)
        if reason:
            return Refused(Outcome.DAMAGED_LINK, Stage.SOURCE, reason)
        return self._from_link(video) if is_link(video.source) else self._from_file(video, Path(video.source))

    def _from_link(self, video: Video) -> Prepared | Refused:
        from pipeline.download import DownloadLimits, download

        folder, seconds = self._options.incoming_folder, self._start_seconds + self._clip_seconds
        arguments = (video.source, folder, video.id, seconds, DownloadLimits(self._options.allow_hosts))
        with self._downloading:
            self._wait_politely(self._closing.wait)
            arrived = self._work(Stage.DOWNLOAD, self._downloader, download, *arguments)
        if isinstance(arrived, Refused):
            return arrived
        try:
            prepared = self._from_file(video, arrived.path)
        finally:
            arrived.path.unlink(missing_ok=True)
        if isinstance(prepared, Refused):
            return prepared
        return replace(prepared, title=arrived.title, channel=arrived.channel)

    def _from_file(self, video: Video, path: Path) -> Prepared | Refused:
        arguments = (path, video.id, self._start_seconds, self._clip_seconds, self._options.media_folder)
        return self._work(Stage.DECODE, self._decoders, prepare_file, *arguments)

    def _work(
        self, stage: Stage, pool: Pool, function: Callable[..., Arrived | Refusal], *arguments: Any
    ) -> Arrived | Refused:
        """Call a function in a worker process; a killed or crashed worker, or a full disk, is this video's outcome."""
        timeout_seconds = TIMEOUT_SECONDS[stage]
        try:
            arrived = pool.call(function, *arguments, timeout_seconds=timeout_seconds)
        except ClosedError:
            raise
        except WorkerKilledError:
            return Refused(_KILLED[stage], stage, f"stopped after {timeout_seconds:.0f} s, the limit of one {stage}")
        except WorkerDiedError as error:
            # SIGKILL that is not ours comes from a system short of memory: not the video's fault, so it is tried again.
            outcome = Outcome.FAILED if "SIGKILL" in str(error) else _DIED[stage]
            return Refused(outcome, stage, f"the {stage} crashed: {error}")
        except MemoryError:
            return Refused(_DIED[stage], stage, f"over the memory limit of the {stage}")
        except Exception as error:  # noqa: BLE001 -- the outermost edge: one video fails, the run goes on
            full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
            outcome = Outcome.DISK_FULL if full else Outcome.FAILED
            return Refused(outcome, stage, f"{type(error).__name__}: {error}")
        return Refused(arrived.outcome, stage, arrived.detail) if isinstance(arrived, Refusal) else arrived

    def _wait_politely(self, sleep: Callable[[float], object]) -> None:
        """Keep the mean pause between downloads, with jitter: sites watch for machines that come like clockwork."""
        sleep(max(0.0, self._next_download - time.monotonic()))
        pause = self._options.pause_seconds * random.uniform(0.7, 1.3)  # noqa: S311 -- politeness, not secrecy
        self._next_download = time.monotonic() + pause
