"""Reading the sources that a command names, standard input among them."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from quartzlens.errors import UsageError
from quartzlens.spreadsheet import as_written

if TYPE_CHECKING:
    from pipeline.sources import SourceList

STANDARD_INPUT = "-"
_ID_COLUMN = "id"
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


def read_ids(name: str) -> frozenset[str]:
    """Ids of videos, one a line of a file; ``-`` is standard input.

    A column of a CSV that ``export`` wrote will do: its head ``id`` is no video, and no id keeps its apostrophe.

    Raises
    ------
    UsageError
        It cannot be read, is no text, or holds none.
    """
    waits = "Waiting for ids of videos, one a line; Ctrl-D ends."
    try:
        content = _standard_input(waits) if name == STANDARD_INPUT else Path(name).read_bytes()
        lines = list(filter(None, map(str.strip, content.decode("utf-8-sig").split("\n"))))
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is no text in UTF-8: write ids of videos into it, one a line.") from error
    ids = frozenset(map(as_written, lines[1:] if lines[:1] == [_ID_COLUMN] else lines))
    if not ids:
        raise UsageError(f"{name} names no video: write ids into it, one a line.")
    return ids


def confined(lists: "Sequence[SourceList]", folder: Path | None) -> "list[SourceList]":
    """The lists with every row whose file is not in a folder made unusable; as they are where there is no folder.

    Lists that strangers wrote name no file of this machine but those that came with them.
    """
    return list(lists) if folder is None else [_confined(one, folder.resolve()) for one in lists]


def _confined(one: "SourceList", folder: Path) -> "SourceList":
    from pipeline.identity import is_link
    from quartzlens.records import BadRow

    inside = [is_link(row.source) or _is_in(Path(row.source), folder) for row in one.rows]
    refused = [
        BadRow(row.source_list, row.number, "a file that was not given with the list")
        for row, kept in zip(one.rows, inside, strict=True)
        if not kept
    ]
    rows = tuple(row for row, kept in zip(one.rows, inside, strict=True) if kept)
    return replace(one, rows=rows, bad_rows=(*one.bad_rows, *refused))


def _is_in(path: Path, folder: Path) -> bool:
    """Whether there is such a file or folder, and all of it in a folder."""
    try:
        return path.resolve(strict=True).is_relative_to(folder)
    except (OSError, ValueError):  # not there; too long; a zero in it
        return False


def _standard_input(waits: str = "Waiting for a CSV, or for links, ids and paths, one a line; Ctrl-D ends.") -> bytes:
    if sys.stdin is None:
        raise UsageError(f"standard input is closed: {_HOW}")
    if sys.stdin.isatty():
        typer.echo(waits, err=True)
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise UsageError(f"standard input cannot be read: {error.strerror or error}; {_HOW}") from error
