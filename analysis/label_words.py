"""What persons say of labels: who, with what note, which word holds after some were taken back; and how one is kept."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from quartzlens.characters import is_one_line
from quartzlens.errors import HistoryMovedError, UsageError
from quartzlens.records import Label, LabelSource
from store.base import Store
from store.labels import BOTH

UNSURE = "unsure"
"""Origin of a person's entry that names no category: the person could not tell."""
LONGEST_CATEGORY = 200
LONGEST_PERSON = 80
LONGEST_NOTE = 500
TRIES = 5
_NO_TEXT = {"Cc", "Cs"}


@dataclass(frozen=True, slots=True)
class Word:
    """What is said of a video: a category, several (joined by ``store.labels.BOTH``), or None; and why none."""

    video_id: str
    category: str | None
    origin: str = ""


def person_name(text: str) -> str:
    """A person's name without spaces around it; empty is nobody's.

    Raises
    ------
    UsageError
        It has more than one line, control characters (of direction too), or over ``LONGEST_PERSON`` characters.
    """
    name = text.strip()
    if name and (not is_one_line(name) or len(name) > LONGEST_PERSON):
        raise UsageError(f"A person's name is one line, at most {LONGEST_PERSON} characters: {text!r} is none.")
    return name


def note_text(text: str) -> str:
    r"""A note as it is kept: its lines, without control characters and without space around it.

    Raises
    ------
    UsageError
        It is longer than ``LONGEST_NOTE`` characters.

    >>> note_text(" heard\r\na pan\x07\t! ")
    'heard\na pan !'
    """
    lines = text.replace("\t", " ").splitlines()
    kept = ["".join(one for one in line if unicodedata.category(one) not in _NO_TEXT) for line in lines]
    note = "\n".join(kept).strip()
    if len(note) > LONGEST_NOTE:
        raise UsageError(f"A note has at most {LONGEST_NOTE} characters, and this one has {len(note):,}.")
    return note


def category_name(category: str) -> str:
    """A category without spaces around it.

    Raises
    ------
    UsageError
        It is no name of one line, or has control characters (of direction too).
    """
    name = category.strip()
    if not name or not is_one_line(name) or len(name) > LONGEST_CATEGORY:
        raise UsageError(
            f"A category is a name of one line, at most {LONGEST_CATEGORY} characters: {category!r} is none."
        )
    return name


@dataclass(frozen=True, slots=True)
class By:
    """Who says a word, and what is noted beside it; both may be empty. Who gives no name is one person with all others.

    Raises
    ------
    UsageError
        The name is none of one line, or the note is longer than ``LONGEST_NOTE`` characters.
    """

    person: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "person", person_name(self.person))
        object.__setattr__(self, "note", note_text(self.note))


NOBODY = By()


def give(
    store: Store,
    words: Sequence[Word],
    given_at: datetime | None = None,
    by: By = NOBODY,
    *,
    bulk: str = "",
    undo: bool = False,
    after: int | None = None,
) -> tuple[Label, ...]:
    """Add a person's words to the label history, all or none of them; ``after`` as of ``Store.add_labels``."""
    stamp = (given_at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
    labels = tuple(
        Label(one.video_id, one.category, LabelSource.PERSON, one.origin, stamp, by.person, by.note, bulk, undo)
        for one in words
    )
    store.add_labels(labels, after)
    return labels


def give_by_history(
    store: Store,
    decide: Callable[[tuple[Label, ...]], Sequence[Word]],
    given_at: datetime | None = None,
    by: By = NOBODY,
    *,
    bulk: str = "",
    undo: bool = False,
) -> tuple[Label, ...]:
    """Add what is decided by the label history, and decide anew where it moves before that is added.

    Raises
    ------
    HistoryMovedError
        It moved each of ``TRIES`` times.
    """

    def once() -> tuple[Label, ...]:
        """Read, decide, and add if nothing came between."""
        history = store.labels()
        return give(store, decide(history), given_at, by, bulk=bulk, undo=undo, after=len(history))

    for _ in range(TRIES - 1):
        with suppress(HistoryMovedError):
            return once()
    return once()


@dataclass(frozen=True, slots=True)
class Spoken:
    """What persons have said of a video: the last ``entry``, the ``words`` left after it, and those left ``before`` it.

    An undo of one video goes back to what was left before the last entry, so that undone twice the word is there again.
    An undo in one go (it has a ``bulk``) takes away the word that holds, so that each goes further back.
    """

    entry: Label
    words: tuple[Label, ...]
    before: tuple[Label, ...]

    @property
    def holds(self) -> Label | None:
        """The last of the words that are left; None where none is, and the lists hold."""
        return self.words[-1] if self.words else None


def spoken(history: Iterable[Label]) -> dict[str, Spoken]:
    """What persons have said of each video that they spoke of, whose last entry is the latest last."""
    found: dict[str, Spoken] = {}
    for label in history:
        if label.source is LabelSource.PERSON:
            last = found.pop(label.video_id, None)
            words, before = (last.words, last.before) if last else ((), ())
            left = (*words, label) if not label.undo else words[:-1] if label.bulk else before
            found[label.video_id] = Spoken(label, left, words)
    return found


def held_words(history: Iterable[Label]) -> dict[str, Label]:
    """The word of a person that holds for each video of which one does, in the order in which they began to."""
    return {video_id: one.holds for video_id, one in spoken(history).items() if one.holds is not None}


def shown_category(label: Label) -> str | None:
    """The category of a label, several of a person's joined by " + "."""
    several = label.source is LabelSource.PERSON and label.category is not None
    return " + ".join(str(label.category).split(BOTH)) if several else label.category


def back_to(video_id: str, words: Sequence[Label]) -> Word:
    """What an entry says that leaves these words of a video."""
    return Word(video_id, words[-1].category, words[-1].origin) if words else Word(video_id, None)
