"""The part of the videos that are due which one ingest takes."""

import time
from collections.abc import Callable, Iterator, Sequence

from quartzlens.outcomes import Outcome
from quartzlens.records import Video


class Portion:
    """Videos until as many were taken, or as much time has passed since the first, as an ingest may take.

    Videos that were never tried come first, in their order, then those that went well before, then the failed ones,
    of both those first whose last try is longest ago: so every ingest of a portion goes on where the one before ended.

    Parameters
    ----------
    videos
        All that are due.
    max_videos, max_hours
        None for no limit; what was taken before a limit was reached is worked on to its end.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        videos: Sequence[Video],
        max_videos: int | None = None,
        max_hours: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.videos = tuple(sorted(videos, key=_turn)[:max_videos])
        self.n_left = len(videos)
        self._max_seconds = float("inf") if max_hours is None else max_hours * 3600
        self._clock = clock

    def __iter__(self) -> Iterator[Video]:
        """Take the videos, once; ``n_left`` says at any time how many were not taken, of all that are due."""
        began = self._clock()
        for video in self.videos:
            if self._clock() - began >= self._max_seconds:
                return
            self.n_left -= 1
            yield video


def _turn(video: Video) -> tuple[bool, str]:
    return video.outcome not in (None, Outcome.OK), video.tried_at or ""
