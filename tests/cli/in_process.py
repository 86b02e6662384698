"""The command line without a process for each command: for tests of what commands say, where starting takes longest."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from quartzlens.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def command(*arguments: str | Path) -> Done:
    """Run a command as ``python -m quartzlens`` does, in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["quartzlens", *map(str, arguments)])
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def answer(*arguments: str | Path) -> Any:
    """What a command prints as JSON."""
    done = command(*arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)
