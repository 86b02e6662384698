"""Other ways through Similar: a recording, words, variety, and adding to the working set."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from dashboard import children, nearest, query
from dashboard.child import EncoderChild
from dashboard.state import Key
from store.collection import open_collection
from tests.dashboard.conftest import View
from tests.dashboard.made_up import FINGERPRINT, Wanted, embed_again, make_collection
from tests.dashboard.test_filters import addressed, button, found
from tests.dashboard.test_journeys import opened, settled, titles
from tests.dashboard.test_similar import STAND_IN, first_video, way
from tests.dashboard.test_views import drawn, texts


class Recording(io.BytesIO):
    """What the browser's microphone gives."""

    name, file_id, type = "audio.wav", "one", "audio/wav"


def test_a_recording_finds_its_video(view: View, made_collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recorded is embedded as an upload is, and its neighbours are shown, the nearest first."""
    with open_collection(made_collection) as collection:
        content = collection.store.embeddings(FINGERPRINT, ["v007"]).matrix[0].tobytes()
    key = made_collection.parent / "key"
    key.write_text(FINGERPRINT.key)
    child = EncoderChild(made_collection, [sys.executable, "-c", STAND_IN, str(key)])
    monkeypatch.setattr(children, "encoder_child", lambda: child)
    monkeypatch.setattr(query.st, "audio_input", lambda *_, **__: Recording(content))
    test = way(view(made_collection, "similar"), "Record")
    child.close()
    assert not test.exception
    assert first_video(test) == "Video number 7 of the collection"
    assert "Searched with: the recording" in texts(test).splitlines()


@pytest.mark.parametrize(("name", "said"), [("Record", "Record a few seconds"), ("Title or words", "Give words")])
def test_before_anything_is_given_the_page_says_what_to_give(
    view: View, made_collection: Path, name: str, said: str
) -> None:
    """Each way to search says what it waits for, and nothing of the other ways."""
    shown = texts(drawn(way(view(made_collection, "similar"), name)))
    assert f"{said}: " in shown
    assert "Give a file" not in shown


def test_the_way_to_search_is_in_the_address(view: View, made_collection: Path) -> None:
    """The address names the way unless its rest tells it, opens it again, and one that is none is told."""
    test = way(drawn(view(made_collection, "similar")), "Paste a link")
    assert test.query_params["way"] in ("Paste a link", ["Paste a link"])
    assert "way" not in way(test, "In the collection").query_params
    assert "Give a link: " in texts(addressed(view, made_collection, way="Paste a link"))
    assert "way" not in addressed(view, made_collection, words="number 7").query_params
    shown = texts(addressed(view, made_collection, way="Dream"))
    assert "There is no way to search that is called Dream. It begins with “In the collection” instead." in shown


def test_variety_changes_the_order_and_lives_in_the_address(view: View, made_collection: Path) -> None:
    """With the switch on the nearest stays first, others follow, all different; the address turns it on as well."""
    test = drawn(view(made_collection, "similar"))
    before = found(test)
    picker_of(test, "Varied").set_value(True).run()
    varied = found(drawn(test))
    assert varied[0] == before[0]
    assert varied != before
    assert len(set(varied)) == len(varied) == 10
    assert found(addressed(view, made_collection, varied="true")) == varied


def test_variety_keeps_to_the_filters(view: View, made_collection: Path) -> None:
    """What is chosen for variety is still what the filters are true of."""
    test = addressed(view, made_collection, varied="true", category="food")
    assert found(test)
    assert sum(text.value.startswith("food · ") for text in test.text) == len(found(test))


def picker_of(test: AppTest, label: str) -> object:
    """The switch of a label."""
    return next(one for one in test.toggle if one.label == label)


def test_words_find_titles_and_what_was_heard(view: View, tmp_path: Path) -> None:
    """Words find videos by title and fragments by what was heard, said to be unsure; filters hold for both."""
    folder = make_collection(tmp_path / "own", Wanted(videos=12, channels=4, media=False))
    embed_again(folder, heard="the old <b>soup</b>")
    test = addressed(view, folder, words="number 7")
    assert "In titles: 1 video" in [one.value for one in test.subheader]
    assert found(test)[0] == "Video number 7 of the collection"
    test = addressed(view, folder, words="soup")
    assert "In titles: 0 videos" in [one.value for one in test.subheader]
    assert "“the old <b>soup</b>”" in texts(test)
    assert "unsurely" in texts(test)
    fewer = addressed(view, folder, words="soup", category="food")
    assert heard_fragments(test) == "Heard: more than 20 fragments, the best of them first"
    assert 0 < int(heard_fragments(fewer).split()[1]) <= 20


def test_of_many_titles_the_first_are_listed_and_offered(view: View, made_collection: Path) -> None:
    """Where more titles hold the words than are listed, that is said, and as many are offered as are listed."""
    test = addressed(view, made_collection, words="number")
    assert "In titles: 72 videos, the first 20 of them" in [one.value for one in test.subheader]
    assert len(found(test)) == 20
    assert test.button(key="add-to-working-set").label == "Add 20 videos to the working set"


def test_what_words_find_twice_is_offered_once(view: View, tmp_path: Path) -> None:
    """Videos in which the words were heard in several fragments, or that have them in the title too, count once."""
    folder = make_collection(tmp_path / "own", Wanted(videos=12, channels=4, media=False))
    embed_again(folder, heard="number")
    test = addressed(view, folder, words="number")
    assert len(found(test)) == 32
    assert test.button(key="add-to-working-set").label == "Add 12 videos to the working set"


def test_fragments_of_one_video_are_offered_as_one(view: View, made_collection: Path) -> None:
    """The button says how many videos it adds, and adds as many, however many fragments of each were found."""
    test = addressed(view, made_collection, find="Fragments")
    keys = [one.key for one in test.button if one.label.startswith("Play ")]
    n = len({key.split("-")[2] for key in keys})
    assert n < len(keys)
    assert test.button(key="add-to-working-set").label == f"Add {n} videos to the working set"
    test.button(key="add-to-working-set").click().run()
    assert len(test.query_params["set"]) == n


def test_what_is_in_the_working_set_is_not_offered(view: View, made_collection: Path) -> None:
    """Of what is listed only the videos count that are not in the working set yet; of none there is no button."""
    nearest_ids = nearest_to_first(view, made_collection)
    for held, label in ((nearest_ids[:4], ["Add 6 videos to the working set"]), (nearest_ids, [])):
        test = view(made_collection, "overview")
        test.query_params.update({"set": held, "in": "all", "video": "v000"})
        test = drawn(test.switch_page("views/similar.py").run())
        assert [one.label for one in test.button if one.key == "add-to-working-set"] == label


def nearest_to_first(view: View, folder: Path) -> list[str]:
    """Ids of the ten videos that are listed for the first one."""
    test = addressed(view, folder, video="v000")
    return [one.key.removeprefix("open-similar-") for one in test.button if one.label.startswith("Play ")]


def heard_fragments(test: AppTest) -> str:
    """What is said of how many fragments the words were heard in."""
    (line,) = [one.value for one in test.subheader if one.value.startswith("Heard: ")]
    return line


def test_what_was_heard_leads_to_more_like_it(view: View, tmp_path: Path) -> None:
    """From seconds in which words were heard one goes on to what sounds like these seconds."""
    folder = make_collection(tmp_path / "own", Wanted(videos=12, channels=4, media=False))
    embed_again(folder, heard="soup")
    test = addressed(view, folder, words="soup")
    button(test, "Play ").click().run()
    button(test, "More like these seconds").click().run()
    assert not test.exception
    assert test.query_params["video"] in ("v000", ["v000"])
    assert "at" in test.query_params
    assert "words" not in test.query_params
    assert "Nearest first" in [one.value for one in test.subheader]


def test_a_video_that_another_person_adds_meanwhile_is_passed_over(
    view: View, made_collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A neighbour that is not in the tables this page was begun with is left out, and the others are drawn."""
    search = nearest.neighbours

    def with_a_new_one(*words: Any, **how: Any) -> pd.DataFrame:
        rows = search(*words, **how)
        return rows.assign(id=["new", *rows["id"].iloc[1:]])

    monkeypatch.setattr(nearest, "neighbours", with_a_new_one)
    assert len(found(addressed(view, made_collection, video="v009"))) == 10


def test_what_was_found_is_added_to_the_working_set(view: View, made_collection: Path) -> None:
    """The button adds what is listed to what the working set holds already, which stands in the address."""
    test = view(made_collection, "similar")
    test.query_params["set"] = ["v070"]
    assert "add-to-working-set" not in [one.key for one in drawn(test.run()).button]  # it alone is searched
    test.toggle(key=Key.SEARCH_SET).set_value(False)
    test = drawn(test.run())
    assert test.button(key="add-to-working-set").label == "Add 10 videos to the working set"
    test.button(key="add-to-working-set").click().run()
    assert set(test.query_params["set"]) == {"v070", *nearest.neighbours("v000", 10)["id"]}


@pytest.mark.browser
def test_words_have_an_address(page: Page, serve: Callable[[Path], str], made_collection: Path) -> None:
    """An address with words opens their results; one that is chosen from them is searched with next."""
    opened(page, f"{serve(made_collection)}/similar?words=number%2011")
    titles(page, "similar-title-", ["Video number 11 of the collection"])
    settled(page)
    page.locator('[class*="st-key-open-similar-title-"] button').first.click()
    page.get_by_role("button", name="Search with this video").click()
    expect(page.locator('[class*="st-key-words-asked"]')).to_contain_text("Video number 11 of")
    page.wait_for_url(lambda url: "video=v011" in url and "words=" not in url)


@pytest.mark.browser
def test_the_way_to_search_outlives_a_look_at_another_view(
    page: Page, serve: Callable[[Path], str], made_collection: Path
) -> None:
    """After Errors the way is as it was chosen; from a video of Labels, Similar begins with that video."""
    opened(page, f"{serve(made_collection)}/similar?labels.video=v003")
    page.get_by_text("Paste a link").click()
    page.wait_for_url("**way=Paste*")
    settled(page)
    for name in ("Errors", "Similar"):
        page.locator('[data-testid="stSidebar"]').get_by_role("link", name=name, exact=True).click()
        expect(page.locator("h1")).to_have_text(name)
        settled(page)
    expect(page.get_by_label("Link", exact=True)).to_be_visible()
    page.locator('[data-testid="stSidebar"]').get_by_role("link", name="Labels", exact=True).click()
    page.get_by_role("button", name="Similar videos").click()
    expect(page.locator('[class*="st-key-words-asked"]')).to_contain_text("Video number 3 of")
    settled(page)
    assert "way=" not in page.url
