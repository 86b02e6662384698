"""Peak memory of an ingest, and whether it grows with the number of videos."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.report import Table

_CASES = ((100, 5.0), (1000, 5.0), (30, 60.0), (100, 60.0))
_COLUMNS = ("videos", "seconds each", "peak", "beyond the model", "all workers", "model")


def tables(work: Path) -> list[Table]:
    """Peaks of ingests of few and many videos, each in a process of its own."""
    rows = []
    for count, seconds in _CASES:
        command = [sys.executable, "-m", "benchmarks.memory_child", str(work), str(count), str(seconds)]
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        facts = json.loads(answer.stdout.splitlines()[-1])
        peak, model = facts["peak"], facts["model"]
        sizes = (peak, peak - model, facts["workers"], model)
        rows.append((f"{count:,}", f"{seconds:.0f}", *(f"{size / 2**20:.0f} MB" for size in sizes)))
    note = (
        "QuartzNet 15x5 with random weights, f32, a new process each, media kept. The model is the network's weights; "
        "for the workers, the sum of their own peaks. Under 1.5 GB beyond the model is wanted, and no growth."
    )
    return [Table("Peak resident memory of an ingest", note, _COLUMNS, rows)]
