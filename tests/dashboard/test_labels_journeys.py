"""Answers for many videos, two persons, and a retraining from the Labels view: in real browsers, on a real server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from analysis.label_words import By
from analysis.label_work import label_history, unsure
from store.collection import open_collection
from tests.dashboard.conftest import evaluated
from tests.dashboard.made_up import HOSTILE, Wanted, make_collection
from tests.dashboard.test_journeys import opened, settled
from tests.dashboard.test_map_browser import PLACES, drag, marks

pytestmark = pytest.mark.browser
Serve = Callable[[Path], str]
# A run that begins and ends before the page is painted is never seen to be running.
RERUN = """() => { window.reran = false; setTimeout(() => { window.reran = true; }, 10_000); new MutationObserver(
    records => { window.reran ||= records.some(one => one.oldValue === "running"); }
).observe(document.querySelector('[data-testid="stApp"]'), {attributes: true, attributeOldValue: true}); }"""
NOTE = "**b** <img src=x onerror=alert(1)> :red[x]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of its own with an evaluation."""
    return evaluated(make_collection(tmp_path / "journeys", Wanted(videos=40, channels=8, media=False)))


@pytest.fixture
def second(chromium: Browser) -> Iterator[Page]:
    """Another person's browser."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def is_called(page: Page, name: str) -> None:
    """Give a name to who answers in a browser."""
    settled(page)
    field = page.get_by_role("textbox", name="You answer as")
    field.fill(name)
    expect(field).to_have_value(name)
    page.evaluate(RERUN)
    field.press("Enter")
    page.wait_for_function("window.reran")
    settled(page)


def labels_of(folder: Path) -> dict[str, tuple[str, ...]]:
    """What the labels of all videos say now."""
    with open_collection(folder) as collection:
        return {video.id: video.categories for video in collection.store.videos()}


def test_a_selection_of_the_map_is_relabelled_and_taken_back(page: Page, serve: Serve, folder: Path) -> None:
    """A box on the map, one answer for all of it, in the history by name and note; one undo brings all labels back."""
    before = labels_of(folder)
    opened(page, f"{serve(folder)}/map")
    is_called(page, HOSTILE[0])
    places = marks(page, 40).evaluate_all(PLACES)
    xs, ys = sorted(one["x"] for one in places), sorted(one["y"] for one in places)
    drag(page, xs[0] - 4, ys[0] - 4, xs[25], ys[25])
    page.get_by_role("button", name="Answer for all of these").click()
    expect(page.get_by_role("heading", name="Labels")).to_be_visible()
    ask = page.get_by_role("button", name="Answer for")
    expect(ask).to_be_disabled()
    count = int(ask.inner_text().split()[2])
    page.get_by_role("combobox", name="Category").fill("trains")
    page.get_by_role("combobox", name="Category").press("Enter")
    page.get_by_role("textbox", name="Note (optional)").fill(NOTE)
    page.get_by_role("textbox", name="Note (optional)").press("Enter")
    ask.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"trains for {count} videos, by {HOSTILE[0]}.")).to_be_visible()
    expect(dialog.get_by_text(f"Note: {NOTE}")).to_be_visible()
    assert labels_of(folder) == before
    dialog.get_by_role("button", name=f"Yes, for {count} videos").click()
    expect(page.get_by_text(f"Your last answer for many: trains, for {count} videos")).to_be_visible()
    expect(dialog).to_have_count(0)
    changed = [video_id for video_id, now in labels_of(folder).items() if now == ("trains",)]
    assert len(changed) == count
    page.get_by_role("button", name="Undo all of it").click()
    expect(page.get_by_text("Your last answer for many")).to_have_count(0)
    assert labels_of(folder) == before
    with open_collection(folder) as collection:
        table = label_history(collection.store, changed[0]).tail(2)
    assert table[["person", "note", "undo"]].to_numpy().tolist() == [[HOSTILE[0], NOTE, False], [HOSTILE[0], "", True]]


def test_what_one_is_unsure_of_waits_for_the_other(page: Page, second: Page, serve: Serve, folder: Path) -> None:
    """Ana is not asked again, Bo is and sees who and why; Ana cannot take Bo's answer back; nothing of it is markup."""
    address = f"{serve(folder)}/labels?{urlencode({'queue': 'Asked again', 'video': 'v003'})}"
    opened(page, address)
    opened(second, address)
    is_called(page, "Ana")
    is_called(second, "Bo")
    page.get_by_role("button", name="Note", exact=True).click()
    page.get_by_role("textbox", name="Note", exact=True).fill(NOTE)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(f"Goes with your next answer: {NOTE}")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Unsure").click()
    expect(page.get_by_text("Ana was unsure: another is to be asked.")).to_be_visible()
    expect(page.get_by_text("Asked again: 0 videos")).to_be_visible()
    opened(second, address)
    is_called(second, "Bo")
    expect(second.get_by_text("Asked again: 1 video")).to_be_visible()
    expect(second.get_by_text(f"Ana was unsure: {NOTE}")).to_be_visible()
    expect(second.get_by_role("button", name="Undo")).to_have_count(0)
    second.get_by_role("button", name="Keep").click()
    expect(second.get_by_text("Bo's label: ")).to_be_visible()
    expect(second.get_by_role("button", name="Undo")).to_be_visible()
    is_called(page, "Ana ")
    expect(page.get_by_text("Bo's label: ")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_a_queue_is_gone_through_by_keys(page: Page, serve: Serve, tmp_path: Path) -> None:
    """K answers the open video however often it is pressed, Z takes that back, the right arrow opens the next."""
    folder = make_collection(tmp_path / "keys", Wanted(videos=24, channels=8, media=False))
    with open_collection(folder) as collection:
        for n in (3, 5, 8):
            unsure(collection.store, f"v{n:03d}", by=By("Bo"))
    opened(page, f"{serve(folder)}/labels?{urlencode({'queue': 'Asked again'})}")
    title, words = page.locator(".st-key-strong-open"), page.locator(".st-key-muted-answer")
    for n, waiting in ((3, 2), (5, 1), (8, 0)):
        expect(title).to_have_text(f"Video number {n} of the collection")
        settled(page)
        for _ in range(3):
            page.keyboard.press("k")
        expect(words).to_contain_text("A person's label: ")
        expect(page.get_by_text(f"Asked again: {waiting} video")).to_be_visible()
        settled(page)
        expect(title).to_have_text(f"Video number {n} of the collection")
        if waiting:
            page.keyboard.press("ArrowRight")
    with open_collection(folder) as collection:
        table = label_history(collection.store)
    given = table[(table["source"] == "person") & (table["person"] == "")]
    assert given["id"].tolist() == ["v003", "v005", "v008"]
    page.keyboard.press("z")
    expect(page.get_by_text("Asked again: 1 video")).to_be_visible()


def test_a_relabelling_is_retrained_in_the_labels_view(page: Page, serve: Serve, folder: Path) -> None:
    """The same work as the Classifier's begins here, is seen after a reload, and ends in what changed."""
    opened(page, f"{serve(folder)}/labels?{urlencode({'queue': 'Working set', 'set': ['v001', 'v009']}, doseq=True)}")
    page.get_by_text("Unsure", exact=True).first.click()
    page.get_by_text("Another category", exact=True).click()
    page.get_by_role("combobox", name="Category").click()
    page.get_by_role("option", name="travel").click()
    page.get_by_role("button", name="Answer for 2 videos").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes, for 2 videos").click()
    page.get_by_role("button", name="Evaluate anew and see what changed").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    expect(page.get_by_text("Over 40 videos that both judged.")).to_be_visible()
    expect(page.get_by_text("2 videos of those compared had another label")).to_be_visible()
    expect(page.get_by_text("Now right").first).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="What changed")).to_have_count(0)
