"""The one loop over videos: every video that enters leaves with exactly one outcome, committed."""

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Self

from pipeline.ahead import ahead
from pipeline.encoder import Encoder
from pipeline.fetch import Fetcher, FetchOptions, Refused
from pipeline.prepare import Prepared
from quartzlens.errors import CollectionError, QuartzlensError
from quartzlens.records import Fingerprint, Outcome, Result, Retry, Stage, Video
from store.base import Store

BATCH_VIDEOS = 250
BATCH_SECONDS = 1.0
PRIVATE_DAYS = 30


def to_try(store: Store, fingerprint: Fingerprint, retry: Collection[Outcome] = ()) -> tuple[Video, ...]:
    """Videos that an ingest has to work on, in the order of the store.

    Those are the pending ones, those whose outcome is worth another try (by the outcome table; a private video not
    within 30 days), those of the outcomes in ``retry``, and those that are ok but have no embedding of this
    fingerprint.
    """
    embedded = set(store.embeddings(fingerprint).ids)
    return tuple(video for video in store.videos() if _is_due(video, video.id in embedded, retry))


def _is_due(video: Video, is_embedded: bool, retry: Collection[Outcome]) -> bool:
    if video.outcome is None or video.outcome in retry:
        return True
    if video.outcome is Outcome.OK:
        return not is_embedded
    if video.outcome is Outcome.PRIVATE and video.tried_at:
        return datetime.now(UTC) - datetime.fromisoformat(video.tried_at) > timedelta(days=PRIVATE_DAYS)
    return video.outcome.retry is not Retry.NEVER


def ingest(
    store: Store,
    encoder: Encoder,
    videos: Iterable[Video],
    options: FetchOptions,
    on_result: Callable[[Result], None] = lambda _: None,
    stop: Event | None = None,
) -> None:
    """Fetch, encode and commit videos; the next are fetched while one is encoded.

    Results that come within a second of each other commit together. ``on_result`` hears of each after its
    turn; setting ``stop`` ends the run after the current video. Whatever ends it, what was finished is committed.

    Raises
    ------
    CollectionError
        The disk is full or the catalog cannot be written; run again to go on.
    """
    batch = _Batch(store)
    with Fetcher(encoder.fingerprint, options) as fetcher, closing(ahead(fetcher.fetch, videos)) as arrivals, batch:
        for video, arrival in arrivals:
            result = embed(encoder, video, arrival)
            if result.outcome is Outcome.DISK_FULL:
                raise CollectionError(
                    f"The disk is full ({result.detail}): make room and run the same command again; nothing is lost."
                )
            batch.add(result)
            on_result(result)
            if stop is not None and stop.is_set():
                return


def embed(encoder: Encoder, video: Video, arrival: Prepared | Refused) -> Result:
    """The result of one video: its embeddings, or the outcome that kept it from having any."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if isinstance(arrival, Refused):
        return Result(video.id, arrival.outcome, arrival.stage, now, arrival.detail)
    try:
        embedded = encoder.encode(arrival.audio)
    except (QuartzlensError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 -- the outermost edge: one video fails, the run goes on
        return Result(video.id, Outcome.FAILED, Stage.ENCODE, now, f"{type(error).__name__}: {error}")
    return Result(
        video.id,
        Outcome.OK,
        Stage.STORE,
        now,
        media=arrival.media,
        embedded=embedded,
        title=arrival.title,
        channel=arrival.channel,
    )


class _Batch:
    """Results waiting for their transaction; leaving the context commits the rest."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._results: list[Result] = []
        self._committed_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.commit()

    def add(self, result: Result) -> None:
        self._results.append(result)
        if len(self._results) >= BATCH_VIDEOS or time.monotonic() - self._committed_at >= BATCH_SECONDS:
            self.commit()

    def commit(self) -> None:
        if self._results:
            self._store.commit(self._results)
        self._results = []
        self._committed_at = time.monotonic()
