"""Ctrl-C in a long command: what is said then, wherever it comes."""

import io
import signal

import pytest

from quartzlens.cli.progress import sayer, stoppable


class Interrupted(io.RawIOBase):
    """A terminal at which Ctrl-C is pressed in the middle of a write."""

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, block: object) -> int:
        """Take all, but first the interrupt."""
        assert isinstance(block, memoryview)
        signal.raise_signal(signal.SIGINT)
        return len(block)


def test_an_interrupt_amid_a_write_is_told(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C while a line is being written to standard error raises nothing there, and the words come out."""
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(io.BufferedWriter(Interrupted()), write_through=True))
    say = sayer("auto")
    with stoppable(say, "search") as stop:
        say("half a line")
        assert stop.is_set()
        monkeypatch.undo()
    assert capfd.readouterr().err == "Finishing the current search; Ctrl-C again stops at once.\n"


@pytest.mark.parametrize("progress", ["json", "none"])
def test_where_a_program_reads_along_an_interrupt_is_silent(capfd: pytest.CaptureFixture[str], progress: str) -> None:
    """Ctrl-C still stops, and standard error stays empty."""
    with stoppable(sayer(progress)) as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
    assert capfd.readouterr() == ("", "")
