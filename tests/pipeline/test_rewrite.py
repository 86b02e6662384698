"""A list written anew keeps every cell that is not meant to change."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rewrite import NewCells, Original

cells = st.text(
    st.sampled_from("ab,;\t\"'\r\n =-#\0\u2028\u00e9") | st.characters(codec="utf-8"), min_size=0, max_size=8
)


@given(
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.lists(st.tuples(cells, cells), min_size=1, max_size=5),
)
def test_every_other_cell_stays(
    tmp_path_factory: pytest.TempPathFactory, delimiter: str, line_end: str, mark: bool, rows: list[tuple[str, str]]
) -> None:
    """Whatever is in them: delimiters, quotes, line ends; so do the list's delimiter, its line ends and its mark."""
    folder = tmp_path_factory.getbasetemp() / "cells"
    folder.mkdir(exist_ok=True)
    quoted = [delimiter.join('"{}"'.format(cell.replace('"', '""')) for cell in ("JLZlCZ0", *row)) for row in rows]
    text = line_end.join([delimiter.join(["link", "title", "Other"]), *quoted, "", ""])
    (folder / "list.csv").write_bytes(text.encode("utf-8-sig" if mark else "utf-8"))
    original = Original.read(folder / "list.csv")
    original.write(folder / "out.csv", ("more",), {1: NewCells(("=x",), "https://new")})
    again = Original.read(folder / "out.csv")
    assert (again.mark, again.delimiter, again.line_end) == (original.mark, delimiter, line_end)
    assert again.header == ("link", "title", "Other", "more")
    links = ["https://new", *["JLZlCZ0"] * (len(rows) - 1)]
    more = ["'=x", *[""] * (len(rows) - 1)]
    assert [row for row in again.rows if row] == [(links[n], *row, more[n]) for n, row in enumerate(rows)]
    assert again.rows[-1] == original.rows[-1] == ()


@pytest.mark.parametrize("inside", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_a_break_inside_a_header_cell_is_no_line_end(tmp_path: Path, inside: str, line_end: str) -> None:
    """The line end of a list is what follows its whole header."""
    text = f'link,"title{inside}(of the video)"{line_end}JLZlCZ0,One{line_end}'
    (tmp_path / "list.csv").write_bytes(text.encode())
    original = Original.read(tmp_path / "list.csv")
    assert original.line_end == line_end
    original.write(tmp_path / "out.csv", (), {})
    assert (tmp_path / "out.csv").read_bytes().decode() == text
