"""How ids became incomplete, told from the ids alone."""

import random
from collections.abc import Callable

import pytest

from pipeline.stripping import BEGINNING, END, expected_incomplete, stripped

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LAST_LETTERS = LETTERS[::4]
WATCH = "https://www.youtube.com/watch?v="
SHORT = "https://youtu.be/"
SHORTS = "https://www.youtube.com/shorts/"


def ids(count: int, seed: int = 0) -> list[str]:
    """Whole ids: ten letters of 64 and one of the 16 that 4 bits make."""
    draw = random.Random(seed)
    return ["".join(draw.choices(LETTERS, k=10)) + draw.choice(LAST_LETTERS) for _ in range(count)]


def changed(change: Callable[[str], str], count: int = 1000) -> set[str]:
    """Different ids after what somebody did to them with their address in front."""
    return {change(one) for one in ids(count)} - {""}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda one: f"{WATCH}{one}".strip(WATCH), [(BEGINNING, WATCH, 50 / 64), (END, WATCH, 12 / 16)]),
        (lambda one: f"{WATCH}{one}".lstrip(WATCH), [(BEGINNING, WATCH, 50 / 64)]),
        (lambda one: one.rstrip(WATCH), [(END, WATCH, 12 / 16)]),
        (lambda one: f"{SHORT}{one}".lstrip(SHORT), [(BEGINNING, SHORT, 55 / 64)]),
        (lambda one: f"/watch?v={one}".lstrip("/watch?v="), [(BEGINNING, "/watch?v=", 58 / 64)]),
        (lambda one: one.lstrip(SHORTS), [(BEGINNING, SHORTS, 51 / 64)]),
        (lambda one: one[: 9 + len(one) % 2], []),
        (lambda one: one[1:] if one[0] in "ab" else one, []),
        (lambda one: f"{WATCH}{one}".removeprefix(WATCH), []),
    ],
    ids=["strip", "lstrip", "rstrip", "short address", "path", "shorts", "cut tail", "two letters", "removeprefix"],
)
def test_the_address_and_the_end_are_found(change: Callable[[str], str], found: list[tuple[str, str, float]]) -> None:
    """Which address was stripped, and from which end, shows in the letters missing there; other harm does not."""
    causes = stripped(changed(change))
    assert [(one.end, one.address, one.n_left / one.n_possible) for one in causes] == found


def test_the_share_of_incomplete_ids_is_the_expected_one() -> None:
    """Stripping whole ids at both ends leaves 41 % incomplete, and at the beginning 22 %."""
    for change, share in ((str.strip, 1 - 50 / 64 * 12 / 16), (str.lstrip, 1 - 50 / 64)):
        causes = stripped({change(one, WATCH) for one in ids(4000)})  # type: ignore[operator]
        assert expected_incomplete(causes) == pytest.approx(share)
        assert causes[0].n_incomplete / causes[0].n_ids == pytest.approx(share, abs=0.03)


def test_the_chance_is_told_where_floats_have_no_number_for_it() -> None:
    """Of some thousand ids it is 10^-500 and less, far below the smallest float."""
    known = changed(lambda one: one.lstrip(WATCH), 5000)
    (cause,) = stripped(known)
    assert (cause.letters, cause.n_ids, cause.n_left, cause.n_possible) == ("abcehmopstuvwy", len(known), 50, 64)
    assert cause.log10_chance == pytest.approx(-0.10721 * len(known), rel=1e-4)


def test_few_ids_tell_nothing() -> None:
    """Twenty ids avoid 14 letters by chance too often (once in 140) to say anything."""
    assert stripped(changed(lambda one: one.lstrip(WATCH), 20)) == ()
    assert stripped(set()) == ()


def test_an_excerpt_of_a_sorted_list_is_no_evidence() -> None:
    """Ids that all begin with the same two letters avoid all others, not only those of an address."""
    assert stripped({f"{'ZY'[place % 2]}{one[1:10]}" for place, one in enumerate(ids(500))}) == ()


def test_one_letter_of_the_address_disproves_it() -> None:
    """A single id that begins with a letter of the address shows that it was not stripped, nor one of fewer letters."""
    known = changed(lambda one: one.lstrip(WATCH))
    assert stripped(known)
    assert stripped(known | {"watch905b17"}) == ()


def test_a_hundred_ids_are_enough() -> None:
    """In a short list some letters are missing by chance as well, which does not hide the address."""
    (cause,) = stripped(changed(lambda one: one.lstrip(WATCH), 100))
    assert (cause.end, cause.address) == (BEGINNING, WATCH)
