"""How YouTube ids became incomplete: what a list's own ids tell about an address that was stripped off them."""

import math
import string
from collections.abc import Collection
from dataclasses import dataclass

from pipeline.identity import YOUTUBE_ID_LENGTH

BEGINNING, END = "beginning", "end"
LETTERS = frozenset(string.ascii_letters + string.digits + "-_")
LAST_LETTERS = frozenset("AEIMQUYcgkosw048")
_ADDRESSES = (
    "https://www.youtube.com/watch?v=",
    "https://www.youtube.com/shorts/",
    "https://youtu.be/",
    "/watch?v=",
)
_SURE_LOG10 = -6.0


@dataclass(frozen=True, slots=True)
class Stripped:
    """At one end, ids lost every character that occurs in an address, as Python's ``strip`` takes them.

    ``strip``, ``lstrip`` and ``rstrip`` take a set of characters, not a prefix or suffix, so they go on into the id.

    Attributes
    ----------
    end
        ``BEGINNING`` or ``END``.
    address
        The address whose characters went.
    letters
        Those of them that ids are made of, sorted: no id of the list has one of them at this end.
    n_possible
        How many different letters whole ids have at this end: 64 at the beginning; 16 at the end, because an id is
        64 bits in letters of 6 bits, which leaves 4 bits for the last.
    n_left
        How many of these are none of ``letters``.
    n_ids, n_incomplete
        How many different ids were looked at, and how many of them have fewer than 11 characters.
    """

    end: str
    address: str
    letters: str
    n_possible: int
    n_left: int
    n_ids: int
    n_incomplete: int

    @property
    def log10_chance(self) -> float:
        """Decimal logarithm of the chance that the ids avoid the letters although they are whole: at most 0."""
        return self.n_ids * math.log10(self.n_left / self.n_possible)


def stripped(ids: Collection[str]) -> tuple[Stripped, ...]:
    """At which ends YouTube ids, all different and of 1-11 characters, lost those of an address; empty where unsure.

    It is sure where some ids are incomplete, no id has a letter of the address at that end, whole ids would do so less
    than once in a million lists, and of the other letters hardly more are missing than chance leaves out (an excerpt of
    a sorted list misses most).
    """
    if all(len(one) >= YOUTUBE_ID_LENGTH for one in ids):
        return ()
    beginning = _at(BEGINNING, {one[0] for one in ids}, LETTERS, ids)
    end = _at(END, {one[-1] for one in ids}, LAST_LETTERS, ids)
    return tuple(one for one in (beginning, end) if one)


def expected_incomplete(causes: Collection[Stripped]) -> float:
    """Share of whole ids that lose something by these causes, in [0, 1); 0 for none.

    >>> address = "https://www.youtube.com/watch?v="
    >>> causes = Stripped(BEGINNING, address, "", 64, 50, 9, 4), Stripped(END, address, "", 16, 12, 9, 4)
    >>> round(expected_incomplete(causes), 3)
    0.414
    """
    return 1 - math.prod(one.n_left / one.n_possible for one in causes)


def _at(end: str, seen: set[str], possible: frozenset[str], ids: Collection[str]) -> Stripped | None:
    """What explains the letters seen at one end by most letters of an address; None where nothing does."""
    n_incomplete = sum(len(one) < YOUTUBE_ID_LENGTH for one in ids)
    found: list[Stripped] = []
    for address in _ADDRESSES:
        letters = LETTERS & set(address)
        left = possible - letters
        one = Stripped(end, address, "".join(sorted(letters)), len(possible), len(left), len(ids), n_incomplete)
        missing_by_chance = len(left) * (1 - 1 / len(left)) ** len(ids)
        typical = len(left - seen) <= 2 + 2 * missing_by_chance
        if letters.isdisjoint(seen) and typical and one.log10_chance < _SURE_LOG10:
            found.append(one)
    return max(found, key=lambda one: len(one.letters), default=None)
