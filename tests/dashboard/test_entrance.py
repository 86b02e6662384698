"""A dashboard that others can reach: what it asks for, and that nothing is shown before."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.testing.v1 import AppTest

from dashboard import entrance
from dashboard.wording import plain
from quartzlens.entrance import hashed
from tests.dashboard.adding_proxy import adding
from tests.dashboard.conftest import APP, ROOT, View, free_port, healthy
from tests.dashboard.test_views import texts

PASSWORD = "correct horse"
SECRET = "a secret of thirty characters."
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Serve on all addresses by a command of one's own; the address on this machine."""
    running: list[subprocess.Popen[bytes]] = []

    def started(*words: str, **env: str) -> str:
        port = free_port()
        log = (tmp_path / "log").open("wb")
        command = [word.replace("PORT", str(port)) for word in (sys.executable, "-m", *words)]
        env = {**os.environ, "PYTHONPATH": str(ROOT), **env}
        running.append(subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log))
        deadline = time.monotonic() + 90
        while not healthy(f"http://127.0.0.1:{port}"):
            if running[-1].poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the dashboard did not start: {(tmp_path / 'log').read_text()}")
            time.sleep(0.2)
        return f"http://127.0.0.1:{port}"

    yield started
    for process in running:
        process.terminate()
        process.wait(timeout=60)


def enter(page: Page, password: str) -> None:
    """Type a password and send it."""
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Enter", exact=True).click()


@pytest.mark.browser
def test_streamlit_run_on_an_open_address_shows_nothing(page: Page, run: Run, made_collection: Path) -> None:
    """``streamlit run`` bound to all addresses without a lock says what to do and shows nothing of the collection."""
    words = ("streamlit", "run", str(APP), "--server.address=0.0.0.0", "--server.port=PORT", "--", "-c")
    page.goto(f"{run(*words, str(made_collection))}/errors")
    expect(page.get_by_text("The dashboard is not served on 0.0.0.0")).to_be_visible()
    assert "72" not in page.inner_text("body")
    assert page.locator("img, audio, canvas, [data-testid=stSidebar] a").count() == 0


@pytest.mark.browser
def test_the_password_opens_the_view_that_was_asked_for(
    page: Page, chromium: Browser, run: Run, made_collection: Path
) -> None:
    """A wrong password shows nothing, the right one the view of the address; a reload stays in, another browser not."""
    words = ("quartzlens", "dashboard", "-c", str(made_collection), "--address", "0.0.0.0", "--port", "PORT")
    address = run(*words, QUARTZLENS_PASSWORD_HASH=hashed(PASSWORD))
    page.goto(f"{address}/similar?video=v003")
    enter(page, "wrong password")
    expect(page.get_by_text("That is not the password.")).to_be_visible()
    assert "made-collection" not in page.inner_text("body")
    enter(page, PASSWORD)
    expect(page.get_by_role("heading", name="Similar")).to_be_visible()
    expect(page.locator('[class*="st-key-words-asked"]')).to_contain_text("Video number 3 of")
    page.wait_for_function("document.cookie.includes('quartzlens-')")
    page.reload()
    expect(page.get_by_role("heading", name="Similar")).to_be_visible()
    other = chromium.new_context()
    try:
        stranger = other.new_page()
        stranger.goto(address)
        expect(stranger.get_by_label("Password", exact=True)).to_be_visible()
    finally:
        other.close()


@pytest.mark.browser
def test_only_the_proxy_with_the_secret_is_let_in(page: Page, run: Run, made_collection: Path) -> None:
    """With a trusted proxy configured, a request that bears its secret is let in, and one without is not."""
    words = ("quartzlens", "dashboard", "-c", str(made_collection), "--address", "0.0.0.0", "--port", "PORT")
    address = run(*words, QUARTZLENS_TRUSTED_PROXY_SECRET=SECRET)
    for secret, told in ((SECRET, "What happened to the videos"), ("guessed", "this way is closed")):
        with adding(address, entrance.PROXY_HEADER, secret) as way:
            page.goto(way)
            expect(page.get_by_text(told)).to_be_visible()
            page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_text("this way is closed")).to_be_visible()


@pytest.fixture
def locked(view: View, made_collection: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The first view of a dashboard on this machine that has a password."""
    monkeypatch.setattr(entrance, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("QUARTZLENS_PASSWORD_HASH", hashed(PASSWORD))
    return view(made_collection, "overview")


def test_a_password_is_asked_for_on_this_machine_too(locked: AppTest) -> None:
    """Where a password is set it is asked for whatever the address, and the right one opens the view."""
    assert "made-collection" not in texts(locked)
    locked.text_input[0].set_value(PASSWORD)
    locked.button[0].click().run()
    assert "made-collection · 72 videos" in texts(locked)


def test_wrong_passwords_make_wait(locked: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the third wrong password on even the right one is not looked at until a wait is over, which doubles."""
    now = [1000.0]
    monkeypatch.setattr("dashboard.entrance.monotonic", lambda: now[0])
    for failures in (1, 2, 3, 4, 5):
        locked.text_input[0].set_value("wrong password")
        locked.button[0].click().run()
        assert locked.error[0].value == plain("That is not the password.")
        if failures <= entrance.FREE_FAILURES:
            continue
        now[0] += 2.0 ** (failures - entrance.FREE_FAILURES) - 0.1
        locked.text_input[0].set_value(PASSWORD)
        locked.button[0].click().run()
        assert "wait" in locked.error[0].value
        now[0] += 0.2
    locked.button[0].click().run()
    assert "made-collection · 72 videos" in texts(locked)


def test_a_token_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser's token lets it in for half a day; a made-up one never does, and the server keeps no token itself."""
    now = [1000.0]
    monkeypatch.setattr("dashboard.entrance.monotonic", lambda: now[0])
    door = entrance.Door()
    token = door.give_token()
    assert door.knows(token)
    assert token not in repr(door)
    assert not any(door.knows(other) for other in (None, "", token + "x"))
    now[0] += entrance.STAY_SECONDS + 1
    assert not door.knows(token)
