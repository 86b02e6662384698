"""Servers of Streamlit, and a Chromium that notes how long until a page shows what is waited for."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
APP, BARE = ROOT / "dashboard" / "app.py", ROOT / "benchmarks" / "bare_page.py"
SETTLED = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
ELEMENTS = "document.querySelectorAll('[data-testid=stElementContainer]').length"
DRAWN = f"document.querySelector('h1') && {SETTLED}"
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync")
_WAIT_MS = 600_000
_WATCH = """() => {
    delete window.tookMs;
    addEventListener("click", event => {
        const look = () => {
            if (SHOWN) window.tookMs = performance.now() - event.timeStamp;
            else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    }, {capture: true, once: true});
}"""


@dataclass(frozen=True, slots=True)
class Served:
    """A Streamlit server: where it is, and its process."""

    address: str
    process_id: int

    def resident_bytes(self, what: Literal["VmRSS", "VmHWM"]) -> int:
        """Memory that it holds now, or held at most; Linux alone tells."""
        lines = Path(f"/proc/{self.process_id}/status").read_text(encoding="utf-8").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


@contextmanager
def served(app: Path, arguments: Sequence[str] = (), **environment: str) -> Iterator[Served]:
    """A server of a script, in a process of its own that has nothing cached."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true", "--server.fileWatcherType", "none"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false", **environment}
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*command, "--", *arguments], env=env, stdout=quiet, stderr=quiet) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _answering(f"{address}/_stcore/health")
            yield Served(address, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that looks."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*CHROMIUM])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser) -> Iterator[Page]:
    """A window that has seen nothing before."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(_WAIT_MS)
    try:
        yield page
    finally:
        context.close()


def seconds_until(page: Page, shown: str, action: object = None) -> float:
    """Seconds from an action to when an expression is true in the page, looked at before each of its frames."""
    began = time.perf_counter()
    if callable(action):
        action()
    page.wait_for_function(shown, polling="raf")
    return time.perf_counter() - began


def seconds_after_click(target: Locator, shown: str) -> float:
    """Seconds from a click, by the browser's own time of it, to the first frame in which an expression is true.

    The server has nothing more to say before; finding the element and moving the pointer do not count.
    """
    page = target.page
    page.wait_for_function(SETTLED)
    page.evaluate(_WATCH.replace("SHOWN", shown))
    target.click()
    return float(page.wait_for_function("window.tookMs").json_value()) / 1000


def _answering(address: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 -- our own server
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{address} does not answer")
