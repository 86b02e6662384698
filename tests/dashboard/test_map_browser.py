"""What people do on the map, in a real browser against a real server."""

from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from dashboard.style import category_colours, on_both
from store.collection import open_collection
from tests.dashboard.large import Large, category, lay_out, make_large
from tests.dashboard.test_journeys import loads, opened, settled, titles

pytestmark = pytest.mark.browser
Serve = Callable[[Path], str]
Dot = dict[str, float]
PLACES = """es => es.map(e => { const b = e.getBoundingClientRect(); return {title: e.getAttribute('aria-label'),
    x: b.x + b.width / 2, y: b.y + b.height / 2,
    opacity: e.getAttribute('opacity'), fill: e.getAttribute('fill')}; })"""


def marks(page: Page, n: int) -> Locator:
    """The points of the map, once there are so many and the page is at rest."""
    found = page.locator('[class*="st-key-panel-map"] path[aria-roledescription="circle"]')
    expect(found).to_have_count(n)
    settled(page)
    expect(found).to_have_count(n)
    return found


def legend(page: Page, value: str) -> Locator:
    """The words of a value in the legend."""
    return page.locator('[class*="st-key-panel-map"] .role-legend-label text', has_text=value)


def drag(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Drag a box."""
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move((left + right) / 2, (top + bottom) / 2, steps=4)
    page.mouse.move(right, bottom, steps=4)
    page.mouse.up()


def ids_of(folder: Path) -> dict[str, str]:
    """Id of each video by its title."""
    with open_collection(folder) as collection:
        return {video.title: video.id for video in collection.store.videos()}


def test_thousands_of_points_are_seen(page: Page, serve: Serve, tmp_path: Path) -> None:
    """A map of more points than are usually drawn one by one still shows each, in the colour of its category."""
    lay_out(make_large(tmp_path, Large(2_100, categories=4, channels=40)))
    opened(page, f"{serve(tmp_path)}/map")
    fills = [one["fill"] for one in marks(page, 2_100).evaluate_all(PLACES)]
    of_categories = {on_both(shade) for shade in category_colours(map(category, range(4))).values()}
    assert set(fills) == of_categories
    shown = Image.open(BytesIO(page.locator('[class*="st-key-panel-map"] [data-testid=stVegaLiteChart]').screenshot()))
    grounds = shown.convert("RGB").getcolors(1 << 24) or []
    assert sum(n for n, colour in grounds if colour != (255, 255, 255)) > 10_000


def test_a_box_fills_the_working_set(page: Page, serve: Serve, made_collection: Path, chromium: Browser) -> None:
    """A drag keeps just the videos inside; a click plays one; the address brings all of it to a fresh browser."""
    opened(page, f"{serve(made_collection)}/map")
    points = marks(page, 72).evaluate_all(PLACES)
    left, top, right, bottom = around_a_part(points)
    expected = [p["title"] for p in points if left < p["x"] < right and top < p["y"] < bottom]
    assert 0 < len(expected) <= 50
    drag(page, left, top, right, bottom)
    titles(page, "map-", expected, in_order=False)
    known = ids_of(made_collection)
    assert set(parse_qs(urlsplit(page.url).query)["set"]) == {known[str(title)] for title in expected}
    settled(page)
    alone = next(p for p in points if p["title"] not in expected and _lonely(p, points))
    page.mouse.click(alone["x"], alone["y"])
    opened_title = page.locator('[class*="st-key-words-map-opened"] > div:first-child [data-testid="stText"]')
    expect(opened_title).to_have_text(str(alone["title"]))
    loads(page.locator('[class*="st-key-panel-selected"] audio'))
    settled(page)
    page.get_by_label("Colour").click()
    page.get_by_role("option", name="channel").click()
    expect(legend(page, "Channel 11")).to_be_visible()
    settled(page)
    before = _looks(marks(page, 72))
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    fresh = context.new_page()
    fresh.set_default_timeout(90_000)
    opened(fresh, page.url)
    expect(legend(fresh, "Channel 11")).to_be_visible()
    titles(fresh, "map-", [alone["title"], *expected], in_order=False)
    assert _looks(marks(fresh, 72)) == before
    assert len({opacity for *_, opacity, _ in before}) == 2
    context.close()


def test_a_value_of_the_legend_becomes_the_working_set(page: Page, serve: Serve, made_collection: Path) -> None:
    """A click on a category in the legend keeps its videos; the chip clears them in whatever order."""
    opened(page, f"{serve(made_collection)}/map")
    marks(page, 72)
    with open_collection(made_collection) as collection:
        food = [video.title for video in collection.store.videos() if video.category == "food" and video.media]
    legend(page, "food").click()
    titles(page, "map-", food, in_order=False)
    settled(page)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Nothing selected")).to_be_visible()
    assert "set=" not in page.url


def test_a_search_highlights_while_it_is_typed(page: Page, serve: Serve, made_collection: Path) -> None:
    """Typing lists and highlights what matches, without Enter; what was found can become the working set."""
    opened(page, f"{serve(made_collection)}/map")
    marks(page, 72)
    page.get_by_label("Find").press_sequentially("number 7")
    expected = [
        "Video number 7 of the collection",
        "Video number 70 of the collection",
        "Video number 71 of the collection",
    ]
    titles(page, "map-", expected, in_order=False)
    settled(page)
    bright = [p["title"] for p in marks(page, 72).evaluate_all(PLACES) if float(p["opacity"]) > 0.5]
    assert sorted(bright) == sorted(expected)
    page.get_by_role("button", name="Use as working set").click()
    expect(page.get_by_text("Working set: 3 videos")).to_be_visible()
    expect(page.get_by_label("Find")).to_have_value("")
    assert sorted(parse_qs(urlsplit(page.url).query)["set"]) == ["v007", "v070", "v071"]


def _looks(dots: Locator) -> list[tuple[object, ...]]:
    """Where each point is, how strong and in which colour, in a fixed order."""
    found = dots.evaluate_all(PLACES)
    return sorted((p["title"], round(p["x"]), round(p["y"]), p["opacity"], p["fill"]) for p in found)


def around_a_part(points: list[dict[str, float]]) -> tuple[float, float, float, float]:
    """A rectangle around the left half of the points whose edges stay away from every point."""
    across = sorted(p["x"] for p in points)
    gaps = [(b - a, (a + b) / 2) for a, b in pairwise(across[10:-10])]
    edge = max(gaps)[1]
    inside = [p for p in points if p["x"] < edge]
    return min(p["x"] for p in inside) - 8, min(p["y"] for p in inside) - 8, edge, max(p["y"] for p in inside) + 8


def _lonely(point: dict[str, float], points: list[dict[str, float]]) -> bool:
    """Whether nothing else lies on the spot where this point is clicked."""
    return all(abs(point["x"] - p["x"]) + abs(point["y"] - p["y"]) > 9 for p in points if p is not point)
