"""One answer for many videos, and the way back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.label_bulk import Answer, Kind, answer_all, answered, last_bulk, undo_bulk
from analysis.label_words import By
from analysis.label_work import asked_again, decided, label_history, relabel, undo, unsure
from quartzlens.errors import UsageError
from quartzlens.records import Label, LabelSource
from store.memory import MemoryStore
from tests.analysis.made_up_collections import filled_store, interrupted, labelled_store, row

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
FOUR = ("v1", "v2", "v3", "v4")
TRAVEL = Answer(Kind.CATEGORY, (" travel",))


def labels_of(store: MemoryStore, ids: tuple[str, ...] = FOUR) -> list[tuple[str, ...]]:
    """Categories of videos."""
    return [video.categories for video in store.videos(ids)]


def test_many_videos_get_one_answer_and_lose_it_together():
    """All of a set are relabelled with one name, note and token, one undo takes it all back, and the history tells."""
    store = labelled_store()
    before, calls = labels_of(store), len(store.labels())
    given = answer_all(store, store.videos(FOUR), TRAVEL, NOON, By("Ana", "all on the train"))
    assert labels_of(store) == [("travel",)] * 4
    assert {(one.bulk, one.person, one.note, one.given_at) for one in given} == {
        (given[0].bulk, "Ana", "all on the train", "2026-11-29T12:00:00+00:00")
    }
    assert last_bulk(store, "Ana") == given
    back = undo_bulk(store, given[0].bulk, NOON, person="Ana")
    assert labels_of(store) == before
    assert len({one.bulk for one in (*given, *back)}) == 2
    assert last_bulk(store, "Ana") == ()
    assert len(store.labels()) == calls + 8
    assert label_history(store, "v2")[["category", "person", "undo"]].to_numpy().tolist()[-2:] == [
        ["travel", "Ana", False],
        [None, "Ana", True],
    ]


def test_only_what_nobody_answered_since_is_taken_back():
    """A video that another person, or oneself, answered after the bulk keeps that answer."""
    store = labelled_store()
    bulk = answer_all(store, store.videos(FOUR), TRAVEL, by=By("Ana"))[0].bulk
    relabel(store, "v1", "history", by=By("Bo"))
    undo(store, "v2", person="Ana")
    assert [one.video_id for one in last_bulk(store, "Ana")] == ["v3", "v4"]
    undo_bulk(store, bulk, person="Ana")
    assert labels_of(store) == [("history",), ("food",), ("food",), ("food",)]
    with pytest.raises(UsageError, match="there is nothing to undo"):
        undo_bulk(store, bulk, person="Ana")


def test_the_latest_bulk_is_taken_back_first():
    """Of two answers for many the later one is offered, and after it the earlier one."""
    store = labelled_store()
    first = answer_all(store, store.videos(FOUR[:2]), TRAVEL)
    second = answer_all(store, store.videos(FOUR[2:]), TRAVEL)
    assert last_bulk(store) == second
    undo_bulk(store, second[0].bulk)
    assert last_bulk(store) == first


def test_one_after_the_other_all_are_taken_back():
    """Of two answers for the same videos, and one between them, each undo goes one further back; then none is left."""
    store = labelled_store()
    answer_all(store, store.videos(FOUR), TRAVEL)
    relabel(store, "v2", "art", by=By("Bo"))
    answer_all(store, store.videos(FOUR), Answer(Kind.CATEGORY, ("history",)))
    second = last_bulk(store)
    undo_bulk(store, second[0].bulk)
    assert labels_of(store) == [("travel",), ("art",), ("travel",), ("travel",)]
    with pytest.raises(UsageError, match="Nothing of that answer holds any more"):
        undo_bulk(store, second[0].bulk)
    first = last_bulk(store)
    assert [one.video_id for one in first] == ["v1", "v3", "v4"]
    undo_bulk(store, first[0].bulk)
    assert labels_of(store) == [("food",), ("art",), ("food",), ("food",)]
    assert last_bulk(store) == ()
    undo(store, "v1")
    assert labels_of(store, ("v1",)) == [("travel",)]
    assert [one.video_id for one in last_bulk(store)] == ["v1"]


def four_of_food() -> MemoryStore:
    """A store of four videos alone."""
    return filled_store([row(number, "food") for number in (1, 2, 3, 4)], [])


STEPS = st.tuples(
    st.sampled_from(["word", "undo", "bulk", "undo bulk"]),
    st.sampled_from(["Ana", "Bo"]),
    st.lists(st.sampled_from(FOUR), min_size=1, unique=True),
    st.sampled_from(["travel", "history"]),
)


@given(st.lists(STEPS, max_size=12))
def test_undo_is_what_a_list_of_all_that_ever_held_says(steps):
    """Single ones go back to what was before the last entry, those of many take away the word that holds."""
    store = four_of_food()
    past: dict[str, list[tuple[tuple[str, int, str], ...]]] = {video_id: [()] for video_id in FOUR}
    spoke = dict.fromkeys(FOUR, "")
    for number, (what, person, ids, category) in enumerate(steps, 1):
        held = {video_id: past[video_id][-1][-1] for video_id in FOUR if past[video_id][-1]}
        latest = max((n for who, n, _ in held.values() if who == person), default=0)
        of_latest = [video_id for video_id in held if latest and held[video_id][1] == latest]
        assert {one.video_id for one in last_bulk(store, person)} == set(of_latest)
        if what == "word":
            relabel(store, ids[0], category, by=By(person))
            changed = {ids[0]: (*past[ids[0]][-1], (person, 0, category))}
        elif what == "bulk":
            answer_all(store, store.videos(ids), Answer(Kind.CATEGORY, (category,)), by=By(person))
            changed = {video_id: (*past[video_id][-1], (person, number, category)) for video_id in ids}
        elif what == "undo bulk":
            changed = {video_id: past[video_id][-1][:-1] for video_id in of_latest}
            undo_bulk(store, last_bulk(store, person)[0].bulk, person=person) if latest else None
        else:
            changed = {ids[0]: past[ids[0]][-2]} if spoke[ids[0]] == person else {}
            undo(store, ids[0], person=person) if changed else None
        for video_id, words in changed.items():
            past[video_id].append(words)
            spoke[video_id] = person
        expected = [((past[video_id][-1][-1][2],) if past[video_id][-1] else ("food",)) for video_id in FOUR]
        assert labels_of(store) == expected


@given(st.lists(st.lists(st.sampled_from(FOUR), min_size=1, unique=True), max_size=6))
def test_as_many_undos_as_answers_lead_back_through_every_state(sets):
    """Whatever the videos of each answer, its undo brings back what was before it, from the last to the first."""
    store, states = four_of_food(), []
    for number, ids in enumerate(sets):
        states.append(labels_of(store))
        answer_all(store, store.videos(ids), Answer(Kind.CATEGORY, (f"c{number}",)))
    for before in reversed(states):
        undo_bulk(store, last_bulk(store)[0].bulk)
        assert labels_of(store) == before
    assert last_bulk(store) == ()


def test_a_word_that_comes_between_is_not_taken_back(monkeypatch):
    """Where Bo answers a video just before Ana's undo of many is kept, his word stays; the others are taken back."""
    store = labelled_store()
    bulk = answer_all(store, store.videos(FOUR), TRAVEL, by=By("Ana"))[0].bulk
    bo = Label("v1", "history", LabelSource.PERSON, "", "t", "Bo")
    undo_bulk(interrupted(store, monkeypatch, bo), bulk, person="Ana")
    assert labels_of(store) == [("history",), ("food",), ("food",), ("food",)]


def test_what_moved_since_it_was_seen_is_left_out(monkeypatch):
    """A label that another person gave after the question was drawn is neither kept nor replaced, however late."""
    for answer in (Answer(Kind.KEEP), TRAVEL):
        store = labelled_store()
        seen = store.videos(FOUR)
        relabel(store, "v1", "history", by=By("Bo"))
        store.remove(["v2"])
        bo = Label("v3", "history", LabelSource.PERSON, "", "t", "Bo")
        given = answer_all(interrupted(store, monkeypatch, bo), seen, answer, by=By("Ana"))
        assert [one.video_id for one in given] == ["v4"]
        assert labels_of(store, ("v1", "v3")) == [("history",)] * 2
        with pytest.raises(UsageError, match="have changed since they were shown"):
            answer_all(store, seen[:3], answer)


def test_a_bulk_of_another_person_is_not_taken_back():
    """Undo is one's own: another's is refused and not offered, also to who has no name."""
    store = labelled_store()
    bulk = answer_all(store, store.videos(FOUR), TRAVEL, by=By("Ana"))[0].bulk
    for name in ("Bo", ""):
        assert last_bulk(store, name) == ()
        with pytest.raises(UsageError, match="another person's"):
            undo_bulk(store, bulk, person=name)
    assert labels_of(store) == [("travel",)] * 4


def test_an_undone_bulk_leaves_what_each_video_had_before():
    """What persons had said before of single videos holds again, unsure ones are asked again."""
    store = labelled_store()
    relabel(store, "v1", "history", by=By("Bo"))
    unsure(store, "v2", by=By("Bo"))
    bulk = answer_all(store, store.videos(FOUR), Answer(Kind.BOTH, ("travel", "food")), by=By("Ana"))[0].bulk
    assert labels_of(store) == [("food", "travel")] * 4
    assert asked_again(store) == ()
    undo_bulk(store, bulk, person="Ana")
    assert labels_of(store) == [("history",), ("food",), ("food",), ("food",)]
    assert asked_again(store) == ("v2",)


def test_keep_is_said_of_what_has_one_label():
    """Videos without a label, or with several, are left out of Keep; of none at all that is said, and nothing kept."""
    store = filled_store([row(1, "food"), row(2), row(3, "food")], [])
    store.add_rows("more.csv", [row(3, "travel", source_list="more.csv")], [])
    keep = Answer(Kind.KEEP)
    assert [word.video_id for word in answered(store.videos(), keep)] == ["v1"]
    answer_all(store, store.videos(), keep)
    assert decided(store) == {"v1"}
    for ids in (("v2", "v3"), ("gone",), ()):
        with pytest.raises(UsageError, match="None of these videos"):
            answer_all(store, store.videos(ids), keep)


def test_unsure_of_many_asks_others():
    """Unsure is an answer for many as well: they all wait for another person."""
    store = labelled_store()
    answer_all(store, store.videos(FOUR), Answer(Kind.UNSURE), by=By("Ana"))
    assert asked_again(store, "Bo") == FOUR
    assert asked_again(store, "Ana") == ()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Kind.CATEGORY, ()),
        (Kind.CATEGORY, ("food", "travel")),
        (Kind.CATEGORY, ("two\nlines",)),
        (Kind.BOTH, ("food", " food")),
        (Kind.KEEP, ("food",)),
        (Kind.UNSURE, ("food",)),
    ],
)
def test_an_answer_names_as_many_categories_as_it_is_of(kind, names):
    """One for another category, two for several, none for the rest; each a name of one line."""
    with pytest.raises(UsageError):
        Answer(kind, names)
