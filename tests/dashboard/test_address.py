"""The address keeps what was chosen in every view, and what it names that is gone is told."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.address import carried, returned
from tests.dashboard.conftest import View
from tests.dashboard.test_journeys import opened, settled
from tests.dashboard.test_map_browser import legend
from tests.dashboard.test_views import drawn, texts

Serve = Callable[[Path], str]


def test_going_there_and_back_keeps_all_of_the_address() -> None:
    """What was chosen in a view is unchanged after any way through other views; names of two views never mix."""
    start = {"video": ["v1"], "colour": ["channel"], "set": ["a", "b"], "errors.video": ["v2"]}
    there = carried(start, "map", "errors")
    assert there["video"] == ["v2"]
    assert there["map.video"] == ["v1"]
    assert carried(there, "errors", "map") == start
    assert carried(carried(carried(start, "map", "labels"), "labels", "errors"), "errors", "map") == start
    assert carried(start, "map", "map") == start


def test_a_view_takes_its_own_choices_back() -> None:
    """Of an address on the way out of a view just its own choices return, and an address of the view is its own."""
    start = {"size": ["year"], "set": ["a", "b"], "errors.run": ["r1"], "similar.video": ["v1"]}
    out = carried(start, "map", "similar")
    assert returned(out, "map") == {name: values for name, values in start.items() if name != "similar.video"}
    assert returned(out, "labels") == out
    assert returned(start, "map") == start


GONE = {
    "run": ("errors", {"run": "no-such-run"}, "The evaluation no-such-run of this address is not kept any more."),
    "video": ("errors", {"label": "food", "predicted": "food", "video": "x"}, "The video x is not in the collection"),
    "cell": ("errors", {"label": "sport", "predicted": "food"}, "No category sport is in this evaluation any more."),
    "beside": ("errors", {"beside": "x"}, "The video x to look at side by side is not there."),
    "point": ("map", {"video": "x"}, "The video x is not in the collection any more. Click a point"),
    "lost point": ("map", {"video": "lost0"}, "The video lost0 is not on the map: it has no embedding."),
    "column": ("map", {"colour": "mood"}, "Nothing is known as mood any more. Coloured by category instead."),
    "query": ("similar", {"video": "x"}, "The video x is not in the collection any more. The first of the collection"),
    "fragment": ("similar", {"video": "v003", "at": "999"}, "No fragment of this video begins at 999 s."),
    "queue": ("labels", {"queue": "Hopeless"}, "There is no queue Hopeless. The first one is shown instead."),
    "label": ("labels", {"video": "x"}, "The video x is not in the collection any more. The first of the queue"),
    "section": ("classifier", {"section": "Money"}, "There is no section Money. The figures are shown instead."),
    "set": ("similar", {"set": ["v001", "x"]}, "working set: 2 videos, 1 of them not in the collection any more"),
}


@pytest.mark.parametrize("what", GONE)
def test_what_is_gone_is_told(view: View, made_collection: Path, what: str) -> None:
    """A link to what is not there any more is told in a sentence that stays, is put away by a click, and no error."""
    name, where, sentence = GONE[what]
    test = view(made_collection, name)
    for key, value in where.items():
        test.query_params[key] = value
    assert sentence in texts(drawn(test.run()))
    assert sentence in texts(drawn(test.run()))
    close = [button for button in test.button if button.label == "Close" and button.key == "gone-close"]
    if close:
        assert sentence not in texts(drawn(close[0].click().run()))


def test_what_is_there_of_an_address_stays(view: View, made_collection: Path) -> None:
    """Beside a video that is gone, the cell of the address is shown as it asks, and stays in the address."""
    test = view(made_collection, "errors")
    for key, value in {"label": "food", "predicted": "food", "video": "x", "by": "Nearness"}.items():
        test.query_params[key] = value
    drawn(test.run())
    assert test.query_params["label"] == "food"
    assert "video" not in test.query_params


def test_a_video_of_another_cell_is_told(view: View, made_collection: Path) -> None:
    """A video that is there, but not in the cell of the address, is told as such."""
    test = view(made_collection, "errors")
    for key, value in {"label": "food", "predicted": "food", "video": "v003"}.items():
        test.query_params[key] = value
    assert "The video v003 is not in this list: another cell holds it" in texts(drawn(test.run()))


def _in_address(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def _go(page: Page, name: str) -> None:
    page.locator('[data-testid="stSidebar"]').get_by_role("link", name=name, exact=True).click()
    expect(page.locator("h1")).to_have_text(name)
    settled(page)


def _chosen(page: Page, label: str, value: str) -> None:
    page.get_by_label(label, exact=False).first.click()
    page.get_by_role("option", name=value, exact=True).click()
    settled(page)


@pytest.mark.browser
def test_the_sidebar_keeps_what_was_chosen(page: Page, serve: Serve, made_collection: Path, chromium: Browser) -> None:
    """Map, Errors with a reload, Map: all is as it was; a copied link of Errors knows it."""
    opened(page, f"{serve(made_collection)}/map?colour=channel&search=number+7&video=v070&set=v070&set=v071")
    expect(legend(page, "Channel 11")).to_be_visible()
    chosen = _in_address(page)
    _go(page, "Errors")
    assert _in_address(page)["map.colour"] == ["channel"]
    page.reload()
    expect(page.locator("h1")).to_have_text("Errors")
    settled(page)
    copied = page.url
    _go(page, "Map")
    _is_the_map(page, chosen)
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    fresh = context.new_page()
    fresh.set_default_timeout(90_000)
    opened(fresh, copied)
    _go(fresh, "Map")
    _is_the_map(fresh, chosen)
    context.close()


def _is_the_map(page: Page, chosen: dict[str, list[str]]) -> None:
    expect(legend(page, "Channel 11")).to_be_visible()
    expect(page.get_by_label("Find")).to_have_value("number 7")
    expect(page.locator('[class*="st-key-words-map-opened"]')).to_contain_text("Video number 70")
    assert {name: values for name, values in _in_address(page).items() if "." not in name} == chosen


@pytest.mark.browser
def test_the_classifiers_choices_are_in_the_address(page: Page, serve: Serve, made_collection: Path) -> None:
    """What is chosen before an evaluation is in the address and outlives a look at another view with a reload there."""
    opened(page, f"{serve(made_collection)}/classifier")
    _chosen(page, "Classifier", "logistic regression")
    page.wait_for_url("**classifier=logistic**")
    way = page.locator('[data-testid="stSidebar"]').get_by_role("link", name="Labels", exact=True)
    expect(way).to_have_attribute("href", re.compile("classifier=logistic"))  # as soon as the page is drawn anew
    _go(page, "Labels")
    page.reload()
    expect(page.locator("h1")).to_have_text("Labels")
    settled(page)
    _go(page, "Classifier")
    expect(page.get_by_role("combobox", name="Classifier", exact=False).first).to_have_value("logistic regression")
    assert _in_address(page)["classifier"] == ["logistic regression"]


@pytest.mark.browser
def test_a_link_to_what_is_gone_says_so(page: Page, serve: Serve, made_collection: Path) -> None:
    """A person who opens an old link reads what is gone, still sees the rest, and can put the sentence away."""
    opened(page, f"{serve(made_collection)}/errors?run=gone&label=food&predicted=food&video=nowhere")
    said = page.locator('[class*="st-key-notice-gone"]')
    expect(said).to_contain_text("The evaluation gone of this address is not kept any more.")
    expect(said).to_contain_text("The video nowhere is not in the collection any more.")
    expect(page.locator('[class*="st-key-cell-label"], [class*="cell-label"]').first).to_contain_text("food")
    said.get_by_role("button", name="Close").click()
    expect(said).to_have_count(0)


@pytest.mark.browser
def test_back_brings_what_was_chosen(page: Page, serve: Serve, made_collection: Path) -> None:
    """Back leads to what a view had shown, with nothing of the view after it, and further back in its turn."""
    opened(page, serve(made_collection))
    opened(page, f"{serve(made_collection)}/classifier?section=Depth")
    _go(page, "Map")
    _chosen(page, "Size", "confidence")
    page.wait_for_url("**size=confidence**")
    way = page.locator('[data-testid="stSidebar"]').get_by_role("link", name="Similar", exact=True)
    expect(way).to_have_attribute("href", re.compile("size=confidence"))  # as soon as the page is drawn anew
    _go(page, "Similar")
    page.wait_for_url("**/similar?**video=**")
    settled(page)
    _back(page, "map")
    expect(page.get_by_role("combobox", name="Size", exact=False)).to_have_value("confidence")
    here = _in_address(page)
    assert here.pop("classifier.run")[0].startswith("evaluate-")
    assert here == {"size": ["confidence"], "classifier.section": ["Depth"]}
    _back(page, "classifier")
    expect(page.get_by_role("radio", name="Depth")).to_be_checked()
    assert _in_address(page)["section"] == ["Depth"]
    assert "classifier.section" not in page.url
    _back(page, "")
    expect(page.locator("h1")).to_have_text("Overview")


CHOSEN = {
    "map": "colour=channel&video=v070&set=v070&set=v071",
    "errors": "label=food&predicted=food",
    "labels": "video=v003",
    "similar": "video=v003&at=5&find=Fragments&category=travel&set=v070&set=v071&in=all",
}


@pytest.mark.browser
@pytest.mark.parametrize("name", CHOSEN)
def test_a_redraw_is_silent_about_the_address(page: Page, serve: Serve, made_collection: Path, name: str) -> None:
    """Drawn again with nothing changed, a view does not write the address over what is being chosen at that moment."""
    told: list[str] = []

    def hear(frame: str | bytes) -> None:
        message = ForwardMsg.FromString(frame if isinstance(frame, bytes) else frame.encode())
        told.append(str(message.WhichOneof("type")))

    page.on("websocket", lambda socket: socket.on("framereceived", hear))
    opened(page, f"{serve(made_collection)}/{name}?{CHOSEN[name]}")
    told.clear()
    page.keyboard.press("r")
    while "script_finished" not in told:
        page.wait_for_timeout(100)
    assert "page_info_changed" not in told


def _back(page: Page, name: str) -> None:
    """Go back to a view, in as many steps as Streamlit has noted."""
    for _ in range(8):
        page.go_back()
        page.wait_for_timeout(1000)  # until the page tells that it is being drawn anew
        settled(page)
        if urlsplit(page.url).path == f"/{name}":
            return
    pytest.fail(f"Back does not lead to {name} but to {page.url}")
