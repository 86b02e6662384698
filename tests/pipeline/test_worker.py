"""The worker process: crashes, hangs and hunger of a child leave the parent well."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.worker import Worker, WorkerDiedError, WorkerKilledError
from quartzlens.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A worker with 1 GiB of addresses."""
    with Worker(1 << 30) as worker:
        yield worker


def gone(pid: int) -> bool:
    """Whether a process has ended, waiting a little for it."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_call_runs_in_another_process_that_stays(worker: Worker) -> None:
    """Calls are answered by one child, not by this process."""
    first, second = (worker.call(os.getpid, timeout_seconds=20) for _ in range(2))
    assert first == second == worker.pid != os.getpid()


def test_arrays_come_back_as_they_are(worker: Worker) -> None:
    """A large array survives the way through the pipe bit for bit."""
    array = np.random.default_rng(0).standard_normal(1_000_000).astype(np.float32)
    assert np.array_equal(worker.call(np.negative, array, timeout_seconds=20), -array)


def test_exceptions_come_back_as_they_are(worker: Worker) -> None:
    """What the function raises is raised here, with its type and words, and the child lives on."""
    pid = worker.call(os.getpid, timeout_seconds=20)
    with pytest.raises(ValueError, match="invalid literal for int"):
        worker.call(int, "seven", timeout_seconds=20)
    with pytest.raises(UsageError, match="no list, folder or file"):
        worker.call(read_nothing, timeout_seconds=20)
    with pytest.raises(SystemExit):
        worker.call(sys.exit, 3, timeout_seconds=20)
    assert worker.pid == pid


def read_nothing() -> None:
    """Raise one of our own errors."""
    from pipeline.sources import read_source

    read_source("/nowhere at all")


def test_an_exception_that_cannot_travel_is_told_in_words(worker: Worker) -> None:
    """An exception that pickle cannot bring back does not break the worker."""
    with pytest.raises(RuntimeError, match="Stubborn.*not to be copied"):
        worker.call(raise_stubborn, timeout_seconds=20)


class StubbornError(Exception):
    """Cannot be made from its own args."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def raise_stubborn() -> None:
    """Raise what cannot be unpickled."""
    raise StubbornError("not to be", "copied")


def test_a_crash_is_told_by_its_signal_and_the_next_call_works(worker: Worker) -> None:
    """A segmentation fault in the child is an error here, and a new child takes over."""
    with pytest.raises(WorkerDiedError, match="SIGSEGV"):
        worker.call(signal.raise_signal, signal.SIGSEGV, timeout_seconds=20)
    assert worker.pid is None
    assert worker.call(abs, -3, timeout_seconds=20) == 3


def test_a_child_that_ends_by_itself_is_an_error(worker: Worker) -> None:
    """Even an orderly end during a call is no answer."""
    with pytest.raises(WorkerDiedError, match="exit code 7"):
        worker.call(os._exit, 7, timeout_seconds=20)


def test_a_hang_is_killed_with_what_it_had_started(worker: Worker) -> None:
    """A call over its time ends the child and the child's own children."""
    grandchild = worker.call(start_sleeper, timeout_seconds=20)
    child = worker.pid
    assert child is not None
    with pytest.raises(WorkerKilledError, match=r"0\.3 s"):
        worker.call(time.sleep, 60, timeout_seconds=0.3)
    assert gone(child)
    assert gone(grandchild)
    assert worker.call(abs, -3, timeout_seconds=20) == 3


def start_sleeper() -> int:
    """Start a process that sleeps; its id."""
    return subprocess.Popen(["sleep", "60"]).pid


def test_a_memory_bomb_fails_in_the_child_alone(worker: Worker) -> None:
    """Allocations over the limit raise MemoryError, here and there, and nothing is taken from the system."""
    with pytest.raises(MemoryError):
        worker.call(bytearray, 4 << 30, timeout_seconds=20)
    assert len(worker.call(bytearray, 1 << 20, timeout_seconds=20)) == 1 << 20


def test_without_a_limit_there_is_none() -> None:
    """A worker may be started without a limit of addresses."""
    with Worker(None) as worker:
        assert worker.call(read_limit, timeout_seconds=20) == read_limit()


def read_limit() -> tuple[int, int]:
    """The limit of this process's addresses."""
    import resource

    return resource.getrlimit(resource.RLIMIT_AS)


def test_an_interrupt_from_the_keyboard_does_not_end_the_child(worker: Worker) -> None:
    """Ctrl-C is for the parent to decide on."""
    assert worker.call(os.getpid, timeout_seconds=20) == worker.pid
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGINT)
    assert worker.call(os.getpid, timeout_seconds=20) == worker.pid


def test_closing_ends_the_child() -> None:
    """After closing there is no child, and closing twice is fine."""
    worker = Worker(1 << 30)
    child = worker.call(os.getpid, timeout_seconds=20)
    worker.close()
    worker.close()
    assert worker.pid is None
    assert gone(child)


def test_the_child_dies_with_its_parent() -> None:
    """A parent killed by kill -9 leaves no child behind, even one in the middle of a call."""
    code = (
        "import threading, time, os\nfrom pipeline.worker import Worker\nworker = Worker(1 << 30)\n"
        "print(worker.call(os.getpid, timeout_seconds=20), flush=True)\nworker.call(time.sleep, 60, timeout_seconds=60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    assert gone(child)


@pytest.mark.parametrize(
    ("function", "unwanted"),
    [
        ("pipeline.decode:decode", ["torch", "nemo", "yt_dlp", "sklearn", "pandas", "streamlit"]),
        ("pipeline.media:keep_media", ["torch", "nemo", "yt_dlp", "sklearn", "pandas", "streamlit"]),
        ("pipeline.download:download", ["torch", "nemo", "sklearn", "pandas", "streamlit"]),
    ],
)
def test_a_child_loads_only_what_its_work_needs(worker: Worker, function: str, unwanted: list[str]) -> None:
    """The processes that meet strangers' media hold neither the encoder nor one another's libraries."""
    loaded = json.loads(worker.call(modules_with, function, timeout_seconds=60))
    assert function.partition(":")[0] in loaded
    assert not set(unwanted) & {name.partition(".")[0] for name in loaded}


def modules_with(function: str) -> str:
    """Names of all modules in a fresh interpreter of this search path that imported the function."""
    module, _, name = function.partition(":")
    code = f"import sys, json; from {module} import {name}; print(json.dumps(list(sys.modules)))"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
