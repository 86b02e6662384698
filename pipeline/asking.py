"""Asking sites: one request at a time in a worker process, at a polite pace, again where that is worth it."""

import shutil
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from pipeline.container import Refusal
from pipeline.cookies import COPY_NAME, private_copy
from pipeline.pace import LONGEST_HOLD_SECONDS, LONGEST_TRY_SECONDS, OnWait, Pace, backoff_seconds
from pipeline.pool import ClosedError, Pool
from pipeline.upstream import Upstream
from pipeline.work import Arrived, Refused, work
from quartzlens.errors import QuartzlensError
from quartzlens.outcomes import Outcome, Stage

BLOCKED_IN_A_ROW = 3
_BLOCKED = (
    f"{BLOCKED_IN_A_ROW} requests in a row were taken for a bot's, so no more are made. What was finished is "
    "kept, and the rest is to be done by the same command. What helps: come back in some hours; `quartzlens doctor` "
    "tells whether the JavaScript runtime works; `--proxy URL`, which asks from another address; or `--cookies FILE`, "
    "exported from a browser that is signed in at the site. Every request then counts on that account, which the site "
    "may limit or close: take one that you can do without."
)


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How politely sites are asked, and where what they send is put.

    ``incoming_folder`` holds downloads until they are used; ``pause_seconds`` is the mean pause between two requests;
    ``allow_hosts`` are private hosts that links may lead to all the same. ``cookies`` is a file that was checked; only
    a copy of it is used. ``proxy`` is what sites are reached through (None: nothing).

    ``patient`` is for many links, where nobody waits for a single one: what may be otherwise in a minute is tried
    again, a site that asks to slow down is obeyed, and 3 answers to a bot in a row end the asking. Without it each link
    is tried once.
    """

    incoming_folder: Path
    pause_seconds: float = 7.0
    allow_hosts: frozenset[str] = frozenset()
    cookies: Path | None = None
    patient: bool = False
    proxy: Upstream | None = None


class BlockedError(QuartzlensError):
    """A site took this address for a bot several times in a row; the message says what to do."""


class Turn:
    """A lock that is given in the order in which it was asked for: no request overtakes those of earlier videos."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    def __enter__(self) -> None:
        mine = object()
        with self._changed:
            self._waiting.append(mine)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is mine)
            except BaseException:
                self._waiting.remove(mine)
                self._changed.notify_all()
                raise

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._waiting.popleft()
            self._changed.notify_all()


class Asker:
    """A long-lived worker process that asks sites for things; a context manager that ends it.

    ``ask`` may be called by many threads at once: each waits for its turn. ``on_wait`` hears, in one of them, of each
    wait before a request, and when it is over.
    """

    def __init__(self, options: AskOptions, on_wait: OnWait = lambda _: None) -> None:
        self._options = options
        self._worker = Pool(1, None)
        options.incoming_folder.mkdir(parents=True, exist_ok=True)
        self._turn, self._closing = Turn(), threading.Event()
        self._sleep: Callable[[float], object] = self._closing.wait
        self._pace = Pace(options.pause_seconds, self._sleep, on_wait)
        self._n_blocked = 0
        copy = options.incoming_folder / COPY_NAME
        self._cookies = None if options.cookies is None else private_copy(options.cookies, copy)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker at once, whatever it is doing; what was half downloaded goes.

        An ``ask`` that is under way in another thread ends with ClosedError or as refused, and starts nothing more.
        """
        self._closing.set()
        self._worker.close()
        shutil.rmtree(self._options.incoming_folder, ignore_errors=True)

    def check_blocked(self) -> None:
        """Raise BlockedError where the last 3 requests of a patient asker were taken for a bot's."""
        if self._n_blocked >= BLOCKED_IN_A_ROW:
            raise BlockedError(_BLOCKED)

    def ask(self, function: Callable[..., Arrived | Refusal], *arguments: Any) -> Arrived | Refused:
        """Call ``function(*arguments, limits, cookies)`` in the worker until there is an answer or a refusal to keep.

        Others may ask while this one backs off.

        Raises
        ------
        BlockedError
            The last 3 requests of a patient asker were taken for a bot's; nothing was asked.
        ClosedError
            After ``close``.
        """
        arrived, again_seconds = self._try(1, function, *arguments)
        n_tries = 1
        while isinstance(arrived, Refused) and again_seconds is not None:
            if arrived.outcome is not Outcome.RATE_LIMITED:  # there the pace makes all requests wait
                self._sleep(again_seconds)
            try:
                arrived, again_seconds = self._try(n_tries + 1, function, *arguments)
            except BlockedError:  # by others: what this one's tries came to is kept
                break
            n_tries += 1
        if isinstance(arrived, Refused) and n_tries > 1:
            return replace(arrived, detail=f"{arrived.detail} (after {n_tries} tries)")
        return arrived

    def _try(
        self, n_tries: int, function: Callable[..., Arrived | Refusal], *arguments: Any
    ) -> tuple[Arrived | Refused, float | None]:
        """One request at its turn, and in how many seconds another try is worth it (None: not in this run)."""
        from pipeline.download import DownloadLimits

        limits = DownloadLimits(self._options.allow_hosts, proxy=self._options.proxy)
        with self._turn:
            if self._closing.is_set():
                raise ClosedError("the downloads have ended")
            self.check_blocked()
            self._pace.wait()
            arrived = work(Stage.DOWNLOAD, self._worker, function, *arguments, limits, self._cookies)
            if isinstance(arrived, Refused) and self._closing.is_set():  # it was ended, and answered nothing
                raise ClosedError("the downloads have ended")
            again_seconds = self._heed(arrived, n_tries) if self._options.patient else None
        return arrived, again_seconds

    def _heed(self, arrived: object, n_tries: int) -> float | None:
        """Go on as a site's answer asks for; in how many seconds another try is worth it (None: not in this run)."""
        if not isinstance(arrived, Refused):
            self._n_blocked = 0
            self._pace.ease()
            return None
        self._n_blocked = self._n_blocked + 1 if arrived.outcome is Outcome.BLOCKED_AS_BOT else 0
        asked_seconds = arrived.retry_after_seconds or 0.0
        again_seconds = backoff_seconds(arrived.outcome, n_tries)
        if arrived.final or asked_seconds > LONGEST_TRY_SECONDS:
            again_seconds = None
        if arrived.outcome is Outcome.RATE_LIMITED or asked_seconds:
            self._pace.slow_down(max(again_seconds or 0.0, min(asked_seconds, LONGEST_HOLD_SECONDS)))
        return again_seconds
