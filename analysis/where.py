"""Conditions on videos, as a person writes them: ``category=food and length>30``. Parsed by hand, evaluated by nobody.

A condition is a column, an operator and a value. Several are joined by ``and``, and all must hold.

===================== =================================================================================
``category=food``     the same text, in the same case; numbers are the same whatever way they are written
``category!=food``    everything that ``=`` leaves, videos included of which nothing is known
``category in (a, b)``  one of these
``length>30``         also ``>=``, ``<``, ``<=``: by number, or else by text
``title~soup``        the text holds this, in whatever case; ``!~``: it does not
``channel=``          nothing is known; ``channel!=``: something is
===================== =================================================================================

Names and values that hold spaces, operators, commas, parentheses or the word ``and`` go in quotes, ``"`` or ``'``; a
quote inside is doubled: ``'it''s'``. They may be left away where nothing else can be meant (``title~street food``).
What columns there are is said in ``analysis.columns``, how they are compared in ``analysis.matching``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias, cast

from quartzlens.errors import UsageError

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "~", "!~"]
EXAMPLE = "category=food and length>30"

_OPERATOR = re.compile(r"!=|<=|>=|!~|[=<>~]")
_PLAIN = re.compile(r"[^\s\"'(),=!<>~]+")
_BARE_NAME = re.compile(r"[^=!<>~(]*")
_BARE_VALUE = re.compile(r"[^,()]*")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"|\'((?:[^\']|\'\')*)\'')
_AND = re.compile(r"(?<=\s)and(?=\s|$)", re.IGNORECASE)
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Condition:
    """A column, an operator, and what it is compared with; ``=`` may have several values, of which one must hold."""

    column: str
    operator: Operator
    values: tuple[str, ...]

    def __str__(self) -> str:
        """As a person would write it; reads back as the same condition."""
        column = _written(self.column)
        if len(self.values) > 1:
            return f"{column} in ({', '.join(map(_written, self.values))})"
        return f"{column}{self.operator}{_written(self.values[0]) if self.values[0] else ''}"


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions that must all hold; none at all is true of every video."""

    conditions: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        """As a person would write it; ``parse`` reads it back as the same conditions."""
        return " and ".join(map(str, self.conditions))


def parse(*texts: str) -> Where:
    """Read conditions; those of several texts must all hold, and an empty text says nothing.

    >>> str(parse("category in (food, travel) AND title ~ street food", "'View Count'>=1000"))
    'category in (food, travel) and title~"street food" and "View Count">=1000'

    Raises
    ------
    UsageError
        A text cannot be read as conditions; the message shows where.
    """
    return Where(tuple(condition for text in texts for condition in _Reader(text).conditions()))


def _written(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in {"and", "in"}:
        return text
    return '"' + text.replace('"', '""') + '"'


class _Reader:
    """Goes through one text from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def conditions(self) -> Iterator[Condition]:
        """All conditions of the text."""
        if self._ended():
            return
        yield self._condition()
        while not self._ended():
            if not (found := _AND.match(self._text, self._at)):
                self._wrong("only `and` and another condition may follow")
            self._at = found.end()
            yield self._condition()

    def _condition(self) -> Condition:
        column, several = self._column()
        if several:
            return Condition(column, "=", tuple(self._listed()))
        found = _OPERATOR.match(self._text, self._at)
        if found is None:
            self._wrong(
                f"{column!r} is compared with nothing: an operator (= != < <= > >= ~ !~) or `in (...)` is missing"
            )
        self._at = found.end()
        return Condition(column, cast("Operator", found[0]), (self._value(),))

    def _column(self) -> tuple[str, bool]:
        """The name of a column, and whether a list in parentheses follows: then behind the opening one."""
        self._space()
        quoted = self._quoted()
        found = cast("re.Match[str]", _BARE_NAME.match(self._text, self._at))
        self._at, words = found.end(), found[0].split()
        several = self._text.startswith("(", self._at) and [word.lower() for word in words[-1:]] == ["in"]
        if several:
            self._at += 1
            del words[-1]
        if quoted is None and words:
            return " ".join(words), several
        if quoted is None or words:
            self._wrong("the name of a column is expected" if quoted is None else "an operator must follow the name")
        return quoted, several

    def _value(self) -> str:
        before = self._at
        self._space()
        quoted = self._quoted()
        if quoted is not None:
            return quoted
        # With the space before it: in `channel= and fold=2` the value is empty.
        found = _AND.search(self._text, before)
        self._at = found.start() if found else len(self._text)
        return self._text[before : self._at].strip()

    def _listed(self) -> Iterator[str]:
        while True:
            self._space()
            value = self._quoted()
            if value is None:
                found = cast("re.Match[str]", _BARE_VALUE.match(self._text, self._at))
                self._at, value = found.end(), found[0].strip()
                if not value:
                    self._wrong("a value is missing in the parentheses")
            yield value
            self._space()
            after = self._text[self._at : self._at + 1]
            if after not in {",", ")"}:
                self._wrong("a comma or the closing parenthesis is expected")
            self._at += 1
            if after == ")":
                return

    def _quoted(self) -> str | None:
        """What stands in quotes here; None where there are none."""
        mark = self._text[self._at : self._at + 1]
        if mark not in {'"', "'"}:
            return None
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            self._wrong(f"the quote {mark} is not closed")
        self._at = found.end()
        return found[0][1:-1].replace(mark * 2, mark)

    def _space(self) -> None:
        self._at = cast("re.Match[str]", _SPACE.match(self._text, self._at)).end()

    def _ended(self) -> bool:
        self._space()
        return self._at == len(self._text)

    def _wrong(self, what: str) -> NoReturn:
        rest = self._text[self._at :].strip()
        where = f"at {rest[:40]!r}" if rest else "at its end"
        raise UsageError(
            f"The condition {self._text[:200]!r} cannot be read {where}: {what}. Write it like {EXAMPLE}; "
            "names and values with spaces, commas or `and` in them go in quotes."
        )
