"""Blocks: the names of the paper for the rows of any encoder's table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.blocks import block_ends, upto
from quartzlens.errors import UsageError
from tests.pipeline.networks import CITRINET, JASPER, QUARTZNET15X5, SMALL, block

ROWS = st.builds(
    lambda filters, kernel, residual: block(filters, kernel, residual=residual),
    st.sampled_from((8, 16)),
    st.sampled_from((3, 5)),
    st.booleans(),
)


def test_quartznet_has_the_blocks_of_its_paper() -> None:
    """C1, five residual blocks of three rows each, C2, C3 (arXiv 1910.10261, table 1)."""
    expected = {"C1": 0, "B1": 3, "B2": 6, "B3": 9, "B4": 12, "B5": 15, "C2": 16, "C3": 17}
    assert block_ends(QUARTZNET15X5) == expected


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (SMALL, ["C1", "B1", "C2"]),
        (JASPER, ["C1", "B1", "B2", "B3", "C2", "C3"]),
        (CITRINET, ["C1", "B1", "B2", "B3", "B4", "C2"]),
    ],
)
def test_other_networks_are_named_by_the_same_rule(table: list[dict[str, object]], names: list[str]) -> None:
    """Rows of another width or number of channels begin another block."""
    assert list(block_ends(table)) == names


@given(table=st.lists(ROWS, min_size=1, max_size=30))
def test_every_row_is_in_one_block(table: list[dict[str, object]]) -> None:
    """Blocks end one after the other, the last at the table's end, and B blocks alone are residual."""
    ends = block_ends(table)
    assert list(ends.values()) == sorted(set(ends.values()))
    assert list(ends.values())[-1] == len(table) - 1
    for name, end in ends.items():
        assert (name[0] == "B") == table[end]["residual"]
        assert block_ends(upto(table, name)) == dict(list(ends.items())[: list(ends).index(name) + 1])


def test_no_name_is_the_whole_network() -> None:
    """An empty name takes every row, as does the name of the last block."""
    assert upto(QUARTZNET15X5, "") == upto(QUARTZNET15X5, "C3") == QUARTZNET15X5
    assert len(upto(QUARTZNET15X5, "B2")) == 7


def test_a_block_that_is_not_there_is_answered_with_those_that_are() -> None:
    """The message lists the names."""
    with pytest.raises(UsageError, match=r"no block 'B9'; it has C1, B1, C2\."):
        upto(SMALL, "B9")
