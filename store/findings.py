"""What a check of a collection finds: what is wrong, where, what to do about it, and what a repair can do."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

Say = Callable[[str], None]


class Severity(StrEnum):
    """How bad a finding is."""

    WRONG = "wrong"
    """Something is lost, or answers may be wrong."""
    UNTIDY = "untidy"
    """Something takes room and is of no use."""
    NOTE = "note"
    """Something to know."""


class Repair(StrEnum):
    """What a repair does about a finding."""

    SALVAGE = "copy what can be read into a new catalog"
    WORDS = "index the words anew"
    EMBEDDING = "drop the embedding, so that the next ingest makes it anew"
    PROFILE = "drop the depth profile alone"
    HEARD = "drop the words of the video alone"
    INDEX = "make the search indexes anew"
    REMOVAL = "end the removal"
    ERASE = "delete it"
    SET_ASIDE = "move it into the folder set-aside"
    NOTHING = ""
    """It cannot be derived from anything."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    Attributes
    ----------
    where
        The file, or the table and the row.
    advice
        What a person can do, in one sentence.
    key
        What the repair needs to find it again: a path in the collection, or ``video encoder`` by their numbers.
    """

    severity: Severity
    what: str
    where: str
    advice: str
    repair: Repair = Repair.NOTHING
    key: str = ""
