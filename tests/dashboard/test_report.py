"""The report: one page that opens without a network, whatever strangers wrote, and whatever is missing."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from analysis.evaluation import Evaluation, evaluation_run, read_evaluation
from dashboard import children
from dashboard.background import How
from quartzlens.records import Row
from store.collection import ingest_lock, open_collection
from tests.cli.in_process import command
from tests.dashboard.conftest import WAIT_MS, View, evaluated
from tests.dashboard.made_up import FINGERPRINT, HOSTILE, Wanted, make_collection
from tests.dashboard.test_journeys import opened
from tests.dashboard.test_themes import PAPERS, THEMES

Serve = Callable[[Path], str]
LONG = "Wideword" * 1250
_FAINT = """paper => {
    const channels = text => (text.match(/[0-9.]+/g) || []).slice(0, 3).map(Number);
    const light = rgb => rgb.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return [...document.querySelectorAll('.chart text')]
        .map(e => [e.textContent, contrast(light(channels(getComputedStyle(e).fill)), light(paper))])
        .filter(([text, ratio]) => text && ratio < 4.5);
}"""


_LOADED = """found => Promise.all(found.map(async one => {
    if (!one.readyState) await new Promise(go => { one.onloadedmetadata = go; one.onerror = go; });
    return one.duration || 0;
}))"""
"""A page without scripts lets nothing be evaluated again and again: what it waits for is a promise."""
_PLAYED = """async one => {
    await one.play();
    await new Promise(go => one.ontimeupdate = () => one.currentTime > 0 && go());
    return one.currentTime;
}"""


def reported(folder: Path, out: Path, *more: str) -> Path:
    """The report of a collection's last evaluation, made by the command."""
    done = command("report", out, "-c", folder, *more)
    assert done.code == 0, done.err
    return out


@pytest.fixture(scope="session")
def page_of_made(made_collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of 72 videos with sound."""
    return reported(made_collection, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="session")
def page_of_demo(demo_collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the demo collection."""
    return reported(demo_collection, tmp_path_factory.mktemp("report") / "demo.html")


@pytest.fixture
def offline(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser without a network, in which no page may ask for anything but itself, nor open a dialog."""
    expect.set_options(timeout=WAIT_MS)
    context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 800})
    wrong: list[str] = []
    local = ("file:", "data:")
    context.on("request", lambda asked: None if asked.url.startswith(local) else wrong.append(asked.url))
    context.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    context.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    yield context
    context.close()
    assert wrong == []


def read(context: BrowserContext, path: Path) -> Page:
    """The page of a file."""
    page = context.new_page()
    page.goto(path.as_uri())
    return page


def changed(folder: Path, change: Callable[[Evaluation], Evaluation]) -> None:
    """Add an evaluation that is the last one, changed."""
    with open_collection(folder) as opened_:
        judged = change(read_evaluation(opened_.store.runs(opened_.store.runs()[-1].id)[0]))
        opened_.store.add_run(evaluation_run(judged, FINGERPRINT, 0, opened_.store.info().labels))


def text_of(path: Path) -> str:
    """What a report says, without its tags and what is in their attributes."""
    tags = re.compile(r"<style>.*?</style>|<[^>]*>", re.DOTALL)
    return re.sub(r"\s+", " ", tags.sub(" ", path.read_text(encoding="utf-8")))


@pytest.mark.browser
def test_a_report_opens_and_sounds_without_a_network(offline: BrowserContext, page_of_demo: Path) -> None:
    """Of the demo, three confusions with three videos each; every player has its sound in the page, and plays."""
    page = read(offline, page_of_demo)
    assert page.locator("#worst h3").count() == 3
    assert page.locator("article").count() == 9
    assert page.locator("article .pair").count() == 9
    players = page.locator("audio")
    assert players.count() >= 9 * 3
    lengths = players.evaluate_all(_LOADED)
    assert min(lengths) > 1
    assert players.first.evaluate(_PLAYED) > 0
    assert min(page.locator("img").evaluate_all("found => found.map(one => one.naturalWidth)")) > 0
    assert page.locator("script").count() == 0
    assert page.locator(".chart svg").count() == page.locator(".chart").count() > 0


@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
def test_a_report_is_accessible_in_both_themes(chromium: Browser, page_of_made: Path, theme: str) -> None:
    """axe-core finds nothing against WCAG 2 A and AA or its best practices, nor are texts of charts too faint."""
    context = chromium.new_context(bypass_csp=True, color_scheme=theme)  # type: ignore[arg-type]
    page = read(context, page_of_made)
    found = Axe().run(page)
    wrong = [(one["id"], node["html"][:300]) for one in found.response["violations"] for node in one["nodes"]]
    assert wrong == []
    assert page.evaluate(_FAINT, list(bytes.fromhex(PAPERS[theme][1:]))) == []
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_a_report_is_as_wide_as_its_window(offline: BrowserContext, page_of_made: Path, width: int) -> None:
    """On a phone, a tablet and a screen nothing lies beyond the window's edge, and no text is squeezed."""
    page = read(offline, page_of_made)
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    squeezed = """es => es.filter(e => e.offsetParent && e.innerText.length > 3)
        .map(e => [e.innerText.slice(0, 40), e.getBoundingClientRect().width]).filter(([, w]) => w < 24)"""
    assert page.locator("th, td, p, dd, li, h3, h4").evaluate_all(squeezed) == []


@pytest.mark.browser
def test_what_strangers_wrote_is_text(offline: BrowserContext, hostile_collection: Path, tmp_path: Path) -> None:
    """Scripts, pictures, Markdown and direction marks in titles, channels and categories are shown as they are."""
    page = read(offline, reported(hostile_collection, tmp_path / "r.html", "--videos", "10"))
    assert page.locator("script, img[src^='x'], [onclick], [onerror], a[href^='javascript']").count() == 0
    shown = page.locator("body").inner_text()
    assert "<b onclick=alert(3)>food</b>" in shown
    assert "**travel** :red[x] $y$" in shown
    assert any(one in shown for one in HOSTILE)
    assert page.title().startswith("What was confused in i> · evaluate-")  # the last part of the folder's path


@pytest.mark.browser
def test_long_and_foreign_words_stay_in_their_place(offline: BrowserContext, tmp_path: Path) -> None:
    """A title of ten thousand letters is cut, and one that runs from right to left turns nothing else round."""
    folder = make_collection(tmp_path / "c", Wanted(videos=24, channels=8, media=False))
    with open_collection(folder) as opened_:
        rows = [
            Row("list.csv", n + 1, video.id, f"https://www.youtube.com/watch?v={n:011d}",
                title=LONG if n % 2 else "\u202eשלום עולם", channel=video.channel, label=video.category)
            for n, video in enumerate(opened_.store.videos()) if video.category
        ]  # fmt: skip
        opened_.store.add_rows("list.csv", rows, [])
    page = read(offline, reported(evaluated(folder), tmp_path / "r.html"))
    assert LONG[:150] in page.locator("body").inner_text()
    assert LONG not in page.content()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("audio").count() == 0
    where = page.get_by_role("link", name="Hear it where it came from").first
    assert re.fullmatch(r"https://www\.youtube\.com/watch\?v=\d{11}&t=\d+s", where.get_attribute("href") or "")
    assert where.get_attribute("rel") == "noopener noreferrer"


@pytest.mark.browser
def test_many_categories_of_long_names_have_a_legible_matrix(offline: BrowserContext, tmp_path: Path) -> None:
    """Twelve names are cut to one line each, so that rows are low and the page is no wider than its window."""
    names = tuple(f"a category whose name is long, number {n}" for n in range(12))
    folder = make_collection(tmp_path / "c", Wanted(categories=names, videos=96, channels=48, media=False))
    page = read(offline, reported(evaluated(folder), tmp_path / "r.html"))
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        heights = "rows => rows.map(row => row.getBoundingClientRect().height)"
        assert max(page.locator(".matrix tbody tr").evaluate_all(heights)) < 45


def test_a_report_says_why_there_is_nothing_to_hear(
    made_collection: Path, hostile_collection: Path, tmp_path: Path
) -> None:
    """Sound that was not wanted, is not kept, or cannot be read: each has its sentence, and no player."""
    without = text_of(reported(made_collection, tmp_path / "a.html", "--no-sound"))
    not_kept = text_of(reported(hostile_collection, tmp_path / "b.html"))
    folder = shutil.copytree(made_collection, tmp_path / "c")
    for sound in (folder / "media").glob("*.ogg"):
        sound.write_bytes(b"OggS and no more")
    damaged = text_of(reported(folder, tmp_path / "c.html"))
    assert "Sound was left out of this report." in without
    assert "Its sound is not kept in the collection." in not_kept
    assert "Its kept sound cannot be read." in damaged
    assert not any("<audio" in path.read_text() for path in tmp_path.glob("*.html"))


def test_videos_that_were_removed_are_counted(made_collection: Path, tmp_path: Path) -> None:
    """A run is told of as it was: of the worst confusion all videos have left, and that is said."""
    folder = shutil.copytree(made_collection, tmp_path / "c")
    with open_collection(folder) as opened_, ingest_lock(folder):
        wrong = read_evaluation(opened_.store.runs(opened_.store.runs()[-1].id)[0]).predictions
        opened_.store.remove(list(wrong.loc[wrong["category"] != wrong["predicted"], "id"]))
    said = text_of(reported(folder, tmp_path / "r.html"))
    assert "None is left to hear." in said
    assert re.search(r"\d+ of them left the collection since", said)


def test_where_nothing_is_wrong_the_report_says_so(made_collection: Path, tmp_path: Path) -> None:
    """Without an error there are figures and charts, no confusion, and nothing to hear."""
    folder = shutil.copytree(made_collection, tmp_path / "c")

    def right(judged: Evaluation) -> Evaluation:
        """The same with every label predicted."""
        sizes = np.diag(judged.confusion.sum(axis=1))
        same = judged.predictions.assign(predicted=judged.predictions["category"])
        metrics = {**judged.metrics, "confusion": sizes.tolist(), "top_confusions": []}
        return replace(judged, predictions=same, confusion=sizes, metrics=metrics)  # type: ignore[arg-type]

    changed(folder, right)
    said = text_of(reported(folder, tmp_path / "r.html"))
    assert "The classifier got nothing wrong" in said
    assert "there is nothing to confuse" in said
    assert "taken for" not in said.partition("The worst confusions")[2]


def test_with_two_categories_chance_says_nothing(tmp_path: Path) -> None:
    """All errors of one go to the other: no count is set against chance."""
    folder = make_collection(tmp_path / "c", Wanted(categories=("food", "travel"), videos=24, channels=8, media=False))
    said = text_of(reported(evaluated(folder), tmp_path / "r.html"))
    assert "times chance" not in said
    assert "food" in said


def test_one_category_has_no_evaluation_to_tell_of(tmp_path: Path) -> None:
    """The command says what is missing, and writes nothing."""
    folder = make_collection(tmp_path / "c", Wanted(categories=("food",), videos=12, channels=4, media=False))
    done = command("report", tmp_path / "r.html", "-c", folder)
    assert done.code == 1
    assert "run `quartzlens evaluate`" in done.err
    assert not (tmp_path / "r.html").exists()


def test_a_report_tells_its_run(page_of_made: Path, made_collection: Path) -> None:
    """Run, date, encoder with the demo's note, list, survivors, figures with intervals, and its whole policy."""
    with open_collection(made_collection) as opened_:
        run = opened_.store.runs()[-1]
    said, page = text_of(page_of_made), page_of_made.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "default-src 'none'" in page
    for words in (
        run.id, f"{run.created_at[:10]} {run.created_at[11:16]} UTC", "demo checkpoint, mean of the last block, f32",
        "trained on generated speech", "list.csv", "missing_file", "balanced accuracy", "nearest neighbours",
        "Which categories are confused", "times chance", "95 %",
    ):  # fmt: skip
        assert words in said, words
    assert "/videos/" not in said


@pytest.mark.browser
def test_the_report_is_downloaded_from_labels(page: Page, serve: Serve, made_collection: Path) -> None:
    """Report among the files of Labels makes the page of the newest run, and then gives it, as often as asked."""
    opened(page, f"{serve(made_collection)}/labels?queue=Take+it+with+you")
    page.get_by_role("button", name="Report", exact=True).click()
    ready = page.get_by_role("button", name="Download the report")
    expect(ready).to_be_visible(timeout=120_000)
    with page.expect_download() as waited:
        ready.click()
    path = waited.value.path()
    assert re.fullmatch(r"report-evaluate-.*\.html", waited.value.suggested_filename)
    assert "The worst confusions, to hear" in text_of(path)


def test_a_report_that_cannot_be_made_says_why(view: View, made_collection: Path) -> None:
    """What the command complained of stands where the button is, which tries once more."""
    test = view(made_collection, "labels")
    test.session_state["queue"] = "Take it with you"
    work = children.background("report")
    work.start("report", "report.html", "--run", "nowhere", "-c", str(made_collection))
    while work.how is How.RUNNING:
        time.sleep(0.1)
    assert test.run().error[0].value.startswith(r"No run is called \'nowhere\'")
    assert "Report" in [button.label for button in test.button]
