"""Strangers' words in every field of a video's card: shown as they are, never as HTML or Markdown, never too wide."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from quartzlens.records import Row
from store.collection import open_collection
from tests.dashboard.conftest import evaluated
from tests.dashboard.made_up import BLOCK, HOSTILE, Wanted, embed_again, make_collection
from tests.dashboard.test_journeys import opened
from tests.dashboard.test_timeline import errors_of

Serve = Callable[[Path], str]
LONG = "endless" * 400
WORDS = (*HOSTILE, LONG)
CREATED = 'img[src="x"], [onclick], [onerror], a[href^="javascript"], script, strong, b, i, em, .katex, h1 ~ h1'


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Titles, channels, descriptions, sources, extra columns, categories and words heard that want to be more."""
    categories = ("<b onclick=alert(3)>food</b>", "**travel** :red[x] $y$", f"history {LONG[:120]}")
    wanted = Wanted(categories=categories, videos=24, channels=6, media=False, hostile=True)
    folder = make_collection(tmp_path_factory.mktemp("strange") / "strange", wanted)
    with open_collection(folder) as collection:
        known = [video for video in collection.store.videos() if video.id.startswith("v")]
        rows = [
            Row(
                "list.csv",
                n + 1,
                video.id,
                f"https://example.org/{n}?q=<script>alert(4)</script>",
                title=WORDS[n % len(WORDS)],
                description="\n".join(WORDS),
                channel=WORDS[n % 6 % len(WORDS)] + str(n % 6),
                label=video.category,
                extra={HOSTILE[0]: HOSTILE[3], "long": LONG},
            )
            for n, video in enumerate(known)
        ]
        collection.store.add_rows("list.csv", rows, [])
    embed_again(folder, heard=" ".join(WORDS))
    return evaluated(folder, BLOCK)


@pytest.mark.browser
@pytest.mark.parametrize("n", range(len(WORDS)))
def test_strangers_words_stay_text_on_the_card(page: Page, serve: Serve, strange: Path, n: int) -> None:
    """Nothing that a stranger wrote becomes an element, a dialog or a request, and the page fits its window."""
    opened(page, errors_of(strange, serve(strange), f"v{n:03d}"))
    expect(page.locator(".st-key-strong-evidence")).to_have_text(WORDS[n].replace("\n", " "), use_inner_text=False)
    page.get_by_text("About this video").click()
    expect(page.locator(".st-key-muted-description")).to_contain_text("<script>alert(2)</script>")
    page.locator(".timeline .fragment").first.click()
    expect(page.locator(".timeline .heard")).to_contain_text("words heard, unsure: “<img src=x onerror=alert(1)>")
    page.locator(".timeline summary").click()
    created = page.locator(".st-key-errors-grid").locator(CREATED)
    expect(created).to_have_count(0)
    for width in (1280, 1024):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_function(
            "document.querySelector('.stMain').scrollWidth <= document.querySelector('.stMain').clientWidth"
        )
