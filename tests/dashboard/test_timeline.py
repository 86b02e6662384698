"""The strip of a video's fragments: what it is given, and how it plays in a real browser."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect
from streamlit.testing.v1 import AppTest

from analysis.evaluation import Evaluation, latest_evaluation
from analysis.evidence_timeline import Timeline, timeline
from analysis.metrics import probability_names
from dashboard.style import GREY, on_both
from dashboard.timeline import MOST_CATEGORIES, OTHERS, strip
from quartzlens.records import Words
from store.collection import open_collection
from tests.dashboard.conftest import evaluated
from tests.dashboard.made_up import FINGERPRINT, HOSTILE, Wanted, make_collection
from tests.dashboard.test_journeys import loads, opened, settled

Serve = Callable[[Path], str]
SOUND = ".st-key-evidence-sound audio"


def found(k: int = 2, f: int = 3) -> Timeline:
    """A video of ``f`` fragments in ``k`` categories, of which the second misled in the second fragment."""
    names = [f"c{n:02d}" for n in range(k)]
    shares = np.random.default_rng(0).dirichlet(np.ones(k), f).astype(np.float32)
    seconds = np.arange(f) * 5.0
    columns = dict(zip(probability_names(names), shares.T, strict=True))
    table = pd.DataFrame({"id": "v", "start_seconds": seconds, "end_seconds": seconds + 5.0, **columns})
    return Timeline("v", "c00", "c01", dict.fromkeys(names, 1 / k), table, [(5.0, 10.0)], "", None)


def strip_of(test: AppTest) -> dict[str, Any]:
    """What the strip of a page was given."""
    (shown,) = [one.proto.json for one in test.get("bidi_component") if one.proto.component_name == "timeline"]
    given: dict[str, Any] = json.loads(shown)
    return given


def test_the_strip_holds_what_is_known_of_each_fragment() -> None:
    """Seconds, probabilities, words and whether it misled, fragment by fragment; colours are the shared ones."""
    words = [None, Words("", 0.0), Words("<b>the train</b>", 0.4)]
    shown = strip(found(), {"c00": "#D55E00"}, words, "hint", "player")
    assert shown["categories"] == [{"name": "c00", "colour": "#D55E00"}, {"name": "c01", "colour": on_both(GREY)}]
    fragments = shown["fragments"]
    assert [one["clock"] for one in fragments] == ["0:00 to 0:05", "0:05 to 0:10", "0:10 to 0:15"]
    assert [one["heard"] for one in fragments] == [None, "", "<b>the train</b>"]
    assert [one["misled"] for one in fragments] == [False, True, False]
    assert np.allclose([sum(one["shares"]) for one in fragments], 1.0)
    assert shown["frames"] == [[5.0, 10.0]]


def test_many_categories_are_grouped() -> None:
    """Of 200 categories the most probable keep a colour and a name; the rest is one, and nothing is lost."""
    shown = strip(found(k=200), {}, [None] * 3, "", "")
    assert len(shown["categories"]) == MOST_CATEGORIES
    assert shown["categories"][-1]["name"] == OTHERS
    assert np.allclose([sum(one["shares"]) for one in shown["fragments"]], 1.0, atol=1e-5)


def judged(folder: Path) -> Evaluation:
    """The evaluation of a collection."""
    with open_collection(folder) as collection:
        latest = latest_evaluation(collection.store)
    assert latest is not None
    return latest[1]


def errors_of(folder: Path, address: str, video_id: str) -> str:
    """Address of Errors with a video open."""
    row = judged(folder).predictions.set_index("id").loc[video_id]
    asked = {"label": row["category"], "predicted": row["predicted"], "video": video_id}
    return f"{address}/errors?{urlencode(asked)}"


def fragments(page: Page) -> Locator:
    """The fragments of the strip."""
    return page.locator(".st-key-panel-evidence .timeline .fragment")


def plays_within(page: Page, low: float, high: float) -> None:
    """Wait until the evidence's player plays between two seconds."""
    page.wait_for_function(
        """([css, low, high]) => { const audio = document.querySelector(css);
            return audio && !audio.paused && audio.currentTime >= low && audio.currentTime < high; }""",
        arg=[SOUND, low, high],
    )


@pytest.mark.browser
def test_a_fragment_plays_and_the_strip_follows(page: Page, serve: Serve, made_collection: Path) -> None:
    """A click plays from the fragment's first second; the cursor and the marked fragment follow the player."""
    opened(page, errors_of(made_collection, serve(made_collection), "v000"))
    loads(page.locator(SOUND))
    expect(fragments(page)).to_have_count(6)
    for click in (4, 4, 1):
        fragments(page).nth(click).click()
        plays_within(page, 5.0 * click, 5.0 * click + 5.0)
        expect(fragments(page).nth(click)).to_have_attribute("aria-current", "true")
    page.locator(SOUND).evaluate("audio => { audio.pause(); audio.currentTime = 22; }")
    expect(fragments(page).nth(4)).to_have_attribute("aria-current", "true")
    expect(page.locator(".timeline .heard")).to_contain_text("0:20 to 0:25")
    left = page.locator(".timeline .cursor").evaluate("e => parseFloat(e.style.left)")
    assert left == pytest.approx(100 * 22 / 30, abs=0.5)


@pytest.mark.browser
def test_sound_that_is_kept_from_a_later_second_plays_what_was_heard(page: Page, serve: Serve, tmp_path: Path) -> None:
    """Of videos heard from 0:20 on the file begins there; a fragment still has the video's seconds and its sound."""
    wanted = Wanted(videos=24, channels=8, start_seconds=20.0)
    folder = evaluated(make_collection(tmp_path, wanted), replace(FINGERPRINT, start_seconds=20.0))
    opened(page, errors_of(folder, serve(folder), "v000"))
    loads(page.locator(SOUND))
    fragments(page).nth(1).click()
    plays_within(page, 5.0, 10.0)
    expect(fragments(page).nth(1)).to_have_attribute("aria-current", "true")
    expect(page.locator(".timeline .heard")).to_contain_text("0:25 to 0:30")


@pytest.mark.browser
def test_one_sound_at_a_time(page: Page, serve: Serve, made_collection: Path) -> None:
    """A neighbour that is played silences the video, whose player stays where it was."""
    opened(page, errors_of(made_collection, serve(made_collection), "v000"))
    loads(page.locator(SOUND))
    fragments(page).nth(2).click()
    plays_within(page, 10.0, 15.0)
    page.locator('[class*="st-key-card-near-"] button').last.click()
    expect(page.locator(".st-key-panel-evidence audio")).to_have_count(2)
    page.wait_for_function(
        """() => { const all = [...document.querySelectorAll('audio')];
            return all.map(audio => audio.paused).join() === 'true,false' && all[0].currentTime >= 10; }"""
    )


@pytest.mark.browser
def test_the_strip_obeys_the_keyboard(page: Page, serve: Serve, made_collection: Path) -> None:
    """Arrows move by a fragment and open no other video, space plays and pauses, P does so from anywhere."""
    opened(page, errors_of(made_collection, serve(made_collection), "v000"))
    loads(page.locator(SOUND))
    title = page.locator(".st-key-strong-evidence").inner_text()
    fragments(page).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(fragments(page).nth(2)).to_be_focused()
    page.keyboard.press("Space")
    plays_within(page, 10.0, 15.0)
    page.keyboard.press("Space")
    page.wait_for_function("css => document.querySelector(css).paused", arg=SOUND)
    page.keyboard.press("End")
    expect(fragments(page).nth(5)).to_be_focused()
    fragments(page).nth(5).blur()
    page.keyboard.press("p")
    plays_within(page, 25.0, 30.0)
    settled(page)
    expect(page.locator(".st-key-strong-evidence")).to_have_text(title)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("view", "named"),
    [("errors?label=food&predicted=food", "evidence"), ("labels?queue=Working+set&set=v001&set=v002", "open")],
)
def test_arrows_seek_in_the_player_that_has_the_focus(
    page: Page, serve: Serve, made_collection: Path, view: str, named: str
) -> None:
    """Who is in the player seeks by the arrows and stays with the video; elsewhere they open the next one."""
    opened(page, f"{serve(made_collection)}/{view}")
    sound, title = page.locator("[class*=st-key-panel] audio").first, page.locator(f".st-key-strong-{named}")
    loads(sound)
    before = title.inner_text()
    sound.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.currentTime > 0")
    settled(page)
    assert title.inner_text() == before
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("ArrowRight")
    expect(title).not_to_have_text(before)


@pytest.mark.browser
def test_a_moment_is_searched_with(page: Page, serve: Serve, made_collection: Path) -> None:
    """The button beside the chosen fragment, the last, which no playing leaves, opens Similar with it."""
    opened(page, errors_of(made_collection, serve(made_collection), "v000"))
    loads(page.locator(SOUND))
    fragments(page).nth(5).click()
    expect(fragments(page).nth(5)).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Similar moments").click()
    expect(page.locator("h1")).to_have_text("Similar")
    expect(page).to_have_url(re.compile(r"/similar\?(.*&)?video=v000&at=25&find=Fragments$"))


@pytest.mark.browser
def test_the_strip_can_be_read(page: Page, serve: Serve, made_collection: Path) -> None:
    """Each fragment says its seconds and probabilities to a screen reader, and a table holds the same numbers."""
    opened(page, errors_of(made_collection, serve(made_collection), "v000"))
    evaluation = judged(made_collection)
    seen = timeline(evaluation, "v000")
    first = max(seen.probabilities, key=lambda name: seen.fragments[_column(evaluation, name)].iloc[2])
    said = f"0:10 to 0:15: {first} {seen.fragments[_column(evaluation, first)].iloc[2]:.2f}"
    assert (fragments(page).nth(2).get_attribute("aria-label") or "").startswith(said)
    page.locator(".timeline summary").click()
    rows = page.locator(".timeline table tr")
    expect(rows).to_have_count(7)
    expect(rows.nth(3)).to_contain_text("0:10 to 0:15")
    frames = page.locator(".timeline .frame")
    expect(frames).to_have_count(len(seen.misleading))
    expect(page.locator(".timeline .misled")).to_have_count(sum(round(b - a) for a, b in seen.misleading) // 5)


def _column(evaluation: Evaluation, category: str) -> str:
    names = [str(name) for name in evaluation.metrics["categories"]]  # type: ignore[union-attr]
    return dict(zip(names, probability_names(names), strict=True))[category]


@pytest.mark.browser
def test_a_strangers_categories_stay_text_in_the_strip(page: Page, serve: Serve, hostile_collection: Path) -> None:
    """Categories that pose as HTML are text in the strip's legend, labels and table."""
    opened(page, errors_of(hostile_collection, serve(hostile_collection), "v000"))
    expect(page.locator(".timeline .legend .name", has_text="<b onclick=alert(3)>food</b>")).to_be_visible()
    strange = page.locator(".timeline").locator("b, img, script, a, i, em, [onclick], [onerror]")
    expect(strange).to_have_count(0)
    assert HOSTILE[0] in page.locator(".st-key-strong-evidence").inner_text()
