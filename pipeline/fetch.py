"""From a video's source to a clip ready for the encoder, in worker processes that may crash without harm."""

import errno
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pipeline.cookies import COPY_NAME, private_copy
from pipeline.cores import cores
from pipeline.decode import Refusal
from pipeline.identity import damaged, is_link
from pipeline.pace import Pace, backoff_seconds
from pipeline.pool import ClosedError, Pool
from pipeline.prepare import Prepared, prepare_file
from pipeline.worker import WorkerDiedError, WorkerKilledError
from quartzlens.errors import QuartzlensError
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Fingerprint, Video

if TYPE_CHECKING:
    from pipeline.download import Downloaded

DECODE_BYTES = 3 << 30
MAX_DECODERS = 4
BLOCKED_IN_A_ROW = 3
_BLOCKED = (
    f"{BLOCKED_IN_A_ROW} downloads in a row were taken for a bot's, so the ingest has ended. What was finished is "
    "kept, and the rest is to be done by the same command. What helps: come back in some hours; `quartzlens doctor` "
    "tells whether the JavaScript runtime works; or `--cookies FILE`, exported from a browser that is signed in at the "
    "site. Every download then counts on that account, which the site may limit or close: take one that you can do "
    "without."
)
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
    with the first second wanted. ``cookies`` is a file that was checked; only a copy of it is used.

    ``patient`` is for many links, where nobody waits for a single one: what may be otherwise in a minute is tried
    again, a site that asks to slow down is obeyed, and 3 answers to a bot in a row end the asking. Without it each link
    is tried once.
    """

    incoming_folder: Path
    media_folder: Path | None = None
    pause_seconds: float = 7.0
    allow_hosts: frozenset[str] = frozenset()
    decoders: int = field(default_factory=usual_decoders)
    cut: bool = False
    cookies: Path | None = None
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a video did not reach the encoder, and at which stage; ``final`` where another try now would end alike."""

    outcome: Outcome
    stage: Stage
    detail: str
    final: bool = False


class BlockedError(QuartzlensError):
    """A site took this address for a bot several times in a row; the message says what to do."""


class Fetcher:
    """Long-lived worker processes, one that downloads and some that decode; a context manager that ends them.

    ``fetch`` may be called by many threads at once. ``on_wait`` hears, in one of them, of each long wait before a
    download: its seconds, and 0 when it is over.
    """

    def __init__(
        self, fingerprint: Fingerprint, options: FetchOptions, on_wait: Callable[[float], None] = lambda _: None
    ) -> None:
        self._start_seconds = 0.0 if options.cut else fingerprint.start_seconds
        self._clip_seconds = fingerprint.clip_seconds
        self._options = options
        self._downloader, self._decoders = Pool(1, None), Pool(max(1, options.decoders), DECODE_BYTES)
        for folder in (options.incoming_folder, options.media_folder):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        self._downloading, self._closing = threading.Lock(), threading.Event()
        self._sleep: Callable[[float], object] = self._closing.wait
        self._pace = Pace(options.pause_seconds, self._sleep, on_wait)
        self._n_blocked = 0
        copy = options.incoming_folder / COPY_NAME
        self._cookies = None if options.cookies is None else private_copy(options.cookies, copy)

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
        """Bring one video to a decoded clip, or say why not; never raises for what a single link or file does.

        Raises
        ------
        BlockedError
            The video is a link, and the last 3 downloads of a patient fetcher were taken for a bot's; nothing was
            asked.
        ClosedError
            After ``close``.
        """
        reason = damaged(video.source)
        if reason:
            return Refused(Outcome.DAMAGED_LINK, Stage.SOURCE, reason)
        return self._from_link(video) if is_link(video.source) else self._from_file(video, Path(video.source))

    def check_blocked(self) -> None:
        """Raise BlockedError where the last 3 downloads of a patient fetcher were taken for a bot's."""
        if self._n_blocked >= BLOCKED_IN_A_ROW:
            raise BlockedError(_BLOCKED)

    def _from_link(self, video: Video) -> Prepared | Refused:
        arrived = self._downloaded(video)
        if isinstance(arrived, Refused):
            return arrived
        try:
            prepared = self._from_file(video, arrived.path)
        finally:
            arrived.path.unlink(missing_ok=True)
        if isinstance(prepared, Refused):
            return prepared
        return replace(prepared, title=arrived.title, channel=arrived.channel)

    def _downloaded(self, video: Video) -> "Downloaded | Refused":
        """Download until there is a file or a refusal to keep; others may download while this one backs off."""
        arrived, again_seconds = self._try(video, 1)
        n_tries = 1
        while isinstance(arrived, Refused) and again_seconds is not None:
            if arrived.outcome is not Outcome.RATE_LIMITED:  # there the pace makes all downloads wait
                self._sleep(again_seconds)
            try:
                arrived, again_seconds = self._try(video, n_tries + 1)
            except BlockedError:  # by other videos: what this one's tries came to is kept
                break
            n_tries += 1
        if isinstance(arrived, Refused) and n_tries > 1:
            return replace(arrived, detail=f"{arrived.detail} (after {n_tries} tries)")
        return arrived

    def _try(self, video: Video, n_tries: int) -> "tuple[Downloaded | Refused, float | None]":
        """One download at its turn, and in how many seconds another try is worth it (None: not in this run)."""
        from pipeline.download import DownloadLimits, download

        folder, seconds = self._options.incoming_folder, self._start_seconds + self._clip_seconds
        limits = DownloadLimits(self._options.allow_hosts)
        arguments = (video.source, folder, video.id, seconds, limits, self._cookies)
        with self._downloading:
            if self._closing.is_set():
                raise ClosedError("the downloads have ended")
            self.check_blocked()
            self._pace.wait()
            arrived = self._work(Stage.DOWNLOAD, self._downloader, download, *arguments)
            again_seconds = self._heed(arrived, n_tries) if self._options.patient else None
        return arrived, again_seconds

    def _heed(self, arrived: "Downloaded | Refused", n_tries: int) -> float | None:
        """Go on as a site's answer asks for; in how many seconds another try is worth it (None: not in this run)."""
        outcome = arrived.outcome if isinstance(arrived, Refused) else Outcome.OK
        is_final = isinstance(arrived, Refused) and arrived.final
        again_seconds = None if is_final else backoff_seconds(outcome, n_tries)
        self._n_blocked = self._n_blocked + 1 if outcome is Outcome.BLOCKED_AS_BOT else 0
        if outcome is Outcome.OK:
            self._pace.ease()
        elif outcome is Outcome.RATE_LIMITED:
            self._pace.slow_down(again_seconds or 0.0)
        return again_seconds

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
            detail = f"stopped after {timeout_seconds:.0f} s, the limit of one {stage}"
            return Refused(_KILLED[stage], stage, detail, final=True)
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
