"""A rival in a process of its own, idle until its turn: libraries' threads and settings cannot disturb each other.

``python -m benchmarks.child WORK NAME`` warms up, says ``{"how": ...}`` or ``{"failed": ...}`` in a line of JSON, then
answers each line that it is sent with ``{"seconds": ...}``.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO


class Child:
    """The parent's end of it; a context manager that ends the process."""

    def __init__(self, name: str, work: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.child", str(work), name]
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

    @property
    def failed(self) -> str:
        """Why it cannot run; empty where it can."""
        return str(self.said.get("failed", ""))

    def seconds(self) -> float:
        """Seconds a clip, of one more measurement."""
        print(file=self._process.stdin, flush=True)
        return float(self._answer()["seconds"])

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        return dict(json.loads(line)) if line else {"failed": "its process ended"}


def _serve(work: Path, name: str, answers: TextIO) -> None:
    from benchmarks.rivals import ready

    def say(**facts: object) -> None:
        print(json.dumps(facts), file=answers, flush=True)

    try:
        rival = ready(name, work)
    except Exception as error:  # noqa: BLE001 -- whatever keeps a rival from running belongs into the table
        words = (str(error).strip() or repr(error)).splitlines()[0]
        say(failed=f"{type(error).__name__}: {words:.120}")
        return
    say(how=rival.how, gflop=rival.gflop)
    for _ in sys.stdin:
        say(seconds=rival.seconds())


if __name__ == "__main__":
    own, sys.stdout = sys.stdout, sys.stderr  # what libraries print is not an answer
    _serve(Path(sys.argv[1]), sys.argv[2], own)
