"""Selections of any form, put together out of boxes, by the mouse, by numbers and by keyboard."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.state.session_state_proxy import get_session_state
from streamlit.testing.v1 import AppTest

from analysis.outline import within
from dashboard import map_selection, map_steps
from dashboard.map_shape import ADD, AWAY, NEW, combined
from dashboard.map_steps import Done, Step
from tests.dashboard.conftest import View
from tests.dashboard.test_journeys import opened, settled, titles
from tests.dashboard.test_map import EVERYWHERE
from tests.dashboard.test_map_browser import PLACES, drag, legend, marks
from tests.dashboard.test_views import button, drawn, texts

Serve = Callable[[Path], str]
LEFT = {"x": [-1e6, 0.0], "y": [-1e6, 1e6]}


@pytest.mark.parametrize(
    ("held", "action", "expected"),
    [("ab", NEW, "bc"), ("ab", ADD, "abc"), ("ab", AWAY, "a"), (None, ADD, "bc"), (None, AWAY, "ad"), ("b", AWAY, "")],
)
def test_boxes_are_united_and_subtracted(held: str | None, action: str, expected: str) -> None:
    """A box replaces the selection, is added to it, or taken away from it; from nothing selected it is from all."""
    before = None if held is None else frozenset(held)
    assert combined(before, frozenset("bc"), frozenset("abcd"), action) == frozenset(expected)


def boxed(test: AppTest, action: str, box: dict[str, list[float]]) -> AppTest:
    """The page after a box that was drawn with this action chosen."""
    test.session_state["box"] = action
    test = drawn(test.run())
    turn = test.session_state["map_done"].turn
    test.session_state[f"map_chart-{turn}" if turn else "map_chart"] = {"selection": {"brush": box}}
    return drawn(test.run())


def test_a_box_is_added_taken_away_and_undone(view: View, made_collection: Path) -> None:
    """All less the left half is the right half; each undo is one box back, and then there is none to take back."""
    test = view(made_collection, "map")
    assert button(test, "Undo").disabled
    test = boxed(boxed(test, NEW, EVERYWHERE), AWAY, LEFT)
    right = [line for line in texts(test).splitlines() if line.startswith("Working set: ")]
    assert right != ["Working set: 72 videos"]
    assert "Working set: 72 videos" in texts(button(test, "Undo").click().run())
    test = drawn(button(test, "Undo").click().run())
    assert "Nothing selected" in texts(test)
    assert button(test, "Undo").disabled
    assert right[0] in texts(boxed(test, AWAY, LEFT))
    assert "Nothing selected" in texts(button(boxed(test, ADD, EVERYWHERE), "Clear").click().run())
    assert "Working set: 72 videos" in texts(button(test, "Undo").click().run())


def test_a_box_by_numbers_holds_what_lies_in_it(view: View, made_collection: Path) -> None:
    """The whole map by numbers is all videos, its left half and its right half together as well."""
    test = button(view(made_collection, "map"), "Use this box").click().run()
    assert "Working set: 72 videos" in texts(drawn(test))
    test.session_state["map-box-right"] = 50
    test = button(test.run(), "Use this box").click().run()
    half = next(line for line in texts(drawn(test)).splitlines() if line.startswith("Working set: "))
    assert half != "Working set: 72 videos"
    test.session_state["box"] = ADD
    test.session_state["map-box-left"], test.session_state["map-box-right"] = 50, 100
    test = button(test.run(), "Use this box").click().run()
    assert "Working set: 72 videos" in texts(drawn(test))


class BrokenOff:
    """An act that is broken off once, as for another click, where it touches the session for the ``at``-th time."""

    def __init__(self, act: Callable[..., None], at: int, address: str) -> None:
        self.act, self.left, self.address = act, at, address

    def __call__(self, *arguments: object) -> None:
        """Act; the page is drawn anew then by the address that its browser knew before."""
        state = get_session_state()
        usual = state._yield_callback
        object.__setattr__(state, "_yield_callback", self._count)
        try:
            self.act(*arguments)
        finally:
            object.__setattr__(state, "_yield_callback", usual)

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise RerunException(RerunData(query_string=self.address))


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize(("action", "right", "expected"), [(NEW, 1.5, "ab"), (ADD, 1.5, "abc"), (AWAY, 2.5, "")])
def test_a_selection_is_not_lost_where_its_taking_is_broken_off(
    monkeypatch: pytest.MonkeyPatch, action: str, right: float, expected: str, *, typed: bool
) -> None:
    """Wherever it is broken off, what was drawn is selected, and one undo takes back just that."""

    def page() -> None:
        import pandas as pd
        import streamlit as st

        from dashboard import map_selection, map_steps, working_set

        table = pd.DataFrame({"id": ["a", "b", "c"], "x": [0.0, 1.0, 2.0], "y": 0.0, "colour": "red"})
        map_selection.take(table)
        selected = "".join(sorted(working_set.current() or ()))
        if st.button("Undo"):
            map_steps.undo()
        st.code(f"{selected} {''.join(sorted(working_set.current() or ()))}")

    take = map_selection.take
    for at in count(1):
        act = BrokenOff(take, at, "set=c")
        monkeypatch.setattr(map_selection, "take", act)
        test = AppTest.from_function(page)
        test.query_params["set"] = "c"
        test.session_state["box"] = action
        share = right / 2
        outline = [(-0.1, -0.1), (share, -0.1), (share, 0.1), (-0.1, 0.1)] if typed else None
        steps = (Step(frozenset(), frozenset("c")),)
        test.session_state["map_done"] = Done(outline=outline, steps=steps)
        if not typed:
            test.session_state["map_chart"] = {"selection": {"brush": {"x": [-1.0, right], "y": [-1.0, 1.0]}}}
        test.run()
        if act.left > 0:
            break
        assert test.code[0].value == f"{expected} {expected}", at
        assert test.button[0].click().run().code[0].value == f"{expected} c", at
        assert test.button[0].click().run().code[0].value == "c ", at
    assert at > 10


@pytest.mark.parametrize(("act", "expected", "steps"), [("undo", "a", 1), ("clear", "", 3), ("wipe", "b", 2)])
def test_a_button_does_all_or_nothing_where_it_is_broken_off(act: str, expected: str, steps: int) -> None:
    """Streamlit takes a breaking off in a callback for nothing: what was asked for is done afterwards, or not begun."""

    def page(act: str, at: int) -> None:
        from contextlib import suppress

        import streamlit as st
        from streamlit.runtime.scriptrunner_utils.exceptions import RerunException

        from dashboard import map_steps, working_set
        from tests.dashboard.test_map_shape import BrokenOff

        if "begun" not in st.session_state:
            st.session_state["begun"] = True
            map_steps.select(frozenset("a"))
            map_steps.select(frozenset("b"))
            broken = BrokenOff({"undo": map_steps.undo, "clear": map_steps.clear, "wipe": map_steps.wipe}[act], at, "")
            with suppress(RerunException):
                broken(*([None] if act == "wipe" else []))
            map_steps.finish()
            now = map_steps.done()
            selected = "".join(sorted(working_set.current() or ()))
            st.code(f"{selected} {now.turn} {len(now.steps)} {broken.left > 0}")

    whole = f"{expected} 3 {steps}"
    for at in count(1):
        test = AppTest.from_function(page, kwargs={"act": act, "at": at}).run()
        assert not test.exception
        *state, over = test.code[0].value.split(" ")
        assert " ".join(state) in {"b 2 2", whole}, at
        if over == "True":
            break
    assert (" ".join(state), at > 3) == (whole, True)


def test_what_was_broken_off_goes_before_no_later_working_set() -> None:
    """A step that waits to be done is forgotten where another view selected something meanwhile."""

    def page() -> None:
        import streamlit as st

        from dashboard import map_steps, working_set
        from dashboard.map_steps import Done, Step

        st.session_state["map_done"] = Done(waiting=Step(frozenset(), frozenset("ab")))
        working_set.keep("z")
        map_steps.finish()
        st.code("".join(sorted(working_set.current() or ())))

    assert AppTest.from_function(page).run().code[0].value == "z"


@pytest.mark.parametrize("name", ["overview", "similar"])
def test_what_was_broken_off_is_done_in_the_next_view(view: View, made_collection: Path, name: str) -> None:
    """Who left the map before a box was done has it done there, and what is cleared then stays so on the map."""
    test = view(made_collection, name)
    test.session_state["map_done"] = Done(waiting=Step(frozenset(), frozenset(["v001", "v002"])))
    test = drawn(test.run())
    assert test.session_state["map_done"].waiting is None
    assert test.query_params["set"] == ["v001", "v002"]
    test = drawn(test.switch_page("views/map.py").run())
    assert "Working set: 2 videos" in texts(test)
    test = drawn(button(test, "Clear").click().run())
    assert "Working set" not in texts(drawn(test.run()))


def test_steps_that_are_kept_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many steps the last twenty can be undone, of large ones fewer, so that a session stays small."""

    def page() -> None:
        import streamlit as st

        from dashboard import map_steps

        for n in range(30):
            map_steps.select(frozenset([str(n), "x"]))
        st.code(len(map_steps.left()))

    assert AppTest.from_function(page).run().code[0].value == "20"
    monkeypatch.setattr(map_steps, "MOST_KEPT", 12)
    assert AppTest.from_function(page).run().code[0].value == "3"


def test_undo_leaves_alone_what_another_view_selected() -> None:
    """Undo takes back steps of the map, searches and Clear too, never a working set that was made elsewhere."""

    def page() -> None:
        import streamlit as st

        from dashboard import map_steps, working_set

        map_steps.select(frozenset("a"))
        map_steps.select(frozenset("bc"))
        map_steps.clear()
        for expected in ("bc", "a"):
            map_steps.undo()
            assert working_set.current() == frozenset(expected)
        working_set.keep("abc")
        map_steps.undo()
        assert working_set.current() == frozenset("abc")
        map_steps.select(frozenset("d"))
        map_steps.undo()
        st.code("".join(sorted(working_set.current() or ())))

    test = AppTest.from_function(page).run()
    assert not test.exception
    assert test.code[0].value == "abc"


@pytest.mark.browser
def test_a_form_of_two_boxes_and_a_hole(page: Page, serve: Serve, made_collection: Path) -> None:
    """Two boxes that are added and one taken away again are just those videos; Undo brings the hole back."""
    opened(page, f"{serve(made_collection)}/map?box=Add")
    points = marks(page, 72).evaluate_all(PLACES)
    middle = sorted(p["x"] for p in points)[36] + 0.3
    edges = [min(p["x"] for p in points) - 8, max(p["x"] for p in points) + 8]
    top, bottom = min(p["y"] for p in points) - 8, max(p["y"] for p in points) + 8
    left = sum(p["x"] < middle for p in points)
    said = page.locator('[class*="st-key-strong-selected"]')
    drag(page, edges[0], top, middle, bottom)
    expect(said).to_have_text(f"Working set: {left} videos")
    settled(page)
    drag(page, middle, top, edges[1], bottom)
    expect(said).to_have_text("Working set: 72 videos")
    settled(page)
    page.get_by_text("Take away", exact=True).click()
    settled(page)
    legend(page, "food").click()
    expect(said).to_have_text("Working set: 54 videos")
    settled(page)
    page.get_by_role("button", name="Undo").click()
    expect(said).to_have_text("Working set: 72 videos")


@pytest.mark.browser
def test_a_box_without_a_mouse(page: Page, serve: Serve, made_collection: Path) -> None:
    """By keyboard alone a box is given by numbers, and its videos are selected."""
    opened(page, f"{serve(made_collection)}/map")
    marks(page, 72)
    page.get_by_role("button", name="By numbers").press("Enter")
    page.get_by_label("Left", exact=True).fill("0")
    page.get_by_role("button", name="Use this box").press("Enter")
    expect(page.locator('[class*="st-key-strong-selected"]')).to_have_text("Working set: 72 videos")


def test_what_a_browser_draws_is_a_line_or_nothing(view: View, made_collection: Path) -> None:
    """A line around all is all videos, one around the left half those of it; what is no line selects nothing."""
    whole = [[-0.1, -0.1], [1.1, -0.1], [1.1, 1.1], [-0.1, 1.1]]
    for outline, expected in ((whole, "Working set: 72 videos"), ([[0, 0], [1, 1]], "Nothing selected")):
        test = view(made_collection, "map")
        test.session_state["map_done"] = Done(outline=outline)
        assert expected in texts(drawn(test.run()))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "x",
        [],
        [[1, 2]],
        [[0, 0], [1, 1], [0, float("nan")]],
        [[1, 2, 3]] * 3,
        [[1, 2], [3], [4, 5]],
        [["a", "b"]] * 3,
        [{}] * 3,
    ],
)
def test_a_strange_line_is_left_alone(sent: object) -> None:
    """Whatever else a browser sends in the place of a line changes nothing and is no error."""

    def page(sent: object) -> None:
        import streamlit as st

        from dashboard import map_shape

        st.session_state["map_lasso"] = {"outline": sent}
        map_shape._drawn()
        st.code("map_done" in st.session_state)

    test = AppTest.from_function(page, kwargs={"sent": sent}).run()
    assert not test.exception
    assert test.code[0].value == "False"


@pytest.mark.browser
def test_a_line_drawn_freely_selects_what_it_goes_around(page: Page, serve: Serve, made_collection: Path) -> None:
    """A triangle drawn by the mouse selects just the videos within it; Escape before that leaves all as it was."""
    opened(page, f"{serve(made_collection)}/map")
    points = marks(page, 72).evaluate_all(PLACES)
    corners = [
        (min(p["x"] for p in points) - 9, min(p["y"] for p in points) - 9),
        (max(p["x"] for p in points) + 9, min(p["y"] for p in points) - 9),
        (min(p["x"] for p in points) - 9, max(p["y"] for p in points) + 9),
    ]
    places = np.array([(p["x"], p["y"]) for p in points])
    expected = [p["title"] for p, inside in zip(points, within(places, np.array(corners)), strict=True) if inside]
    assert 0 < len(expected) < 72
    free = page.get_by_role("button", name="Draw freely")
    free.click()
    expect(free).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(free).to_have_attribute("aria-pressed", "false")
    free.click()
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in (*corners[1:], corners[0]):
        page.mouse.move(*corner, steps=5)
    page.mouse.up()
    expect(page.locator('[class*="st-key-strong-selected"]')).to_have_text(f"Working set: {len(expected)} videos")
    if len(expected) <= 50:
        titles(page, "map-", expected, in_order=False)
