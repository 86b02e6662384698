"""Pictures of the dashboard for the README: ``python -m recipes.screenshots COLLECTION OUT_DIR``."""

import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PORT = 8599
VIEWS = ("errors", "map")
SIZE = {"width": 1440, "height": 900}
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync")


def main(collection: Path, out: Path) -> None:
    """Serve a collection and take a picture of each of the two views that show most."""
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "quartzlens", "dashboard", "-c", str(collection), "--port", str(PORT)]
    with subprocess.Popen(command) as server, sync_playwright() as playwright:
        try:
            _wait(f"http://127.0.0.1:{PORT}/_stcore/health")
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*CHROMIUM])
            page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
            for view in VIEWS:
                _take(page, view, out / f"{view}.png")
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


def _take(page: Page, view: str, path: Path) -> None:
    page.goto(f"http://127.0.0.1:{PORT}/{view}")
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=180_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2_000)
    page.screenshot(path=path)
    print(path)


main(Path(sys.argv[1]), Path(sys.argv[2]))
