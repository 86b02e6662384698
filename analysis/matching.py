"""Which videos conditions are true of.

Text is equal in the same case only, for ids differ by it. What a list's column holds counts as a number where it is
written as one (``1000``, ``-2.5``, ``1e3``): numbers are compared with numbers, exactly, and text with text. By ``<``
and its like text is compared without its case, and ``~`` looks past the case too. Where nothing is known, the empty
value (``channel=``) and the denials (``!=``, ``!~``) are true, and nothing else is.
"""

import math
import operator
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeAlias

from analysis.columns import JUDGED, Cell, Column, Columns, Kind, listed, shown
from analysis.where import Condition, Where
from quartzlens.errors import UsageError
from quartzlens.records import Fingerprint, Video
from store.base import Store

_Key: TypeAlias = str | float | bool | Decimal | None

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_TRUTHS = {"yes": True, "true": True, "no": False, "false": False}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MOST_NAMED, _MOST_COMPARED = 12, 5000


def matching(
    store: Store,
    where: Where,
    fingerprint: Fingerprint,
    run_id: str | None = None,
    *,
    videos: Collection[Video] | None = None,
) -> frozenset[str]:
    """Ids of the videos that all conditions are true of, embedded or not.

    Parameters
    ----------
    fingerprint, run_id
        Whose latest evaluation tells ``prediction``, ``fold`` and ``right``; or the id of any evaluation run.
    videos
        What ``Store.videos`` gave, for callers that keep it: reading them is most of the work.

    Raises
    ------
    UsageError
        There is no such column, no video has a value that ``=`` or ``!=`` names, a value is not of the column's kind,
        or ``run_id`` is not that of an evaluation.
    NotEnoughDataError
        A condition is about an evaluation, and there is none yet.
    """
    columns = Columns(store, fingerprint, run_id, videos)
    kept = set(range(len(columns.videos)))
    for condition in where.conditions:
        kept &= _true_of(columns.named(condition.column), condition)
    return frozenset(columns.videos[position].id for position in kept)


def asked_within(
    store: Store, where: Where, fingerprint: Fingerprint, run_id: str | None = None
) -> frozenset[str] | None:
    """As ``matching``; None, which is all videos, without conditions.

    Raises
    ------
    UsageError
        As ``matching``, and where ``run_id`` is given and no condition is about an evaluation.
    NotEnoughDataError
        As ``matching``.
    """
    if run_id is not None and not any(one.column.casefold() in JUDGED for one in where.conditions):
        raise UsageError(
            f"The evaluation {shown(run_id)} is looked at only for conditions on {listed(JUDGED)}, and there are none: "
            "add one, such as right=no, or name no evaluation."
        )
    return matching(store, where, fingerprint, run_id) if where.conditions else None


def _true_of(column: Column, condition: Condition) -> set[int]:
    """Positions of the cells that a condition is true of."""
    name = condition.operator
    if name in _ORDER:
        return _ordered(column, condition)
    true = _equal(column, condition) if name in {"=", "!="} else _holding(column, condition)
    return set(range(len(column.cells))) - true if name.startswith("!") else true


def _equal(column: Column, condition: Condition) -> set[int]:
    keys = [_key(column.kind, cell) for cell in column.cells]
    wanted = {_asked(column, value): value for value in condition.values}
    there = {None, *keys}
    for key, value in wanted.items():
        if column.kind is not Kind.TRUTH and key not in there:
            raise UsageError(_no_such(column, condition, value))
    return {position for position, key in enumerate(keys) if key in wanted}


def _ordered(column: Column, condition: Condition) -> set[int]:
    asked, compare = _asked(column, condition.values[0]), _ORDER[condition.operator]
    if column.kind is Kind.TRUTH or asked is None:
        raise UsageError(
            f"{shown(str(condition))} says nothing: {column.name} is {column.kind.value}; give one by = or !=."
        )
    keys = [_key(column.kind, cell) for cell in column.cells]
    if isinstance(asked, str):
        asked, keys = _folded(asked), [_folded(str(cell)) if cell else None for cell in column.cells]
    return {position for position, key in enumerate(keys) if isinstance(key, type(asked)) and compare(key, asked)}


def _holding(column: Column, condition: Condition) -> set[int]:
    if column.kind in {Kind.NUMBER, Kind.TRUTH}:
        raise UsageError(f"{column.name} is {column.kind.value}: ~ looks into text alone.")
    part = _folded(condition.values[0])
    return {position for position, cell in enumerate(column.cells) if cell and part in _folded(str(cell))}


def _key(kind: Kind, cell: Cell) -> _Key:
    """What a cell is compared by; None where nothing is known."""
    if cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if kind is Kind.IMPORTED:
        return _number_or_text(str(cell))
    return float(cell) if kind is Kind.NUMBER else cell


def _asked(column: Column, value: str) -> _Key:
    """What a condition's value is compared by; None for the empty one, UsageError where it is nothing of the kind."""
    if value == "":
        return None
    if column.kind is Kind.TRUTH:
        if value.casefold() not in _TRUTHS:
            raise UsageError(f"{column.name} is yes or no, not {shown(value)}.")
        return _TRUTHS[value.casefold()]
    if column.kind is Kind.NUMBER:
        if not _NUMBER.fullmatch(value):
            raise UsageError(f"{column.name} is compared with a number, and {shown(value)} is none.")
        return float(value)
    return _number_or_text(value) if column.kind is Kind.IMPORTED else value


def _number_or_text(text: str) -> Decimal | str:
    return Decimal(text) if _NUMBER.fullmatch(text) else text


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _no_such(column: Column, condition: Condition, value: str) -> str:
    """That no video has a value, and which there are."""
    said = f"No video has {shown(str(Condition(condition.column, '=', (value,))))}"
    keys = {key: cell for cell in column.cells if (key := _key(column.kind, cell)) is not None}
    if not keys:
        return f"{said}: {column.name} is not known of any."
    if column.kind is Kind.NUMBER:
        there = [f"{number:g}" for number in sorted(float(str(key)) for key in keys)]
        if len(there) > _MOST_NAMED:
            return f"{said}: they are from {there[0]} to {there[-1]}; use < or >."
    else:
        there = sorted(map(str, keys.values()))
    if len(there) <= _MOST_NAMED:
        return f"{said}; there are {listed(there)}."
    near = get_close_matches(value, there, 3) if len(there) <= _MOST_COMPARED else []
    others = f"{len(there) - len(near):,} others" if near else f"{len(there):,} values"
    return f"{said}; there are {listed([*near, others])}. `~` finds a part of a text."
