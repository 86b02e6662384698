"""A list written anew: other links in some rows and columns more, every other cell with the text that it had."""

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Self

from pipeline.tables import SOURCE_COLUMNS, column_names, delimiter_of, ends_in_a_quote, list_text
from pipeline.whole import whole_file
from quartzlens.errors import UsageError
from quartzlens.spreadsheet import harmless

_LAST_LINE_END = re.compile("(?:\r\n|\n|\r)\\Z")


@dataclass(frozen=True, slots=True)
class NewCells:
    """What a row gets: a cell for each new column, and a link in place of its own (None: its own stays)."""

    more: tuple[str, ...]
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Original:
    """A list as it stands in its file; rows of no cells are its blank lines.

    ``mark`` is its byte order mark, empty where it has none; ``line_end`` is what ends its header.
    """

    mark: bytes
    delimiter: str
    line_end: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a list; raises UsageError where it is none, or where a quote that is not closed took its last rows."""
        with path.open("rb") as file:
            mark = codecs.BOM_UTF8 if file.read(3) == codecs.BOM_UTF8 else b""
        text = list_text(path)
        delimiter, lines = delimiter_of(text), io.StringIO(text, newline="")
        if ends_in_a_quote(text, delimiter):
            raise UsageError(f"{path} ends in a quote that is not closed, which takes its last rows: close it first.")
        reader = csv.reader(lines, delimiter=delimiter)
        header = tuple(next(reader, ()))
        line_end = _LAST_LINE_END.search(text[: lines.tell()])
        return cls(mark, delimiter, line_end[0] if line_end else "\n", header, tuple(map(tuple, reader)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in small letters, each once."""
        return column_names(self.header)

    def link_cells(self, numbers: Collection[int]) -> dict[int, str]:
        """The cells that say where the videos of these rows are."""
        rows = enumerate(filter(None, self.rows), start=1)
        return {number: row[self._link_place(row)] for number, row in rows if number in numbers}

    def write(self, path: Path, more_columns: Sequence[str], new: Mapping[int, NewCells]) -> None:
        """Write the list with columns more; rows that ``new`` does not name by their number leave them empty.

        The file is there whole at any time. Cells of the new columns begin as no formula does.
        """
        nothing, numbers = NewCells(("",) * len(more_columns)), count(1)
        rows = (self._changed(row, new.get(next(numbers), nothing)) if row else () for row in self.rows)
        text = "".join(map(self._line, ((*self.header, *more_columns), *rows)))
        with whole_file(path.parent, path.name) as partial:
            partial.write_bytes(self.mark + text.encode())

    def _link_place(self, row: Sequence[str]) -> int:
        columns = self.columns
        places = (columns.index(column) for column in SOURCE_COLUMNS if column in columns)
        return next(place for place in places if row[place].strip())

    def _changed(self, row: tuple[str, ...], new: NewCells) -> tuple[str, ...]:
        if new.link is not None:
            place = self._link_place(row)
            row = (*row[:place], new.link, *row[place + 1 :])
        return (*row, *map(harmless, new.more))

    def _line(self, cells: Iterable[str]) -> str:
        return self.delimiter.join(map(self._quoted, cells)) + self.line_end

    def _quoted(self, cell: str) -> str:
        special = any(mark in cell for mark in (self.delimiter, '"', "\r", "\n"))
        return '"{}"'.format(cell.replace('"', '""')) if special else cell
