"""What a person says of a label on the card of a video: it is kept, can be taken back, and others see it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.testing.v1 import AppTest

from analysis.label_work import asked_again, label_history, of_several
from dashboard import errors_answers
from quartzlens.errors import CollectionError
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_journeys import opened, settled
from tests.dashboard.test_timeline import errors_of
from tests.dashboard.test_views import button, drawn, texts

Serve = Callable[[Path], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small collection of its own with an evaluation."""
    return evaluated(make_collection(tmp_path / "answers", Wanted(videos=24, channels=8, media=False)))


def words_of(folder: Path, video_id: str) -> list[tuple[str, str | None]]:
    """What people said of a video: origin and category of each entry."""
    with open_collection(folder) as collection:
        table = label_history(collection.store, video_id)
    own = table[table["source"] == "person"]
    return list(zip(own["origin"], own["category"], strict=True))


def at_the_first(view: View, folder: Path) -> tuple[AppTest, str, str]:
    """Errors with a video of the cell food, food; its id, and the other category that is offered."""
    test = view(folder, "errors")
    test.query_params["label"], test.query_params["predicted"] = "food", "food"
    drawn(test.run())
    button(test, "Next").click().run()
    video_id = test.query_params["video"]
    return test, video_id, test.button(f"answer-1-{video_id}").label.replace("\\", "")


def test_each_answer_is_kept(view: View, folder: Path) -> None:
    """Keep, the other category, Both and Unsure are entries of the history, and each can be taken back."""
    test, video_id, other = at_the_first(view, folder)
    assert "Label of the list: food" in texts(test)
    drawn(button(test, "Keep food").click().run())
    drawn(test.button(f"answer-1-{video_id}").click().run())
    assert f"A person's label: {other}." in texts(test)
    drawn(button(test, "Both").click().run())
    both = " + ".join(sorted(["food", other]))
    assert f"A person's label: {both}." in texts(test)
    with open_collection(folder) as collection:
        assert of_several(collection.store) == {video_id: tuple(sorted(["food", other]))}
    drawn(button(test, "Unsure").click().run())
    assert "A person was unsure: another is to be asked. Label until then: food" in texts(test)
    with open_collection(folder) as collection:
        assert asked_again(collection.store) == (video_id,)
    drawn(button(test, "Undo").click().run())
    assert f"A person's label: {both}." in texts(test)
    assert words_of(folder, video_id) == [("", "food"), ("", other), ("", both), ("unsure", None), ("", both)]


def test_a_new_category_is_kept_and_a_bad_one_is_told(view: View, folder: Path) -> None:
    """Any category can be typed; what is no name of one line is refused in a sentence, and nothing is kept."""
    test, video_id, _ = at_the_first(view, folder)
    box = test.text_input(f"answer-new-{video_id}")
    drawn(box.set_value("cats and dogs").run())
    assert words_of(folder, video_id) == [("", "cats and dogs")]
    test = test.text_input(f"answer-new-{video_id}").set_value("x" * 201).run()
    assert "A category is a name of one line" in test.error[0].value.replace("\\", "")
    assert words_of(folder, video_id) == [("", "cats and dogs")]
    drawn(test.selectbox(f"answer-other-{video_id}").set_value("travel").run())
    assert words_of(folder, video_id)[1:] == [("", "travel")]
    assert not test.run().error


@pytest.mark.parametrize("box", ["other", "new"])
def test_the_same_other_category_is_given_again_after_an_undo(view: View, folder: Path, box: str) -> None:
    """Both boxes of Other are empty after an answer, so the same category can be chosen or typed once more."""
    test, video_id, _ = at_the_first(view, folder)
    for _ in range(2):
        field = (
            test.selectbox(f"answer-other-{video_id}") if box == "other" else test.text_input(f"answer-new-{video_id}")
        )
        assert not field.value
        drawn(field.set_value("history").run())
        assert "A person's label: history." in texts(test)
        drawn(button(test, "Undo").click().run())
        assert "Label of the list: food" in texts(test)
    assert words_of(folder, video_id) == [("", "history"), ("", None)] * 2


def test_what_stands_against_it_is_told(view: View, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store cannot keep a label, the card says why, and goes on."""

    def full(*_: object, **__: object) -> None:
        raise CollectionError("The disk is full.")

    test, _, _ = at_the_first(view, folder)
    monkeypatch.setattr(errors_answers, "unsure", full)
    test = test.run()
    test = button(test, "Unsure").click().run()
    assert not test.exception
    assert test.error[0].value.replace("\\", "") == "The disk is full."


@pytest.mark.browser
def test_another_browser_sees_the_label(page: Page, chromium: Browser, serve: Serve, folder: Path) -> None:
    """K, 1 and Z relabel and undo without the mouse; another browser sees each on its next action."""
    with open_collection(folder) as collection:
        video_id = collection.store.videos()[1].id
    address = errors_of(folder, serve(folder), video_id)
    opened(page, address)
    other = chromium.new_context().new_page()
    opened(other, address)
    words = page.locator(".st-key-muted-answer")
    expect(words).to_contain_text("Label of the list")
    page.keyboard.press("1")
    expect(words).to_contain_text("A person's label")
    settled(page)
    (said,) = words_of(folder, video_id)
    other.locator(".errors_matrix .cell[aria-pressed='true']").click()
    other.goto(address)
    expect(other.locator(".st-key-muted-answer")).to_contain_text(f"A person's label: {said[1]}")
    page.keyboard.press("z")
    expect(words).to_contain_text("Label of the list")
    settled(page)
    page.get_by_text("Label history").click()
    expect(page.locator('.st-key-panel-evidence [data-testid="stDataFrame"]')).to_be_visible()
    assert words_of(folder, video_id) == [said, ("", None)]
    page.keyboard.press("k")
    expect(words).to_contain_text(re.compile("A person's label: "))
    other.context.close()


@pytest.mark.browser
def test_typing_is_no_answer(page: Page, serve: Serve, folder: Path) -> None:
    """Letters that are keys of answers are letters where a new category is typed; Enter gives it."""
    with open_collection(folder) as collection:
        video_id = collection.store.videos()[2].id
    opened(page, errors_of(folder, serve(folder), video_id))
    page.get_by_role("button", name="Other").click()
    page.get_by_label("Or a new one").fill("")
    page.get_by_label("Or a new one").press_sequentially("kub 1p")
    assert words_of(folder, video_id) == []
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-muted-answer")).to_contain_text("A person's label: kub 1p")
    assert words_of(folder, video_id) == [("", "kub 1p")]
