"""The one ingest of this server: a child process of the command line, whose JSON lines tell how far it is.

It belongs to the server, not to a browser: a page that is loaded anew finds it again, and so does another browser.
"""

import atexit
import json
import signal
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from dashboard.process import COMMAND, begun, environment, last_line
from quartzlens.errors import UsageError

SURVEY_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: ``total`` is None before the first video, ``code`` is None while it runs.

    ``complaint`` is the last line that it complained with where it failed, empty otherwise.
    """

    name: str
    done: int = 0
    total: int | None = None
    outcomes: Mapping[str, int] = field(default_factory=dict)
    stopping: bool = False
    code: int | None = None
    complaint: str = ""

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.code is None


class IngestChild:
    """At most one ingest at a time for the whole server."""

    def __init__(self, folder: Path, command: Sequence[str] | None = None) -> None:
        self._command = list(command or [*COMMAND, "ingest"])
        self._folder = folder
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._now: Progress | None = None
        atexit.register(self.close)

    def survey(self, sources: Sequence[str], within: Path) -> dict[str, Any]:
        """What sources hold, by ``ingest --dry-run``: no request, no collection.

        Raises
        ------
        UsageError
            They cannot be read, or not in ``SURVEY_SECONDS``; the message is the command's where it has one.
        """
        words = [*self._command, "--dry-run", "--json", "--files-within", str(within), "--", *sources]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, env=environment(), timeout=SURVEY_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError("Reading it takes too long: give less at once.") from error
        if done.returncode:
            raise UsageError(_said(done.stderr) or "What was given cannot be read.")
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except json.JSONDecodeError as error:
            raise UsageError("What was given cannot be read.") from error
        return found

    def start(
        self, name: str, sources: Sequence[str], within: Path, on_end: Callable[[Progress], None] | None = None
    ) -> None:
        """Begin to ingest; ``on_end`` hears of the end, from another thread, before ``progress`` tells of it.

        Raises
        ------
        UsageError
            One runs already.
        """
        with self._lock:
            if self._now is not None and self._now.running:
                raise UsageError("An ingest runs already: wait for its end, or stop it.")
            words = [*self._command, "--progress", "json", "-c", str(self._folder), "--files-within", str(within)]
            complaints = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the child)
            self._process = begun([*words, "--", *sources], complaints)
            self._now = Progress(name)
            threading.Thread(target=self._read, args=(self._process, complaints, on_end), daemon=True).start()

    def progress(self) -> Progress | None:
        """How far the ingest is that runs, or how the last one ended; None where there was none, or it is put away."""
        return self._now

    def put_away(self, ended: Progress | None) -> None:
        """Tell no more of this end; harmless where another one began since, and where it is none."""
        with self._lock:
            if ended is not None and not ended.running and self._now == ended:
                self._now = None

    def stop(self) -> None:
        """Ask it to end after the video that it is at; harmless where none runs. Nothing that is finished is lost."""
        with self._lock:
            if self._process is not None and self._now is not None and self._now.running:
                self._now = replace(self._now, stopping=True)
                self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """End it at once; what is finished is kept."""
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _read(
        self, process: subprocess.Popen[str], complaints: IO[bytes], on_end: Callable[[Progress], None] | None
    ) -> None:
        with process.stdout or nullcontext(()) as lines:
            for line in lines:
                self._hear(line)
        code = process.wait()
        complaints.seek(0)
        said = _said(complaints.read().decode(errors="replace"))
        complaints.close()
        with self._lock:
            now = self._now or Progress("")
            failed = code != 0 and not now.stopping
            ended = replace(now, code=code, complaint=said if failed else "")
        try:
            if on_end is not None:
                on_end(ended)
        except OSError as error:
            ended = replace(ended, complaint=f"its end cannot be noted: {error.strerror or error}")
        finally:
            with self._lock:
                self._now = ended

    def _hear(self, line: str) -> None:
        try:
            told = json.loads(line)
        except json.JSONDecodeError:  # a library that prints
            return
        if not isinstance(told, dict) or "done" not in told:
            return
        with self._lock:
            if self._now is not None:
                outcomes = Counter(self._now.outcomes)
                outcomes[str(told["outcome"])] += 1
                self._now = replace(self._now, done=int(told["done"]), total=int(told["of"]), outcomes=dict(outcomes))


def _said(text: str) -> str:
    """The last line of it, not without end."""
    return last_line(text)[:600]
