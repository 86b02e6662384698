"""The Labels view: queues of what to decide, answers that last, and files to take along."""

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from analysis import label_work
from analysis.label_work import of_several, relabel, relabel_both, undo, unsure
from dashboard import label_files, label_queues, state
from dashboard.state import Key
from quartzlens.records import Row, Video
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated, trained
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_views import button, drawn, texts

QUEUES = ("Look wrong", "Would teach most", "Asked again", "Several categories", "Working set")
SMALL = Wanted(videos=24, channels=8, media=False)


def queue(view: View, folder: Path, name: str):  # type: ignore[no-untyped-def]
    """The view with this queue shown."""
    test = view(folder, "labels")
    test.session_state["queue"] = name
    return drawn(test.run())


@pytest.mark.parametrize("name", [*QUEUES, "History", "Take it with you"])
def test_every_queue_is_drawn_whatever_strangers_wrote(view: View, hostile_collection: Path, name: str) -> None:
    """Titles, channels and categories that want to be more than text are text."""
    queue(view, hostile_collection, name)


@pytest.mark.parametrize("name", QUEUES)
def test_an_empty_queue_says_why(view: View, tmp_path: Path, name: str) -> None:
    """Before any evaluation, and where all is labelled, each queue has a sentence instead of a list."""
    shown = texts(queue(view, make_collection(tmp_path, SMALL), name))
    said = {
        "Look wrong": "Evaluate first: it takes a classifier to doubt a label.",
        "Would teach most": "Every embedded video that can be heard has its label.",
        "Asked again": "Nobody was unsure of a video.",
        "Several categories": "No video has several categories that a person has not decided on.",
        "Working set": "There is no working set: drag over the map, add what Similar found, or take a cell of Errors.",
    }
    assert said[name] in shown


def test_a_label_that_looks_wrong_is_decided_and_leaves_the_queue(view: View, made_copy: Path) -> None:
    """Keep is a person's word: it is in the history, and Next opens the next video."""
    test = queue(view, made_copy, "Look wrong")
    waiting, first = heading_of(test), label_of_the_open(test)
    button(test, f"Keep {first}").click().run()
    drawn(test)
    with open_collection(made_copy) as opened:
        given = opened.store.labels()[-1]
    assert given.source.value == "person"
    assert given.category == first
    assert test.query_params["video"] == given.video_id
    assert f"A person's label: {first}." in texts(test)
    assert heading_of(test) == waiting - 1
    assert "1 entry of the label history since the last evaluation." in texts(test)
    button(test, "Next").click().run()
    assert drawn(test).query_params["video"] != given.video_id
    assert label_of_the_open(test)
    test = drawn(trained(test, "Evaluate anew and see what changed"))
    assert "What changed" in [heading.value for heading in test.subheader]
    assert "1 entry" not in texts(test)
    with open_collection(made_copy) as opened:
        first, second = opened.store.runs()
    assert second.settings["after"] == first.id
    same = ("classifier", "class_weight", "repeats", "grouped_by")
    assert [second.settings[name] for name in same] == [first.settings[name] for name in same]
    button(test, "Close").click().run()
    assert "What changed" not in [heading.value for heading in drawn(test).subheader]


def heading_of(test: AppTest) -> int:
    """How many videos the queue says it holds."""
    (said,) = [one.value for one in test.subheader if one.value.startswith("Look wrong: ")]
    return int(said.split()[2])


def label_of_the_open(test: AppTest) -> str:
    """What the list labels the open video, of which no person spoke."""
    (said,) = [line for line in texts(test).splitlines() if line.startswith("Label of the list: ")]
    return said.removeprefix("Label of the list: ")


def pressed(test: AppTest, key: str) -> AppTest:
    """The page after a key that answers: it is that of a button, whichever video is open."""
    return drawn(next(one for one in test.button if str(one.key).startswith(f"answer-{key}-")).click().run())


@pytest.mark.parametrize("key", ["K", "1", "B", "U"])
def test_a_key_that_is_pressed_twice_says_the_same_of_the_same_video(view: View, made_copy: Path, key: str) -> None:
    """A held or doubled key answers no video that nobody heard, is one answer, and is taken back by one undo."""
    test = queue(view, made_copy, "Look wrong")
    label = label_of_the_open(test)
    for _ in range(2):
        pressed(test, key)
    with open_collection(made_copy) as opened:
        (given,) = (one for one in opened.store.labels() if one.source.value == "person")
    assert test.query_params["video"] == given.video_id
    pressed(test, "undo")
    assert label_of_the_open(test) == label


def test_an_answer_with_a_note_is_kept_once_however_often_it_is_pressed(view: View, made_copy: Path) -> None:
    """A second press brings the browser's note again before the page is drawn; another note is another word."""
    test = queue(view, made_copy, "Look wrong")
    for note in ("a pan", "a pan", "and a fork"):
        (box,) = (one for one in test.text_area if one.label == "Note")
        box.set_value(note)
        pressed(test, "K")
    with open_collection(made_copy) as opened:
        given = [one.note for one in opened.store.labels() if one.source.value == "person"]
    assert given == ["a pan", "and a fork"]


def test_of_an_emptied_queue_the_last_answer_can_be_taken_back(view: View, made_copy: Path) -> None:
    """After the last video of a queue its page says that none waits, and shows the video with its Undo."""
    with open_collection(made_copy) as opened:
        unsure(opened.store, "v003")
    test = pressed(queue(view, made_copy, "Asked again"), "K")
    assert "Nobody was unsure of a video." in texts(test)
    assert button(test, "Next").disabled
    pressed(test, "undo")
    assert "Asked again: 1 video" in [heading.value for heading in test.subheader]


@pytest.fixture
def made_copy(tmp_path: Path) -> Path:
    """A small collection of which four labels are wrong, with an evaluation."""
    folder = make_collection(tmp_path / "made", Wanted(videos=48, channels=16, media=False))
    with open_collection(folder) as opened:
        wrong = {"v001", "v002", "v004", "v005"}  # of these all seconds are of one category
        rows = [_row(video, SMALL.categories, video.id in wrong) for video in opened.store.videos() if video.category]
        opened.store.add_rows("list.csv", rows, [])
    return evaluated(folder)


def _row(video: Video, categories: tuple[str, ...], wrong: bool) -> Row:
    label = categories[(categories.index(str(video.category)) + wrong) % 4]
    return Row("list.csv", int(video.id[1:]) + 1, video.id, video.source, video.title, "", video.channel, label=label)


def test_the_history_is_read_once_until_something_is_said(
    view: View, made_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All views share it: only a new word has it read anew, and is on top."""
    reads: list[int] = []
    read = label_work.label_history
    for place in (label_work, label_files):
        monkeypatch.setattr(place, "label_history", lambda store: reads.append(1) or read(store))
    test = drawn(queue(view, made_copy, "History").run())
    rows = len(test.dataframe[0].value)
    assert len(reads) == 1
    with open_collection(made_copy) as opened:
        relabel(opened.store, "v003", "travel")
        (title,) = [video.title for video in opened.store.videos(["v003"])]
    shown = drawn(test.run()).dataframe[0].value
    assert len(shown) == rows + 1
    assert (shown["title"].iloc[0], shown["category"].iloc[0]) == (title, "travel")


def test_what_one_could_not_tell_waits_for_another(view: View, made_copy: Path) -> None:
    """Unsure puts a video into the queue of those asked again; another person's word takes it out."""
    with open_collection(made_copy) as opened:
        unsure(opened.store, "v003")
    test = queue(view, made_copy, "Asked again")
    assert "Asked again: 1 video" in [heading.value for heading in test.subheader]
    assert "Video number 3 of the collection" in texts(test)
    with open_collection(made_copy) as opened:
        relabel(opened.store, "v003", "food")
    assert "Nobody was unsure of a video." in texts(test.run())


def test_videos_of_several_categories_wait_until_a_person_decides(view: View, made_copy: Path) -> None:
    """Two lists that disagree make one wait; Both is a decision, too."""
    with open_collection(made_copy) as opened:
        label = "travel" if opened.store.videos(["v003"])[0].category == "food" else "food"
        opened.store.add_rows("b.csv", [Row("b.csv", 1, "v003", "/videos/3.mp4", label=label)], [])
    test = queue(view, made_copy, "Several categories")
    assert "Several categories: 1 video" in [heading.value for heading in test.subheader]
    with open_collection(made_copy) as opened:
        relabel_both(opened.store, "v003", opened.store.videos(["v003"])[0].categories)
    assert "No video has several categories" in texts(test.run())


def test_videos_without_a_label_are_queued_by_what_they_would_teach(view: View, tmp_path: Path) -> None:
    """An unlabelled video is offered with what it may be, and without a label to keep."""
    folder = make_collection(tmp_path, Wanted(videos=24, channels=8, media=False, labelled=False))
    with open_collection(folder) as opened:
        for n in range(22):
            relabel(opened.store, f"v{n:03d}", SMALL.categories[n % 8 % 4])
    test = queue(view, folder, "Would teach most")
    assert "Would teach most: 2 videos" in [heading.value for heading in test.subheader]
    assert "may be " in texts(test)
    assert not any(one.label.startswith("Keep") for one in test.button)


def unlabelled(folder: Path, labelled: int) -> Path:
    """A collection whose first videos have a person's label and whose others have none."""
    make_collection(folder, Wanted(videos=40, channels=8, media=False, labelled=False))
    with open_collection(folder) as opened:
        for n in range(labelled):
            relabel(opened.store, f"v{n:03d}", SMALL.categories[n % 8 % 4])
    return folder


def test_answers_do_not_choose_anew_what_would_teach_most(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One classifier learns for a page of the queue, which gets shorter by each answer; the next when it is through."""
    learned: list[object] = []
    choose = label_queues.next_to_label
    monkeypatch.setattr(label_queues, "next_to_label", lambda *of, **how: learned.append(of) or choose(*of, **how))
    folder = unlabelled(tmp_path, 20)
    test = queue(view, folder, "Would teach most")
    for n in (20, 21, 22):
        with open_collection(folder) as opened:
            relabel(opened.store, f"v{n:03d}", SMALL.categories[n % 4])
        assert f"Would teach most: {39 - n} videos" in [one.value for one in drawn(test.run()).subheader]
    assert len(learned) == 1
    with open_collection(folder) as opened:
        for n in range(23, 40):
            relabel(opened.store, f"v{n:03d}", SMALL.categories[n % 4])
    assert "Every embedded video that can be heard has its label." in texts(drawn(test.run()))
    for again, back in (("v039", None), ("v038", "v039")):
        with open_collection(folder) as opened:
            undo(opened.store, again)
            if back:
                relabel(opened.store, back, "food")
        assert "Would teach most: 1 video" in [one.value for one in drawn(test.run()).subheader]


def test_more_of_one_queue_is_no_more_of_another_list(view: View, tmp_path: Path) -> None:
    """Show more in a list of Errors or in one queue leaves the others as long as they were."""
    folder = unlabelled(tmp_path, 20)
    test = view(folder, "labels")
    test.session_state[Key.SHOWN] = 200
    test.session_state["queue"] = "Would teach most"
    button(drawn(test.run()), "Show more (8)").click().run()
    assert not any(one.label.startswith("Show more") for one in test.button)
    assert test.session_state[Key.SHOWN] == 200
    test.session_state[Key.QUEUE_SHOWN] = ("Look wrong", 200)
    assert button(drawn(test.run()), "Show more (8)")


def test_a_video_that_left_meanwhile_is_passed_over(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another person removes a video, or adds one, while a queue is made, the page is drawn without it."""
    folder = unlabelled(tmp_path, 20)
    rows = [(one, "food", 0.5) for one in ("gone", "v030")]
    table = pd.DataFrame(rows, columns=["id", "predicted", "probability"])
    monkeypatch.setattr(label_queues, "_teaching", lambda *_: table)
    test = queue(view, folder, "Would teach most")
    assert "Would teach most: 1 video" in [heading.value for heading in test.subheader]


def test_an_empty_queue_still_leads_to_a_new_evaluation(view: View, made_copy: Path) -> None:
    """After the last answer of a queue the way to see what the answers changed is there."""
    with open_collection(made_copy) as opened:
        relabel(opened.store, "v003", "food")
    test = queue(view, made_copy, "Asked again")
    assert "Nobody was unsure of a video." in texts(test)
    assert button(test, "Evaluate anew and see what changed")


def test_a_video_of_several_categories_can_be_each_and_all(view: View, made_copy: Path) -> None:
    """Of a video to which lists give two categories each is an answer, and so is Both, which leaves the queue."""
    with open_collection(made_copy) as opened:
        own = str(opened.store.videos(["v003"])[0].category)
        label = "travel" if own == "food" else "food"
        opened.store.add_rows("b.csv", [Row("b.csv", 1, "v003", "/videos/3.mp4", label=label)], [])
    test = queue(view, made_copy, "Several categories")
    assert {test.button(f"answer-{key}-v003").label.replace("\\", "") for key in (1, 2)} == {own, label}
    pressed(test, "B")
    assert "No video has several categories" in texts(test)
    with open_collection(made_copy) as opened:
        assert of_several(opened.store) == {"v003": tuple(sorted([own, label]))}


def test_no_cell_of_a_file_is_a_formula(made_copy: Path) -> None:
    """What a stranger wrote begins with an apostrophe where a spreadsheet would calculate it."""
    table = pd.DataFrame({"id": ["-abc"], "title": ['=HYPERLINK("http://x")'], "n": [1]})
    text = label_files.csv_bytes(table).decode("utf-8-sig")
    assert text.splitlines()[1] == '\'-abc,"\'=HYPERLINK(""http://x"")",1'


def test_files_are_made_by_a_click_alone(view: View, made_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page offers labels, predictions, errors, evidence and the report without computing any of them."""
    for name in ("labelled_list", "predictions_table", "errors_table", "evidence_blocks"):
        monkeypatch.setattr(label_files, name, lambda *_: pytest.fail("computed unasked"))
    test = queue(view, made_copy, "Take it with you")
    names = {one.label for one in test.get("download_button")}
    assert names == {"Labels, old and new", "Label history", "Predictions", "Errors", "Evidence"}
    assert "Report" in [one.label for one in test.button]


def test_the_evidence_file_has_a_row_for_each_error(view: View, made_copy: Path) -> None:
    """Every misjudged video of the newest evaluation, with its verdict."""
    queue(view, made_copy, "Take it with you")
    found = state.evaluation()
    assert found is not None
    run, evaluation = found
    table = label_files.evidence_of(run, evaluation)
    wrong = evaluation.predictions[evaluation.predictions["category"] != evaluation.predictions["predicted"]]
    assert set(table["id"]) == set(wrong["id"])
    assert table["verdict"].notna().all()


def test_queues_and_their_reasons_are_the_same() -> None:
    """Every queue has a sentence on why it is there."""
    assert tuple(label_queues.QUEUES) == tuple(label_queues.WHY) == QUEUES
