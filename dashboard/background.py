"""Long work that a person started from the browser: a command of quartzlens in a process that belongs to the server.

Pages come and go, are reloaded or closed; the work goes on, and whoever looks next sees how far it is.
"""

import atexit
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from enum import StrEnum
from typing import IO, Any

from dashboard import process
from quartzlens.errors import QuartzlensError

_STOPPED_SECONDS = 20.0


class How(StrEnum):
    """How work stands."""

    NOT_BEGUN = "not begun"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class Background:
    """One command at a time, which prints a line of JSON for each event."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._complaints: IO[bytes] | None = None
        self._events: list[Mapping[str, Any]] = []
        self._stopped = False
        atexit.register(self.close)

    def start(self, *words: str, given: str = "") -> None:
        """Start ``quartzlens WORDS...``, with ``given`` as its standard input.

        Raises QuartzlensError where other work is still running.
        """
        with self._lock:
            if self.how is How.RUNNING:
                raise QuartzlensError("Another one is still running here: wait for it, or stop it.")
            self._forget()
            self._events, self._stopped = [], False
            self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
            with tempfile.TemporaryFile() as file:  # of any length: nobody waits until it is read
                file.write(given.encode())
                file.seek(0)
                self._process = process.begun([*process.COMMAND, *words], self._complaints, file.fileno())
            threading.Thread(target=self._read, args=(self._process, self._events), daemon=True).start()

    @property
    def how(self) -> How:
        """How it stands now."""
        if self._process is None:
            return How.NOT_BEGUN
        code = self._process.poll()
        if code is None:
            return How.RUNNING
        if self._stopped:
            return How.STOPPED
        return How.DONE if code == 0 else How.FAILED

    @property
    def pid(self) -> int:
        """Process id of the last one that was started; -1 before any."""
        return self._process.pid if self._process else -1

    @property
    def events(self) -> tuple[Mapping[str, Any], ...]:
        """What it told up to now, oldest first."""
        return tuple(self._events)

    @property
    def complaint(self) -> str:
        """The last line that it wrote on standard error; empty where there is none."""
        if self._complaints is None:
            return ""
        size = os.fstat(self._complaints.fileno()).st_size
        tail = os.pread(self._complaints.fileno(), 2000, max(0, size - 2000)).decode(errors="replace")
        return process.last_line(tail)

    def stop(self) -> None:
        """End it, kindly first; harmless where none runs."""
        running = self._process
        if running is None or running.poll() is not None:
            return
        self._stopped = True
        running.terminate()
        try:
            running.wait(_STOPPED_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()

    def close(self) -> None:
        """End it at once: the server goes."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._forget()

    def _forget(self) -> None:
        complaints, self._complaints = self._complaints, None
        if complaints is not None:
            complaints.close()

    @staticmethod
    def _read(running: "subprocess.Popen[str]", events: list[Mapping[str, Any]]) -> None:
        for line in running.stdout or ():
            try:
                told = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(told, dict):
                events.append(told)
        running.wait()
        if running.stdout is not None:
            running.stdout.close()
