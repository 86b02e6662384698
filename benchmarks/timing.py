"""Taking turns: what is compared runs side by side, round after round, so that a busy moment meets all alike."""

import statistics
import time
from collections.abc import Callable, Mapping

PAIRS = 7


def seconds_of(action: Callable[[], object]) -> float:
    """Wall-clock seconds of one run."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def median_seconds(action: Callable[[], object], times: int = PAIRS) -> float:
    """Median wall-clock seconds of an action, after one run that does not count."""
    action()
    return statistics.median(seconds_of(action) for _ in range(times))


def in_turn(measures: Mapping[str, Callable[[], float]], rounds: int = PAIRS) -> dict[str, list[float]]:
    """What each of several measures gives in each round; every other round goes backwards, so that drift cancels."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        for name in list(measures)[:: 1 if number % 2 == 0 else -1]:
            taken[name].append(measures[name]())
    return taken


def median_ratio(of: list[float], to: list[float]) -> float:
    """Median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(of, to, strict=True))
