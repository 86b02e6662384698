"""How politely a site is asked: the pause between two downloads, and how long until the next try of one."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from quartzlens.outcomes import Outcome

JITTER = (0.7, 1.3)
SLOWEST_SECONDS = 120.0
LEAST_SLOWED_SECONDS = 5.0
LONGEST_HOLD_SECONDS = 900.0
LONGEST_TRY_SECONDS = 240.0
EASE = 0.9
BACKOFF_SECONDS = {
    Outcome.NETWORK: (5.0, 20.0),
    Outcome.FORBIDDEN: (5.0,),
    Outcome.RATE_LIMITED: (60.0, 240.0),
}


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait before a request that begins now; of 0 seconds where none is left.

    ``slowed`` tells that it is longer than any usual one: a site asked for it.
    """

    seconds: float = 0.0
    slowed: bool = False


OnWait = Callable[[Wait], object]


def jittered(mean_seconds: float) -> float:
    """A length of time around a mean, by up to 30 %: sites watch for machines that come like clockwork."""
    return mean_seconds * random.uniform(*JITTER)  # noqa: S311 -- politeness, not secrecy


def backoff_seconds(outcome: Outcome, n_tries: int) -> float | None:
    """How long to wait, with jitter, until a download that ended so is tried again; None for not in this run.

    Parameters
    ----------
    outcome
        How the last try ended.
    n_tries
        How many there were, whatever their outcomes.
    """
    means = BACKOFF_SECONDS.get(outcome, ())
    return jittered(means[n_tries - 1]) if n_tries <= len(means) else None


class Pace:
    """The pause between the beginnings of two downloads: doubled when the site asks for it, and won back slowly.

    Not for several threads at once: its caller makes one download at a time.

    Parameters
    ----------
    pause_seconds
        The mean pause that is meant; what is slowed down comes back to it, and never below.
    sleep
        Waits so many seconds, or less where the run ends.
    on_wait
        Told of each wait before it begins, and when it is over.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        pause_seconds: float,
        sleep: Callable[[float], object],
        on_wait: OnWait = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mean_seconds = self._setting_seconds = pause_seconds
        self._sleep, self._on_wait, self._clock = sleep, on_wait, clock
        self._next = clock()

    def wait(self) -> None:
        """Sleep until the next download is due; it begins when this returns."""
        seconds = max(0.0, self._next - self._clock())
        self._on_wait(Wait(seconds, slowed=seconds > self._setting_seconds * JITTER[1]))
        self._sleep(seconds)
        self._on_wait(Wait())
        self._next = self._clock() + jittered(self.mean_seconds)

    def slow_down(self, hold_seconds: float = 0.0) -> None:
        """Double the pause, up to 120 s (or the setting, where that is longer), from this moment on.

        The next download waits for ``hold_seconds`` in any case.
        """
        slower = min(max(2 * self.mean_seconds, LEAST_SLOWED_SECONDS), SLOWEST_SECONDS)
        self.mean_seconds = max(self._setting_seconds, slower)
        self._next = self._clock() + max(hold_seconds, jittered(self.mean_seconds))

    def ease(self) -> None:
        """Take a tenth off a pause that was made longer: a download went well."""
        self.mean_seconds = max(self._setting_seconds, self.mean_seconds * EASE)
