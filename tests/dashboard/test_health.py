"""Overview tells how the store is, checks all of it in the background, and says what to do next."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from dashboard import children
from dashboard.background import How
from dashboard.health_panel import grouped, index_words, progress
from dashboard.next_step import LOOK, Standing, step
from store.backup import back_up
from store.indexing import IndexFacts
from store.places import What
from tests.dashboard.conftest import View
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_journeys import opened
from tests.dashboard.test_views import button, drawn, texts

Serve = Callable[[Path], str]


def checked(test: AppTest) -> AppTest:
    """Click the check and wait until its process has ended; the page then."""
    next(one for one in test.button if one.label.startswith("Check ")).click().run()
    deadline = time.monotonic() + 120
    while children.background("check").how is How.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return drawn(test.run())


def test_a_sound_collection_is_said_to_be(view: View, tmp_path: Path) -> None:
    """Nothing is missing, no backup is known of, and after the full check all is sound; a backup is then named."""
    folder = make_collection(tmp_path / "c", Wanted(videos=6, channels=3))
    test = drawn(view(folder, "overview"))
    assert "sound and pictures: 12 files, all there" in texts(test)
    assert "last backup: none is known of. Make one by:" in texts(test)
    assert any("quartzlens backup OTHER-FOLDER" in code.value for code in test.code)
    assert "All is sound: nothing is missing, damaged or left over." in texts(checked(test))
    back_up(folder, tmp_path / "kept")
    assert f"UTC, in {tmp_path / 'kept'}" in texts(drawn(view(folder, "overview")))


def test_what_is_wrong_is_said_with_what_to_do(view: View, tmp_path: Path) -> None:
    """A file of sound that is gone is counted at once; the check names it, with what to do, and its repair."""
    folder = make_collection(tmp_path, Wanted(videos=6, channels=3))
    (folder / "media" / "v001.ogg").unlink()
    (folder / "media" / "stray.m4a").write_bytes(b"x")
    test = drawn(view(folder, "overview"))
    assert "sound and pictures: 1 of 12 files are missing" in texts(test)
    shown = texts(checked(test))
    assert "1 thing wrong; 1 other finding." in shown
    assert "wrong · media/v001.ogg: missing or empty, of video v001" in shown
    assert "fetches it anew" in shown
    assert "to tidy · media/stray.m4a: of no video" in shown
    assert any("check --repair" in code.value for code in test.code)
    button(test, "Check again")


def test_a_check_that_ends_early_says_why(view: View, tmp_path: Path) -> None:
    """A check that cannot look is told as a sentence, and can be tried again."""
    folder = make_collection(tmp_path, Wanted(videos=2, channels=2, media=False))
    test = drawn(view(folder, "overview"))
    children.background("check").start("check", "-c", str(tmp_path / "nowhere"), "--progress", "json")
    deadline = time.monotonic() + 120
    while children.background("check").how is How.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "There is no collection in" in test.run().error[0].value
    button(test, "Check everything")


def test_progress_and_groups_of_a_check() -> None:
    """Steps come in their order; findings that ask for the same are together, what is wrong first."""
    assert progress([])[0] == 0.0
    assert progress([{"doing": "search by demo"}])[0] > progress([{"doing": "media: 2 of 9"}])[0]
    found = [
        {"severity": severity, "advice": advice} for severity, advice in [("note", "a"), ("wrong", "b"), ("wrong", "b")]
    ]
    assert [len(group) for group in grouped(found)] == [2, 1]


def test_indexes_say_what_they_find() -> None:
    """A graph says how much of the nearest it finds; where there is no index the search is exact."""
    graph = IndexFacts(What.VIDEOS, "hnsw", 10**6, 10**9, 0.968, False, 0)
    assert index_words([graph]) == {"search for videos": "finds 97 % of the nearest (hnsw)"}
    assert index_words([]) == {"search": "exact, without an index"}


DONE = Standing(110, 110, True, 0, 0, 0)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (replace(DONE, embedded=0), "No video is embedded yet"),
        (replace(DONE, labelled=0, judged=False), "No video has a label yet"),
        (replace(DONE, judged=False, doubts=3), "Nothing has learned from the labels yet."),
        (replace(DONE, new_labels=1, damaged=2), "1 label change since the last evaluation."),
        (replace(DONE, damaged=2, doubts=3), "2 videos lost by a damaged id"),
        (replace(DONE, doubts=3), "3 videos taken for another category"),
        (DONE, "All is labelled and judged"),
    ],
)
def test_the_next_step_is_the_first_that_is_due(at: Standing, expected: str) -> None:
    """What has to come first is said first, and leads to a view or gives a command, or is on the page."""
    found = step(at)
    assert found.sentence.startswith(expected)
    assert bool(found.view) or bool(found.command) or not at.embedded


def test_the_next_step_of_a_collection(view: View, made_collection: Path) -> None:
    """Of a judged collection the videos taken for another category are counted, and the link leads to Errors."""
    test = drawn(view(made_collection, "overview"))
    (said,) = [line for line in texts(test).splitlines() if line.startswith("Next: ")]
    assert "taken for another category" in said
    (link,) = [one for one in test.get("page_link") if one.proto.label == LOOK]
    assert link.proto.page == "errors"


def test_many_categories_say_what_is_grey(view: View, tmp_path: Path) -> None:
    """Of more than twenty categories Overview says how many are grey; charts have a table beside them."""
    names = tuple(f"category {n:02d}" for n in range(23))
    make_collection(tmp_path, Wanted(categories=names, videos=46, channels=23, media=False))
    test = drawn(view(tmp_path, "overview"))
    assert "Grey in every view: the 3 beyond the twenty most frequent." in texts(test)
    assert "Videos of each category" in texts(test)
    assert "Kept of each category" in texts(test)


@pytest.mark.browser
def test_a_check_in_the_browser(page: Page, serve: Serve, made_collection: Path) -> None:
    """A person who checks sees what was found, also after a reload; the next step is a link away."""
    opened(page, serve(made_collection))
    page.get_by_role("button", name="Check everything").click()
    expect(page.get_by_role("button", name="Check again")).to_be_visible()
    page.reload()
    expect(page.get_by_text("All is sound: nothing is missing, damaged or left over.")).to_be_visible()
    page.locator(".st-key-notice-next").get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("Errors")
