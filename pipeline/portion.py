"""The part of the videos that are due which one ingest takes."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from quartzlens.outcomes import Outcome
from quartzlens.records import Video


class Portion:
    """Videos until as many were taken, or as much time has passed since the first, as an ingest may take.

    Videos that were never tried come first, in their order, then those that went well before, then the failed ones,
    of both those first whose last try is longest ago: so every ingest of a portion goes on where the one before ended.

    Parameters
    ----------
    videos
        All that are known to be due.
    max_videos, max_hours
        None for no limit; what was taken before a limit was reached is worked on to its end.
    on_total
        Hears how many are to be taken in all, whenever ``more`` found some.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        videos: Sequence[Video],
        max_videos: int | None = None,
        max_hours: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_total: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.videos = tuple(sorted(videos, key=_turn)[:max_videos])
        self.n_left = len(videos)
        self.on_total = on_total
        self._n_taken = 0
        self._max_videos = float("inf") if max_videos is None else max_videos
        self._max_seconds = float("inf") if max_hours is None else max_hours * 3600
        self._clock = clock
        self._began: float | None = None

    def __iter__(self) -> Iterator[Video]:
        """Take the videos, once; ``n_left`` says at any time how many were not taken, of all that are due."""
        return self._taken(self.videos)

    def more(self, pages: Iterable[Sequence[Video]]) -> Iterator[Iterator[Video]]:
        """Take those of each page as far as the limits let it; after that no page is asked for."""
        remaining = iter(pages)
        while self._goes_on() and (page := next(remaining, None)) is not None:
            self.n_left += len(page)
            if page:
                self.on_total(int(min(self._n_taken + len(page), self._max_videos)))
            yield self._taken(page)

    def _taken(self, videos: Sequence[Video]) -> Iterator[Video]:
        for video in videos:
            if not self._goes_on():
                return
            self.n_left -= 1
            self._n_taken += 1
            yield video

    def _goes_on(self) -> bool:
        if self._began is None:
            self._began = self._clock()
        return self._n_taken < self._max_videos and self._clock() - self._began < self._max_seconds


def _turn(video: Video) -> tuple[bool, str]:
    return video.outcome not in (None, Outcome.OK), video.tried_at or ""
