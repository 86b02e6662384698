"""The Errors view: the click on a cell, a name or a total ends in the right videos, and the address says it all."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from streamlit.testing.v1 import AppTest

from analysis.cells import Rank, behind, ranked
from analysis.evaluation import cell, confusion_table
from analysis.evidence import background
from analysis.evidence_timeline import categories_of
from dashboard.errors_matrix import MOST_CATEGORIES
from quartzlens.records import Row
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated
from tests.dashboard.made_up import FINGERPRINT, Wanted, make_collection
from tests.dashboard.test_journeys import loads, opened, settled
from tests.dashboard.test_timeline import SOUND, errors_of, judged
from tests.dashboard.test_views import button, drawn, given, texts

Serve = Callable[[Path], str]


def titles_of(folder: Path, ids: list[str]) -> list[str]:
    """Titles of videos."""
    with open_collection(folder) as collection:
        names = {video.id: video.title for video in collection.store.videos()}
    return [names[video_id] for video_id in ids]


def lists(page: Page, expected: list[str]) -> None:
    """Wait until the list of the cell holds just these titles, in this order."""
    expect(page.locator(".errors_list .title")).to_have_text(expected)


def matrix_button(page: Page, label: str) -> Locator:
    """A cell, a name or a total of the matrix, by what it says to a screen reader."""
    return page.locator(f'.errors_matrix button[aria-label*="{label}"]').last


@pytest.mark.browser
def test_a_cell_lists_exactly_its_videos(page: Page, serve: Serve, made_collection: Path) -> None:
    """A click on a cell lists that cell's videos and no other; one of them plays, and so does a neighbour of it."""
    evaluation = judged(made_collection)
    predictions, categories = evaluation.predictions, categories_of(evaluation)
    table = confusion_table(predictions, categories)
    wrong = table[(table["category"] != table["predicted"]) & (table["n"] > 0)]
    chosen = [(categories[0], categories[0]), *zip(wrong["category"], wrong["predicted"], strict=True)][:3]
    opened(page, f"{serve(made_collection)}/errors")
    for category, predicted in chosen:
        button = matrix_button(page, f"labelled {category}, predicted as {predicted}:")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        lists(page, titles_of(made_collection, list(cell(predictions, category, predicted)["id"])))
    settled(page)
    last = cell(predictions, *chosen[-1])["id"].iloc[-1]
    (title,) = titles_of(made_collection, [last])
    page.get_by_role("button", name=f"Open {title}", exact=True).click()
    expect(page.locator(".st-key-strong-evidence")).to_have_text(title)
    expect(page).to_have_url(re.compile(f"video={last}"))
    loads(page.locator(SOUND))
    near = page.locator('[class*="st-key-card-near-"]')
    expect(near).to_have_count(4)
    near.first.locator("button").last.click()
    expect(page.locator(".st-key-panel-evidence audio")).to_have_count(2)
    loads(page.locator(".st-key-panel-evidence audio").last)


@pytest.mark.browser
@pytest.mark.parametrize("below", ["", "sounds/ours"])
def test_a_list_has_pictures_and_says_which_video_is_open(
    page: Page, serve: Callable[[Path, str], str], made_collection: Path, below: str
) -> None:
    """Each video of a cell has its kept picture, below any path; the open one is marked and keeps the focus."""
    opened(page, f"{serve(made_collection, below)}/errors?label=food&predicted=food")
    videos = page.locator(".errors_list button")
    expect(videos.nth(1)).to_be_visible()
    drawn_sizes = "es => Promise.all(es.map(e => e.decode().then(() => e.naturalWidth)))"
    widths = page.locator(".errors_list img").evaluate_all(drawn_sizes)
    assert len(widths) == videos.count() > 1
    assert min(widths) > 0
    expect(videos.nth(0)).to_have_attribute("aria-current", "true")
    expect(videos.nth(0)).to_have_attribute("aria-description", re.compile(r"^Channel \d+, \d\.\d\d$"))
    videos.nth(1).focus()
    page.keyboard.press("Enter")
    expect(videos.nth(1)).to_have_attribute("aria-current", "true")
    expect(page.locator('.errors_list [aria-current="true"]')).to_have_count(1)
    settled(page)
    expect(videos.nth(1)).to_be_focused()
    expect(page.locator(".st-key-strong-evidence")).to_have_text(videos.nth(1).locator(".title").inner_text())


@pytest.mark.browser
@pytest.mark.parametrize(("said", "sides"), [("labelled food", ("food", "")), ("predicted as travel", ("", "travel"))])
def test_a_marginal_lists_its_videos(
    page: Page, serve: Serve, made_collection: Path, said: str, sides: tuple[str, str]
) -> None:
    """The name and the total of a row or a column list all its videos, the surest first, whatever the other side is."""
    evaluation = judged(made_collection)
    table = ranked(evaluation, behind(evaluation.predictions, *sides), Rank.CONFIDENCE)
    opened(page, f"{serve(made_collection)}/errors?label=history&predicted=history")
    both = page.locator(f'.errors_matrix button[aria-label^="All "][aria-label$="{said}"]')
    expect(both).to_have_count(2)
    both.first.click()
    lists(page, titles_of(made_collection, list(table["id"])))
    expect(both.last).to_have_attribute("aria-pressed", "true")


@pytest.mark.browser
def test_a_copied_address_restores_the_picture(
    page: Page, chromium: Browser, serve: Serve, made_collection: Path
) -> None:
    """Cell, ranking, what cells show and the video are the same in a browser that was never here before."""
    evaluation = judged(made_collection)
    with open_collection(made_collection) as collection:
        known = background(collection.store, FINGERPRINT, evaluation)
    table = ranked(evaluation, behind(evaluation.predictions, predicted="food"), Rank.NEARNESS, known)
    expected = titles_of(made_collection, list(table["id"]))
    opened(page, f"{serve(made_collection)}/errors")
    page.get_by_text("Share of prediction", exact=True).click()
    expect(page).to_have_url(re.compile("cells="))
    settled(page)
    page.locator('.errors_matrix button[aria-label$="predicted as food"]').first.click()
    expect(page).to_have_url(re.compile("predicted=food"))
    settled(page)
    page.get_by_role("combobox", name="Ranked by").click()
    page.get_by_role("option", name="nearness", exact=True).click()
    lists(page, expected)
    page.get_by_role("button", name=f"Open {expected[2]}", exact=True).click()
    expect(page.locator(".st-key-strong-evidence")).to_have_text(expected[2])
    settled(page)
    shown = page.locator(".errors_matrix table").inner_text()
    fresh = chromium.new_context(viewport={"width": 1440, "height": 900})
    other = fresh.new_page()
    opened(other, page.url)
    lists(other, expected)
    expect(other.locator(".st-key-strong-evidence")).to_have_text(expected[2])
    assert other.locator(".errors_matrix table").inner_text() == shown
    fresh.close()


@pytest.mark.browser
def test_arrows_move_between_cells(page: Page, serve: Serve, made_collection: Path) -> None:
    """The matrix is one stop of the tabulator: arrows move in it, and Enter opens the cell."""
    opened(page, f"{serve(made_collection)}/errors?label=food&predicted=food")
    matrix_button(page, "labelled food, predicted as food:").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("label=history&predicted=history"))
    settled(page)
    expect(matrix_button(page, "labelled history, predicted as history:")).to_be_focused()


@pytest.mark.browser
def test_shares_are_drawn_on_a_fixed_scale(page: Page, serve: Serve, made_collection: Path) -> None:
    """The bar of a category is as long as its probability, in each video; the vote of the neighbours stands beside."""
    predictions = judged(made_collection).predictions.set_index("id")
    for video_id in ("v000", "v001"):
        opened(page, errors_of(made_collection, serve(made_collection), video_id))
        expect(page.locator(".errors_shares h4")).to_have_text(["Whole video", "Neighbours' vote"])
        drawn_as = (
            page.locator(".errors_shares section")
            .first.locator("li")
            .evaluate_all(
                """es => es.map(e => { const wide = css => e.querySelector(css).clientWidth;
                return [e.querySelector('.name').textContent, wide('.fill') / wide('.track')]; })"""
            )
        )
        assert len(drawn_as) == 4
        for category, length in drawn_as:
            assert length == pytest.approx(predictions.loc[video_id, category], abs=0.02)


OFTEN = (".errors_list button", ".timeline .fragment")
CLICK_LAST = """css => [...document.querySelectorAll("*")]
    .flatMap(one => [...(one.shadowRoot?.querySelectorAll(css) ?? [])]).at(-1)?.click()"""


@pytest.mark.browser
@pytest.mark.slow
def test_two_hundred_rapid_clicks(page: Page, serve: Serve, made_collection: Path) -> None:
    """Two hundred clicks on cells, names, videos and fragments, none waiting for the one before, leave a whole page."""
    opened(page, f"{serve(made_collection)}/errors")
    for number in range(40):
        page.locator(".errors_matrix .cell").nth(number * 7 % 20).click()
        page.locator(".errors_matrix .name").nth(number % 8).click()
        page.locator(".errors_matrix .cell.right").nth(number % 4).click(no_wait_after=True)
        for css in OFTEN:  # whatever of it is there at this moment: an earlier click may be taking it away
            page.evaluate(CLICK_LAST, css)
    settled(page)
    expect(page.locator(".timeline .fragment")).to_have_count(6)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_two_evaluations_can_be_compared(view: View, tmp_path: Path) -> None:
    """With an earlier evaluation cells can show what moved; with one alone that is not offered."""
    folder = evaluated(make_collection(tmp_path, Wanted(videos=24, channels=8, media=False)))
    options = [one.options for one in drawn(view(folder, "errors")).get("button_group")]
    assert not any("Against the run before" in names for names in options)
    evaluated(folder)
    test = view(folder, "errors")
    (what,) = [one for one in test.get("button_group") if "Counts" in one.options]
    test = drawn(what.set_value("Against the run before").run())
    assert "videos more or fewer than in the run before" in texts(test)


def test_an_older_evaluation_has_an_address(view: View, tmp_path: Path) -> None:
    """The run in the address is shown, though there is a newer one; an unknown one is the newest."""
    folder = evaluated(evaluated(make_collection(tmp_path, Wanted(videos=24, channels=8, media=False))))
    with open_collection(folder) as collection:
        old, new = [run.id for run in collection.store.runs()]
    test = view(folder, "errors")
    assert new in texts(drawn(test))
    test.query_params["run"] = old
    test = drawn(test.run())
    assert old in texts(test)
    assert "This address is of an earlier evaluation." in texts(test)
    button(test, "Show the newest").click().run()
    assert test.query_params["run"] == new
    assert "This address is of an earlier evaluation." not in texts(test)
    test.query_params["run"] = "<b>none</b>"
    assert new in texts(drawn(test.run()))


def test_of_many_categories_the_most_confused_are_drawn(view: View, tmp_path: Path) -> None:
    """Of thirty categories the matrix holds those with most errors, and says so."""
    names = tuple(f"category {n:02d}" for n in range(30))
    evaluated(make_collection(tmp_path, Wanted(categories=names, videos=120, channels=60, media=False)))
    test = drawn(view(tmp_path, "errors"))
    assert f"the {MOST_CATEGORIES} of 30 categories with most errors" in texts(test)


def test_two_videos_stand_side_by_side(view: View, made_collection: Path) -> None:
    """A neighbour or any id puts a second video into the address, both are drawn, and Close ends it."""
    test = drawn(view(made_collection, "errors"))
    test.text_input("beside-id").set_value(" v010 ").run()
    assert test.query_params["beside"] == "v010"
    assert len(strips(test)) == 3
    assert [one["player"] for one in strips(test)][:2] == ["beside-sound-0", "beside-sound-1"]
    drawn(button(test, "Close").click().run())
    assert len(strips(test)) == 1
    first = test.selectbox("beside-title").options[0]
    drawn(test.selectbox("beside-title").set_value(first).run())
    assert first.endswith(f" ({test.query_params['beside']})")
    assert first.removesuffix(f" ({test.query_params['beside']})") in texts(test)
    drawn(button(test, "Close").click().run())
    test.text_input("beside-id").set_value("v010").run()
    drawn(button(test, "Close").click().run())
    assert (test.selectbox("beside-title").value, test.text_input("beside-id").value) == (None, "")
    drawn(test.text_input("beside-id").set_value("v010").run())
    assert test.query_params["beside"] == "v010"
    test.query_params["beside"] = "<b>nobody</b>"
    assert "The video <b>nobody</b> to look at side by side is not there. Choose another." in texts(drawn(test.run()))


def test_of_videos_with_one_title_the_chosen_one_is_opened(view: View, tmp_path: Path) -> None:
    """Where all titles are the same, each video of the list is still the one that stands side by side."""
    folder = make_collection(tmp_path, Wanted(videos=24, channels=8, media=False))
    with open_collection(folder) as opened:
        rows = [
            Row("list.csv", n, one.id, one.source, "Soup", "", one.channel, label=one.category)
            for n, one in enumerate(opened.store.videos(), 1)
        ]
        opened.store.add_rows("list.csv", rows, [])
    test = drawn(view(evaluated(folder), "errors"))
    for option in test.selectbox("beside-title").options[:2]:
        drawn(test.selectbox("beside-title").set_value(option).run())
        assert option == f"Soup ({test.query_params['beside']})"
        drawn(button(test, "Close").click().run())


def strips(test: AppTest) -> list[dict[str, Any]]:
    """What the strips of a page were given."""
    return [json.loads(one) for one in given(test) if '"frames"' in one]
