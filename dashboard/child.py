"""The warm encoder: a child process of the command line that turns an uploaded file or a link into an embedding."""

import atexit
import base64
import json
import os
import queue
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from dashboard.process import COMMAND, begun
from dashboard.turns import turn
from dashboard.wording import shown_command
from quartzlens.errors import QuartzlensError

READY_SECONDS = 300.0
ANSWER_SECONDS = 600.0


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the encoder said of one file or link: an outcome, and the pooled embedding (d,) float32 where it is ok."""

    outcome: str
    detail: str
    title: str
    embedding: NDArray[np.float32] | None


class EncoderChild:
    """One encoder process for the whole server, started at the first request and again when it has died.

    It is started anew as well when the collection has another encoder. Requests of several browsers wait for each
    other. The child ends with us: by ``close`` at exit, and by the end of its standard input where we are killed.
    """

    def __init__(self, folder: Path, command: Sequence[str] | None = None) -> None:
        self._command = list(command or [*COMMAND, "encode", "--serve", "-c", str(folder.absolute())])
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._complaints: IO[bytes] | None = None
        self._started_for = ""
        atexit.register(self.close)

    @property
    def pid(self) -> int | None:
        """Process id of the running child; None where none runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def ask(
        self,
        request: Mapping[str, str],
        fingerprint_key: str,
        timeout_seconds: float = ANSWER_SECONDS,
        waits: Callable[[], object] = lambda: None,
        begins: Callable[[], object] = lambda: None,
    ) -> Answer:
        """Send one request (``path`` or ``link``) and wait for its answer by the encoder of ``fingerprint_key``.

        ``waits`` is called again and again while another request comes first; what it raises ends the wait. ``begins``
        is called when the turn of this one has come.

        Raises
        ------
        QuartzlensError
            The encoder did not start, or died or took too long over this request: it is started again for the next.
            Or it is another one than was asked for, even when started anew.
        """
        with turn(self._lock, waits, begins):
            for _ in range(2):
                if self.pid is None or self._started_for != fingerprint_key:
                    self._start(fingerprint_key)
                said = self._said(request, timeout_seconds)
                if said.get("fingerprint") == fingerprint_key:
                    return _answer(said)
                self.close()
        raise QuartzlensError(
            "The encoder that answered is not the one that the collection is embedded by: perhaps this was just "
            "changed. Try once more, and if it happens again, start the dashboard anew."
        )

    def _said(self, request: Mapping[str, str], timeout_seconds: float) -> Mapping[str, object]:
        try:
            self._send(request)
            said = json.loads(self._line(timeout_seconds))
            return said if isinstance(said, dict) else {}
        except (_Died, OSError, json.JSONDecodeError) as error:
            why = self._end(error)
            self._start(self._started_for)
            message = (
                f"The encoder {why} while it worked on this. It has been started again: try once more, "
                "and if it happens again, try another file."
            )
            raise QuartzlensError(message) from error

    def close(self) -> None:
        """End the child; harmless where none runs."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, self._complaints):
            _close_quietly(stream)

    def _start(self, fingerprint_key: str) -> None:
        self.close()
        self._started_for = fingerprint_key
        self._lines = queue.Queue()
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the child)
        self._process = begun(self._command, self._complaints, subprocess.PIPE)
        threading.Thread(target=_read, args=(self._process.stdout, self._lines), daemon=True).start()
        try:
            self._line(READY_SECONDS)
        except _Died as error:
            why = self._end(error)
            raise QuartzlensError(
                f"The encoder {why} before it was ready. `{shown_command('doctor')}` tells what is missing."
            ) from error

    def _send(self, request: Mapping[str, str]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise _Died("ended")
        process.stdin.write(json.dumps(dict(request)) + "\n")
        process.stdin.flush()

    def _line(self, timeout_seconds: float) -> str:
        try:
            line = self._lines.get(timeout=timeout_seconds)
        except queue.Empty:
            message = f"took longer than {timeout_seconds:.0f} s"
            raise _Died(message) from None
        if line is None:
            raise _Died("ended")
        return line

    def _end(self, error: Exception) -> str:
        """Make sure that the child is gone; what happened to it, with the last line it complained with."""
        last = ""
        if self._complaints is not None:
            size = self._complaints.seek(0, os.SEEK_END)
            self._complaints.seek(max(0, size - 2000))
            tail = self._complaints.read().decode(errors="replace").strip().splitlines()
            last = f" ({tail[-1][:200]})" if tail else ""
        self.close()
        return f"{error if isinstance(error, _Died) else 'ended'}{last}"


class _Died(Exception):  # noqa: N818 (never leaves this module)
    """The child is gone or silent; the text continues a sentence about it."""


@contextmanager
def upload_as_file(name: str, content: bytes | memoryview) -> Iterator[Path]:
    """Put uploaded bytes into a file outside of the collection for as long as the block lasts.

    Of the stranger's name only a harmless ending survives: decoders look at it.
    """
    ending = re.fullmatch(r".*(\.[A-Za-z0-9]{1,5})", name, re.DOTALL)
    with tempfile.TemporaryDirectory(prefix="quartzlens-upload-") as folder:
        path = Path(folder) / f"upload{ending[1].lower() if ending else ''}"
        path.write_bytes(content)
        yield path


def _answer(said: Mapping[str, object]) -> Answer:
    packed = said.get("embedding")
    embedding = (
        np.frombuffer(base64.b64decode(packed), dtype="<f4").astype(np.float32) if isinstance(packed, str) else None
    )
    return Answer(
        str(said.get("outcome", "failed")), str(said.get("detail", "")), str(said.get("title") or ""), embedding
    )


def _read(stream: IO[str] | None, lines: "queue.Queue[str | None]") -> None:
    """Pass the child's lines on until it ends; None marks the end."""
    try:
        for line in stream or ():
            lines.put(line)
    except ValueError:  # closed under our hands by close()
        pass
    lines.put(None)


def _close_quietly(stream: IO[str] | IO[bytes] | None) -> None:
    try:
        if stream is not None:
            stream.close()
    except OSError:  # a pipe whose other end is gone
        pass
