"""``docs/evaluate-json.md`` as a schema: its tables are parsed, and documents are held against them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "evaluate-json.md"
_HEADING, _ROW, _LINK = re.compile(r"## (.+)"), re.compile(r"\| `(.+?)` \|(.*)\|"), re.compile(r"\[([^]]+)\]\(#[^)]+\)")
_ANY = (float("-inf"), float("inf"))


@dataclass(frozen=True)
class Key:
    """One row of a table of the page."""

    type: str
    range: str
    meaning: str

    @property
    def optional(self) -> bool:
        """Whether it is there in some documents only."""
        return self.meaning.startswith("Only")


Tables = Mapping[str, Mapping[str, Key]]


def documented() -> Tables:
    """Keys of each object, by the heading that its table stands under."""
    tables: dict[str, dict[str, Key]] = {}
    for line in PAGE.read_text().splitlines():
        if heading := _HEADING.fullmatch(line):
            tables[heading[1]] = own = {}
        elif row := _ROW.fullmatch(line):
            cells = [cell.strip() for cell in row[2].split("|")]
            assert row[1] not in own, f"{row[1]} stands twice in one table"
            own[row[1]] = Key(_LINK.sub(r"\1", cells[0]), *cells[1:])
    return tables


def held(tables: Tables, name: str, value: Any, where: str = "", within: str = "") -> Iterator[str]:
    """Hold an object against its table: yields each key met, as ``OBJECT.KEY``; whatever does not fit fails."""
    assert isinstance(value, dict), f"{where} is no {name}: {value!r}"
    keys = tables[name]
    assert value.keys() <= keys.keys(), f"{where}: {sorted(value.keys() - keys.keys())} of '{name}' are not documented"
    missing = {key for key, one in keys.items() if not one.optional} - value.keys()
    assert not missing, f"{where}: {sorted(missing)} of '{name}' are documented, and not there"
    for key, one in value.items():
        yield f"{name}.{key}"
        yield from _fits(tables, keys[key].type, one, f"{where}.{key}", keys[key].range or within)


def _fits(tables: Tables, kind: str, value: Any, where: str, within: str) -> Iterator[str]:
    if kind.endswith(" or null"):
        yield from () if value is None else _fits(tables, kind.removesuffix(" or null"), value, where, within)
    elif kind.endswith(" or {}"):
        yield from () if value == {} else _fits(tables, kind.removesuffix(" or {}"), value, where, within)
    elif kind.startswith("list of "):
        assert isinstance(value, list), f"{where} is no list: {value!r}"
        for at, one in enumerate(value):
            yield from _fits(tables, kind.removeprefix("list of "), one, f"{where}[{at}]", within)
    elif kind.endswith(" by category"):
        for category, one in value.items():
            yield from _fits(tables, kind.removesuffix(" by category"), one, f"{where}.{category}", within)
    elif kind in tables:
        yield from held(tables, kind, value, where, within)
    else:
        assert _is(kind, value), f"{where} is no {kind}: {value!r}"
        _check_range(value, where, within)


def _is(kind: str, value: Any) -> bool:
    if kind == "number":
        return isinstance(value, float | int) and not isinstance(value, bool)
    return type(value) is {"whole": int, "text": str, "boolean": bool}[kind]


def _check_range(value: Any, where: str, within: str) -> None:
    if within.startswith('"'):
        assert value in re.findall('"([^"]+)"', within), f"{where} is none of {within}: {value!r}"
    elif within:
        low, high = (float(end) if end else None for end in within.split(".."))
        assert low is not None
        assert low - 1e-9 <= value <= (_ANY[1] if high is None else high + 1e-9), f"{where} is not in {within}: {value}"
