"""How fast a long command gets on, and how long it will take: by what it did last."""

import time
from collections import deque
from collections.abc import Callable

LATEST = 50
_ENOUGH = 3
_FAST_AN_HOUR = 1200.0


class Rate:
    """Counts what is done, and tells the rate of the latest 50; the first of all says little, as it waits for a start.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=LATEST)

    def count(self) -> None:
        """One more is done."""
        self._times.append(self._clock())

    @property
    def per_second(self) -> float | None:
        """How many are done a second, at this moment; None before there are three."""
        if len(self._times) < _ENOUGH:
            return None
        return (len(self._times) - 1) / max(self._clock() - self._times[0], 1e-3)

    def words(self, n_left: int) -> str:
        """Rate and time left for people; empty before there are three.

        >>> import itertools
        >>> rate = Rate(itertools.count(0.0, 12.0).__next__)
        >>> for _ in range(3):
        ...     rate.count()
        >>> rate.words(1000)
        '200 an hour, 5.0 hours left'
        """
        rate = self.per_second
        if rate is None:
            return ""
        an_hour = 3600 * rate
        said = f"{an_hour / 60:,.0f} a minute" if an_hour > _FAST_AN_HOUR else f"{an_hour:,.0f} an hour"
        return f"{said}, {spoken(n_left / rate)} left" if n_left else said


def spoken(seconds: float) -> str:
    """A length of time for people: ``40 seconds``, ``5 minutes``, ``3.5 hours``."""
    if seconds < 90:
        return "1 second" if seconds < 1.5 else f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
