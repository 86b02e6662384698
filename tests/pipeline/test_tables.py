"""Quotes that are not closed: a list must not end without a word in the middle."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rewrite import Original
from pipeline.tables import Table, ends_in_a_quote, read_table
from quartzlens.errors import UsageError

DELIMITERS = pytest.mark.parametrize("delimiter", [",", ";", "\t"])


def table(delimiter: str, *rows: str, end: str = "\n") -> Table:
    """A list of links and titles, which are written here with commas, in another delimiter."""
    return read_table("\n".join(["link,title", *rows]).replace(",", delimiter) + end, "list")


@DELIMITERS
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_quote_that_is_not_closed_in_the_last_column_is_told(delimiter: str, end: str) -> None:
    """The row that swallowed the others is a bad one and says over which lines it goes; those before it stay."""
    found = table(delimiter, "a,one", 'b,"two', "c,three", "d,four", end=end)
    assert [cells["title"] for _, cells in found.rows] == ["one"]
    last = 5 + (end == "\n\n")
    assert found.bad == ((2, f"the list ends in a quote (it spans the lines 3 to {last}: is a quote not closed?)"),)


def test_a_quote_that_is_not_closed_in_the_last_row_is_told() -> None:
    """Also where it swallows nothing, or the wrong number of columns."""
    for row, problem in {
        'b,"two': "the list ends in a quote",
        'b,"': "the list ends in a quote",
        'b,"two""': "the list ends in a quote",
        '"b,two': "1 columns where the header has 2",
        'b,two,"three': "3 columns where the header has 2",
    }.items():
        found = table(",", "a,one", row, end="")
        assert found.bad == ((2, f"{problem} (it spans the lines 3 to 3: is a quote not closed?)"),)
        assert len(found.rows) == 1


@DELIMITERS
@pytest.mark.parametrize("end", ["", "\n", "\r", "\r\n", "\n\n"])
def test_quotes_that_are_closed_are_no_obstacle(delimiter: str, end: str) -> None:
    """Nor are those inside of a cell that begins with another letter, line breaks in a quote, or a missing last one."""
    titles = {'"two"': "two", '"t""wo"""': 't"wo"', '5" floppy': '5" floppy', '"two\nlines"': "two\nlines", '""': ""}
    found = table(delimiter, *(f"a,{title}" for title in titles), 'end,"end"', end=end)
    assert [cells["title"] for _, cells in found.rows] == [*titles.values(), "end"]
    assert found.bad == ()


def test_a_last_row_that_says_end_is_a_row() -> None:
    """Whatever a list says, it is told apart from what the check for quotes adds to it."""
    for text in ("link\nend", "link\nend\n", 'link\n"end"', 'link\n"\nend"'):
        assert [number for number, _ in read_table(text, "list").rows] == [1]
    assert read_table('link\n"end', "list").rows == read_table('link\n"', "list").rows == ()


@given(st.text(st.sampled_from('a"\n\r')))
def test_a_quote_that_is_closed_lets_rows_follow(text: str) -> None:
    """A list ends in a quote just where the next line would not be a row of it."""
    followed = read_table(f"link\n{text}\nnext", "list").rows[-1:]
    assert ends_in_a_quote(f"link\n{text}", ",") == ([cells for _, cells in followed] != [{"link": "next"}])
    assert '"' in text or not ends_in_a_quote(f"link\n{text}", ",")


def test_a_list_that_ends_in_a_quote_is_not_written_anew(tmp_path: Path) -> None:
    """Closing the quote where the list ends would make one row of what it took."""
    (tmp_path / "list.csv").write_text('link,title\na,one\nb,"two\nc,three\n')
    with pytest.raises(UsageError, match="ends in a quote that is not closed"):
        Original.read(tmp_path / "list.csv")
