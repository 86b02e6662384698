"""Full sizes, or with ``--quick`` ones so small that a part can be tried in a minute."""

import os

_NAME = "QUARTZLENS_BENCH_QUICK"


def make_quick() -> None:
    """Small sizes from now on, in this process and its children."""
    os.environ[_NAME] = "1"


def size(full: int, quick: int) -> int:
    """The size that is asked for."""
    return quick if os.environ.get(_NAME) else full
