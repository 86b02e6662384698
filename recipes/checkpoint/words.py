"""Sentences for the generated speech: a small grammar over the committed word list `words.txt`.

The sentences need no sense, only variety: the network must learn how letters sound, not a few phrases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

WORDS_FILE = Path(__file__).with_name("words.txt")
_VOWELS = "aeiou"
_NO_S = ("s", "x", "z", "ch", "sh")


@cache
def word_classes() -> Mapping[str, tuple[str, ...]]:
    """Read the word list.

    Returns
    -------
    Mapping[str, tuple[str, ...]]
        Class name (noun, verb, ...) to its words, in the file's order, each once; determiners keep repetitions,
        which are their weights.
    """
    classes: dict[str, list[str]] = {}
    current = ""
    for line in WORDS_FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = line.strip("[]")
            classes[current] = []
        elif line and not line.startswith("#"):
            classes[current].extend(line.split())
    weighted = {"determiner", "plural_determiner"}
    return MappingProxyType(
        {name: tuple(words if name in weighted else dict.fromkeys(words)) for name, words in classes.items()}
    )


def with_s(word: str) -> str:
    """Give the plural of a noun, or the third person of a verb.

    >>> with_s("berry"), with_s("dish"), with_s("boat")
    ('berries', 'dishes', 'boats')
    """
    if word.endswith(_NO_S):
        return word + "es"
    if word.endswith("y") and word[-2] not in _VOWELS:
        return word[:-1] + "ies"
    return word + "s"


def with_ed(word: str) -> str:
    """Give the past of a regular verb.

    >>> with_ed("bake"), with_ed("carry"), with_ed("stop"), with_ed("open")
    ('baked', 'carried', 'stopped', 'opened')
    """
    if word.endswith("e"):
        return word + "d"
    if word.endswith("y") and word[-2] not in _VOWELS:
        return word[:-1] + "ied"
    return (word + word[-1] if _doubles(word) else word) + "ed"


def with_ing(word: str) -> str:
    """Give the present participle of a verb.

    >>> with_ing("bake"), with_ing("stop"), with_ing("see"), with_ing("tie")
    ('baking', 'stopping', 'seeing', 'tying')
    """
    if word.endswith("ie"):
        return word[:-2] + "ying"
    if word.endswith("e") and not word.endswith(("ee", "ye")):
        return word[:-1] + "ing"
    return (word + word[-1] if _doubles(word) else word) + "ing"


def _doubles(word: str) -> bool:
    """Tell whether a verb of one syllable doubles its last letter (stop, stopped)."""
    vowels = sum(letter in _VOWELS for letter in word)
    return vowels == 1 and word[-1] not in _VOWELS + "wxy" and len(word) > 2 and word[-2] in _VOWELS


class Grammar:
    """Draws sentences from a generator of random numbers."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._patterns: tuple[Callable[[], str], ...] = (
            self._statement,
            self._statement,
            self._plural_statement,
            self._described,
            self._with_modal,
            self._list,
            self._loose_words,
            self._loose_words,
        )

    def sentence(self, n_words_max: int) -> str:
        """Draw one sentence in lower case, of letters, spaces and apostrophes, cut to `n_words_max` words."""
        text = self._patterns[self._rng.integers(len(self._patterns))]()
        if self._chance(0.3):
            text = f"{self._pick('opener')} {text}"
        return " ".join(text.split()[:n_words_max])

    def _chance(self, probability: float) -> bool:
        return bool(self._rng.random() < probability)

    def _pick(self, name: str) -> str:
        words = word_classes()[name]
        return words[int(self._rng.integers(len(words)))]

    def _adjectives(self) -> str:
        return f"{self._pick('adjective')} " if self._chance(0.45) else ""

    def _phrase(self) -> str:
        """Draw a noun phrase."""
        if self._chance(0.12):
            return self._pick("name")
        if self._chance(0.1):
            return self._pick("object")
        if self._chance(0.35):
            return f"{self._pick('plural_determiner')} {self._adjectives()}{with_s(self._pick('noun'))}"
        determiner = self._pick("determiner")
        rest = f"{self._adjectives()}{self._pick('noun')}"
        if determiner == "a" and rest[0] in _VOWELS:
            determiner = "an"
        return f"{determiner} {rest}"

    def _past(self) -> str:
        return self._pick("past") if self._chance(0.4) else with_ed(self._pick("verb"))

    def _tail(self) -> str:
        tail = f" {self._pick('preposition')} {self._phrase()}" if self._chance(0.6) else ""
        return tail + (f" {self._pick('adverb')}" if self._chance(0.3) else "")

    def _subject(self) -> str:
        return self._pick("subject") if self._chance(0.4) else self._phrase()

    def _statement(self) -> str:
        return f"{self._subject()} {self._past()} {self._phrase()}{self._tail()}"

    def _plural_statement(self) -> str:
        verb = self._pick("verb") if self._chance(0.5) else f"are {with_ing(self._pick('verb'))}"
        return f"{self._pick('plural_determiner')} {with_s(self._pick('noun'))} {verb} {self._phrase()}{self._tail()}"

    def _described(self) -> str:
        return f"the {self._pick('noun')} {self._pick('copula')} {self._pick('adjective')}{self._tail()}"

    def _with_modal(self) -> str:
        return f"{self._subject()} {self._pick('modal')} {self._pick('verb')} {self._phrase()}{self._tail()}"

    def _list(self) -> str:
        return f"{self._pick('noun')} {self._pick('noun')} and {self._pick('adjective')} {with_s(self._pick('noun'))}"

    def _loose_words(self) -> str:
        """Draw words without grammar, so that no word can be guessed from the one before it."""
        names = ("noun", "verb", "adjective", "adverb", "past", "noun", "name", "preposition")
        return " ".join(self._pick(names[i]) for i in self._rng.integers(len(names), size=5))
