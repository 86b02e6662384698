"""A box on the map is drawn only as long as it tells what is selected."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from streamlit.testing.v1 import AppTest

from dashboard.map_points import FULL
from dashboard.map_shape import AWAY, NEW
from quartzlens.records import Json
from tests.dashboard.conftest import View
from tests.dashboard.test_journeys import opened, settled
from tests.dashboard.test_map import EVERYWHERE, asked, data
from tests.dashboard.test_map_browser import PLACES, around_a_part, drag, marks
from tests.dashboard.test_map_shape import LEFT, boxed
from tests.dashboard.test_views import button, drawn, specs, texts

Serve = Callable[[Path], str]


@pytest.mark.parametrize("other", [{"points": "Fragments"}, {"neighbours": 5}, {"min_dist": 0.5}, {"seed": 3}])
def test_a_box_goes_with_the_map_that_it_was_drawn_on(
    view: View, made_collection: Path, other: dict[str, str | float]
) -> None:
    """Where points lie elsewhere the chart is begun anew, once, and what the box selected stays selected."""
    test = view(made_collection, "map")
    test.session_state["map_chart"] = {"selection": {"brush": EVERYWHERE}}
    assert drawn(test.run()).session_state["map_done"].turn == 0
    assert asked(test, **other).session_state["map_done"].turn == 1
    assert "Working set: 72 videos" in texts(drawn(test.run()))
    assert test.session_state["map_done"].turn == 1
    assert set(data(test)["shade"]) == {FULL}


def test_no_box_fades_what_is_looked_for(view: View, made_collection: Path) -> None:
    """A box fades what is outside of it, but not while a text is looked for; what is found and used wipes the box."""
    test = view(made_collection, "map")
    test.session_state["map_chart"] = {"selection": {"brush": EVERYWHERE}}
    assert "condition" in _opacity(drawn(test.run()))
    assert "condition" not in _opacity(asked(test, search="number 7"))
    button(test, "Use as working set").click().run()
    assert "condition" in _opacity(drawn(test))
    assert test.session_state["map_done"].turn == 1


def test_a_box_fades_nothing_that_is_selected(view: View, made_collection: Path) -> None:
    """With New chosen again after a box was taken away, that box fades nothing; the next one does."""
    test = boxed(boxed(view(made_collection, "map"), NEW, EVERYWHERE), AWAY, LEFT)
    test.session_state["box"] = NEW
    test = drawn(test.run())
    assert "Working set: 72 videos" not in texts(test)
    assert "condition" not in _opacity(test)
    assert "condition" in _opacity(boxed(test, NEW, EVERYWHERE))


def test_what_is_found_hides_no_working_set(view: View, made_collection: Path) -> None:
    """While a text is looked for, what a box selects is told, and can be cleared."""
    test = asked(view(made_collection, "map"), search="number 7")
    assert "Working set" not in texts(test)
    test.session_state["map_chart"] = {"selection": {"brush": EVERYWHERE}}
    shown = texts(drawn(test.run()))
    assert "Found: 3 videos" in shown
    assert "Working set: 72 videos" in shown
    assert "Working set: 72 videos" in texts(asked(test, search="no such"))
    shown = texts(button(test, "Clear").click().run())
    assert "Found: 0 videos" in shown
    assert "Working set" not in shown


def _opacity(test: AppTest) -> Json:
    (spec,) = [json.loads(spec) for spec in specs(test)]
    found: Json = spec["layer"][-1]["encoding"]["opacity"]
    return found


@pytest.mark.browser
def test_what_stands_out_is_what_is_found_or_selected(page: Page, serve: Serve, made_collection: Path) -> None:
    """After a box just what is found stands out, then what was used of it, on the map of fragments too, with no box."""
    opened(page, f"{serve(made_collection)}/map")
    points = marks(page, 72)
    drag(page, *around_a_part(points.evaluate_all(PLACES)))
    expect(page.get_by_text("Working set: ")).to_be_visible()
    settled(page)
    box = page.locator('[class*="st-key-panel-map"] .brush_brush path')
    expect(box).to_be_visible()
    page.get_by_label("Find").press_sequentially("number 7")
    expect(page.get_by_text("Found: 3 videos")).to_be_visible()
    found = [f"Video number {n} of the collection" for n in (7, 70, 71)]
    assert _bright(marks(page, 72)) == found
    page.get_by_role("button", name="Use as working set").click()
    expect(page.get_by_text("Working set: 3 videos")).to_be_visible()
    assert _bright(marks(page, 72)) == found
    expect(box).to_be_hidden()
    page.get_by_text("Fragments", exact=True).click()
    fragments = marks(page, 432)
    assert _bright(fragments) == found
    drag(page, *around_a_part(fragments.evaluate_all(PLACES)))
    settled(page)
    expect(box).to_be_visible()
    page.get_by_text("Videos", exact=True).click()
    marks(page, 72)
    expect(box).to_be_hidden()


def _bright(dots: Locator) -> list[str]:
    return sorted({str(p["title"]) for p in dots.evaluate_all(PLACES) if float(p["opacity"]) > 0.5})
