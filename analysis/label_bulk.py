"""One answer for many videos at once, and the way back: each is in the history, all are given in one transaction."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from analysis.label_words import NOBODY, UNSURE, By, Word, back_to, category_name, give_by_history, spoken
from quartzlens.errors import UsageError
from quartzlens.records import Label, Video
from store.base import Store
from store.labels import several


class Kind(StrEnum):
    """What a person may say of a video's label."""

    KEEP = "keep the label"
    CATEGORY = "another category"
    BOTH = "several categories"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer for many videos.

    Attributes
    ----------
    categories
        The one of ``Kind.CATEGORY``, two or more of ``Kind.BOTH``, else none.

    Raises
    ------
    UsageError
        There are other numbers of them, or one is no name of one line.
    """

    kind: Kind
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = tuple(dict.fromkeys(map(category_name, self.categories)))
        right = {Kind.CATEGORY: len(names) == 1, Kind.BOTH: len(names) > 1}.get(self.kind, not names)
        if not right:
            raise UsageError("One category is asked for, or at least two different ones for a video of several.")
        object.__setattr__(self, "categories", names)


def answered(videos: Iterable[Video], answer: Answer) -> tuple[Word, ...]:
    """What the answer says of each video; to keep its label says nothing of a video that has none, or several."""
    words = (_word(video, answer) for video in videos)
    return tuple(word for word in words if word is not None)


def _word(video: Video, answer: Answer) -> Word | None:
    if answer.kind is Kind.KEEP:
        return Word(video.id, video.category) if video.category else None
    if answer.kind is Kind.UNSURE:
        return Word(video.id, None, UNSURE)
    return Word(video.id, several(answer.categories))


def answer_all(
    store: Store, seen: Sequence[Video], answer: Answer, given_at: datetime | None = None, by: By = NOBODY
) -> tuple[Label, ...]:
    """Give videos one answer, all in one transaction.

    Parameters
    ----------
    seen
        The videos as the person saw them who gave it. Where the label of one is another by now, or a video is gone, it
        is left out: the answer was not meant for that.

    Returns
    -------
    tuple of Label
        What was added to the history, in the order of ``seen``.

    Raises
    ------
    UsageError
        The answer says nothing of any of them, or all are left out.
    HistoryMovedError
        Labels are given all the while, so that it could not be seen whether these are as they were.
    """
    words, labels = answered(seen, answer), {video.id: video.categories for video in seen}
    if not words:
        raise UsageError("None of these videos is there with a label to keep: choose a category for them.")

    def unmoved(_: Sequence[Label]) -> list[Word]:
        """The words for the videos whose label is as it was seen."""
        now = {video.id: video.categories for video in store.videos(labels)}
        left = [word for word in words if now.get(word.video_id) == labels[word.video_id]]
        if not left:
            raise UsageError("The labels of all these videos have changed since they were shown: look at them again.")
        return left

    return give_by_history(store, unmoved, given_at, by, bulk=secrets.token_hex(8))


def last_bulk(store: Store, person: str = "") -> tuple[Label, ...]:
    """What holds of the latest answer of a person to many videos at once of which something does; empty where none."""
    history, held = store.labels(), dict[str, list[Label]]()
    for one in spoken(history).values():
        if one.holds is not None and one.holds.bulk and one.holds.person == person:
            held.setdefault(one.holds.bulk, []).append(one.holds)
    latest = next((label.bulk for label in reversed(history) if label.bulk in held), "")
    return tuple(held.get(latest, ()))


def undo_bulk(store: Store, bulk: str, given_at: datetime | None = None, *, person: str = "") -> tuple[Label, ...]:
    """Take back, in one transaction, what was said in one go, where it holds: what was said before holds again.

    Raises
    ------
    UsageError
        Nothing of it holds any more, or another person said it.
    HistoryMovedError
        Labels are given all the while, so that it could not be seen what holds.
    """

    def back(history: Sequence[Label]) -> list[Word]:
        """What takes it back."""
        held = [one for one in spoken(history).values() if one.holds is not None and one.holds.bulk == bulk]
        if not held:
            raise UsageError("Nothing of that answer holds any more: there is nothing to undo.")
        if held[0].words[-1].person != person:
            raise UsageError("That answer is another person's, who alone takes it back: give an answer of your own.")
        return [back_to(one.entry.video_id, one.words[:-1]) for one in held]

    return give_by_history(store, back, given_at, By(person), bulk=secrets.token_hex(8), undo=True)
