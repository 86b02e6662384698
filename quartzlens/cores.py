"""How many processor cores there are to work with."""

import os


def cores() -> int:
    """Processor cores that this process may use; where the system does not say which, all of the machine's."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1
