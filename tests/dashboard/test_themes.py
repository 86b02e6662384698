"""Every view in the light and the dark theme, checked by axe-core, and the colours that charts have in each."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from dashboard.style import category_colours, on_both
from tests.dashboard.conftest import WAIT_MS, View, evaluated
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_journeys import opened, settled
from tests.dashboard.test_views import drawn, given, specs

Serve = Callable[[Path], str]
QUEUES = ("labels?queue=Working+set&set=v001&set=v002", "labels?queue=History", "labels?queue=Take+it+with+you")
VIEWS = ("", "map", "classifier", "errors", "similar", "labels", *QUEUES)
THEMES = ("light", "dark")
PAPERS = {"light": "#ffffff", "dark": "#14171d"}
_BRUSH = "g[class*='brush']"
"""Vega gives its invisible brush the role of a picture without a name."""
_FAINT = """paper => {
    const channels = text => (text.match(/[0-9.]+/g) || []).slice(0, 3).map(Number);
    const light = rgb => rgb.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const texts = [...document.querySelectorAll('[data-testid=stVegaLiteChart] .role-axis-label text, ' +
        '[data-testid=stVegaLiteChart] .role-legend-label text')];
    return texts.map(e => [e.textContent, contrast(light(channels(getComputedStyle(e).fill)), light(paper))])
        .filter(([, ratio]) => ratio < 4.5);
}"""


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.1)."""
    values = [channel / 255 for channel in bytes.fromhex(colour[1:])]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21 (WCAG 2.1)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def comes_to_nothing(page: Page, found: Callable[[], object]) -> None:
    """Look again while the browser still lays out what it was sent; what is found after that is wrong."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while (wrong := found()) and time.monotonic() < deadline:
        page.wait_for_timeout(250)
    assert not wrong


@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_accessible_in_both_themes(
    page: Page, serve: Serve, made_collection: Path, view: str, theme: str
) -> None:
    """axe-core finds nothing against WCAG 2 A and AA, contrast included; nor are labels of charts too faint."""
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 1280, "height": 800})
    opened(page, f"{serve(made_collection)}/{view}")
    settled(page)

    def violations() -> list[tuple[str, str]]:
        """What axe finds now."""
        found = Axe().run(page, context={"exclude": [[_BRUSH]]}, options={"runOnly": ["wcag2a", "wcag2aa"]})
        return [(one["id"], node["html"][:200]) for one in found.response["violations"] for node in one["nodes"]]

    comes_to_nothing(page, violations)
    comes_to_nothing(page, lambda: page.evaluate(_FAINT, list(bytes.fromhex(PAPERS[theme][1:]))))


@pytest.mark.browser
@pytest.mark.parametrize("view", VIEWS)
def test_a_tablet_shows_every_view_whole(page: Page, serve: Serve, made_collection: Path, view: str) -> None:
    """At a width of 1024 nothing lies beyond the window's edge, and no text is squeezed into less than 30 pixels."""
    page.set_viewport_size({"width": 1024, "height": 768})
    opened(page, f"{serve(made_collection)}/{view}")
    settled(page)
    main, texts = page.locator('[data-testid="stMain"]'), page.locator('[data-testid="stMain"] [data-testid="stText"]')
    squeezed = """es => es.filter(e => e.offsetParent && e.innerText.length > 8)
        .map(e => [e.innerText.slice(0, 40), e.getBoundingClientRect().width]).filter(([, width]) => width < 30)"""
    comes_to_nothing(page, lambda: main.evaluate("e => e.scrollWidth - e.clientWidth > 1"))
    comes_to_nothing(page, lambda: texts.evaluate_all(squeezed))


@pytest.mark.browser
def test_a_change_of_theme_reaches_charts_at_once(page: Page, serve: Serve, made_collection: Path) -> None:
    """A chart that is drawn already takes the other theme's colours when the system changes its own."""
    page.emulate_media(color_scheme="light")
    opened(page, serve(made_collection))
    label = "document.querySelector('[data-testid=stVegaLiteChart] .role-axis-label text')"
    colour = f"getComputedStyle({label}).fill"
    page.wait_for_function(f"{label} !== null")
    before = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colour} !== {before!r}")
    assert page.locator('[data-testid="stApp"]').evaluate("e => getComputedStyle(e).colorScheme") == "dark"


def test_what_is_lost_in_the_dark_is_lighter_everywhere(view: View, tmp_path: Path) -> None:
    """Where Map and Errors draw a category whose colour is lost on a dark ground, it has one for each ground."""
    names = ("a", "b", "c", "d")
    evaluated(make_collection(tmp_path, Wanted(categories=names, videos=24, channels=8)))
    dark = category_colours(list(names))["d"]
    assert on_both(dark) != dark
    test = view(tmp_path, "errors")
    test.query_params["label"], test.query_params["predicted"] = "d", "d"
    drawn_there = [*given(drawn(test.run())), *specs(drawn(view(tmp_path, "map")))]
    assert sum(on_both(dark) in one for one in drawn_there) >= 3
    assert not any(f'"{dark}"' in one for one in drawn_there)
