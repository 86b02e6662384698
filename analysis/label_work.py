"""Labels that a person gives: relabelling with its history, the list with old and new labels, what a change brought."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from analysis.evaluation import Evaluation
from analysis.label_words import (
    NOBODY,
    UNSURE,
    By,
    Word,
    back_to,
    category_name,
    give,
    give_by_history,
    held_words,
    shown_category,
    spoken,
)
from quartzlens.errors import UnknownVideoError, UsageError
from quartzlens.records import Label, LabelSource, Video
from store.base import Store
from store.labels import BOTH, current_categories, several

HISTORY_COLUMNS = ("id", "given_at", "source", "origin", "category", "person", "note", "undo")
LIST_COLUMNS = (
    "id", "title", "channel", "source", "old_category", "category", "changed", "given_at", "person", "note",
)  # fmt: skip
CHANGE_COLUMNS = ("id", "old_category", "category", "old_predicted", "predicted", "label_changed", "change")


def relabel(store: Store, video_id: str, category: str, given_at: datetime | None = None, by: By = NOBODY) -> Label:
    """Add a person's label to a video's history: it wins over every list's; nothing is overwritten.

    Raises
    ------
    UnknownVideoError
        No video of that id is in the collection.
    UsageError
        The category is no name of one line.
    """
    name = category_name(category)
    return _given(store, Word(video_id, name), given_at, by)


def relabel_both(
    store: Store, video_id: str, categories: Sequence[str], given_at: datetime | None = None, by: By = NOBODY
) -> Label:
    """Add a person's word that a video is of several categories: it stays out of training, and is no open question.

    Raises
    ------
    UnknownVideoError
        No video of that id is in the collection.
    UsageError
        There are fewer than two different categories, or one is no name of one line.
    """
    names = {category_name(category) for category in categories}
    if len(names) < 2:
        raise UsageError(f"Two different categories are asked for, not {' and '.join(sorted(names)) or 'none'}.")
    return _given(store, Word(video_id, several(names)), given_at, by)


def unsure(store: Store, video_id: str, given_at: datetime | None = None, by: By = NOBODY) -> Label:
    """Add a person's word that it cannot be told: another person is to be asked (``asked_again``).

    It takes back what a person had said before, so until then the lists' labels hold.

    Raises
    ------
    UnknownVideoError
        No video of that id is in the collection.
    """
    return _given(store, Word(video_id, None, UNSURE), given_at, by)


def asked_again(store: Store, person: str = "") -> tuple[str, ...]:
    """Ids of the videos of which the last person was unsure, in the order in which that was said.

    Who has a name is not asked again of what that person could not tell.
    """
    history = store.labels()
    words = held_words(history)
    own = held_words(label for label in history if person and label.person == person)
    return tuple(
        video_id
        for video_id, word in words.items()
        if word.origin == UNSURE and not (video_id in own and own[video_id].origin == UNSURE)
    )


def of_several(store: Store) -> dict[str, tuple[str, ...]]:
    """Videos that a person has called of several categories, with these, sorted."""
    words = {video_id: word.category or "" for video_id, word in held_words(store.labels()).items()}
    return {video_id: tuple(word.split(BOTH)) for video_id, word in words.items() if BOTH in word}


def undo(store: Store, video_id: str, given_at: datetime | None = None, *, person: str = "") -> Label:
    """Take one's own last word on a video back: what a person had said before holds again, else the lists.

    The history grows by an entry that says so; undone twice, the word is back.

    Raises
    ------
    UnknownVideoError
        No video of that id is in the collection.
    UsageError
        No person labelled the video, or another one spoke last.
    HistoryMovedError
        Labels are given all the while, so that it could not be seen who spoke last.
    """

    def back(history: Sequence[Label]) -> list[Word]:
        """What takes the last word back."""
        _existing(store, video_id)
        last = spoken(label for label in history if label.video_id == video_id).get(video_id)
        if last is None:
            raise UsageError(f"No person has labelled '{video_id}': there is nothing to undo.")
        if last.entry.person != person:
            named = bool(last.entry.person)
            whose = f"{last.entry.person}'s" if named else "of a person who gave no name"
            unless = f"{'give that' if named else 'give no'} name if it was you, or give a word of your own."
            raise UsageError(f"The last word on '{video_id}' is {whose}, who alone takes it back: {unless}")
        return [back_to(video_id, last.before)]

    return give_by_history(store, back, given_at, By(person), undo=True)[0]


def label_history(store: Store, video_id: str | None = None) -> pd.DataFrame:
    """The label history, of one video or of all, oldest first.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``given_at``, ``source`` (``csv``, ``person``, ``import``), ``origin`` (``list#row``; ``unsure`` where a
        person could not tell), ``category`` (None: taken back; several of a person's are joined by " + "), ``person``
        (empty: no name was given), ``note``, ``undo`` (it takes the video's entry before it back).

    Raises
    ------
    UnknownVideoError
        No video of that id is in the collection.
    """
    if video_id is not None:
        _existing(store, video_id)
    rows = [
        (
            label.video_id,
            label.given_at,
            label.source.value,
            label.origin,
            shown_category(label),
            *_who(label),
            label.undo,
        )
        for label in store.labels()
        if video_id in {None, label.video_id}
    ]
    return pd.DataFrame(rows, columns=list(HISTORY_COLUMNS), dtype=object)


def decided(store: Store) -> frozenset[str]:
    """Ids of the videos whose label is a person's now: they are suggested no more."""
    return frozenset(video_id for video_id, label in held_words(store.labels()).items() if label.category is not None)


def labelled_list(store: Store) -> pd.DataFrame:
    """All videos with the label of their lists and the one that holds now.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``title``, ``channel``, ``source``, ``old_category`` (what lists and imports say, several joined by
        " + "), ``category`` (what holds now, likewise), ``changed`` (bool), ``given_at`` (when a person decided; None
        where none did), ``person`` and ``note`` (of the person's word that holds, an unsure one's too; None where none
        does), in the order of the store.
    """
    history: defaultdict[str, list[Label]] = defaultdict(list)
    for label in store.labels():
        history[label.video_id].append(label)
    rows = [_listed(video, history[video.id]) for video in store.videos()]
    return pd.DataFrame(rows, columns=list(LIST_COLUMNS), dtype=object)


def changes(before: Evaluation, after: Evaluation) -> pd.DataFrame:
    """Compare two evaluations video by video: what new labels, or another classifier, brought.

    Returns
    -------
    pandas.DataFrame
        A row for every video of either: ``id``, ``old_category`` and ``category`` (the label that each saw),
        ``old_predicted`` and ``predicted`` (None where one did not judge it), ``label_changed`` (bool), ``change``:
        ``wrong to right``, ``right to wrong``, ``still right``, ``still wrong``, ``new`` or ``gone``. Videos of
        ``after`` first, in its order.
    """
    old, new = _judgements(before), _judgements(after)
    rows = [(video_id, old.get(video_id), new.get(video_id)) for video_id in {**new, **old}]
    table = [(video_id, *_compared(then, now)) for video_id, then, now in rows]
    return pd.DataFrame(table, columns=list(CHANGE_COLUMNS), dtype=object).astype({"label_changed": "bool"})


_Judgement = tuple[str, str]


def _judgements(evaluation: Evaluation) -> dict[str, _Judgement]:
    predictions = evaluation.predictions
    rows = zip(predictions["id"], predictions["category"], predictions["predicted"], strict=True)
    return {str(video_id): (str(category), str(predicted)) for video_id, category, predicted in rows}


def _compared(then: _Judgement | None, now: _Judgement | None) -> tuple[object, ...]:
    old_category, old_predicted = then or (None, None)
    category, predicted = now or (None, None)
    changed = then is not None and now is not None and old_category != category
    return old_category, category, old_predicted, predicted, changed, _change(then, now)


def _change(then: _Judgement | None, now: _Judgement | None) -> str:
    if then is None or now is None:
        return "new" if then is None else "gone"
    was, is_ = then[0] == then[1], now[0] == now[1]
    if was == is_:
        return "still right" if was else "still wrong"
    return "right to wrong" if was else "wrong to right"


def _listed(video: Video, history: Sequence[Label]) -> tuple[object, ...]:
    lists = [label for label in history if label.source is not LabelSource.PERSON]
    old, now = (" + ".join(names) or None for names in (current_categories(lists), video.categories))
    word = held_words(history).get(video.id)
    given_at = word.given_at if word is not None and word.category is not None else None
    who = _who(word) if word is not None else (None, None)
    return video.id, video.title, video.channel, video.source, old, now, old != now, given_at, *who


def _who(label: Label) -> tuple[str, str]:
    return label.person, label.note


def _existing(store: Store, video_id: str) -> None:
    if not store.videos([video_id]):
        raise UnknownVideoError(
            f"No video '{video_id}' is in the collection. Which there are: quartzlens labels export."
        )


def _given(store: Store, word: Word, given_at: datetime | None, by: By) -> Label:
    _existing(store, word.video_id)
    return give(store, [word], given_at, by)[0]
