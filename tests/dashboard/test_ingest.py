"""Adding videos from the browser: surveyed, ingested in the background, stopped, found again, and gone on with."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from dashboard import children, entrance
from dashboard import ingest_uploads as uploads
from dashboard.ingest_child import IngestChild, Progress
from dashboard.ingest_uploads import State
from quartzlens.errors import UsageError
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Result, Row
from store.collection import ingest_lock, open_collection
from tests.conftest import ROOT, quartzlens
from tests.dashboard.conftest import APP
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_journeys import opened, settled
from tests.dashboard.test_views import button, texts

VIDEOS = ROOT / "quartzlens" / "demo" / "videos"
STAND_IN = """
import json, os, signal, sys, time
if "--dry-run" in sys.argv:
    if any("bad" in word for word in sys.argv):
        sys.exit("quartzlens: <b>bad</b> is no list")
    print(json.dumps({"rows": 2, "videos": 2, "ingest": {"links": 2, "files": 0}, "unusable": []}))
    sys.exit()
stopped = []
signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
folder = sys.argv[sys.argv.index("-c", 1) + 1]
if os.path.exists(os.path.join(folder, "fail")):
    sys.exit("quartzlens: another ingest runs")
print("a library prints this")
print(json.dumps({"done": 1, "of": 2, "id": "a", "outcome": "ok"}), flush=True)
while not stopped and not os.path.exists(os.path.join(folder, "go")):
    time.sleep(0.02)
if stopped:
    sys.exit(1)
print(json.dumps({"done": 2, "of": 2, "id": "b", "outcome": "no_audio"}), flush=True)
print(json.dumps({"summary": {}}), flush=True)
"""


def stand_in(folder: Path) -> IngestChild:
    """An ingest of two links that waits between them until there is a file ``go``."""
    return IngestChild(folder, [sys.executable, "-c", STAND_IN])


def ended(child: IngestChild) -> Progress:
    """Wait for the end of what runs."""
    assert child._process is not None
    child._process.wait(300)
    while (now := child.progress()) is None or now.running:
        pass
    return now


def begun(child: IngestChild) -> None:
    """Wait until one video is done."""
    while (now := child.progress()) is None or now.done < 1:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small collection."""
    return make_collection(tmp_path / "own", Wanted(videos=8, channels=4, media=False))


@pytest.fixture
def overview(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Callable[[], AppTest]]:
    """Open the Overview in a new browser of one server, whose command is a stand-in."""
    child = stand_in(folder)
    monkeypatch.setattr(children, "ingest_child", lambda: child)
    monkeypatch.setattr(sys, "argv", ["app.py", "-c", str(folder)])
    yield lambda: AppTest.from_file(str(APP), default_timeout=120).run()
    child.close()
    st.cache_resource.clear()


def given(test: AppTest, links: str) -> AppTest:
    """Paste links and ask what they hold."""
    test.text_area[0].set_value(links)
    return button(test, "See what they hold").click().run()


def test_links_are_surveyed_then_ingested_and_found_by_another_browser(
    overview: Callable[[], AppTest], folder: Path
) -> None:
    """The survey comes first; the ingest goes on without the browser, and one that comes later sees it and its end."""
    test = given(overview(), "https://example.org/a\nhttps://example.org/b")
    assert "2 rows, 2 videos: 2 links, 0 files." in texts(test)
    assert children.ingest_child().progress() is None
    button(test, "Ingest them").click().run()
    begun(children.ingest_child())
    later = overview()
    assert "1 of 2 · ok 1" in texts(later)
    (folder / "go").touch()
    ended(children.ingest_child())
    assert "The ingest is done: ok 1, no_audio 1." in texts(overview())
    assert [one.state for one in uploads.batches(folder)] == [State.ENDED]


def test_a_stopped_ingest_goes_on(overview: Callable[[], AppTest], folder: Path) -> None:
    """Stopped, it says so and offers to go on, also to a server that was started anew; nothing given is lost."""
    test = given(overview(), "https://example.org/a https://example.org/b")
    button(test, "Ingest them").click().run()
    begun(children.ingest_child())
    button(overview(), "Stop").click().run()
    assert ended(children.ingest_child()).stopping
    test = overview()
    assert "The ingest was stopped: ok 1. It goes on where it was." in texts(test)
    (folder / "go").touch()
    button(test, "Go on").click().run()
    assert ended(children.ingest_child()).code == 0


def test_links_outlive_a_look_at_another_view(overview: Callable[[], AppTest]) -> None:
    """What was pasted is there again after another view, until it was surveyed."""
    test = overview()
    test.text_area[0].set_value("https://example.org/a").run()
    test.switch_page("views/map.py").run()
    test.switch_page("views/overview.py").run()
    assert test.text_area[0].value == "https://example.org/a"
    button(test, "See what they hold").click().run()
    button(test, "Discard").click().run()
    assert test.text_area[0].value == ""


def done(test: AppTest, folder: Path) -> Progress:
    """Ingest what was given, to its end."""
    (folder / "go").touch()
    button(test, "Ingest them").click().run()
    return ended(children.ingest_child())


def test_what_came_of_an_ingest_can_be_put_away(overview: Callable[[], AppTest], folder: Path) -> None:
    """Closed in one browser it is gone from all, and the panel is folded; a later end is not closed by an old page."""
    first = done(given(overview(), "https://example.org/a"), folder)
    test, late = overview(), overview()
    assert test.expander[0].proto.expanded
    test = test.button(key="ingest-close").click().run()
    for page in (test, overview()):
        assert "The ingest is done" not in texts(page)
        assert not page.expander[0].proto.expanded
    second = done(given(test, "https://example.org/a https://example.org/b"), folder)
    assert first != second
    assert "The ingest is done" in texts(late.button(key="ingest-close").click().run())


def test_what_is_given_next_stands_without_the_end_before_it(overview: Callable[[], AppTest], folder: Path) -> None:
    """Above the survey of a new batch nothing is said of the ingest before it."""
    done(given(overview(), "https://example.org/a"), folder)
    test = overview()
    assert "The ingest is done" in texts(test)
    test = given(test, "https://example.org/b")
    assert "The ingest is done" not in texts(test)
    assert button(test, "Ingest them")


def left(test: AppTest) -> AppTest:
    """Ingest what was given, stop it and leave it."""
    button(test, "Ingest them").click().run()
    begun(children.ingest_child())
    children.ingest_child().stop()
    ended(children.ingest_child())
    return button(test.run(), "Leave it").click().run()


def test_what_is_left_leaves_the_collection(overview: Callable[[], AppTest], folder: Path) -> None:
    """Of a batch that is left what was tried stays, and the rest goes with its files, unless another list names it."""
    test = given(overview(), "https://example.org/a https://example.org/b https://example.org/c")
    [batch] = uploads.batches(folder)
    lists = str(batch.folder / "links.txt"), str(batch.folder / "x.wav"), "/elsewhere/list.csv"
    (batch.folder / "x.wav").write_bytes(b"")
    with open_collection(folder) as collection:
        store = collection.store
        store.add_rows(
            lists[0], [Row(lists[0], n, name, f"https://example.org/{name}") for n, name in enumerate("abc")], []
        )
        store.add_rows(lists[1], [Row(lists[1], 1, "x", lists[1])], [])
        store.add_rows(lists[2], [Row(lists[2], 1, "c", "https://example.org/c"), Row(lists[2], 2, "d", "/d.wav")], [])
        store.commit([Result("a", Outcome.NO_AUDIO, Stage.DECODE, "2026-01-01T00:00:00+00:00")])
        test = left(test)
        known = {video.id: video.outcome for video in store.videos() if len(video.id) == 1}
    assert known == {"a": Outcome.NO_AUDIO, "c": None, "d": None}
    assert not (batch.folder / "x.wav").exists()
    assert [one.state for one in uploads.batches(folder)] == [State.ENDED]
    assert "The ingest was stopped: ok 1." in texts(test).splitlines()
    assert "3 videos wait from before: the ingest works on them as well." in texts(given(test, "https://example.org/e"))


def test_before_there_is_a_collection_a_batch_can_be_left(
    overview: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where an ingest was stopped before it had made a collection, there is nothing to take back."""
    monkeypatch.setattr(sys, "argv", ["app.py", "-c", str(tmp_path / "new")])
    test = left(given(overview(), "https://example.org/a"))
    assert not test.exception
    assert not test.error
    assert [one.state for one in uploads.batches(tmp_path / "new")] == [State.ENDED]


def test_nothing_is_left_while_another_process_ingests(overview: Callable[[], AppTest], folder: Path) -> None:
    """What another process may be at is not taken from under it: that is told, and the batch waits."""
    with ingest_lock(folder):
        test = left(given(overview(), "https://example.org/a"))
    assert "is in use by process" in texts(test)
    assert button(test, "Go on")
    assert not test.exception


def test_what_cannot_be_read_is_told_and_not_kept(overview: Callable[[], AppTest], folder: Path) -> None:
    """A path among links is refused before anything, and what the command refuses is told in its words, as text."""
    test = given(overview(), "/etc/passwd")
    assert "/etc/passwd is no link" in texts(test)
    test.file_uploader[0].set_value(("bad.csv", b"x", "text/csv")).run()
    test = given(test, "")
    assert "<b>bad</b> is no list" in texts(test)
    assert uploads.batches(folder) == []
    assert not test.exception


def test_what_was_given_can_be_discarded(overview: Callable[[], AppTest], folder: Path) -> None:
    """After the survey a person may change their mind; the files go."""
    test = given(overview(), "https://example.org/a")
    button(test, "Discard").click().run()
    assert uploads.batches(folder) == []
    assert len(test.text_area) == 1


def test_a_page_drawn_before_harms_no_running_ingest(overview: Callable[[], AppTest], folder: Path) -> None:
    """Discard, or Ingest them, on a page that knows nothing of another browser's ingest, changes nothing."""
    test, late, later = given(overview(), "https://example.org/a"), overview(), overview()
    button(test, "Ingest them").click().run()
    begun(children.ingest_child())
    [batch] = uploads.batches(folder)
    assert "Another browser has begun to ingest this" in texts(button(late, "Discard").click().run())
    assert "An ingest runs already" in texts(button(later, "Ingest them").click().run())
    assert not late.exception
    assert not later.exception
    assert uploads.batches(folder) == [batch]
    assert batch.state is State.BEGUN


@pytest.mark.parametrize(
    ("command", "seconds", "told"),
    [("import time; time.sleep(60)", 0.1, "takes too long"), ("print('no JSON')", 60.0, "cannot be read")],
)
def test_what_cannot_be_surveyed_leaves_nothing(
    overview: Callable[[], AppTest],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    seconds: float,
    told: str,
) -> None:
    """A survey that hangs or answers nonsense is a sentence, and no batch is offered to be ingested."""
    child = IngestChild(folder, [sys.executable, "-c", command])
    monkeypatch.setattr(children, "ingest_child", lambda: child)
    monkeypatch.setattr("dashboard.ingest_child.SURVEY_SECONDS", seconds)
    test = given(overview(), "https://example.org/a")
    assert told in texts(test)
    assert list((folder / "uploads").iterdir()) == []


def test_an_end_that_cannot_be_noted_is_an_end(folder: Path) -> None:
    """Where the disk takes no note of the end, the ingest has ended all the same, and says why it is not noted."""

    def full(_: Progress) -> None:
        raise OSError(28, "No space left on device")

    child = stand_in(folder)
    (folder / "go").touch()
    child.start("one", ["a"], folder, full)
    assert ended(child).complaint == "its end cannot be noted: No space left on device"


def test_what_belongs_to_the_server_outlasts_its_caches(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that empties Streamlit's caches forgets no running process, and whoever has entered stays in."""
    monkeypatch.setattr(sys, "argv", ["app.py", "-c", str(folder)])
    before = children.ingest_child(), children.background("evaluate"), children.encoder_child()
    token = entrance._DOOR.give_token()
    st.cache_resource.clear()
    assert (children.ingest_child(), children.background("evaluate"), children.encoder_child()) == before
    assert entrance._DOOR.knows(token)


def test_one_at_a_time_and_a_failure_is_told(folder: Path) -> None:
    """A second ingest is refused while one runs; one that fails tells the last line of what it said."""
    child = stand_in(folder)
    child.start("one", ["a"], folder)
    with pytest.raises(UsageError, match="runs already"):
        child.start("two", ["b"], folder)
    child.close()
    ended(child)
    (folder / "fail").touch()
    child.start("three", ["a"], folder)
    failed = ended(child)
    assert failed.code != 0
    assert failed.complaint == "another ingest runs"


def test_a_list_names_no_file_but_those_given_with_it(tmp_path: Path) -> None:
    """Rows of files elsewhere, by a path, by dots or by a symbolic link, are unusable; links and own files are not."""
    given_ = tmp_path / "given"
    given_.mkdir()
    (tmp_path / "secret.wav").write_bytes(b"")
    (given_ / "own.wav").write_bytes(b"")
    (given_ / "link.wav").symlink_to(tmp_path / "secret.wav")
    names = ("/etc/passwd", "../secret.wav", "link.wav", "own.wav", "https://example.org/a")
    (given_ / "list.csv").write_text("path\n" + "".join(f"{name}\n" for name in names))
    child = IngestChild(tmp_path / "collection")
    found = child.survey([str(given_ / "list.csv")], given_)
    assert [one["row"] for one in found["unusable"]] == [1, 2, 3]
    assert {one["problem"] for one in found["unusable"]} == {"a file that was not given with the list"}
    assert found["ingest"]["links"] == found["ingest"]["files"] == 1


@pytest.mark.slow
def test_links_to_private_addresses_are_refused_there_too(tmp_path: Path) -> None:
    """The browser's ingest is the command's: a link to this machine is refused by its guard."""
    batch = uploads.keep(tmp_path, ("http://127.0.0.1:9/a.mp3",), [])
    child = IngestChild(tmp_path)
    child.start("guard", batch.paths, batch.folder)
    assert ended(child).outcomes == {"refused_link": 1}


@pytest.mark.browser
@pytest.mark.slow
def test_dropped_files_are_ingested(page: Page, serve: Callable[[Path], str], tmp_path: Path) -> None:
    """Files and a list given to an empty folder become embedded videos, seen after a reload; Close folds the panel."""
    folder = tmp_path / "new"
    assert quartzlens("init", "-c", folder).returncode == 0
    listed = "path,category\ndemo_001.mp4,history\ndemo_002.mp4,food\n/etc/passwd,food\n"
    opened(page, serve(folder))
    page.set_input_files(
        'input[type="file"]',
        [
            {"name": "list.csv", "mimeType": "text/csv", "buffer": listed.encode()},
            *({"name": n, "mimeType": "video/mp4", "buffer": (VIDEOS / n).read_bytes()} for n in ("demo_001.mp4",)),
            *({"name": n, "mimeType": "video/mp4", "buffer": (VIDEOS / n).read_bytes()} for n in ("demo_002.mp4",)),
        ],
    )
    expect(page.get_by_role("button", name="Remove demo_002.mp4")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="See what they hold").click()
    expect(page.get_by_text("2 videos: 0 links, 2 files.")).to_be_visible()
    expect(page.get_by_text("1 row cannot be used.")).to_be_visible()
    page.get_by_role("button", name="Ingest them").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text("The ingest is done: ok 2.")).to_be_visible(timeout=300_000)
    expect(page.locator(".st-key-collection, .st-key-muted-collection")).to_contain_text("2 videos")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("The ingest is done")).to_have_count(0)
    expect(page.get_by_role("button", name="See what they hold")).not_to_be_visible()
    with open_collection(folder) as collection:
        assert {video.category for video in collection.store.videos()} == {"history", "food"}
