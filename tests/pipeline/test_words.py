"""Words: what greedy CTC decoding makes of the decoder's best labels, fragment by fragment."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.words import words_of
from tests.pipeline.networks import CHARACTERS

PIECES = ["<unk>", "\u2581the", "\u2581cat", "s", "\u2581", "a"]
HASHES = ["the", "cat", "##s", "##ing"]
MIXED = [" ", "a", "b", "\u4f60", "\u597d", "\u4e16", "\u754c", "\u3042", "\u30ab"]
CHINESE = ["\u4f60", "\u597d", "\u4e16", "\u754c"]


def heard(labels: list[str], spoken: list[str | None], edges: tuple[int, ...] = ()) -> list[str]:
    """Texts of the fragments for these labels step by step; None is the blank."""
    tokens = np.array([len(labels) if one is None else labels.index(one) for one in spoken])
    words = words_of(tokens, np.ones(len(tokens), np.float32), labels, np.array([0, *edges, len(tokens)]))
    return [one.text for one in words]


def test_repeats_merge_and_blanks_part_them() -> None:
    """A label held over steps is one; with a blank between, it is two."""
    assert heard(CHARACTERS, [*"hhe", None, *"ll", None, "l", "o", "o"]) == ["hello"]


def test_spaces_part_words_however_many() -> None:
    """Leading, trailing and repeated spaces leave no empty words."""
    assert heard(CHARACTERS, [" ", "a", " ", None, " ", "b", "c", " "]) == ["a bc"]


@pytest.mark.parametrize(
    ("labels", "spoken", "text"),
    [
        (PIECES, ["\u2581the", None, "\u2581cat", "s"], "the cats"),
        (PIECES, ["\u2581the", "\u2581", "a", "s"], "the as"),
        (HASHES, ["the", "cat", "##s", "cat", "##ing"], "the cats cating"),
        (MIXED, ["\u4f60", "\u597d", " ", "a", "b", " ", "\u4e16", "\u754c"], "\u4f60\u597d ab \u4e16\u754c"),
        (CHINESE, ["\u4f60", None, "\u597d", "\u4e16", "\u754c"], "\u4f60\u597d\u4e16\u754c"),
    ],
)
def test_every_kind_of_label_joins_in_its_own_way(labels: list[str], spoken: list[str | None], text: str) -> None:
    """SentencePiece marks a word's begin, word pieces mark what goes on, Chinese has no spaces."""
    assert heard(labels, spoken) == [text]


@pytest.mark.parametrize("edge", range(1, 6))
def test_a_word_is_where_it_begins(edge: int) -> None:
    """A word over a fragment's edge is whole, and in the fragment of its first letter."""
    words = heard(CHARACTERS, [None, *"cat", " ", "d", "o", "g"], (edge,))
    first = ["", "", "cat", "cat", "cat", "cat"][edge]
    assert words == [first, "cat dog" if not first else "dog"]


@pytest.mark.parametrize("said", ["\u4f60\u597d\u4e16\u754c", "\u3042\u30ab\u3042\u30ab"], ids=["han", "kana"])
def test_speech_without_spaces_is_in_the_fragments_where_it_is_heard(said: str) -> None:
    """One space among Chinese or kana labels does not make all that is said one word of the first fragment."""
    assert heard(MIXED, list(said), (2,)) == [said[:2], said[2:]]


def test_the_probability_is_the_mean_over_a_words_letters() -> None:
    """Each letter counts once with the mean of its steps; a fragment without words has 0."""
    tokens = np.array([1, 1, 2, 28, 28])
    given_ = np.array([0.2, 0.4, 0.9, 1.0, 1.0], np.float32)
    first, second = words_of(tokens, given_, CHARACTERS, np.array([0, 3, 5]))
    assert (first.text, first.probability) == ("ab", pytest.approx(0.6))
    assert (second.text, second.probability) == ("", 0.0)


@given(data=st.data(), labels=st.sampled_from((CHARACTERS, PIECES, HASHES, CHINESE, MIXED, ["a"])))
def test_whatever_the_decoder_says_each_fragment_has_its_words(data: st.DataObject, labels: list[str]) -> None:
    """One Words a fragment, probabilities from 0 to 1, and no text but of the labels, none of it twice or lost."""
    tokens = np.array(data.draw(st.lists(st.integers(0, len(labels)), min_size=1, max_size=60)))
    sure = data.draw(st.lists(st.floats(0, 1, width=32), min_size=len(tokens), max_size=len(tokens)))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(tokens) - 1)), max_size=4)) - {len(tokens)})
    words = words_of(tokens, np.array(sure, np.float32), labels, np.array([0, *cuts, len(tokens)]))
    assert len(words) == len(cuts) + 1
    assert all(0 <= one.probability <= 1 for one in words)
    kept = tokens[np.flatnonzero(np.diff(tokens, prepend=-1))]
    spoken = "".join(labels[token] for token in kept if token < len(labels))
    for mark in ("\u2581", "##", " "):
        spoken = spoken.replace(mark, "")
    assert "".join(one.text for one in words).replace(" ", "") == spoken
    assert all(one.text == one.text.strip() and "  " not in one.text for one in words)
