"""What the dashboard's tests share: made-up collections with an evaluation, servers over them, and Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from streamlit.testing.v1 import AppTest

from quartzlens.records import Fingerprint, Json
from tests.dashboard.made_up import FINGERPRINT, Wanted, make_collection

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "dashboard" / "app.py"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 90_000
View = Callable[[Path, str], AppTest]


def evaluated(folder: Path, encoder: Fingerprint = FINGERPRINT, **settings: Json) -> Path:
    """Store a real evaluation (logistic regression: quick) of an encoder's embeddings in a collection."""
    from analysis.dataset import load_dataset
    from analysis.evaluation import evaluate, evaluation_run
    from store.collection import open_collection

    with open_collection(folder) as collection:
        store = collection.store
        judged = evaluate(load_dataset(store, encoder), store.fragments(encoder), classifier="logistic")
        store.add_run(evaluation_run(judged, encoder, 0, store.info().labels, settings=settings))
    return folder


@pytest.fixture(scope="session")
def made_collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """72 videos of four categories and 16 channels, with media, and an evaluation that holds errors."""
    folder = tmp_path_factory.mktemp("made") / "made-collection"
    return evaluated(make_collection(folder, Wanted(videos=72, channels=16)))


@pytest.fixture(scope="session")
def hostile_collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``made_collection``, but titles, channels and categories want to be more than text."""
    categories = ("<b onclick=alert(3)>food</b>", "**travel** :red[x] $y$", "history", "art_music")
    wanted = Wanted(categories=categories, videos=48, channels=8, media=False, hostile=True)
    return evaluated(make_collection(tmp_path_factory.mktemp("hostile") / "<i>collection</i>", wanted))


@pytest.fixture(scope="session", autouse=True)
def own_machine() -> None:
    """AppTest has no server, so no address either: it stands for a dashboard that only this machine reaches."""
    from streamlit import config

    config.set_option("server.address", "127.0.0.1")


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> Iterator[View]:
    """Open a view of a collection, as ``streamlit run dashboard/app.py -- -c FOLDER`` does."""
    import streamlit as st

    from dashboard import children

    def opened(folder: Path, name: str) -> AppTest:
        monkeypatch.setattr(sys, "argv", ["app.py", "-c", str(folder)])
        test = AppTest.from_file(str(APP), default_timeout=300).run()
        return test if name == "overview" else test.switch_page(f"views/{name}.py").run()

    yield opened
    st.cache_resource.clear()
    for kind in (children._encoder_child, children._background, children._ingest_child):
        kind.cache_clear()


def trained(test: AppTest, label: str = "Evaluate") -> AppTest:
    """Click what begins an evaluation and wait until the server's process has ended; the page then."""
    from dashboard import children
    from dashboard.background import How

    next(button for button in test.button if button.label == label).click().run()
    deadline = time.monotonic() + 240
    while children.background("evaluate").how is How.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return test.run()


def section(test: AppTest, name: str) -> AppTest:
    """Choose a section of the Classifier view."""
    test.session_state["section"] = name
    return test.run()


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], str]]:
    """Serve collections by the real command, from another working directory, and end the servers at the end."""
    running: dict[tuple[Path, str], tuple[subprocess.Popen[bytes], str]] = {}

    def started(folder: Path, below: str = "") -> str:
        if (folder, below) not in running:
            running[folder, below] = _started(folder, tmp_path_factory.mktemp("elsewhere"), below)
        return running[folder, below][1]

    yield started
    for process, _ in running.values():
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _started(folder: Path, elsewhere: Path, below: str) -> tuple[subprocess.Popen[bytes], str]:
    port = free_port()
    log = (elsewhere / "log").open("wb")
    command = [sys.executable, "-m", "quartzlens", "dashboard", "-c", str(folder), "--port", str(port)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "STREAMLIT_SERVER_BASE_URL_PATH": below}
    process = subprocess.Popen(command, cwd=elsewhere, env=env, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/{below}".rstrip("/")
    deadline = time.monotonic() + 90
    while not healthy(address):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the dashboard did not start: {(elsewhere / 'log').read_text()}")
        time.sleep(0.2)
    return process, address


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def healthy(address: str) -> bool:
    """Whether a Streamlit server answers."""
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Chromium from PATH, else Playwright's own; that there is none is a failure, never a skip."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None and not Path(playwright.chromium.executable_path).exists():
        pytest.fail(
            "No browser: install Chromium (Debian: apt-get install chromium), or run "
            "`.venv/bin/python -m playwright install --with-deps chromium`."
        )
    browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
    expect.set_options(timeout=WAIT_MS)  # of windows that a test opens itself as well
    yield browser
    browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh browser window that notes dialogs, uncaught errors and requests that leave this machine."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    window = context.new_page()
    window.set_default_timeout(WAIT_MS)
    wrong: list[str] = []
    window.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    window.on("pageerror", lambda error: wrong.append(f"uncaught: {error}"))
    local = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
    window.on("request", lambda asked: None if asked.url.startswith(local) else wrong.append(f"request: {asked.url}"))
    yield window
    context.close()
    assert wrong == []
