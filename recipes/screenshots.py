"""Pictures of the documents, of the demo collection: ``python -m recipes.screenshots COLLECTION OUT_DIR [NAME...]``."""

import io
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

PORT = 8599
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync")
CARD, CARD_TOP = ".st-key-panel-evidence", 80
CELL = "errors?label=food&predicted=travel"
HEARD_SECONDS = 17.0
NAMED = """([folder, name]) => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(folder, name);
}"""
"""Where the collection lies is another place on every machine: its name stands for that."""
COMMAND = (sys.executable, "-m", "quartzlens")


@dataclass(frozen=True)
class Picture:
    """A picture: what is opened in which window, what is done there, and which part is taken (empty: all of it)."""

    name: str
    address: str
    size: tuple[int, int] = (1280, 860)
    theme: str = "light"
    act: Callable[[Page], None] = lambda _: None
    part: str = ""


def _play(page: Page) -> None:
    """Play the second of the stretches that misled, up to its middle."""
    page.locator(".timeline .misled").nth(1).click()
    page.wait_for_function(f"() => document.querySelector('{CARD} audio').currentTime > {HEARD_SECONDS}")


def _similar(page: Page) -> None:
    """Go on to what sounds like the open video."""
    page.get_by_role("button", name="Similar videos").click()
    page.wait_for_url("**/similar?*")
    _drawn(page)
    page.locator("[data-testid=stMain]").evaluate("e => e.scrollTo(0, 0)")


PICTURES = (
    Picture("overview", ""),
    Picture("map", "map"),
    Picture("classifier", "classifier", (1280, 1130)),
    Picture("depth", "classifier?section=Depth"),
    Picture("errors", CELL),
    Picture("errors-dark", CELL, theme="dark"),
    Picture("card", CELL, (1280, 860 + CARD_TOP), act=_play, part=CARD),
    Picture("labels", "labels"),
    Picture("similar", CELL, act=_similar),
)
REPORT = "report"


def main(collection: Path, out: Path, *names: str) -> None:
    """Serve a collection and take its pictures: those of these names, else all."""
    out.mkdir(parents=True, exist_ok=True)
    wanted = [one for one in PICTURES if not names or one.name in names]
    command = [*COMMAND, "dashboard", "-c", str(collection), "--port", str(PORT)]
    with subprocess.Popen(command) as server, sync_playwright() as playwright:
        try:
            _wait(f"http://127.0.0.1:{PORT}/_stcore/health")
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*CHROMIUM])
            for one in wanted:
                _keep(_taken(browser, one, collection), out / f"{one.name}.png")
            if not names or REPORT in names:
                _keep(_report(browser, collection), out / f"{REPORT}.png")
            browser.close()
        finally:
            server.terminate()


def _wait(address: str) -> None:
    for _ in range(120):
        try:
            with urllib.request.urlopen(address):  # noqa: S310 -- our own server
                return
        except urllib.error.URLError:
            time.sleep(0.5)
    raise SystemExit(f"{address} does not answer")


def _taken(browser: Browser, one: Picture, collection: Path) -> bytes:
    width, height = one.size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=one.theme)  # type: ignore[arg-type]
    page.goto(f"http://127.0.0.1:{PORT}/{one.address}")
    _drawn(page)
    one.act(page)
    page.mouse.move(width - 2, height - 2)
    page.evaluate(NAMED, [str(collection.absolute()), collection.name])
    box = page.locator(one.part).bounding_box() if one.part else None
    taken = page.screenshot(clip={**box, "height": height - box["y"]} if box else None)
    page.close()
    return taken


def _drawn(page: Page) -> None:
    """Wait until a view has drawn itself, its charts and its pictures too."""
    page.wait_for_selector("h1")
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=180_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2_000)


def _report(browser: Browser, collection: Path) -> bytes:
    """The report's first confusion."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        subprocess.run([*COMMAND, "report", str(path), "-c", str(collection)], check=True)
        page = browser.new_page(viewport={"width": 1000, "height": 860})
        page.goto(f"{path.as_uri()}#worst")
        page.wait_for_timeout(2_000)
        taken = page.screenshot()
        page.close()
    return taken


def _keep(taken: bytes, path: Path) -> None:
    """Write a picture of at most 256 colours, which looks the same and is a third as large."""
    with Image.open(io.BytesIO(taken)) as picture:
        picture.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, 1, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
    print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
