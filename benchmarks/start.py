"""What starting costs: bare Python beside ``quartzlens --help``."""

import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.report import Table, milliseconds
from benchmarks.timing import PAIRS, in_turn, seconds_of

_COMMANDS = {"python -c pass": ("-c", "pass"), "quartzlens --help": ("-m", "quartzlens", "--help")}


def tables(_work: Path) -> list[Table]:
    """Median times of both commands."""
    measures = {name: partial(_run, arguments) for name, arguments in _COMMANDS.items()}
    taken = in_turn(measures)
    rows = [(name, milliseconds(statistics.median(values))) for name, values in taken.items()]
    return [Table("Start", f"Medians of {PAIRS}, in turn.", ("command", "ms"), rows)]


def _run(arguments: tuple[str, ...]) -> float:
    command = [sys.executable, *arguments]
    return seconds_of(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True))
