"""What was said, as the checkpoint's CTC decoder hears it: greedy decoding, unsure, for finding rather than reading."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Words

_WORD_START = "\N{LOWER ONE EIGHTH BLOCK}"  # how SentencePiece writes the space before a word
_CONTINUED = "##"
# How the Unicode names of characters begin that are written without spaces.
_UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA", "HALFWIDTH KATAKANA", "IDEOGRAPHIC ITERATION")


Symbol = tuple[str, int, float]


def words_of(
    tokens: NDArray[np.int64], probabilities: NDArray[np.float32], labels: Sequence[str], edges: NDArray[np.int64]
) -> tuple[Words, ...]:
    """Words heard in each fragment, by the best label of each step: repeats merge, blanks go (A. Graves, CTC, 2006).

    Parameters
    ----------
    tokens, probabilities
        (t,) the best label of each step, where ``len(labels)`` is the blank, and its probability.
    edges
        (f + 1,) steps between which the fragments lie; a word belongs to the fragment in which it begins.

    Examples
    --------
    >>> heard = words_of(np.array([0, 0, 3, 0, 2, 1, 3]), np.ones(7, np.float32), ["a", "b", " "], np.array([0, 4, 7]))
    >>> [words.text for words in heard]
    ['aa', 'b']
    """
    texts: list[list[str]] = [[] for _ in edges[:-1]]
    sure: list[list[float]] = [[] for _ in edges[:-1]]
    for word, step, probabilities_of_word in _spoken(_symbols(tokens, probabilities, labels), _begins(labels)):
        fragment = int(np.searchsorted(edges, step, side="right")) - 1
        texts[fragment].append(word)
        sure[fragment] += probabilities_of_word
    joined = _with_spaces if _spaced(labels) else "".join
    return tuple(Words(joined(text), float(np.mean(p)) if p else 0.0) for text, p in zip(texts, sure, strict=True))


def _spaced(labels: Sequence[str]) -> bool:
    """Whether the decoder writes words apart; Chinese labels are characters without any space among them."""
    return any(" " in label or label.startswith((_WORD_START, _CONTINUED)) for label in labels)


def _begins(labels: Sequence[str]) -> Callable[[str], bool]:
    """Whether a label begins a word, by the way in which these labels say so; Chinese and kana ones always do."""
    if any(label.startswith(_CONTINUED) for label in labels):
        return lambda label: not label.startswith(_CONTINUED) or _is_unspaced(_written(label)[:1])
    if _spaced(labels):
        return lambda label: label.startswith((" ", _WORD_START)) or _is_unspaced(_written(label)[:1])
    return lambda _label: True


def _written(label: str) -> str:
    """What a label adds to a text, without its marks."""
    return label.removeprefix(_CONTINUED).replace(_WORD_START, "").strip()


def _is_unspaced(character: str) -> bool:
    """Whether a character is of a script that is written without spaces: Chinese, or Japanese kana."""
    return unicodedata.name(character, "").startswith(_UNSPACED) if character else False


def _with_spaces(words: Iterable[str]) -> str:
    """Words with spaces between them, but for those where Chinese or kana meet.

    >>> _with_spaces(["to", "be", "\u4f60", "\u597d"])
    'to be \u4f60\u597d'
    """
    text = ""
    for word in words:
        apart = bool(text) and not (_is_unspaced(text[-1]) and _is_unspaced(word[0]))
        text += f" {word}" if apart else word
    return text


def _symbols(tokens: NDArray[np.int64], probabilities: NDArray[np.float32], labels: Sequence[str]) -> Iterator[Symbol]:
    """Labels without blanks and repeats: text, first step, mean probability over its steps."""
    starts = np.flatnonzero(np.diff(tokens, prepend=-1))
    means = np.add.reduceat(probabilities, starts) / np.diff(np.append(starts, len(tokens)))
    for start, mean in zip(starts.tolist(), means.tolist(), strict=True):
        if tokens[start] < len(labels):
            yield labels[tokens[start]], start, mean


def _spoken(symbols: Iterable[Symbol], begins: Callable[[str], bool]) -> Iterator[tuple[str, int, list[float]]]:
    """Words: text, first step, probabilities of its labels."""
    word, first, sure = "", 0, list[float]()
    for label, step, probability in symbols:
        if word and begins(label):
            yield word, first, sure
            word, sure = "", []
        text = _written(label)
        if text:
            first = first if word else step
            word, sure = word + text, [*sure, min(1.0, probability)]
    if word:
        yield word, first, sure
