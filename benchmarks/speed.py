"""The encoder against its rivals on clips of 60 s with the full 15x5 architecture: throughput on all cores."""

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.child import Child
from benchmarks.matrix import rates
from benchmarks.models import full_size
from benchmarks.network_cost import network_table
from benchmarks.report import Table
from benchmarks.rivals import BF16, BF16_B2, F32, F32_B2, NEMO, RIVALS
from benchmarks.timing import PAIRS, in_turn, median_ratio
from pipeline.engine import has_bf16

_NOTE = f"""\
Front end and encoder, QuartzNet 15x5 with random weights, sound in memory, several clips in flight on all cores. Each
rival is a process of its own and runs in the fastest of its ways; all take turns, {PAIRS} rounds after a warm-up.
"times" is the median of the rounds' ratios to {NEMO}; GFLOP/s counts the network's work alone (112.9 GFLOP a clip, to
B2 15.9)."""


def tables(work: Path) -> list[Table]:
    """Rivals, the machine's matrix products, and what parts of the network cost."""
    full_size(work)
    best = list(rates())
    return [_rivals(work, _names()), _matrix(best), network_table(work)]


def _names() -> list[str]:
    """Rivals that can run on this processor at all."""
    return [name for name in RIVALS if "bf16" not in name or has_bf16()]


def _rivals(work: Path, names: Sequence[str]) -> Table:
    with ExitStack() as stack:
        children = {name: stack.enter_context(Child(name, work)) for name in names}
        running = {name: child for name, child in children.items() if not child.failed}
        taken = in_turn({name: child.seconds for name, child in running.items()})
        rows = [
            _row(name, child, taken[name], taken[NEMO])
            if name in taken
            else (name, "does not run", "", "", child.failed)
            for name, child in children.items()
        ]
    rows += [
        (f"{cut} over {whole}", "", f"{median_ratio(taken[whole], taken[cut]):.2f}", "", "same precision")
        for whole, cut in ((F32, F32_B2), (BF16, BF16_B2))
        if {whole, cut} <= set(taken)
    ]
    return Table("Encoders", _NOTE, ("encoder", "s a clip", "times", "GFLOP/s", "how"), rows)


def _row(name: str, child: Child, own: list[float], nemo: list[float]) -> tuple[str, ...]:
    seconds = statistics.median(own)
    rate = float(child.said["gflop"]) / seconds
    return name, f"{seconds:.3f}", f"{median_ratio(nemo, own):.2f}", f"{rate:.0f}", str(child.said["how"])


def _matrix(best: Sequence[tuple[str, str, float]]) -> Table:
    rows = [(library, precision, f"{rate:.0f}") for library, precision, rate in best]
    return Table("Matrix products", "The best of several sizes, all cores.", ("library", "precision", "GFLOP/s"), rows)
