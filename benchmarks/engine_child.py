"""An engine in a process of its own: libraries' threads, memory and settings cannot disturb each other.

``python -m benchmarks.engine_child WORK LABEL COUNT QUERIES`` builds, says what it is in a line of JSON (or
``{"failed": ...}``), then answers each line with a knob by seconds and recall over all queries.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import numpy as np

from benchmarks.generated import nearest, queries, recall


class EngineChild:
    """The parent's end of it; a context manager that ends the process."""

    def __init__(self, work: Path, label: str, count: int, asked: int) -> None:
        command = [sys.executable, "-m", "benchmarks.engine_child", str(work), label, str(count), str(asked)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.said: dict[str, Any] = self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def measured(self, knob: int) -> dict[str, float]:
        """``p50`` and ``p95`` in seconds, and ``recall``, of one more round over all queries."""
        print(knob, file=self._process.stdin, flush=True)
        return dict(self._answer())

    def knob_for(self, wanted: float) -> int | None:
        """The quickest knob with at least this recall."""
        return next((knob for knob in self.said["knobs"] if self.measured(knob)["recall"] >= wanted), None)

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        return dict(json.loads(line)) if line else {"failed": "its process ended"}


def peak_bytes() -> int:
    """Most memory that this process ever had resident, as the kernel counts it on Linux."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _serve(work: Path, label: str, count: int, asked: int, answers: TextIO) -> None:
    def say(**facts: object) -> None:
        print(json.dumps(facts), file=answers, flush=True)

    try:
        from benchmarks.engines import bytes_of, engine

        one = engine(label, work, count)
        began = time.perf_counter()
        one.build()
        built = time.perf_counter() - began
        every = queries(work, asked)
        one.nearest(every[0], one.knobs[-1])
    except Exception as error:  # noqa: BLE001 -- whatever keeps a rival from running belongs into the table
        say(failed=f"{type(error).__name__}: {(str(error).strip() or repr(error)).splitlines()[0]:.120}")
        return
    say(how=one.how, knobs=list(one.knobs), build=built, bytes=bytes_of(one.kept), peak=peak_bytes())
    true = nearest(work, count, every)
    for line in sys.stdin:
        found, took = [], []
        for query in every:
            began = time.perf_counter()
            found.append(one.nearest(query, int(line)))
            took.append(time.perf_counter() - began)
        say(p50=statistics.median(took), p95=float(np.percentile(took, 95)), recall=recall(found, true))


if __name__ == "__main__":
    own, sys.stdout = sys.stdout, sys.stderr  # what libraries print is not an answer
    _serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), own)
