"""Where things lie: rows that begin together, pictures in line with what is above, nothing on top of text."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.test_journeys import opened, settled

pytestmark = pytest.mark.browser
Serve = Callable[[Path], str]


@pytest.mark.slow
def test_neighbours_beside_each_other_begin_at_one_height(page: Page, serve: Serve, demo_collection: Path) -> None:
    """However long titles are, the cards of Similar stand in rows; their numbers are in line with the heading."""
    page.set_viewport_size({"width": 1280, "height": 800})
    opened(page, f"{serve(demo_collection)}/similar")
    cards = page.locator('[class*="st-key-card-similar-"]')
    expect(cards).to_have_count(10)
    tops = cards.evaluate_all("es => es.map(e => Math.round(e.getBoundingClientRect().top))")
    assert [tops[n] == tops[n + 1] for n in range(0, 10, 2)] == [True] * 5
    assert tops == sorted(tops)


def test_the_picture_of_what_is_searched_with_is_not_indented(page: Page, serve: Serve, made_collection: Path) -> None:
    """The picture begins where the boxes above it begin."""
    opened(page, f"{serve(made_collection)}/similar")
    left = "e => Math.round(e.getBoundingClientRect().left)"
    picture = page.locator('.st-key-card-asked img, .st-key-card-asked [class*="st-key-blank-"]').first
    assert picture.evaluate(left) == page.locator('[data-testid="stSelectbox"]').last.evaluate(left)


def test_nothing_lies_over_the_link(page: Page, serve: Serve, made_collection: Path) -> None:
    """The box for a link holds the link alone while one types, though it is narrow."""
    page.set_viewport_size({"width": 1024, "height": 800})
    opened(page, f"{serve(made_collection)}/similar")
    page.get_by_text("Paste a link").click()
    box = page.get_by_label("Link", exact=True)
    box.fill("https://example.org/" + "a" * 80)
    expect(page.get_by_text("Press Enter")).not_to_be_visible()


@pytest.mark.parametrize("view", ["", "similar"])
def test_a_phone_wastes_no_room(page: Page, serve: Serve, made_collection: Path, view: str) -> None:
    """At 390 pixels the title is clear of the menu's button, and Similar lists the nearest first."""
    page.set_viewport_size({"width": 390, "height": 800})
    opened(page, f"{serve(made_collection)}/{view}")
    settled(page)
    title = page.locator("h1").bounding_box()
    menu = page.get_by_test_id("stExpandSidebarButton").bounding_box()
    assert title is not None
    assert menu is not None
    assert title["y"] >= menu["y"] + menu["height"] - 6
    numbers = page.locator('[class*="st-key-muted-number-"]').all_inner_texts()
    assert [int(number) for number in numbers] == sorted(int(number) for number in numbers)
