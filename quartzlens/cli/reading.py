"""Reading the sources that a command names, standard input among them."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from quartzlens.errors import UsageError

if TYPE_CHECKING:
    from pipeline.sources import SourceList

STANDARD_INPUT = "-"
_HOW = "write a CSV, or one link, YouTube id or path a line, into it, or name a list"


def read_sources(sources: Sequence[str], label_column: str | None) -> "list[SourceList]":
    """The rows of every source; ``-`` is standard input, and ``./-`` a file of that name.

    Raises
    ------
    UsageError
        One cannot be read or holds nothing, or standard input is named twice.
    """
    from pipeline.sources import read_source, read_standard_input

    if list(sources).count(STANDARD_INPUT) > 1:
        raise UsageError("standard input (-) can be read once only: name it once")
    return [
        read_standard_input(_standard_input(), label_column)
        if source == STANDARD_INPUT
        else read_source(source, label_column)
        for source in sources
    ]


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise UsageError(f"standard input is closed: {_HOW}")
    if sys.stdin.isatty():
        typer.echo("Waiting for a CSV, or for links, ids and paths, one a line; Ctrl-D ends.", err=True)
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise UsageError(f"standard input cannot be read: {error.strerror or error}; {_HOW}") from error
