"""The blocks of an encoder and their names: C1, B1 ... B5, C2, C3 for QuartzNet 15x5."""

from collections.abc import Mapping, Sequence
from typing import Any

from quartzlens.errors import UsageError


def block_ends(table: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Names of the blocks in the order of the network, with the number in ``table`` at which each ends.

    ``table`` is NeMo's ``jasper`` list. Residual entries of the same channels and kernel that follow one another are
    one block, B1, B2 ...; every other entry is one by itself, C1, C2 ... (arXiv 1910.10261, table 1).

    >>> plain, residual = {"filters": 8, "kernel": [3]}, {"filters": 8, "kernel": [3], "residual": True}
    >>> block_ends([plain, residual, residual, {**residual, "kernel": [5]}, plain])
    {'C1': 0, 'B1': 2, 'B2': 3, 'C2': 4}
    """
    ends: dict[str, int] = {}
    counts = {"B": 0, "C": 0}
    before: object = None
    for number, entry in enumerate(table):
        shape = (entry["filters"], tuple(entry["kernel"])) if entry.get("residual") else None
        if shape is None or shape != before:
            kind = "C" if shape is None else "B"
            counts[kind] += 1
        ends[f"{kind}{counts[kind]}"] = number
        before = shape
    return ends


def upto(table: Sequence[Mapping[str, Any]], block: str) -> list[Mapping[str, Any]]:
    """The part of ``table`` up to the end of ``block`` (empty: all of it).

    Raises UsageError for a name that the network does not have; the message lists those that it has.
    """
    ends = block_ends(table)
    if block and block not in ends:
        raise UsageError(f"The encoder has no block {block!r}; it has {', '.join(ends)}.")
    return list(table[: ends[block] + 1 if block else None])
