"""Whether a video that a search found is the one whose id was damaged: judged, never guessed.

A hit is taken only where doing the damage anew to its id gives what is left of the damaged one.
"""

import math
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.identity import YOUTUBE_ID_LENGTH, is_bare_id, youtube_link
from pipeline.search import Hit
from pipeline.stripping import BEGINNING, END, LAST_LETTERS, LETTERS, Stripped
from pipeline.survey import damage_of
from pipeline.work import Refused

ENOUGH_LETTERS = 5


class Verdict(StrEnum):
    """What became of a row with a damaged id: a closed set (reference: the table in docs/ingest.md)."""

    REPAIRED = "repaired"
    AMBIGUOUS = "ambiguous"
    UNCONFIRMED = "unconfirmed"
    NOT_FOUND = "not found"
    NO_TITLE = "no title"
    FAILED = "failed"
    NOT_SEARCHED = "not searched yet"


FOR_A_PERSON = frozenset({Verdict.AMBIGUOUS, Verdict.UNCONFIRMED})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A video as its list knows it: its title and channel, and what is left of its id."""

    title: str
    channel: str | None
    damaged: str

    @property
    def letters(self) -> str:
        """What is left of the id; empty where none of it is."""
        return self.damaged if is_bare_id(self.damaged) else ""

    def is_titled(self, hit: Hit) -> bool:
        """Whether a hit has the title."""
        return same(self.title, hit.title)

    def is_by(self, hit: Hit) -> bool:
        """Whether a hit is of the channel; False where either is not known."""
        return same(self.channel, hit.channel)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, how sure it is and why, the id where one was accepted, and what a person may choose from."""

    verdict: Verdict
    why: str
    youtube_id: str | None = None
    candidates: tuple[Hit, ...] = ()


def judge(wanted: Wanted, answer: Sequence[Hit] | Refused | None, causes: Collection[Stripped]) -> Judgement:
    """What a search's answer says of a damaged id: the hits, why there are none, or None where none was made.

    One hit is accepted, where all of this holds: the list's ids show what damaged them; the same damage makes of the
    hit's id what is left; no other hit is like that; the channel agrees; and where fewer than 5 characters are left,
    the title agrees too. What lacks some of this is a candidate for a person.
    """
    if not wanted.title.strip():
        return Judgement(Verdict.NO_TITLE, "there is no title to search for")
    if answer is None:
        return Judgement(Verdict.NOT_SEARCHED, "run the same command again to go on")
    if isinstance(answer, Refused):
        return Judgement(Verdict.FAILED, f"{answer.outcome}: {answer.detail}")
    hits = tuple({hit.youtube_id: hit for hit in reversed(answer)}.values())[::-1]
    if not wanted.letters:
        return _without_letters(wanted, hits, causes)
    return _fitting(wanted, hits, causes) if causes else _without_causes(wanted, hits)


def to_look_up(wanted: Wanted, hits: Sequence[Hit], causes: Collection[Stripped]) -> tuple[str, ...]:
    """Ids of those hits that would count if they were of the channel, which the search did not tell."""
    unknown = [hit for hit in hits if hit.channel is None and wanted.channel]
    if wanted.letters:
        return tuple(hit.youtube_id for hit in unknown if causes and fits(wanted, hit, causes))
    return tuple(hit.youtube_id for hit in unknown if wanted.is_titled(hit) and _may_be(wanted, hit, causes))


def fits(wanted: Wanted, hit: Hit, causes: Collection[Stripped]) -> bool:
    """Whether the damage that the causes did to the list, done to a hit's id, gives what is left of the wanted one."""
    return bool(wanted.letters) and damage(hit.youtube_id, causes) == wanted.letters


def damage(youtube_id: str, causes: Collection[Stripped]) -> str:
    """What stripping left of a whole id: each end's letters are those of its cause, and none where it has no cause."""
    return youtube_id.lstrip(_letters(causes, BEGINNING)).rstrip(_letters(causes, END))


def log10_chance(letters: str, causes: Collection[Stripped]) -> float:
    """Decimal logarithm of the chance that the damage makes these letters of a random whole id."""
    n_missing = YOUTUBE_ID_LENGTH - len(letters)
    before, behind = (_letters(causes, end) for end in (BEGINNING, END))
    chances = [_head(before, n) * _rest(letters, behind, n_missing - n) for n in range(n_missing + 1)]
    return math.log10(sum(chances)) if any(chances) else -math.inf


def same(one: str | None, other: str | None) -> bool:
    """Whether two names mean the same: letters of any width and case, blanks of any kind and number.

    >>> same("\uff26ood  Tour", "food tour"), same("", ""), same(None, "x")
    (True, False, False)
    """
    return bool(one and other) and _comparable(one or "") == _comparable(other or "") != ""


def _fitting(wanted: Wanted, hits: Sequence[Hit], causes: Collection[Stripped]) -> Judgement:
    fitting = tuple(hit for hit in hits if fits(wanted, hit, causes))
    if not fitting:
        return _not_found(hits, "has an id that the damage would turn into this one")
    if len(fitting) > 1:
        return Judgement(Verdict.AMBIGUOUS, f"the ids of {len(fitting)} videos found fit", None, fitting)
    (hit,) = fitting
    if lacking := _lacking(wanted, hit):
        return Judgement(Verdict.UNCONFIRMED, f"the id fits, but {lacking}", None, fitting)
    return Judgement(Verdict.REPAIRED, _sure(wanted, hit, causes), hit.youtube_id)


def _lacking(wanted: Wanted, hit: Hit) -> str | None:
    """What keeps a hit with a fitting id from being accepted; None where nothing does."""
    if not wanted.channel:
        return "the list names no channel to confirm it by"
    if not wanted.is_by(hit):
        return "the channel is another one" if hit.channel else "its channel is not known"
    if len(wanted.letters) < ENOUGH_LETTERS and not wanted.is_titled(hit):
        return f"only {len(wanted.letters)} characters of it are left, and the title is another one"
    return None


def _sure(wanted: Wanted, hit: Hit, causes: Collection[Stripped]) -> str:
    """How sure an accepted hit is, with the reasons."""
    n_before = len(hit.youtube_id) - len(hit.youtube_id.lstrip(_letters(causes, BEGINNING)))
    n_behind = YOUTUBE_ID_LENGTH - n_before - len(wanted.letters)
    titled = wanted.is_titled(hit)
    agree = "title and channel agree" if titled else "the channel agrees, the title is another one"
    return (
        f"{'sure' if titled else 'quite sure'}: found by its title; {agree}; the {len(wanted.letters)} characters left "
        f"are the id's, {n_before} stripped ones are missing in front and {n_behind} behind, and no other video found "
        f"fits; a random id would with a chance of about 10^{log10_chance(wanted.letters, causes):.0f}"
    )


def _without_causes(wanted: Wanted, hits: Sequence[Hit]) -> Judgement:
    """Where nobody knows how the ids were damaged, what is left must at least be there; a person decides."""
    possible = [hit for hit in hits if wanted.letters in hit.youtube_id]
    candidates = tuple(hit for hit in possible if wanted.is_by(hit) or wanted.is_titled(hit))
    if not candidates:
        return _not_found(hits, "has what is left of the id, and the title or the channel")
    why = "the ids of the list do not show how they were damaged, so no id can be checked"
    return Judgement(Verdict.UNCONFIRMED, why, None, candidates)


def _without_letters(wanted: Wanted, hits: Sequence[Hit], causes: Collection[Stripped]) -> Judgement:
    """Where nothing is left of an id, title and channel are all that speaks for a hit; a person decides."""
    possible = [hit for hit in hits if _may_be(wanted, hit, causes)]
    candidates = tuple(hit for hit in possible if wanted.is_by(hit) and wanted.is_titled(hit))
    if not candidates:
        dash = " and an id that a spreadsheet takes for a formula" if _is_formula(wanted) else ""
        return _not_found(hits, f"has the title and the channel{dash}")
    count = "one video found has" if len(candidates) == 1 else f"{len(candidates)} videos found have"
    return Judgement(
        Verdict.UNCONFIRMED, f"{count} the title and the channel; nothing of the id is left", None, candidates
    )


def _may_be(wanted: Wanted, hit: Hit, causes: Collection[Stripped]) -> bool:
    """Whether a hit's id can have become what the list has instead of one.

    A spreadsheet took the id for a formula, so it began with - once stripping was done with it.
    """
    return not _is_formula(wanted) or damage(hit.youtube_id, causes).startswith("-")


def _is_formula(wanted: Wanted) -> bool:
    return damage_of(youtube_link(wanted.damaged)) == "spreadsheet_error"


def _not_found(hits: Sequence[Hit], what: str) -> Judgement:
    return Judgement(Verdict.NOT_FOUND, f"none of {len(hits)} videos found {what}")


def _letters(causes: Collection[Stripped], end: str) -> str:
    return "".join(one.letters for one in causes if one.end == end)


def _head(letters: str, n: int) -> float:
    """Chance that an id begins with n of these letters."""
    return math.pow(len(letters) / len(LETTERS), n)


def _rest(letters: str, behind: str, n: int) -> float:
    """Chance that an id goes on with these letters, and ends after n of those that may be missing behind."""
    here = math.pow(len(LETTERS), -len(letters))
    if n == 0:  # the last letter is among these, and one of few
        return here * len(LETTERS) / len(LAST_LETTERS) * (letters[-1] in LAST_LETTERS)
    last = len(LAST_LETTERS & set(behind)) / len(LAST_LETTERS)
    return here * math.pow(len(behind) / len(LETTERS), n - 1) * last


def _comparable(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
