"""Keep the encoder busy: a thread hands it what arrives, while the results are taken up in order elsewhere."""

import queue
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from pipeline.encoder import Encoder
from pipeline.prepare import Prepared
from pipeline.work import Refused
from quartzlens.records import Embedded, Video

BACKLOG = 250
Arrivals = Generator[tuple[Video, Prepared | Refused | None], None, None]


@dataclass(frozen=True, slots=True, eq=False)
class Fed:
    """A video on its way through the encoder; the audio is the encoder's alone, a refused one has no future."""

    video: Video
    arrival: Prepared | Refused
    embedded: Future[Embedded] | None = None


class Feed:
    """Hands arrivals to the encoder, ``encoder.in_flight`` clips at a time, and queues them in their order.

    A video without an arrival is passed over.

    However long the taker is busy, the encoder goes on, until ``BACKLOG`` videos wait to be taken.
    """

    def __init__(self, encoder: Encoder, arrivals: Arrivals) -> None:
        self._encoder = encoder
        self._queue: queue.SimpleQueue[Fed | BaseException | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(max(1, encoder.in_flight))
        self._backlog = threading.Semaphore(BACKLOG)
        self._stopped = False
        self._given: set[Future[Embedded]] = set()
        self._lock = threading.Lock()
        self.over = False
        self._thread = threading.Thread(target=self._feed, args=(arrivals,), name="feed", daemon=True)
        self._thread.start()

    def take(self, timeout_seconds: float) -> Fed | None:
        """The next video; None where none came in time, or where all were taken (``over`` is then set).

        Raises what ended the arrivals, at its turn.
        """
        try:
            taken = self._queue.get(timeout=max(0.0, timeout_seconds))
        except queue.Empty:
            return None
        if isinstance(taken, BaseException):
            raise taken
        self.over = taken is None
        self._backlog.release()
        return taken

    def stop(self) -> None:
        """Hand nothing more to the encoder; what it has can still be taken."""
        with self._lock:
            if not self._stopped:
                self._stopped = True
                self._queue.put(None)
        for waited_for in (self._room, self._backlog):
            waited_for.release()

    def cancel(self) -> None:
        """Stop, and take back from the encoder what it has not begun; nothing is to be taken after that."""
        self.stop()
        with self._lock:
            given = list(self._given)
        for future in given:
            future.cancel()

    def _feed(self, arrivals: Arrivals) -> None:
        try:
            with closing(arrivals):
                for video, arrival in arrivals:
                    if arrival is not None and not self._hand_over(video, arrival):
                        return
            self.stop()
        except BaseException as error:  # noqa: BLE001 -- carried over to the thread that takes
            self._queue.put(error)

    def _hand_over(self, video: Video, arrival: Prepared | Refused) -> bool:
        """Submit a clip once there is room; whether the feeding goes on."""
        self._backlog.acquire()
        if isinstance(arrival, Prepared):
            self._room.acquire()
        with self._lock:  # a stop comes before or after, never between the submitting and the queueing
            if self._stopped:
                return False
            if isinstance(arrival, Prepared):
                future = self._submitted(arrival)
                self._queue.put(Fed(video, replace(arrival, audio=np.zeros(0, np.float32)), future))
            else:
                self._queue.put(Fed(video, arrival))
        return True

    def _submitted(self, arrival: Prepared) -> Future[Embedded]:
        try:
            future = self._encoder.submit(arrival.audio)
        except Exception as error:  # noqa: BLE001 -- carried over to the video's turn
            future = Future()
            future.set_exception(error)
        self._given.add(future)
        future.add_done_callback(self._is_done)
        return future

    def _is_done(self, future: Future[Embedded]) -> None:
        self._given.discard(future)
        self._room.release()
