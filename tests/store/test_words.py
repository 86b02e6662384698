"""Words as they are compared."""

import string

from hypothesis import given
from hypothesis import strategies as st

from store.words import phrases, score, tokens


@given(st.text())
def test_tokens_are_what_an_index_splits_at_spaces_alone(text: str) -> None:
    """Whatever the text, its tokens are words of their own: joined and split again they are the same."""
    found = tokens(text)
    assert tokens(" ".join(found)) == found
    assert all(token and not set(token) & set(string.punctuation + string.whitespace + "\0") for token in found)


@given(st.text())
def test_what_was_heard_is_found_by_itself(text: str) -> None:
    """A text with a word in it is found by looking for it as it is, in capitals too."""
    found = tokens(text)
    assert (score(found, phrases(text)) > 0) is bool(found)
    assert (score(tokens(text.swapcase()), phrases(text.swapcase())) > 0) is bool(tokens(text.swapcase()))


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_plain_letters_are_split_as_others_are(text: str) -> None:
    """A text in ASCII has the same words whether or not something else follows it."""
    assert tokens(text + " é") == [*tokens(text), "e"]


def test_letters_of_other_scripts_keep_their_marks() -> None:
    """Accents are passed over in Latin, Greek and Cyrillic; where marks are letters they tell words apart."""
    assert tokens("Ёлка Á Έ ſtraße 𝐀𝟏") == ["елка", "a", "ε", "strasse", "a1"]
    assert tokens("हिन्दी") != tokens("हनद")
    assert tokens("がか") == ["が", "か"]
    assert tokens("한국") == ["한국"]
