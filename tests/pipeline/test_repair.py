"""Judging what a search found: never a wrong id, and the right one wherever it can be proven."""

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.repair import Judgement, Verdict, Wanted, damage, fits, judge, log10_chance, same, to_look_up
from pipeline.search import Hit
from pipeline.stripping import BEGINNING, END, LAST_LETTERS, LETTERS, Stripped
from pipeline.work import Refused
from quartzlens.outcomes import Outcome, Stage
from tests.conftest import ROOT

WATCH = "https://www.youtube.com/watch?v="
GONE = "abcehmopstuvwy"
FRONT = Stripped(BEGINNING, WATCH, GONE, 64, 50, 3000, 1200)
BACK = Stripped(END, WATCH, GONE, 16, 12, 3000, 1200)
BOTH = (FRONT, BACK)
CAUSES = {"both": BOTH, "front": (FRONT,), "back": (BACK,)}
STRIP = {"both": str.strip, "front": str.lstrip, "back": str.rstrip}

ends = st.sampled_from(sorted(CAUSES))
ids = st.builds(
    lambda first, last: first + last,
    st.text(st.sampled_from(sorted(LETTERS)) | st.sampled_from(GONE), min_size=10, max_size=10),
    st.sampled_from(sorted(LAST_LETTERS)),
)
KEPT = "".join(sorted(LETTERS - set(GONE)))


@st.composite
def stripped_ids(draw: st.DrawFn, ways: st.SearchStrategy[str] = ends) -> tuple[str, str, str]:
    """A whole id that loses letters, what is left of it, and the end or ends at which it was stripped."""
    way = draw(ways)
    n_left = draw(st.integers(1, 10))
    least = {"front": 11 - n_left, "back": 0, "both": draw(st.integers(0, 11 - n_left))}[way]
    inside = draw(st.text(st.sampled_from(sorted(LETTERS)), min_size=n_left, max_size=n_left))
    left = draw(st.sampled_from(KEPT)) + inside[1:-1] + (draw(st.sampled_from(KEPT)) if n_left > 1 else "")
    gone = draw(st.text(GONE, min_size=11 - n_left, max_size=11 - n_left))
    return gone[:least] + left + gone[least:], left, way


words = st.text(min_size=1, max_size=30).filter(str.strip)


def wanted(damaged: str, title: str = "Title", channel: str | None = "Channel") -> Wanted:
    """A row of a list."""
    return Wanted(title, channel, damaged)


def hit(youtube_id: str, title: str = "Title", channel: str | None = "Channel") -> Hit:
    """What a search found."""
    return Hit(youtube_id, title, channel)


@given(stripped_ids(), words, words, st.lists(ids, max_size=5))
def test_what_was_stripped_is_found(one: tuple[str, str, str], title: str, channel: str, others: list[str]) -> None:
    """Any id that strip shortens is accepted with its title and channel, among others that do not fit."""
    whole, left, end = one
    assume(all(STRIP[end](other, WATCH) != left for other in others))
    hits = [*(hit(other, title, channel) for other in others), hit(whole, title, channel)]
    judged = judge(wanted(left, title, channel), hits, CAUSES[end])
    assert (judged.verdict, judged.youtube_id) == (Verdict.REPAIRED, whole)
    assert judged.why.startswith("sure: ")


@given(stripped_ids(), st.integers(0, 10), st.sampled_from(sorted(LETTERS)) | st.sampled_from(GONE))
def test_nothing_else_is_accepted(one: tuple[str, str, str], place: int, letter: str) -> None:
    """An id that differs in a letter is only accepted where the same strip makes the damaged one of it."""
    whole, left, end = one
    other = whole[:place] + letter + whole[place + 1 :]
    judged = judge(wanted(left), [hit(other)], CAUSES[end])
    assert (judged.verdict is Verdict.REPAIRED) == (STRIP[end](other, WATCH) == left)


@given(stripped_ids(), st.data())
def test_no_other_letter_may_be_missing_or_differ(one: tuple[str, str, str], data: st.DataObject) -> None:
    """A letter that stripping does not take, in front or behind, and a change in the middle, are fatal."""
    whole, left, end = one
    kept = data.draw(st.sampled_from(KEPT))
    place = data.draw(st.integers(0, 10))
    other = whole[:place] + kept + whole[place + 1 :]
    assume(other != whole)
    assert judge(wanted(left), [hit(other)], CAUSES[end]).youtube_id is None
    shorter = left[: place % len(left)] + left[place % len(left) + 1 :]
    assume(shorter and STRIP[end](whole, WATCH) != shorter)
    assert judge(wanted(shorter), [hit(whole)], CAUSES[end]).youtube_id is None


@given(stripped_ids(), st.sampled_from(["front", "back"]))
def test_nothing_is_missing_at_an_end_without_a_cause(one: tuple[str, str, str], end: str) -> None:
    """Where the list shows no cause at an end, the id must be whole there."""
    whole, left, _ = one
    judged = judge(wanted(left), [hit(whole)], CAUSES[end])
    is_whole_there = whole.endswith(left) if end == "front" else whole.startswith(left)
    assert (judged.verdict is Verdict.REPAIRED) == is_whole_there


@given(stripped_ids(), words, words)
def test_another_channel_is_never_accepted(one: tuple[str, str, str], channel: str, other: str) -> None:
    """However well all else fits; the hit is shown to a person."""
    whole, left, end = one
    assume(not same(channel, other))
    for theirs in (other, None):
        judged = judge(wanted(left, channel=channel), [hit(whole, channel=theirs)], CAUSES[end])
        assert judged.verdict is Verdict.UNCONFIRMED
        assert judged.candidates == (hit(whole, channel=theirs),)
    judged = judge(wanted(left, channel=None), [hit(whole, channel=channel)], CAUSES[end])
    assert judged.verdict is Verdict.UNCONFIRMED


@given(
    st.text(KEPT, min_size=1, max_size=10),
    ends,
    st.lists(st.text(GONE, min_size=10, max_size=10), min_size=2, max_size=5, unique=True),
    st.sampled_from([None, "Channel", "Other"]),
)
def test_two_that_fit_are_never_accepted(left: str, end: str, fillings: list[str], channel: str | None) -> None:
    """Also where only one of them is of the channel: both are shown."""
    n = 11 - len(left)
    fitting = {left + filling[:n] if end == "back" else filling[:n] + left for filling in fillings}
    assume(len(fitting) > 1)
    hits = [hit(one, channel=channel if n else "Channel") for n, one in enumerate(sorted(fitting))]
    judged = judge(wanted(left), hits, CAUSES[end])
    assert (judged.verdict, judged.youtube_id) == (Verdict.AMBIGUOUS, None)
    assert judged.candidates == tuple(hits)


@given(ids, words, words)
def test_without_a_cause_nothing_is_accepted(whole: str, title: str, channel: str) -> None:
    """A list whose ids do not show what happened to them leaves all to a person, with candidates that could be."""
    hits = [hit("x" * 11, title, channel), hit(whole, title, "Other"), hit(whole[::-1], "Other", "Other")]
    judged = judge(wanted(whole[2:], title, channel), hits, ())
    assert judged.youtube_id is None
    if whole[2:] not in {"x" * 9, whole[::-1][:9], whole[::-1][1:10], whole[::-1][2:]} and not same(channel, "Other"):
        assert judged.candidates == (hit(whole, title, "Other"),)
        assert judged.verdict is Verdict.UNCONFIRMED


def test_the_same_hit_twice_is_one() -> None:
    """A search that repeats a video does not make it ambiguous."""
    once = hit("ehmsJLZlCZ0")
    assert judge(wanted("JLZlCZ0"), [once, once], BOTH).youtube_id == "ehmsJLZlCZ0"


def test_how_sure_a_repair_is_says_why() -> None:
    """Both the letters that are missing and the chance that a random id would fit are told."""
    judged = judge(wanted("JLZlCZ0"), [hit("ehmsJLZlCZ0")], BOTH)
    assert "the 7 characters left are the id's, 4 stripped ones are missing in front and 0 behind" in judged.why
    assert "about 10^-14" in judged.why
    judged = judge(wanted("JLZlCZ0", title="Old"), [hit("ehmsJLZlCZ0", title="New")], BOTH)
    assert judged.verdict is Verdict.REPAIRED
    assert judged.why.startswith("quite sure: found by its title; the channel agrees, the title is another one;")


@pytest.mark.parametrize(("n_left", "verdict"), [(5, Verdict.REPAIRED), (4, Verdict.UNCONFIRMED)])
def test_few_characters_need_the_title_too(n_left: int, verdict: Verdict) -> None:
    """Under five characters left, a hit with another title is for a person."""
    left = "Z1Z2Z3"[:n_left]
    hits = [hit("a" * (11 - n_left) + left, title="Another")]
    assert judge(wanted(left), hits, BOTH).verdict is verdict
    assert judge(wanted(left), [hit("a" * (11 - n_left) + left)], BOTH).verdict is Verdict.REPAIRED


@pytest.mark.parametrize("causes", [BOTH, ()])
def test_a_spreadsheets_error_is_never_repaired_without_a_person(causes: tuple[Stripped, ...]) -> None:
    """One hit with title, channel and a dash in front is a proposal, however alone it is; others are none."""
    formula = wanted("#NAME?")
    one = hit("-wtIMTCHWuI")
    judged = judge(
        formula, [one, hit("xwtIMTCHWuI"), hit("-atIMTCHWuI", "Other"), hit("-btIMTCHWuI", channel="O")], causes
    )
    assert (judged.verdict, judged.youtube_id, judged.candidates) == (Verdict.UNCONFIRMED, None, (one,))
    assert len(judge(formula, [one, hit("-" * 11)], causes).candidates) == 2
    assert judge(formula, [hit("xwtIMTCHWuI")], causes).verdict is Verdict.NOT_FOUND


def test_a_dash_that_came_to_the_front_by_stripping_is_a_formula_too() -> None:
    """Where the list was stripped, the spreadsheet saw what was left."""
    assert judge(wanted("#NAME?"), [hit("ab-wtIMTCHW")], BOTH).candidates
    assert not judge(wanted("#NAME?"), [hit("ab-wtIMTCHW")], ()).candidates


def test_a_link_without_an_id_is_left_to_a_person() -> None:
    """Title and channel are all there is."""
    assert judge(wanted(""), [hit("JLZlCZ0ehms")], BOTH).verdict is Verdict.UNCONFIRMED
    assert judge(wanted("a" * 12), [hit("JLZlCZ0ehms", "Other")], BOTH).verdict is Verdict.NOT_FOUND


def test_the_user_guide_has_every_verdict_once_with_what_to_do() -> None:
    """The table of docs/ingest.md is of all verdicts."""
    lines = (ROOT / "docs" / "ingest.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    rows = [row for row in rows if len(row) == 3 and row[0] in set(Verdict)]
    assert [row[0] for row in rows] == [verdict.value for verdict in Verdict]
    assert all(all(row) for row in rows)


def test_every_other_end_has_its_verdict() -> None:
    """No title, no answer yet, a failure, and no hits."""
    refused = Refused(Outcome.NETWORK, Stage.DOWNLOAD, "no route")
    assert judge(wanted("JLZlCZ0", title=" "), None, BOTH).verdict is Verdict.NO_TITLE
    assert judge(wanted("JLZlCZ0"), None, BOTH).verdict is Verdict.NOT_SEARCHED
    assert judge(wanted("JLZlCZ0"), refused, BOTH) == Judgement(Verdict.FAILED, "network: no route")
    assert judge(wanted("JLZlCZ0"), [], BOTH).verdict is Verdict.NOT_FOUND


def test_only_what_would_count_is_looked_up() -> None:
    """An unknown channel is asked for where the id fits, or where there is no id but a title."""
    unknown = [hit("ehmsJLZlCZ0", "Other", None), hit("ehmsJLZlCZ1", channel=None), hit("eemsJLZlCZ0")]
    assert to_look_up(wanted("JLZlCZ0"), unknown, BOTH) == ("ehmsJLZlCZ0",)
    assert to_look_up(wanted("JLZlCZ0"), unknown, ()) == ()
    assert to_look_up(wanted("JLZlCZ0", channel=None), unknown, BOTH) == ()
    assert to_look_up(wanted("#NAME?"), [hit("-" * 11, channel=None), *unknown], BOTH) == ("-" * 11,)
    assert to_look_up(wanted(""), unknown, BOTH) == ("ehmsJLZlCZ1",)


@pytest.mark.parametrize("end", sorted(CAUSES))
@pytest.mark.parametrize("left", ["Z1Z2Z3Z4Z0", "Z1Z2Z3Z4Z", "Z1Z2Z3Z4A"])
def test_the_chance_is_that_of_all_ids(left: str, end: str) -> None:
    """It is the number of whole ids that the damage makes the same text of, among all of them."""
    n = 11 - len(left)
    fitting = {
        front + left + behind
        for split in range(n + 1)
        for front in map("".join, itertools.product(GONE, repeat=split))
        for behind in map("".join, itertools.product(GONE, repeat=n - split))
    }
    whole = [one for one in fitting if one[-1] in LAST_LETTERS and damage(one, CAUSES[end]) == left]
    chance = log10_chance(left, CAUSES[end])
    assert chance == pytest.approx(math.log10(len(whole) / (64**10 * 16)) if whole else -math.inf)


@given(ids, ends)
def test_ids_that_fit_are_those_that_the_rule_names(whole: str, end: str) -> None:
    """Doing the damage anew is the rule in words: only letters of the cause in front and behind what is left."""
    left = STRIP[end](whole, WATCH)
    assume(left)
    assert damage(whole, CAUSES[end]) == left
    assert fits(wanted(left), hit(whole), CAUSES[end])
    front, found, behind = whole.partition(left)
    assert found
    assert set(front) <= (set(GONE) if end != "back" else set())
    assert set(behind) <= (set(GONE) if end != "front" else set())


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("Caf\u00e9  Tour", "CAFE\u0301\u00a0tour", True),
        ("\uff34ravel", "travel", True),
        ("stra\u00dfe", "STRASSE", True),
        ("Travel", "Travels", False),
        (" ", "\n", False),
        (None, None, False),
    ],
)
def test_names_agree_whatever_their_writing(one: str | None, other: str | None, agree: bool) -> None:
    """Compared are letters, not their width, case, composition or blanks; nothing agrees with nothing."""
    assert same(one, other) is agree
