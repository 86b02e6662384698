"""Writing the list of labels as a CSV that a spreadsheet may open."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from quartzlens.spreadsheet import harmless

if TYPE_CHECKING:
    import pandas as pd


def write_list(table: "pd.DataFrame", out: Path) -> None:
    """Write a table as UTF-8 CSV: truths are yes or no, unknown cells empty, what would be a formula follows a quote.

    The file is there whole or not at all.
    """
    from pipeline.whole import whole_file

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.columns)
    for row in table.itertuples(index=False):
        writer.writerow([harmless(_cell(cell)) for cell in row])
    with whole_file(out.parent, out.name) as partial:
        partial.write_bytes(text.getvalue().encode("utf-8"))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
