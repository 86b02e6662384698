"""The command line with its waits a thousandth as long: ``python -m tests.pipeline.hurried COMMAND ...``.

``QUARTZLENS_TEST_CLOCK_DAYS`` is by how much its calendar is wrong, ``QUARTZLENS_TEST_BUSY_SECONDS`` how long its
catalog waits for another process.
"""

import os
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

from pipeline import pace, runner
from quartzlens.cli import main
from store import local, rules

_FASTER = 1000.0


class WrongClock(datetime):
    """A calendar that goes wrong by some days."""

    @classmethod
    def now(cls, tz: tzinfo | None = UTC) -> Self:
        """The wrong time."""
        wrong = datetime.now(tz) + timedelta(days=float(os.environ["QUARTZLENS_TEST_CLOCK_DAYS"]))
        return cls.fromisoformat(wrong.isoformat())


pace.BACKOFF_SECONDS = {kind: tuple(mean / _FASTER for mean in means) for kind, means in pace.BACKOFF_SECONDS.items()}
pace.LEAST_SLOWED_SECONDS, pace.SLOWEST_SECONDS = pace.LEAST_SLOWED_SECONDS / _FASTER, pace.SLOWEST_SECONDS / _FASTER
if "QUARTZLENS_TEST_CLOCK_DAYS" in os.environ:
    runner.datetime = rules.datetime = WrongClock  # type: ignore[misc]
if "QUARTZLENS_TEST_BUSY_SECONDS" in os.environ:
    defaults = local.LocalStore.__init__.__kwdefaults__
    assert defaults
    defaults["busy_seconds"] = float(os.environ["QUARTZLENS_TEST_BUSY_SECONDS"])
main()
