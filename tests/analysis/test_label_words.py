"""Persons and their words: who said what, with what note; what holds; and what nobody takes back for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.label_words import (
    LONGEST_NOTE,
    TRIES,
    By,
    category_name,
    held_words,
    note_text,
    person_name,
    spoken,
)
from analysis.label_work import asked_again, decided, label_history, labelled_list, relabel, undo, unsure
from quartzlens.errors import HistoryMovedError, UsageError
from quartzlens.records import Label, LabelSource
from tests.analysis.made_up_collections import interrupted, labelled_store

ANA, BO = By("Ana"), By("Bo")


def test_an_undo_takes_back_what_oneself_said_last_and_nothing_of_another():
    """Who did not speak last is refused by name; who did goes back to the other's word, and forward again."""
    store = labelled_store()
    relabel(store, "v1", "travel", by=BO)
    relabel(store, "v1", "history", by=ANA)
    with pytest.raises(UsageError, match="The last word on 'v1' is Ana's, who alone takes it back"):
        undo(store, "v1", person="Bo")
    undo(store, "v1", person="Ana")
    assert held_words(store.labels())["v1"].person == "Bo"
    assert store.videos(["v1"])[0].category == "travel"
    with pytest.raises(UsageError, match="Ana's"):
        undo(store, "v1")
    undo(store, "v1", person="Ana")
    assert held_words(store.labels())["v1"].person == "Ana"
    assert store.videos(["v1"])[0].category == "history"
    relabel(store, "v2", "food")
    with pytest.raises(UsageError, match="of a person who gave no name"):
        undo(store, "v2", person="Ana")


def test_a_word_that_comes_between_is_not_overwritten(monkeypatch):
    """Where Bo speaks just before Ana's undo is kept, it is decided anew: refused, as his is the last word now."""
    store = labelled_store()
    relabel(store, "v1", "travel", by=ANA)
    bo = Label("v1", "history", LabelSource.PERSON, "", "t", "Bo")
    with pytest.raises(UsageError, match="The last word on 'v1' is Bo's"):
        undo(interrupted(store, monkeypatch, bo), "v1", person="Ana")
    assert store.videos(["v1"])[0].category == "history"


def test_undo_waits_for_a_quiet_moment_and_not_for_ever(monkeypatch):
    """Words on other videos that come between are waited out; where they do not end, nothing is taken back."""
    store = labelled_store()
    relabel(store, "v1", "travel", by=ANA)
    others = [Label(f"v{n}", "history", LabelSource.PERSON, "", "t", "Bo") for n in range(2, 2 + TRIES)]
    with monkeypatch.context() as patch, pytest.raises(HistoryMovedError, match="try again"):
        undo(interrupted(store, patch, *others), "v1", person="Ana")
    assert store.videos(["v1"])[0].category == "travel"
    undo(interrupted(store, monkeypatch, *others[1:]), "v1", person="Ana")
    assert store.videos(["v1"])[0].category == "food"


def test_what_one_could_not_tell_is_asked_of_others_alone():
    """An unsure person is not asked again, all others are; who has no name is asked of all; an undo asks once more."""
    store = labelled_store()
    unsure(store, "v1", by=ANA)
    unsure(store, "v2", by=BO)
    unsure(store, "v3")
    assert [asked_again(store, name) for name in ("Ana", "Bo", "")] == [("v2", "v3"), ("v1", "v3"), ("v1", "v2", "v3")]
    unsure(store, "v1", by=BO)
    assert asked_again(store, "Ana") == ("v2", "v3")
    undo(store, "v1", person="Bo")
    assert asked_again(store, "Bo") == ("v3", "v1")
    undo(store, "v2", person="Bo")
    assert asked_again(store, "Ana") == ("v3",)
    relabel(store, "v1", "travel", by=BO)
    undo(store, "v1", person="Bo")
    assert asked_again(store, "Ana") == ("v3",)
    assert asked_again(store, "Bo") == ("v3", "v1")


def test_names_and_notes_are_in_the_history_and_in_the_list():
    """The history has who and why of each entry and what was taken back, the list those of the word that holds."""
    store = labelled_store()
    relabel(store, "v1", "travel", by=By(" Ana ", " trains\r\nand bells "))
    unsure(store, "v2", by=By("Bo", "too quiet"))
    relabel(store, "v3", "travel", by=ANA)
    undo(store, "v3", person="Ana")
    table = label_history(store, "v1")
    assert table[["person", "note", "undo"]].to_numpy().tolist() == [
        ["", "", False],
        ["Ana", "trains\nand bells", False],
    ]
    assert label_history(store, "v3")["undo"].tolist() == [False, False, True]
    listed = labelled_list(store).set_index("id")[["person", "note"]]
    assert listed.loc[["v1", "v2", "v3", "v4"]].to_numpy().tolist() == [
        ["Ana", "trains\nand bells"],
        ["Bo", "too quiet"],
        [None, None],
        [None, None],
    ]


@pytest.mark.parametrize("name", ["two\nlines", "x" * 81, "bell\x07", "\u202eright to left"])
def test_a_name_is_one_line(name):
    """A name of two lines, with control characters, or too long is refused, of a person and of a category."""
    with pytest.raises(UsageError, match="A person's name is one line"):
        By(name)
    with pytest.raises(UsageError, match="A category is a name of one line"):
        category_name(name * 3)


@pytest.mark.parametrize(
    "name", ["食べ物\u3000料理", "خانه\u200cدار", "Récit\u00a0: histoire", "\U0001f469\u200d\U0001f467"]
)
def test_a_name_is_of_any_language(name):
    """Spaces of other scripts and what joins or parts letters stay in the names of categories and persons."""
    assert category_name(f" {name} ") == person_name(name) == name


def test_a_note_is_text_of_a_certain_length():
    """Control characters and lone surrogates leave a note, joined emoji and right-to-left text stay."""
    family, arabic = "\U0001f469\u200d\U0001f467", "\u0645\u0631\u062d\u0628\u0627"
    assert note_text(f"{family} {arabic}\x00\ud800") == f"{family} {arabic}"
    assert By(note="x" * LONGEST_NOTE).note
    with pytest.raises(UsageError, match="at most 500 characters, and this one has 501"):
        By(note="x" * (LONGEST_NOTE + 1))
    assert person_name("  ") == ""


@given(st.lists(st.tuples(st.sampled_from(["Ana", "Bo", ""]), st.sampled_from(["food", "travel", None, "undo"]))))
def test_whatever_is_said_the_word_that_holds_is_the_videos_label(said):
    """The store and the words agree, and no undo but one's own ever changes what holds."""
    store = labelled_store()
    for person, what in said:
        last = spoken(store.labels()).get("v1")
        if what != "undo":
            relabel(store, "v1", what, by=By(person)) if what else unsure(store, "v1", by=By(person))
        elif last is None or last.entry.person != person:
            with pytest.raises(UsageError):
                undo(store, "v1", person=person)
        else:
            undo(store, "v1", person=person)
            assert spoken(store.labels())["v1"].words == last.before
        word = held_words(store.labels()).get("v1")
        assert store.videos(["v1"])[0].category == ((word.category if word else None) or "food")
        assert decided(store) == ({"v1"} if word and word.category else set())
