"""What people do in the dashboard, in a real browser against a real server."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

import quartzlens
from analysis.evaluation import cell, latest_evaluation
from store.collection import open_collection
from tests.dashboard.made_up import HOSTILE, Wanted, make_collection

pytestmark = pytest.mark.browser
Serve = Callable[[Path], str]


def opened(page: Page, address: str) -> None:
    """Open a view and wait until it has drawn itself."""
    page.goto(address)
    expect(page.locator("h1")).to_be_visible()
    settled(page)


def settled(page: Page) -> None:
    """Wait until the server has nothing more to say."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def titles(page: Page, prefix: str, expected: list[str], *, in_order: bool = True) -> None:
    """Wait until a list holds just these titles."""
    css = f'[class*="st-key-words-{prefix}"] > div:first-child [data-testid="stText"]'
    expect(page.locator(css)).to_have_count(len(expected))
    if in_order:
        expect(page.locator(css)).to_have_text(expected)
        return
    page.wait_for_function(
        "([css, wanted]) => [...document.querySelectorAll(css)].map(e => e.innerText).sort().join('|') === wanted",
        arg=[css, "|".join(sorted(expected))],
    )


def loads(audio: Locator) -> None:
    """Wait until an audio element has data and a length."""
    expect(audio).to_be_visible()
    audio.evaluate(
        """async e => { e.preload = 'auto'; e.muted = true;
            while (!(e.readyState >= 2 && e.duration > 0)) {
                if (e.error) throw new Error(e.error.message);
                await new Promise(done => setTimeout(done, 50)); } }"""
    )


def test_training_shows_metrics(page: Page, serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A person who evaluates in the Classifier view sees a loss curve and the figures of the stored evaluation."""
    folder = make_collection(tmp_path_factory.mktemp("train") / "train-collection", Wanted(videos=48, media=False))
    opened(page, f"{serve(folder)}/classifier")
    expect(page.get_by_text("There is no evaluation yet")).to_be_visible()
    page.get_by_role("button", name="Evaluate", exact=True).click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.reload()  # the work belongs to the server: who comes back finds it again
    expect(page.locator('[class*="st-key-figure-accuracy"]')).to_be_visible()
    settled(page)
    with open_collection(folder) as collection:
        assert [run.kind for run in collection.store.runs()] == ["evaluate"]
        found = latest_evaluation(collection.store)
    assert found is not None
    value = found[1].metrics["accuracy"]["value"]
    expect(page.locator('[class*="st-key-figure-accuracy"]')).to_contain_text(f"{value:.3f}")
    expect(
        page.locator('[class*="st-key-panel-loss"] [data-testid="stVegaLiteChart"] svg .mark-line path').first
    ).to_be_visible()


def test_the_address_restores_the_picture(page: Page, serve: Serve, made_collection: Path) -> None:
    """A copied address opens the same cell and the same video."""
    with open_collection(made_collection) as collection:
        found = latest_evaluation(collection.store)
        names = {video.id: video.title for video in collection.store.videos()}
    assert found is not None
    predictions = found[1].predictions
    behind = cell(predictions, "food", "food")["id"]
    opened(page, f"{serve(made_collection)}/errors?label=food&predicted=food&video={behind.iloc[2]}")
    expect(page.locator('[class*="st-key-strong-evidence"]')).to_have_text(names[behind.iloc[2]])
    expect(page.get_by_role("button", name="Next")).to_be_enabled()
    settled(page)
    page.keyboard.press("ArrowRight")
    expect(page.locator('[class*="st-key-strong-evidence"]')).to_have_text(names[behind.iloc[3]])
    settled(page)
    page.keyboard.press("ArrowLeft")
    expect(page.locator('[class*="st-key-strong-evidence"]')).to_have_text(names[behind.iloc[2]])


def test_filters_and_moments_of_similar(page: Page, serve: Serve, made_collection: Path) -> None:
    """A chosen category leaves just its fragments; one plays from its second, is searched with, has an address."""
    opened(page, f"{serve(made_collection)}/similar?video=v000&find=Fragments")
    page.get_by_role("combobox", name="Label", exact=False).click()
    page.get_by_role("option", name="travel", exact=True).click()
    page.wait_for_url(re.compile("category=travel"))
    settled(page)
    table = quartzlens.open(made_collection).similar("v000", 10, "category=travel", fragments=True)
    titles(page, "similar-", list(table["title"]))
    first = table.iloc[0]
    page.locator('[class*="st-key-open-similar-"] button').first.click()
    loads(page.locator('[class*="st-key-panel-results"] audio'))
    page.wait_for_function(
        """start => { const audio = document.querySelector('[class*="st-key-panel-results"] audio');
            return !audio.paused && audio.currentTime >= start && audio.currentTime < start + 5; }""",
        arg=first["start_seconds"],
    )
    page.get_by_role("button", name="Search with this moment").click()
    page.wait_for_url(re.compile(f"video={first['id']}&at={first['start_seconds']:g}$"))
    settled(page)
    near = quartzlens.open(made_collection).similar(
        first["id"], 10, "category=travel", at_seconds=first["start_seconds"], fragments=True
    )
    expected = list(near["title"])
    titles(page, "similar-", expected)
    opened(page, page.url)
    titles(page, "similar-", expected)
    expect(page.locator('[class*="st-key-words-asked"]')).to_contain_text(first["title"])


@pytest.mark.slow
def test_an_uploaded_file_finds_its_video(page: Page, serve: Serve, demo_collection: Path) -> None:
    """The media of a video, uploaded to Similar, finds the video it came from first; what is no media says so."""
    with open_collection(demo_collection) as collection:
        video = next(v for v in reversed(collection.store.videos()) if v.media and v.media.media_file)
        assert video.media is not None
        kept = collection.media_folder / str(video.media.media_file)
    opened(page, f"{serve(demo_collection)}/similar")
    page.get_by_text("Upload a file").click()
    page.set_input_files('input[type="file"]', kept)
    first = page.locator('[class*="st-key-words-similar-"] > div:first-child [data-testid="stText"]').first
    expect(page.get_by_text("Searched with:")).to_be_visible(timeout=300_000)
    settled(page)
    expect(first).to_have_text(video.title)
    page.set_input_files(
        'input[type="file"]', {"name": "a.mp3", "mimeType": "audio/mpeg", "buffer": b"no audio at all"}
    )
    expect(page.get_by_text("cannot be searched with")).to_be_visible()


@pytest.mark.parametrize("view", ["", "map", "classifier", "errors", "similar", "labels", "labels?queue=History"])
def test_hostile_titles_stay_text(page: Page, serve: Serve, hostile_collection: Path, view: str) -> None:
    """Titles, channels and categories that pose as HTML or Markdown are shown as they are written, in every view."""
    address = serve(hostile_collection)
    opened(page, f"{address}/{view}")
    if view == "errors":
        _open_cell_with(page, address, hostile_collection)
    if view == "map":
        page.goto(f"{address}/map?video=v000")
        expect(page.locator('[class*="st-key-words-map-"]')).to_be_visible()
    if view in ("errors", "map", "similar"):
        expect(page.get_by_text(HOSTILE[0], exact=True).first).to_be_visible()
    settled(page)
    tags = 'img[src="x"], [onclick], [onerror], a[href^="javascript"], script, strong, b, i, em, .katex'
    created = page.locator('[data-testid="stApp"]').locator(tags).evaluate_all("es => es.map(e => e.outerHTML)")
    assert created == []


def _open_cell_with(page: Page, address: str, folder: Path) -> None:
    """Open the cell that holds the first hostile video."""
    with open_collection(folder) as collection:
        found = latest_evaluation(collection.store)
    assert found is not None
    row = found[1].predictions.set_index("id").loc["v000"]
    page.goto(
        f"{address}/errors?{urlencode({'label': row['category'], 'predicted': row['predicted'], 'video': 'v000'})}"
    )
    expect(page.locator('[class*="st-key-verdict-"]')).to_be_visible()
    settled(page)


def test_the_address_of_the_first_view(page: Page, serve: Serve, made_collection: Path) -> None:
    """/overview opens the Overview like the bare address, keeps what the address holds, and finds nothing missing."""
    opened(page, f"{serve(made_collection)}/overview?a=b")
    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    page.wait_for_url(re.compile(r"/(overview)?\?a=b$"))
    assert page.get_by_text("not found").count() == 0
