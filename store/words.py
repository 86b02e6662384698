"""Words as they are compared: what is heard and what is looked for is folded and split alike, in every backend."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Accents of Latin, Greek and Cyrillic (the marks of other scripts are letters of theirs), and signs without a width.
_PASSED_OVER = re.compile("[\u0300-\u036f\u00ad\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Kana and Han, which are written without spaces between words.
_ALONE = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
_ASCII = re.compile("[a-z0-9]+")
_LONGEST = 1000  # characters of a word that are compared; SQLite compares 32,768 bytes


def tokens(text: str) -> list[str]:
    """The words of a text without case and accents, each character of Chinese and Japanese a word of its own.

    >>> tokens("Don't STOP, Mädchen: 你好")
    ['don', 't', 'stop', 'madchen', '你', '好']
    """
    if text.isascii():
        found = _ASCII.findall(text.lower())
    else:
        # Folding a compatibility letter (a mathematical bold A) needs it decomposed, and may compose new ones.
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        bare = unicodedata.normalize("NFC", _PASSED_OVER.sub("", folded))
        found = _ALONE.sub(r" \1 ", "".join(map(_of_a_word, bare))).split(" ")
    return [word[:_LONGEST] for word in found if word]


@lru_cache(maxsize=8192)
def _of_a_word(character: str) -> str:
    """A letter, digit or mark as it is, everything else as a space."""
    return character if unicodedata.category(character)[0] in "LNM" else " "


def phrases(saying: str) -> list[tuple[str, ...]]:
    """What must be heard, each as successive words of which the last may go on: one phrase a word of ``saying``.

    >>> phrases("well-known 你好 you You !")
    [('well', 'known'), ('你', '好'), ('you',)]
    """
    return list(dict.fromkeys(phrase for word in saying.split() if (phrase := tuple(tokens(word)))))


def score(heard: list[str], wanted: Iterable[tuple[str, ...]]) -> float:
    """How often the phrases are heard, a word of ``heard``; 0 where one of them is not, or there is none.

    >>> score(["go", "went", "going"], [("go",)])
    0.6666666666666666
    """
    total = 0
    for phrase in wanted:
        times = _times(heard, phrase)
        if not times:
            return 0.0
        total += times
    return total / len(heard) if total else 0.0


def _times(heard: list[str], phrase: tuple[str, ...]) -> int:
    *whole, last = phrase
    length = len(whole)
    return sum(heard[end].startswith(last) and heard[end - length : end] == whole for end in range(length, len(heard)))
