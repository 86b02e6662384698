"""Conditions as text: what is read, what is written, and what is said of what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.where import Condition, Where, parse
from quartzlens.errors import UsageError

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "~", "!~")
words = st.text(st.sampled_from("ab\"'=!<>~(),  \n\u3000and in é"), max_size=12)
conditions = st.builds(Condition, words, st.sampled_from(OPERATORS), st.tuples(words)) | st.builds(
    Condition, words, st.just("="), st.lists(words, min_size=2, max_size=4).map(tuple)
)


@given(st.lists(conditions, max_size=4).map(tuple).map(Where))
def test_what_is_written_reads_back_as_the_same(where: Where) -> None:
    """Whatever the names and values hold, parse(str(where)) == where."""
    assert parse(str(where)) == where


@given(st.text(st.sampled_from("ab \"'=!<>~(),and in"), max_size=30))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    """No text ends in another error than a UsageError, and what is read is written as it was meant."""
    try:
        found = parse(text)
    except UsageError:
        with pytest.raises(UsageError, match="cannot be read"):
            parse(text)
    else:
        assert parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("category=food", [("category", "=", "food")]),
        ("category != food AND length> 30", [("category", "!=", "food"), ("length", ">", "30")]),
        ('channel="Some, name" and fold<=2', [("channel", "=", "Some, name"), ("fold", "<=", "2")]),
        ('"View Count">=1000', [("View Count", ">=", "1000")]),
        ("View  Count < 1e3", [("View Count", "<", "1e3")]),
        ("title~street food and right=no", [("title", "~", "street food"), ("right", "=", "no")]),
        ("channel= and fold=2", [("channel", "=", ""), ("fold", "=", "2")]),
        ("channel=", [("channel", "=", "")]),
        ("title!~'it''s and \"that\"'", [("title", "!~", 'it\'s and "that"')]),
        ("title~don't (live) = 5\" and x=and", [("title", "~", "don't (live) = 5\""), ("x", "=", "and")]),
        ("category in (food, 'a, b',travel)", [("category", "=", "food", "a, b", "travel")]),
        ("'my list' IN(x) and in in (y)", [("my list", "=", "x"), ("in", "=", "y")]),
        ("  ", []),
    ],
)
def test_text_is_read_as_a_person_means_it(text: str, expected: list[tuple[str, ...]]) -> None:
    """Quotes where they are needed, spaces anywhere, `and` and `in` in any case."""
    assert [(one.column, one.operator, *one.values) for one in parse(text).conditions] == expected


def test_several_texts_must_all_hold() -> None:
    """A repeated option and one joined by `and` are the same conditions."""
    assert parse("category=food", "", "fold=1 and right=no") == parse("category=food and fold=1 and right=no")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("category", "at its end: 'category' is compared with nothing"),
        ("=food", "at '=food': the name of a column"),
        ("(a)=1", "at '(a)=1': the name of a column"),
        ("'a'b=1", "an operator must follow the name"),
        ("a='b' c", "at 'c': only `and`"),
        ("a in (b)and c=1", "at 'and c=1': only `and`"),
        ("a=1 and", "at its end: the name of a column"),
        ("a='b", "the quote ' is not closed"),
        ("a in ()", "at ')': a value is missing"),
        ("a in (b", "at its end: a comma or the closing"),
        ("a in ('b' c)", "at 'c)': a comma or the closing"),
    ],
)
def test_what_cannot_be_read_is_shown_where(text: str, told: str) -> None:
    """The message shows the place, what is wrong there, and how it is written."""
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert told in str(caught.value)
    assert "category=food and length>30" in str(caught.value)


def test_a_long_text_of_a_stranger_is_read_in_one_pass() -> None:
    """A megabyte of spaces, quotes or beginnings is read or refused: by a way that goes back it would take days."""
    ended = []
    for piece in (" ", "' ", "a and ", "a in (", " and and", '"" '):
        text = piece * (1_000_000 // len(piece))
        for one in (text, f"a={text}", f"a in ({text}"):
            try:
                ended.append(str(parse(one)))
            except UsageError as error:
                ended.append(str(error))
    assert len(ended) == 18
