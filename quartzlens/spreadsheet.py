"""Text of strangers in CSV: what a spreadsheet would take for a formula is text there."""

import re
from typing import TYPE_CHECKING

from quartzlens.characters import is_text

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"[\s\ufeff\u200b-\u200d\u2060]*[=+\-@]")
"""Also behind what a program may take away in reading: spaces of any kind, and what is not seen at all."""


def harmless(cell: str) -> str:
    """A text that no spreadsheet takes for a formula, without what is no text but for line ends.

    >>> harmless("-wtIMTCHWuI"), harmless("a -b")
    ("'-wtIMTCHWuI", 'a -b')
    """
    shown = "".join(character for character in cell if is_text(character) or character == "\n")
    return f"'{shown}" if _FORMULA.match(shown) else shown


def as_written(cell: str) -> str:
    """The text that ``harmless`` put an apostrophe before; any other as it is.

    >>> as_written("'-wtIMTCHWuI"), as_written("'a -b")
    ('-wtIMTCHWuI', "'a -b")
    """
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell, 1) else cell


def harmless_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """The table with harmless text alone, in cells and names of columns."""

    def safe(cell: object) -> object:
        """Of a cell that is text."""
        return harmless(cell) if isinstance(cell, str) else cell

    texts = table.select_dtypes(include=["object", "string"]).columns
    return table.assign(**{name: table[name].map(safe) for name in texts}).rename(columns=safe)
