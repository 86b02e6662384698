"""One answer for a working set, persons and their notes, and the working set as a filter: the small facts."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analysis.evaluation import read_evaluation
from analysis.label_bulk import Answer, Kind, answer_all
from analysis.label_words import By
from analysis.label_work import label_history, relabel, unsure
from dashboard import entrance
from dashboard.state import Key
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated, trained
from tests.dashboard.made_up import HOSTILE, Wanted, make_collection
from tests.dashboard.test_views import button, drawn, texts

SIX = [f"v{n:03d}" for n in range(6)]
NAME = "<b>Ana</b> :red[x] **b** [l](javascript:alert(1))"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small collection of its own with an evaluation."""
    return evaluated(make_collection(tmp_path / "bulk", Wanted(videos=24, channels=8, media=False)))


def at(view: View, folder: Path, queue: str, ids: list[str], person: str = "") -> AppTest:
    """The Labels view with a queue and a working set, by a person."""
    test = view(folder, "labels")
    test.session_state["queue"] = queue
    if ids:
        test.query_params["set"] = ids
    test.text_input(key=Key.PERSON).set_value(person)
    return drawn(test.run())


def answered(test: AppTest, n: int, kind: Kind, category: str = "", note: str = "") -> AppTest:
    """Choose an answer for n videos, see what it would do, and say yes."""
    test.session_state["bulk-kind"] = kind
    test.run()
    if category:
        test.session_state["bulk-one"] = category
        test.run()
    test.text_input(key=Key.BULK_NOTE).set_value(note)
    drawn(button(test, f"Answer for {n} videos").click().run())
    return test


def categories(folder: Path, ids: list[str]) -> list[tuple[str, ...]]:
    """What the labels of videos say now."""
    with open_collection(folder) as opened:
        return [video.categories for video in opened.store.videos(ids)]


def test_a_bulk_is_confirmed_given_and_undone(view: View, folder: Path) -> None:
    """The question says for how many and shows a few; nothing is given before yes; one undo takes all of it back."""
    before = categories(folder, SIX)
    test = answered(at(view, folder, "Working set", SIX, "Ana"), 6, Kind.CATEGORY, "travel", "all on the train")
    shown = texts(test)
    assert "travel for 6 videos, by Ana." in shown
    assert "and 1 more" in shown
    assert "Note: all on the train" in shown
    assert categories(folder, SIX) == before
    drawn(button(test, "Yes, for 6 videos").click().run())
    assert categories(folder, SIX) == [("travel",)] * 6
    assert "Your last answer for many: travel, for 6 videos" in texts(test)
    assert test.text_input(key=Key.BULK_NOTE).value == ""
    with open_collection(folder) as opened:
        table = label_history(opened.store)
    given = table[table["source"] == "person"]
    assert set(zip(given["id"], given["person"], given["note"], strict=True)) == {
        (video_id, "Ana", "all on the train") for video_id in SIX
    }
    drawn(button(test, "Undo all of it").click().run())
    assert categories(folder, SIX) == before
    assert "Your last answer for many" not in texts(test)


def test_cancel_gives_nothing(view: View, folder: Path) -> None:
    """Who cancels is back where the question was asked, and no label was given."""
    test = answered(at(view, folder, "Working set", SIX), 6, Kind.UNSURE)
    assert "Unsure for 6 videos, by a person without a name." in texts(test)
    drawn(button(test, "Cancel").click().run())
    with open_collection(folder) as opened:
        assert not [label for label in opened.store.labels() if label.source == "person"]


def test_keep_says_what_it_leaves_out(view: View, folder: Path) -> None:
    """A video without a single label has none to keep: the question counts it apart."""
    with open_collection(folder) as opened:
        answer_all(opened.store, opened.store.videos(SIX[:2]), Answer(Kind.BOTH, ("food", "travel")))
    test = answered(at(view, folder, "Working set", SIX), 6, Kind.KEEP)
    assert "Keep for 4 videos" in texts(test)
    assert "2 videos without a single label to keep: left out." in texts(test)
    drawn(button(test, "Yes, for 4 videos").click().run())
    assert [len(names) for names in categories(folder, SIX)] == [2, 2, 1, 1, 1, 1]


def test_keep_keeps_the_label_that_was_shown(view: View, folder: Path) -> None:
    """What another person called otherwise while the question was open keeps that, and is told; the rest is kept."""
    test = answered(at(view, folder, "Working set", SIX, "Ana"), 6, Kind.KEEP)
    with open_collection(folder) as opened:
        shown = {video.id: video.categories for video in opened.store.videos(SIX)}
        relabel(opened.store, "v000", "other", by=By("Bo"))
    button(test, "Yes, for 6 videos").click().run()
    assert any("1 video left out" in one.value for one in test.error)
    assert categories(folder, SIX) == [("other",), *(shown[one] for one in SIX[1:])]
    with open_collection(folder) as opened:
        assert [label.video_id for label in opened.store.labels() if label.person == "Ana"] == SIX[1:]


def test_keep_of_several_categories_is_told_as_keep(view: View, folder: Path) -> None:
    """What was kept of different categories is no answer of several; of one category it is told by its name."""
    test = answered(at(view, folder, "Working set", SIX), 6, Kind.KEEP)
    drawn(button(test, "Yes, for 6 videos").click().run())
    assert len({*categories(folder, SIX)}) > 1
    assert "Your last answer for many: Keep, for 6 videos" in texts(test)
    drawn(button(test, "Undo all of it").click().run())
    with open_collection(folder) as opened:
        answer_all(opened.store, opened.store.videos(SIX), Answer(Kind.BOTH, ("travel", "food")))
    assert "Your last answer for many: food + travel, for 6 videos" in texts(drawn(test.run()))


def test_a_bulk_is_undone_after_the_working_set_was_cleared(view: View, folder: Path) -> None:
    """The way back stays in the queue of the working set where that is empty, until nothing of the answer holds."""
    before = categories(folder, SIX)
    test = answered(at(view, folder, "Working set", SIX), 6, Kind.CATEGORY, "travel")
    drawn(button(test, "Yes, for 6 videos").click().run())
    test.button(key="clear-working-set").click().run()
    assert "There is no working set" in texts(drawn(test))
    assert not any(one.label.startswith("Answer for") for one in test.button)
    drawn(button(test, "Undo all of it").click().run())
    assert categories(folder, SIX) == before
    assert not any(one.label == "Undo all of it" for one in test.button)


def test_a_bulk_of_another_is_not_offered_to_undo(view: View, folder: Path) -> None:
    """What Ana gave, Bo may not take back, neither all of it nor one of its videos; Ana may."""
    with open_collection(folder) as opened:
        answer_all(opened.store, opened.store.videos(SIX), Answer(Kind.CATEGORY, ("travel",)), by=By("Ana"))
    for person, offered in (("Bo", False), ("", False), ("Ana", True)):
        test = at(view, folder, "Working set", SIX, person)
        assert [any(one.label == label for one in test.button) for label in ("Undo all of it", "Undo")] == [offered] * 2
        assert "Ana's label: travel." in texts(test)


def test_names_and_notes_of_strangers_are_text(view: View, folder: Path) -> None:
    """A name and a note that want to be more than text stay text on the card, in queues, questions and the history."""
    note = "\n".join(HOSTILE)
    with open_collection(folder) as opened:
        relabel(opened.store, "v001", "travel", by=By(NAME, note))
        unsure(opened.store, "v002", by=By(NAME, note))
        relabel(opened.store, "v007", HOSTILE[0])
    test = at(view, folder, "Working set", SIX, NAME)
    test.query_params["video"] = "v001"
    drawn(test.run())
    assert f"{NAME}'s label: travel." in texts(test)
    assert f"Note: {note}" in texts(test)
    answered(test, 6, Kind.CATEGORY, HOSTILE[0], HOSTILE[1])
    assert f"{HOSTILE[0]} for 6 videos, by {NAME}." in texts(test)
    drawn(button(test, "Yes, for 6 videos").click().run())
    assert categories(folder, SIX) == [(HOSTILE[0],)] * 6
    drawn(button(test, "Undo all of it").click().run())
    assert f"{NAME} was unsure: {' '.join(note.split())}" in texts(at(view, folder, "Asked again", [], "Bo"))
    history = next(one.value for one in at(view, folder, "History", []).dataframe)
    assert {NAME, note} <= {*history["person"], *history["note"]}
    assert not any(NAME in one.value or HOSTILE[0] in one.value for one in test.markdown)


def test_a_name_that_is_none_is_told_and_not_kept(view: View, folder: Path) -> None:
    """What cannot be printed is no name; the answer is kept without one."""
    test = at(view, folder, "Working set", SIX, "\u202eright to left")
    assert "That is no name of one line: your answers have none." in texts(test)
    drawn(button(answered(test, 6, Kind.UNSURE), "Yes, for 6 videos").click().run())
    with open_collection(folder) as opened:
        assert opened.store.labels()[-1].person == ""


def test_an_answer_on_the_card_has_its_name_and_its_note(view: View, folder: Path) -> None:
    """The note goes with the next answer and is used up by it; the card shows it under the answer."""
    test = at(view, folder, "Working set", SIX, "Ana")
    test.text_area[0].set_value("a pan,\nthen a knife").run()
    assert "Goes with your next answer: a pan,\nthen a knife" in texts(test)
    drawn(button(test, "Unsure").click().run())
    assert "Ana was unsure: another is to be asked." in texts(test)
    assert "Note: a pan,\nthen a knife" in texts(test)
    assert "Goes with" not in texts(test)
    with open_collection(folder) as opened:
        last = opened.store.labels()[-1]
    assert (last.person, last.note, last.bulk) == ("Ana", "a pan,\nthen a knife", "")


def test_the_unsure_queue_is_what_others_could_not_tell(view: View, folder: Path) -> None:
    """Ana is not asked again what she was unsure of; Bo is, and is told who was."""
    with open_collection(folder) as opened:
        unsure(opened.store, "v003", by=By("Ana"))
    assert "Nobody else was unsure of a video." in texts(at(view, folder, "Asked again", [], "Ana"))
    test = at(view, folder, "Asked again", [], "Bo")
    assert "Ana was unsure" in texts(test)
    assert "Asked again: 1 video" in [heading.value for heading in test.subheader]


def test_a_proxy_that_proves_itself_tells_who_answers(
    view: View, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its header presets the name, read as UTF-8; of anybody else the header is not looked at."""
    secret = "s" * 20
    headers = {entrance.PROXY_HEADER: secret, entrance.PERSON_HEADER: "Zoë".encode().decode("latin-1")}
    monkeypatch.setattr(entrance, "_header", lambda: headers[entrance.PROXY_HEADER])
    monkeypatch.setattr(entrance, "_person_header", lambda: headers[entrance.PERSON_HEADER])
    assert view(folder, "labels").text_input(key=Key.PERSON).value == ""
    monkeypatch.setenv("QUARTZLENS_TRUSTED_PROXY_SECRET", secret)
    assert view(folder, "labels").text_input(key=Key.PERSON).value == "Zoë"
    headers[entrance.PERSON_HEADER] = "Zo\xeb"
    assert view(folder, "labels").text_input(key=Key.PERSON).value == "Zoë"


def test_queues_hold_the_working_set_alone(view: View, folder: Path) -> None:
    """A queue shows what waits in the working set, says where that hides all, and a chip clears it."""
    with open_collection(folder) as opened:
        unsure(opened.store, "v003")
        unsure(opened.store, "v010")
    test = at(view, folder, "Asked again", ["v003"])
    assert "Asked again: 1 video" in [heading.value for heading in test.subheader]
    test = at(view, folder, "Asked again", ["v004"])
    assert "No video of the working set waits here: clear the working set to see all." in texts(test)
    assert "working set: 1 video" in texts(test)
    test.button(key="clear-working-set").click().run()
    assert "Asked again: 2 videos" in [heading.value for heading in drawn(test).subheader]
    assert "There is no working set" in texts(at(view, folder, "Working set", []))


def test_the_classifier_learns_from_the_working_set_where_asked(view: View, folder: Path) -> None:
    """All videos unless the working set is chosen; how it fares in it is told beside the chip."""
    test = view(folder, "classifier")
    assert "data" not in [one.key for one in test.selectbox]
    test.query_params["set"] = SIX
    drawn(test.run())
    assert "of 6 that were judged are right" in texts(test)
    data = test.selectbox(key="data")
    assert data.options == ["all", "the working set"]
    assert data.value == "all"
    assert "The working set holds 6 videos." in data.help


def at_the_classifier(view: View, folder: Path, ids: list[str], data: str) -> AppTest:
    """The Classifier at an address that names a working set and which videos count."""
    test = view(folder, "overview")
    test.query_params["data"] = data
    if ids:
        test.query_params["set"] = ids
    return drawn(test.switch_page("views/classifier.py").run())


def test_the_choice_of_the_working_set_outlives_its_growth(view: View, folder: Path) -> None:
    """However many videos it holds by now it is what is evaluated; an address that asks for what is gone is told."""
    for ids in (SIX, [*SIX, "v009"]):
        test = at_the_classifier(view, folder, ids, "the working set")
        assert test.selectbox(key="data").value == "set"
        assert f"The working set holds {len(ids)} videos." in test.selectbox(key="data").help
        assert "all are evaluated" not in texts(test)
    gone = "of this address is not there: all are evaluated. Choose anew."
    assert f"“the working set: 6 videos” {gone}" in texts(
        at_the_classifier(view, folder, SIX, "the working set: 6 videos")
    )
    assert f"“the working set” {gone}" in texts(at_the_classifier(view, folder, [], "the working set"))


def test_similar_searches_the_working_set_until_it_grows(view: View, folder: Path) -> None:
    """Only its videos are found; who looks for more to add searches all, and the address says so."""
    test = view(folder, "similar")
    test.query_params["set"] = SIX
    test.query_params["video"] = "v000"
    drawn(test.run())
    plays = [one.key for one in test.button if one.label.startswith("Play ")]
    assert sorted(plays) == [f"open-similar-{one}" for one in SIX[1:]]
    test.toggle(key=Key.SEARCH_SET).set_value(False).run()
    assert test.query_params["in"] == "all"
    assert len([one for one in drawn(test).button if one.label.startswith("Play ")]) == 10
    test.button(key="add-to-working-set").click().run()
    assert "working set: 6 videos" not in texts(drawn(test))
    assert not test.toggle(key=Key.SEARCH_SET).value


@pytest.mark.parametrize("name", ["map", "errors"])
def test_what_is_looked_at_is_answered_in_one_go(view: View, folder: Path, name: str) -> None:
    """From the map's selection and from a cell of the matrix a button leads to the answer for all of it."""
    test = view(folder, name)
    test.query_params["label"], test.query_params["predicted"] = "food", ""
    if name == "map":
        test.query_params["set"] = SIX
    test = drawn(test.run())
    button(test, "Answer for all of these").click().run()
    assert drawn(test).title[0].value == "Labels"
    assert "6 videos" in button(test, "Answer for 6 videos").label


def test_an_evaluation_of_chosen_videos_is_made_and_made_anew(view: View, tmp_path: Path) -> None:
    """The Classifier judges the working set alone, says so, and Labels evaluates the same videos anew."""
    folder = make_collection(tmp_path / "chosen", Wanted(videos=48, channels=16, media=False))
    chosen = [f"v{n:03d}" for n in range(40)]
    test = view(folder, "classifier")
    test.query_params["set"] = chosen
    drawn(test.run())
    test.selectbox(key="data").set_value("set").run()
    next(one for one in test.selectbox if one.label == "Classifier").set_value("logistic")
    next(one for one in test.selectbox if one.label == "Report").set_value("brief")
    assert "40 videos of a choice" in texts(drawn(trained(test)))
    with open_collection(folder) as opened:
        relabel(opened.store, "v000", "travel")
    drawn(trained(at(view, folder, "Look wrong", []), "Evaluate anew and see what changed"))
    with open_collection(folder) as opened:
        first, second = (run for one in opened.store.runs() for run in opened.store.runs(one.id))
    assert [run.settings["only"] for run in (first, second)] == [40, 40]
    assert second.settings["after"] == first.id
    assert set(read_evaluation(second).predictions["id"]) == set(chosen)
