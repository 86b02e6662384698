"""A long-lived child process for work that can crash, hang or eat memory: its limits are the parent's safety.

The child is a plain ``python -c`` that imports only what the called function's module imports: never the caller's
``__main__``, as multiprocessing's spawn would.
"""

import contextlib
import multiprocessing.connection
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self, TypeVar

from pipeline.identity import absolute
from quartzlens.errors import QuartzlensError

T = TypeVar("T")

_CHILD = (
    "import sys; sys.path[:] = sys.argv[4].split(chr(0x1F)); from pipeline.worker import _serve; _serve(*sys.argv[1:4])"
)
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_CLOSE_SECONDS = 2.0


class WorkerKilledError(QuartzlensError):
    """The child was killed because a call outlasted its time."""


class WorkerDiedError(QuartzlensError):
    """The child died during a call: a crash, or the system took it down for its memory."""


class Worker:
    """Calls functions in a child process, one at a time; the next call after its death or killing starts another.

    Parameters
    ----------
    memory_bytes
        Limit of the child's address space (RLIMIT_AS); beyond it allocations fail with MemoryError. None for no limit
        (a JavaScript runtime that the child starts reserves more addresses than any sensible limit).
    """

    def __init__(self, memory_bytes: int | None) -> None:
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._lifeline: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child; None while there is none."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, function: Callable[..., T], *args: Any, timeout_seconds: float) -> T:
        """Run ``function(*args)`` in the child and return its result, or raise what it raised.

        The function must be importable by its module and name; arguments and result travel by pickle.

        Raises
        ------
        WorkerKilledError
            No answer within ``timeout_seconds``; the child and what it had started are killed.
        WorkerDiedError
            The child ended without an answer.
        """
        request = pickle.dumps((function, args), protocol=5)
        connection = self._connection or self._start()
        try:
            answer = _exchange(connection, request, timeout_seconds)
        except (EOFError, OSError) as error:
            raise WorkerDiedError(f"the worker process {self._reap()}") from error
        except BaseException:  # an interrupted wait would leave the answer to be taken for the next call's
            self._reap()
            raise
        if answer is None:
            self._reap()
            raise WorkerKilledError(f"killed after {timeout_seconds:g} s without an answer")
        succeeded, value = pickle.loads(answer)  # noqa: S301 - from our own child
        if succeeded:
            return value  # type: ignore[no-any-return]
        raise value

    def close(self) -> None:
        """End the child; a later call starts another."""
        process = self._process
        self._hang_up()
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_CLOSE_SECONDS)
        self._reap()

    def _start(self) -> Connection:
        connection, theirs = multiprocessing.connection.Pipe()
        lifeline, their_lifeline = socket.socketpair()
        arguments = [str(theirs.fileno()), str(their_lifeline.fileno()), str(self._memory_bytes or 0), _search_path()]
        with theirs, their_lifeline:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _CHILD, *arguments],
                pass_fds=(theirs.fileno(), their_lifeline.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_ONE_THREAD},
                start_new_session=True,  # Ctrl-C is the parent's to decide on, and the group can be killed whole
            )
        self._connection, self._lifeline = connection, lifeline
        return connection

    def _hang_up(self) -> None:
        for end in (self._connection, self._lifeline):
            if end is not None:
                end.close()
        self._connection = self._lifeline = None

    def _reap(self) -> str:
        """Kill the child's whole process group, collect it, and say how it ended."""
        self._hang_up()
        process, self._process = self._process, None
        if process is None:
            return "could not be started"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)  # one that died by itself is to be told by its own signal
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _exchange(connection: Connection, request: bytes, timeout_seconds: float) -> bytes | None:
    """Send a request; the answer's bytes, or None where none came in time."""
    connection.send_bytes(request)
    return connection.recv_bytes() if connection.poll(timeout_seconds) else None


def _search_path() -> str:
    """Where the child looks for modules: where this process does, so that both load the same ones."""
    return "\x1f".join(absolute(entry) for entry in sys.path)


def _serve(connection_fd: str, lifeline_fd: str, memory_bytes: str) -> None:
    """The child's whole life: answer calls until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, args=(socket.socket(fileno=int(lifeline_fd)),), daemon=True).start()
    if int(memory_bytes):
        resource.setrlimit(resource.RLIMIT_AS, (int(memory_bytes), int(memory_bytes)))
    with Connection(int(connection_fd)) as connection:
        while True:
            try:
                request = connection.recv_bytes()
            except EOFError:
                return
            connection.send_bytes(_answer(request))


def _die_with_parent(lifeline: socket.socket) -> None:
    """Wait for the parent's end of the lifeline to close, however it ended, then end this process and its children."""
    with contextlib.suppress(OSError):
        lifeline.recv(1)
    os.killpg(0, signal.SIGKILL)


def _answer(request: bytes) -> bytes:
    """Do a call: pickled (True, result) or (False, exception)."""
    try:
        function, args = pickle.loads(request)  # noqa: S301 - from our own parent
        return pickle.dumps((True, function(*args)), protocol=5)
    except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the caller in the other process
        return pickle.dumps((False, _sendable(error)), protocol=5)


def _sendable(error: BaseException) -> BaseException:
    """The exception itself where it survives pickling, else a RuntimeError of its name and words."""
    try:
        copy = pickle.loads(pickle.dumps(error, protocol=5))  # noqa: S301 - made in the same line
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, ImportError):
        return RuntimeError(f"{type(error).__qualname__}: {error}")
    return error if type(copy) is type(error) else RuntimeError(f"{type(error).__qualname__}: {error}")
