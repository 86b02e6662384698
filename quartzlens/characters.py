"""Which characters of strangers' texts are text: in one way for tables, terminals and names."""

import unicodedata

_NO_TEXT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_text(character: str) -> bool:
    r"""Whether a character stands for itself in a line.

    Not control characters, halves of surrogate pairs, ends of lines and paragraphs, and controls of direction, which
    make a text look like another one. Every space does, and so does what joins or parts letters without being seen.

    >>> [is_text(one) for one in ("a", "\u3000", "\u00a0", "\u200c", "\u200d", "\n", "\u2028", "\u202e")]
    [True, True, True, True, True, False, False, False]
    """
    return unicodedata.category(character) not in _NO_TEXT and character not in _DIRECTIONS


def one_line(text: str, instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    r"""The text with ``instead`` in place of each character that is none.

    >>> one_line("a\nb\x07", " ")
    'a b '
    """
    return "".join(character if is_text(character) else instead for character in text)


def is_one_line(text: str) -> bool:
    """Whether each character of a text is one; of an empty text, too."""
    return all(map(is_text, text))
