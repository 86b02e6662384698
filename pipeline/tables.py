"""Lists as strangers write them: CSV text to rows of named cells, with every unusable row told by its number."""

import csv
import io
import re
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quartzlens.errors import UsageError

if TYPE_CHECKING:
    from _csv import Reader

_LINE_END = r"\r\n|\r|\n"
_DELIMITERS = ",;\t"
SOURCE_COLUMNS = ("path", "link", "url")


@dataclass(frozen=True, slots=True)
class Table:
    """A list's columns (small letters, each once), its rows by number, and its unusable rows with what is wrong.

    Numbers count the rows from 1, neither the header nor blank lines counted.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    bad: tuple[tuple[int, str], ...]


def is_table(text: str) -> bool:
    r"""Whether the first row names a column with sources; a list of which it does not is one link a line.

    >>> is_table("Title;Link\nA;dQw4w9WgXcQ\n"), is_table("dQw4w9WgXcQ\n")
    (True, False)
    """
    header = next(csv_reader(text, delimiter_of(text)), [])
    return any(name.strip().lower() in SOURCE_COLUMNS for name in header)


def lines_of(text: str) -> tuple[tuple[int, str], ...]:
    r"""The lines of a list of links by number from 1, no blanks around them; empty ones and comments are left out.

    >>> lines_of("# mine\r\n\r\n dQw4w9WgXcQ \r\n")
    ((3, 'dQw4w9WgXcQ'),)
    """
    numbered = enumerate((line.strip() for line in re.split(_LINE_END, text)), start=1)
    return tuple((number, line) for number, line in numbered if line and not line.startswith("#"))


def read_table(text: str, name: str) -> Table:
    """The table that a list's text is: with a header row, its delimiter one of comma, semicolon and tab.

    Raises
    ------
    UsageError
        It is empty; the message has the list's ``name``.
    """
    if not text.strip():
        raise UsageError(f"{name} is empty: a list needs a header row with 'path', 'link' or 'url', and rows")
    delimiter = delimiter_of(text)
    reader = csv_reader(text, delimiter)
    columns = column_names(next(reader, []))
    found, unclosed = list(_lines_and_cells(reader)), ends_in_a_quote(text, delimiter)
    rows: list[tuple[int, dict[str, str]]] = []
    bad: list[tuple[int, str]] = []
    for number, (lines, cells) in enumerate(found, start=1):
        problem = _problem(cells, columns, lines, unclosed=unclosed and number == len(found))
        if problem:
            bad.append((number, problem))
        else:
            rows.append((number, dict(zip(columns, cells, strict=True))))
    return Table(columns, tuple(rows), tuple(bad))


def list_text(path: Path) -> str:
    """A list's text, its line ends as they are, without a byte order mark.

    Raises UsageError where the file cannot be read or is no UTF-8 text.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    return decoded(raw, str(path))


def decoded(raw: bytes, name: str) -> str:
    """The text of a list's bytes, as ``list_text``; the message of the UsageError has the list's ``name``."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start} is 0x{raw[error.start]:02x}"
        raise UsageError(f"{name} is not UTF-8 text ({wrong}): save the list as UTF-8") from error
    header = text[: text.find("\n")] if "\n" in text else text
    if "\0" in header:
        raise UsageError(
            f"{name} is not UTF-8 text (byte {text.index(chr(0))} is 0x00; UTF-16?): save the list as UTF-8"
        )
    return text


def csv_reader(text: str, delimiter: str) -> "Reader":
    """A reader of the rows of a list's text, however long their cells, with line ends in cells as they are."""
    csv.field_size_limit(sys.maxsize)  # a description may be longer than the 128 KiB that the module allows
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def delimiter_of(text: str) -> str:
    """The delimiter whose reading of the header names a source; among several, the one with most columns."""

    def merit(delimiter: str) -> tuple[bool, int]:
        header = next(csv_reader(text, delimiter), [])
        names = {name.strip().lower() for name in header}
        return not names.isdisjoint(SOURCE_COLUMNS), len(header)

    return max(_DELIMITERS, key=merit)


def ends_in_a_quote(text: str, delimiter: str) -> bool:
    r"""Whether a quote of the last row is not closed, so that a line more would not be a row of its own.

    >>> ends_in_a_quote('link,title\na,"b""c"', ","), ends_in_a_quote('link,title\na,"b\nc,d\n', ",")
    (False, True)
    """
    (last,) = deque(csv_reader(f"{text}\nend", delimiter), maxlen=1)
    return last != ["end"]


def column_names(header: Sequence[str]) -> tuple[str, ...]:
    """Names in small letters, each once: an empty one becomes ``column_N``, a repeated one ``name_2``.

    >>> column_names(["Path", " label", "", "label"])
    ('path', 'label', 'column_3', 'label_2')
    """
    names: list[str] = []
    for place, cell in enumerate(header, start=1):
        name = base = cell.strip().lower() or f"column_{place}"
        count = 1
        while name in names:
            count += 1
            name = f"{base}_{count}"
        names.append(name)
    return tuple(names)


def _lines_and_cells(reader: "Reader") -> Iterator[tuple[tuple[int, int], list[str]]]:
    """The first and last line of every row that is not blank, and its cells."""
    last_line = reader.line_num
    for cells in reader:
        first_line, last_line = last_line + 1, reader.line_num
        if cells:
            yield (first_line, last_line), cells


def _problem(cells: Sequence[str], columns: Sequence[str], lines: tuple[int, int], *, unclosed: bool) -> str | None:
    """What is wrong with a row; None where nothing is. ``unclosed`` says that the list ends in a quote of it."""
    first, last = lines
    hint = f" (it spans the lines {first} to {last}: is a quote not closed?)"
    if len(cells) != len(columns):
        spans = last > first and len(cells) < len(columns)
        return f"{len(cells)} columns where the header has {len(columns)}" + (hint if spans or unclosed else "")
    return f"the list ends in a quote{hint}" if unclosed else None
