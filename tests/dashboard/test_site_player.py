"""Videos whose sound is not kept: their site's player, on demand, and nothing that a stranger's link could start."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from streamlit.testing.v1 import AppTest

from dashboard.site_player import NOT_KEPT, embedded_player, is_page
from quartzlens.records import Row
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_journeys import opened, settled
from tests.dashboard.test_views import drawn, texts

YOUTUBE = "https://www.youtube.com/watch?v=-wtIMTCHWuI"


def of_source(view: View, folder: Path, source: str) -> AppTest:
    """The view Similar of a video that came from a source and has no kept sound."""
    make_collection(folder, Wanted(videos=12, channels=6, media=False))
    with open_collection(folder) as collection:
        rows = [Row("list.csv", n, video.id, video.source) for n, video in enumerate(collection.store.videos(), 1)]
        collection.store.add_rows("list.csv", [replace(rows[0], source=source), *rows[1:]], [])
    test = view(folder, "similar")
    test.query_params["video"] = "v000"
    return drawn(test.run())


def frames(test: AppTest) -> list[str]:
    """Addresses of all frames of the page."""
    return [frame.proto.src for frame in test.get("iframe")]


def test_youtubes_player_is_loaded_when_it_is_asked_for(view: View, tmp_path: Path) -> None:
    """Before a person asks, nothing of YouTube's is in the page; then its player without cookies is."""
    test = of_source(view, tmp_path, YOUTUBE)
    assert frames(test) == []
    drawn(test.toggle[0].set_value(True).run())
    assert frames(test) == ["https://www.youtube-nocookie.com/embed/-wtIMTCHWuI?start=0&autoplay=1"]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("https://example.org/a.mp4", ["https://example.org/a.mp4"]),
        ("javascript:alert(1)", []),
        ("https://[broken", []),
        ("/videos/gone.mp4", []),
    ],
)
def test_another_sites_page_can_be_opened(view: View, tmp_path: Path, source: str, shown: list[str]) -> None:
    """A web address is a link, anything else only the words that no sound was kept; neither is a frame."""
    test = of_source(view, tmp_path, source)
    assert NOT_KEPT in texts(test)
    assert [link.proto.url for link in test.get("link_button")] == shown
    assert frames(test) == []


@pytest.mark.parametrize(
    "source",
    [
        "https://www.youtube.com/watch?v=JLZlCZ0",
        'https://www.youtube.com/watch?v=abc"onload="x',
        YOUTUBE + "\n",
        "/a.mp4",
    ],
)
def test_only_a_whole_id_becomes_a_players_address(source: str) -> None:
    """A damaged id or more than an id is no address of a player."""
    assert embedded_player(source, 3.0) is None


def test_a_page_has_a_host() -> None:
    """An address without a host leads nowhere."""
    assert not is_page("https://")
    assert is_page("http://example.org")


@pytest.mark.browser
def test_another_sites_page_knows_nothing_of_this_one(
    chromium: Browser, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    """The page that a link opens cannot reach the dashboard, nor is it told which page led to it."""
    make_collection(tmp_path, Wanted(videos=12, channels=6, media=False))
    with open_collection(tmp_path) as collection:
        collection.store.add_rows("list.csv", [Row("list.csv", 1, "v000", "https://elsewhere.example/a")], [])
    context = chromium.new_context()
    context.route("https://elsewhere.example/**", lambda route: route.fulfill(body="<h1>Elsewhere</h1>"))
    page = context.new_page()
    opened(page, f"{serve(tmp_path)}/similar?video=v000")
    with context.expect_page() as popup:
        page.get_by_role("link", name="Open at elsewhere.example").click()
    popup.value.wait_for_load_state()
    assert popup.value.evaluate("[window.opener, document.referrer]") == [None, ""]
    context.close()


def of_youtube(folder: Path, *, media: bool) -> Path:
    """An evaluated collection of YouTube's videos whose sound is kept (``media``) or not."""
    make_collection(folder, Wanted(videos=24, channels=8, media=media))
    with open_collection(folder) as collection:
        found = [video for video in collection.store.videos() if video.outcome == "ok"]
        rows = [Row("list.csv", n, one.id, YOUTUBE, label=one.category) for n, one in enumerate(found, 1)]
        collection.store.add_rows("list.csv", rows, [])
    return evaluated(folder)


@pytest.fixture
def from_youtube(tmp_path: Path) -> Path:
    """Videos of YouTube's whose sound is not kept."""
    return of_youtube(tmp_path, media=False)


def test_a_video_has_its_sites_player_at_several_places(view: View, from_youtube: Path) -> None:
    """Side by side, the open video has two players of its site, which are switched on by themselves."""
    test = drawn(view(from_youtube, "errors"))
    test.query_params["beside"] = "v010"
    switches = [one for one in drawn(test.run()).toggle if one.label == "Play from YouTube"]
    assert len(switches) == 3
    drawn(switches[0].set_value(True).run())
    assert len(frames(test)) == 1


@pytest.mark.browser
def test_a_stretch_of_either_side_plays_at_its_site(
    chromium: Browser, serve: Callable[[Path], str], from_youtube: Path
) -> None:
    """Side by side, a click on either strip starts the site's player there at its second, and ends the other."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.route("https://*/**", lambda route: route.fulfill(body="a player"))
    opened(page, f"{serve(from_youtube)}/errors?beside=v010")
    strips = page.locator(".st-key-panel-beside .timeline")
    expect(strips).to_have_count(2)
    expect(page.locator("iframe[src*=youtube]")).to_have_count(0)
    for side, fragment in ((0, 2), (1, 4), (1, 5)):
        strips.nth(side).locator(".fragment").nth(fragment).click()
        started = page.locator(f".st-key-beside-sound-{side} iframe")
        expect(started).to_have_attribute("src", re.compile(rf"start={5 * fragment}&autoplay=1"))
        expect(page.locator("iframe[src*=youtube]")).to_have_count(1)
        settled(page)
    context.close()


def test_kept_sound_can_be_watched_at_its_site(view: View, tmp_path: Path) -> None:
    """Where the sound is kept, a switch puts YouTube's player at the same second in its place, and takes it back."""
    test = view(of_youtube(tmp_path, media=True), "similar")
    test.query_params["video"], test.query_params["at"] = "v000", "15"
    drawn(test.run())
    assert (frames(test), len(test.get("audio"))) == ([], 1)
    switch = next(one for one in test.toggle if one.label == "Play from YouTube")
    drawn(switch.set_value(True).run())
    assert frames(test) == ["https://www.youtube-nocookie.com/embed/-wtIMTCHWuI?start=15&autoplay=1"]
    assert len(test.get("audio")) == 0
    drawn(next(one for one in test.toggle if one.label == "Play from YouTube").set_value(False).run())
    assert (frames(test), len(test.get("audio"))) == ([], 1)


@pytest.mark.browser
def test_a_stretch_plays_where_one_watches(chromium: Browser, serve: Callable[[Path], str], tmp_path: Path) -> None:
    """A click on a stretch of the card plays kept sound; after the switch YouTube's player from that second."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.route("https://*/**", lambda route: route.fulfill(body="a player"))
    opened(page, f"{serve(of_youtube(tmp_path, media=True))}/errors")
    card = page.locator(".st-key-panel-evidence")
    card.locator(".timeline .fragment").nth(1).click()
    expect(page.locator("iframe[src*=youtube]")).to_have_count(0)
    page.wait_for_function("document.querySelector('.st-key-panel-evidence audio')?.currentTime >= 5")
    card.get_by_text("Play from YouTube").first.click()
    expect(page.locator("iframe[src*=youtube]")).to_have_count(1)
    expect(card.locator("audio")).to_have_count(0)
    card.locator(".timeline .fragment").nth(3).click()
    expect(page.locator("iframe[src*=youtube]")).to_have_attribute("src", re.compile("start=15&autoplay=1"))
    context.close()
