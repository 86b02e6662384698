"""What strangers write and what strangers ask for: text stays text, and no file outside of the collection is served."""

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from analysis.label_words import LONGEST_CATEGORY, LONGEST_NOTE, LONGEST_PERSON, By
from analysis.label_work import relabel, unsure
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import BadRow, Result, Row
from store.collection import open_collection
from tests.dashboard.conftest import evaluated
from tests.dashboard.made_up import HOSTILE, Wanted, make_collection
from tests.dashboard.test_journeys import opened, settled

pytestmark = pytest.mark.browser
Serve = Callable[[Path], str]
SET = "set=v008&set=v009&set=v010&video=v010"
QUEUES = (f"labels?queue=Working+set&{SET}", "labels?queue=Asked+again&video=v011", "labels?queue=History")
VIEWS = ("", "map", "classifier", "errors", "similar", "labels", *QUEUES)
LONG = "endless" * 400
STRANGE = (*HOSTILE, LONG, "\u202e" + "right to left " * 20, "مرحبا " * 60, "=cmd|' /C calc'!A0")
TAGS = 'img[src="x"], [onclick], [onerror], a[href^="javascript"], script, strong, b, i, em, .katex'


@pytest.fixture(scope="session")
def strange_collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every field that strangers fill holds script, Markdown, right-to-left, or endless text: also of what was lost."""
    folder = tmp_path_factory.mktemp("strange") / "strange"
    categories = ("<b onclick=alert(3)>food</b>", LONG[:300], "\u202etravel **x**", "history")
    make_collection(folder, Wanted(categories=categories, videos=40, channels=8, media=False, hostile=True))
    with open_collection(folder) as collection:
        store = collection.store
        rows = [
            Row("lost.csv", n + 1, f"strange{n}", f"/gone/{text[:40]}", title=text, channel=text, description=text)
            for n, text in enumerate(STRANGE)
        ]
        own = [
            Row("again.csv", n + 1, f"v{n + 8:03d}", f"/videos/{n + 8}.mp4", title=text, channel=text, description=text)
            for n, text in enumerate(STRANGE)
        ]
        store.add_rows("lost.csv", rows, [BadRow("lost.csv", 3000, text) for text in STRANGE[:1]])
        store.add_rows("again.csv", own, [])
        when = "2026-01-01T00:00:00+00:00"
        store.commit([Result(row.video_id, Outcome.FAILED, Stage.SOURCE, when, row.title) for row in rows])
    return answered(evaluated(folder))


def answered(folder: Path) -> Path:
    """Have persons of strange names, with strange notes, give strange labels or be unsure."""
    with open_collection(folder) as collection:
        for n, text in enumerate(STRANGE):
            line = text if text.isprintable() else "one line"
            by, video_id = By(line[:LONGEST_PERSON], text[:LONGEST_NOTE]), f"v{n + 8:03d}"
            if n % 2:
                unsure(collection.store, video_id, by=by)
            else:
                relabel(collection.store, video_id, line[:LONGEST_CATEGORY], by=by)
    return folder


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("width", [1280, 1024])
def test_strange_texts_stay_text_and_in_their_place(
    page: Page, serve: Serve, strange_collection: Path, view: str, width: int
) -> None:
    """In no view does a stranger's text make an element, and none makes the page wider than the window."""
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, f"{serve(strange_collection)}/{view}")
    settled(page)
    app = page.locator('[data-testid="stApp"]')
    assert app.locator(TAGS).evaluate_all("es => es.map(e => e.outerHTML)") == []
    wide = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] [data-testid=stText]')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.innerText.slice(0, 80))"""
    )
    assert wide == []
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 1


def test_tables_cannot_be_downloaded_raw(page: Page, serve: Serve, strange_collection: Path) -> None:
    """A table's own download writes formulas as they are, so it is not offered: `export` writes them as text."""
    opened(page, serve(strange_collection))
    table = page.locator('[data-testid="stDataFrame"]').last
    table.scroll_into_view_if_needed()
    table.hover()
    expect(page.get_by_role("button", name="Search").last).to_be_visible()
    assert page.get_by_role("button", name="Download as CSV").count() == 0 or not any(
        button.is_visible() for button in page.get_by_role("button", name="Download as CSV").all()
    )


@pytest.mark.parametrize("start", ["/media/", "/_stcore/media/", "/app/static/", "/static/", "/", "/component/x/"])
@pytest.mark.parametrize("climb", ["../", "..%2f", "%2e%2e/", "..%5c", "....//", "%252e%252e%252f"])
def test_no_path_leads_out(serve: Serve, made_collection: Path, start: str, climb: str) -> None:
    """However a path climbs, neither a file of the system nor one of the collection is answered."""
    host = urlsplit(serve(made_collection)).netloc
    for wanted in ("etc/passwd", str(made_collection / "collection.toml").lstrip("/")):
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("GET", start + climb * 12 + wanted)
        body = connection.getresponse().read()
        connection.close()
        assert b"root:" not in body
        assert b"[store]" not in body
        assert b"encoder" not in body


def test_a_page_of_elsewhere_gets_no_connection(serve: Serve, made_collection: Path) -> None:
    """A page whose name was bent to this machine (DNS rebinding) or that lies elsewhere gets no session."""
    host = urlsplit(serve(made_collection)).netloc
    for headers in ({"Host": "evil.example"}, {"Host": host, "Origin": "http://evil.example"}, {"Host": host}):
        connection = http.client.HTTPConnection(host, timeout=60)
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        connection.putrequest("GET", "/_stcore/stream", skip_host=True)
        for name, value in {**upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **headers}.items():
            connection.putheader(name, value)
        connection.endheaders()
        status = connection.getresponse().status
        connection.close()
        assert (status == 101) == (headers == {"Host": host}), (headers, status)


def test_the_agents_way_in_is_shut(serve: Serve, made_collection: Path) -> None:
    """The web framework's interface for programs without a browser is off."""
    connection = http.client.HTTPConnection(urlsplit(serve(made_collection)).netloc, timeout=30)
    connection.request("POST", "/_stcore/agent/interact", json.dumps({}), {"Content-Type": "application/json"})
    assert connection.getresponse().status in {403, 404}
    connection.close()
