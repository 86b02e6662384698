"""Commands of quartzlens as child processes of this server: how each is started, and what it last complained of."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).resolve().parent.parent
# -P: without it the working directory comes first on the path, and a stranger's click.py in it would run.
COMMAND = (sys.executable, "-P", "-m", "quartzlens")


def begun(command: Sequence[str], complaints: IO[bytes], stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
    """A process whose lines can be read, and which writes standard error into ``complaints``."""
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=complaints,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment(),
    )


def environment() -> dict[str, str]:
    """What a child is started in: it imports this very quartzlens."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def last_line(text: str) -> str:
    r"""The last line that was said, without the name of the program; empty where nothing was.

    >>> last_line("loading\nquartzlens: The disk is full.\n")
    'The disk is full.'
    """
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("quartzlens: ") if lines else ""
