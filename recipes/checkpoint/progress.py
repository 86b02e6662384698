"""Progress on the terminal: what is being done, how far it is, and the time left."""

from __future__ import annotations

import sys
import time

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Prints a line now and then, with the time left as the speed so far predicts it.

    Parameters
    ----------
    what : str
        What is being done.
    total : int
        How many steps the whole has.
    done : int
        How many were done before, by an earlier start.
    """

    def __init__(self, what: str, total: int, done: int = 0) -> None:
        self._what, self._total, self._done, self._before = what, total, done, done
        self._began = self._printed = time.monotonic()

    def advance(self, note: str = "") -> None:
        """Count one step, and print when the last line is old enough or the work is finished."""
        self._done += 1
        now = time.monotonic()
        if now - self._printed < _SECONDS_BETWEEN_LINES and self._done < self._total:
            return
        self._printed = now
        speed = (self._done - self._before) / max(now - self._began, 1e-9)
        left_seconds = (self._total - self._done) / speed
        sys.stderr.write(
            f"{self._what}: {self._done}/{self._total}, {speed:.1f}/s, {left_seconds / 60:.1f} min left {note}\n"
        )
        sys.stderr.flush()
