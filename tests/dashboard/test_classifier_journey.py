"""The Classifier view in a real browser: a link restores a section, and a person stops what takes too long."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from store.collection import open_collection
from tests.dashboard.made_up import Wanted, make_collection

Serve = Callable[[Path], str]


def test_a_link_opens_the_section(page: Page, serve: Serve, made_collection: Path) -> None:
    """The address that one browser shows opens the same section in another."""
    page.goto(f"{serve(made_collection)}/classifier")
    page.get_by_text("How sure", exact=True).click()
    heading = page.get_by_role("heading", name="Is it right as often as it is sure?")
    expect(heading).to_be_visible()
    address = page.url
    assert "section=How" in address
    page.goto("about:blank")
    page.goto(address)
    expect(heading).to_be_visible()


def test_one_stops_what_another_began(page: Page, serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An evaluation of many repeats is seen and stopped from a second window; nothing of it is kept, both can go on."""
    folder = make_collection(tmp_path_factory.mktemp("stop") / "stop", Wanted(videos=24, channels=8, media=False))
    page.goto(f"{serve(folder)}/classifier")
    page.get_by_text("More settings").click()
    repeats = page.get_by_role("spinbutton", name="Repeats")
    repeats.fill("100")
    repeats.press("Enter")
    page.get_by_role("button", name="Evaluate", exact=True).click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    second = page.context.new_page()
    second.goto(f"{serve(folder)}/classifier")
    second.get_by_role("button", name="Stop").click()
    for window in (page, second):
        expect(window.get_by_text("Stopped: nothing of it was kept.")).to_be_visible()
        expect(window.get_by_role("button", name="Evaluate", exact=True)).to_be_enabled()
    with open_collection(folder) as opened:
        assert not opened.store.runs()
