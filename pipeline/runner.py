"""The one loop over videos: every video that enters leaves with exactly one outcome, committed."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from threading import Event
from typing import Protocol, Self

import numpy as np

from pipeline.ahead import ahead
from pipeline.asking import Asker, BlockedError
from pipeline.encoder import Encoder
from pipeline.feed import Arrivals, Fed, Feed
from pipeline.fetch import Fetcher, FetchOptions
from pipeline.pace import OnWait
from pipeline.prepare import Prepared
from pipeline.work import Refused
from quartzlens.errors import CollectionError, QuartzlensError
from quartzlens.outcomes import Outcome, Retry, Stage
from quartzlens.records import Embedded, Fingerprint, Result, Video
from store.base import Store

BATCH_VIDEOS = 250
BATCH_SECONDS = 1.0
PRIVATE_DAYS = 30


def to_try(
    store: Store, fingerprint: Fingerprint, retry: Collection[Outcome] = (), ids: Collection[str] | None = None
) -> tuple[Video, ...]:
    """Videos that an ingest has to work on, all or those of ``ids``, in the order of the store.

    Those are the pending ones, those whose outcome is worth another try (by the outcome table; a private video not
    within 30 days), those of the outcomes in ``retry``, and those that are ok but have no embedding of this
    fingerprint.
    """
    embedded = set(store.embeddings(fingerprint, ids).ids)
    return tuple(video for video in store.videos(ids) if _is_due(video, video.id in embedded, retry))


def _is_due(video: Video, is_embedded: bool, retry: Collection[Outcome]) -> bool:
    if video.outcome is None or video.outcome in retry:
        return True
    if video.outcome is Outcome.OK:
        return not is_embedded
    if video.outcome is Outcome.PRIVATE and video.tried_at:
        passed = datetime.now(UTC) - datetime.fromisoformat(video.tried_at)
        return not timedelta(0) <= passed <= timedelta(days=PRIVATE_DAYS)  # in the future: the clock was wrong
    return video.outcome.retry is not Retry.NEVER


class Keeper(Protocol):
    """What results are committed to: a store, or what passes them on to one."""

    def commit(self, results: Sequence[Result]) -> None:
        """Keep results in one durable transaction."""
        ...


def ingest(
    store: Keeper,
    encoder: Encoder,
    videos: Iterable[Video],
    options: FetchOptions,
    on_result: Callable[[Result], None] = lambda _: None,
    stop: Event | None = None,
    on_wait: OnWait = lambda _: None,
    more: Callable[[Asker], Iterable[Iterable[Video]]] = lambda _: (),
) -> None:
    """Fetch, encode and commit videos, each of the three while the others go on.

    Several files are decoded at a time, the encoder has as many clips as it takes at a time, and results are reported
    to ``on_result`` and committed in the order of ``videos``, in this thread; those that come within a second of each
    other commit together. Setting ``stop`` ends the run once the encoder has finished what it was given. On
    KeyboardInterrupt it ends at once: what was finished is committed, and what the encoder has not begun is taken back
    from it. Any other error ends it with what was reported committed. ``on_wait`` hears, in another thread, of each
    wait before a download, and when it is over.

    After ``videos`` come those of ``more``, some at a time: the next are asked for, in another thread, when the encoder
    was handed all before.

    Raises
    ------
    BlockedError
        3 downloads in a row were taken for a bot's, so no link was asked for any more: those are as they were, and
        what arrived and all files are committed.
    CollectionError
        The disk is full or the catalog cannot be written; run again to go on.
    """
    with Fetcher(encoder.fingerprint, options, on_wait) as fetcher, _Batch(store) as batch:
        feed = Feed(encoder, _arrivals(fetcher, chain([videos], more(fetcher.asker))))
        try:
            _take_up(feed, batch, on_result, stop or Event())
            fetcher.asker.check_blocked()
        except KeyboardInterrupt:
            feed.stop()
            for result in _finished(feed):
                batch.add(result)
            raise
        finally:
            feed.cancel()


def _arrivals(fetcher: Fetcher, parts: Iterable[Iterable[Video]]) -> Arrivals:
    """What becomes of each video, some prepared ahead, but of no part before all of the one before were taken."""
    for videos in parts:
        yield from ahead(partial(_asked, fetcher), videos, fetcher.ahead)


def _asked(fetcher: Fetcher, video: Video) -> Prepared | Refused | None:
    """What becomes of a video; None where its site is not asked any more, which the end of the run tells."""
    try:
        return fetcher.fetch(video)
    except BlockedError:
        return None


def _take_up(feed: Feed, batch: "_Batch", on_result: Callable[[Result], None], stop: Event) -> None:
    """Take results from the feed in their order until there are no more."""
    while not feed.over:
        if stop.is_set():
            feed.stop()
        fed = feed.take(batch.seconds_left)
        if fed is None:
            batch.commit()
            continue
        result = _result(fed)
        if result.outcome is Outcome.DISK_FULL:
            raise CollectionError(
                f"The disk is full ({result.detail}): make room and run the same command again; nothing is lost."
            )
        batch.add(result)
        on_result(result)


def _finished(feed: Feed) -> Iterator[Result]:
    """Results that are there without waiting, up to the first that is not."""
    while (fed := feed.take(0.0)) is not None:
        if fed.embedded is not None and (not fed.embedded.done() or fed.embedded.exception() is not None):
            return
        yield _result(fed)


def embed(encoder: Encoder, video: Video, arrival: Prepared | Refused) -> Result:
    """The result of one video: its embeddings, or the outcome that kept it from having any."""
    if isinstance(arrival, Refused):
        return _result(Fed(video, arrival))
    return _result(Fed(video, arrival, encoder.submit(arrival.audio)))


def _result(fed: Fed) -> Result:
    """How a video left the encoder, once it has; what would fail for every video is raised."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    arrival, video_id = fed.arrival, fed.video.id
    if isinstance(arrival, Refused):
        return Result(video_id, arrival.outcome, arrival.stage, now, arrival.detail)
    try:
        embedded = None if fed.embedded is None else fed.embedded.result()
    except (QuartzlensError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 -- the outermost edge: one video fails, the run goes on
        return Result(video_id, Outcome.FAILED, Stage.ENCODE, now, f"{type(error).__name__}: {error}")
    if embedded is not None and not _is_finite(embedded):
        detail = "The embedding is not finite: the checkpoint's numbers are too large for this sound."
        return Result(video_id, Outcome.FAILED, Stage.ENCODE, now, detail)
    return Result(
        video_id,
        Outcome.OK,
        Stage.STORE,
        now,
        media=arrival.media,
        embedded=embedded,
        title=arrival.title,
        channel=arrival.channel,
    )


def _is_finite(embedded: Embedded) -> bool:
    arrays = (embedded.embedding, embedded.fragments, *embedded.profile.values())
    return all(np.isfinite(array).all() for array in arrays)


class _Batch:
    """Results waiting for their transaction; leaving the context commits the rest."""

    def __init__(self, store: Keeper) -> None:
        self._store = store
        self._results: list[Result] = []
        self._committed_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.commit()

    @property
    def seconds_left(self) -> float:
        """How long the next result may take until those that wait must be committed."""
        passed = time.monotonic() - self._committed_at if self._results else 0.0
        return max(0.0, BATCH_SECONDS - passed)

    def add(self, result: Result) -> None:
        """Take a result; commit where enough wait, or one has waited long enough."""
        self._results.append(result)
        if len(self._results) >= BATCH_VIDEOS or time.monotonic() - self._committed_at >= BATCH_SECONDS:
            self.commit()

    def commit(self) -> None:
        """Commit what waits, in one transaction."""
        if self._results:
            self._store.commit(self._results)
            self._results = []
            self._committed_at = time.monotonic()
