"""The ways that lead through several views, in a real browser against a real server."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from analysis.cells import Rank, behind, ranked
from analysis.evaluation import cell
from store.collection import open_collection
from tests.dashboard.conftest import evaluated
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_errors import lists, matrix_button, titles_of
from tests.dashboard.test_errors_pairs import PLAYED
from tests.dashboard.test_journeys import loads, opened, settled
from tests.dashboard.test_map_browser import PLACES, around_a_part, drag, marks
from tests.dashboard.test_timeline import SOUND, fragments, judged, plays_within

pytestmark = pytest.mark.browser
Serve = Callable[[Path], str]


def test_from_a_cell_to_what_a_new_label_changed(page: Page, serve: Serve, tmp_path: Path) -> None:
    """An error of a cell, heard at a fragment and beside its best match, gets another label, which is what changed."""
    folder = evaluated(make_collection(tmp_path / "journey", Wanted(videos=40, channels=8)))
    predictions = judged(folder).predictions
    wrong = predictions[predictions["category"] != predictions["predicted"]].iloc[0]
    opened(page, f"{serve(folder)}/errors")
    matrix_button(page, f"labelled {wrong['category']}, predicted as {wrong['predicted']}:").click()
    lists(page, titles_of(folder, list(cell(predictions, wrong["category"], wrong["predicted"])["id"])))
    settled(page)
    (title,) = titles_of(folder, [wrong["id"]])
    page.get_by_role("button", name=f"Open {title}", exact=True).click()
    expect(page.locator(".st-key-strong-evidence")).to_have_text(title)
    _heard(page)
    page.locator(f".st-key-answer-1-{wrong['id']} button").click()
    expect(page.get_by_text(f"label: {wrong['predicted']}. Evaluate anew to see its effect.")).to_be_visible()
    page.get_by_role("link", name="Labels").click()
    page.get_by_role("button", name="Evaluate anew and see what changed").click()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    expect(page.get_by_text("Over 40 videos that both judged.")).to_be_visible()
    expect(page.get_by_text("1 video of those compared had another label")).to_be_visible()
    anew = judged(folder).predictions.set_index("id")
    assert anew.loc[wrong["id"], "category"] == wrong["predicted"]
    with open_collection(folder) as collection:
        assert [run.kind for run in collection.store.runs()] == ["evaluate"] * 2


def _heard(page: Page) -> None:
    """The open video from its third fragment on, and then the seconds that match best, here and there."""
    loads(page.locator(SOUND))
    fragments(page).nth(2).click()
    plays_within(page, 10.0, 15.0)
    page.locator(SOUND).evaluate("audio => audio.pause()")
    page.evaluate(PLAYED)
    page.locator(".pairs .pair").first.click()
    page.wait_for_function("() => window.played.some(([type, whose]) => type === 'play' && whose === 'other')")
    assert page.evaluate("window.played.filter(([type]) => type === 'play').map(([, whose]) => whose)") == [
        "own",
        "other",
    ]


def test_a_part_of_the_map_narrows_what_errors_lists(page: Page, serve: Serve, made_collection: Path) -> None:
    """What was drawn around on the map is what Errors lists of a label, in its order; cleared, it lists all again."""
    opened(page, f"{serve(made_collection)}/map")
    points = marks(page, 72).evaluate_all(PLACES)
    left, top, right, bottom = around_a_part(points)
    inside = {p["title"] for p in points if left < p["x"] < right and top < p["y"] < bottom}
    drag(page, left, top, right, bottom)
    expect(page.get_by_text(f"Working set: {len(inside)} videos")).to_be_visible()
    settled(page)
    page.get_by_role("link", name="Errors").click()
    expect(page.locator("h1")).to_have_text("Errors")
    expect(page.get_by_text(f"working set: {len(inside)} videos")).to_be_visible()
    evaluation = judged(made_collection)
    label = next(name for name in ("food", "travel") if 0 < len(inside & of_label(made_collection, name)) < 18)
    table = ranked(evaluation, behind(evaluation.predictions, label), Rank.CONFIDENCE)
    whole = titles_of(made_collection, list(table["id"]))
    page.locator(f'.errors_matrix button[aria-label^="All "][aria-label$="labelled {label}"]').first.click()
    lists(page, [title for title in whole if title in inside])
    settled(page)
    page.get_by_role("button", name="Clear").click()
    lists(page, whole)
    expect(page).not_to_have_url(re.compile("set="))


def of_label(folder: Path, label: str) -> set[str]:
    """Titles of the videos that have a label."""
    with open_collection(folder) as collection:
        return {video.title for video in collection.store.videos() if video.category == label and video.media}
