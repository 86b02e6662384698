"""Searching with a file or a link from outside, with a stand-in for the encoder process."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import children
from dashboard.child import Answer, EncoderChild
from store.collection import open_collection
from tests.dashboard.conftest import APP
from tests.dashboard.made_up import BLOCK, FINGERPRINT, Wanted, embed_again, make_collection
from tests.dashboard.test_views import texts

STAND_IN = """
import base64, json, os, sys
key = open(sys.argv[1]).read()
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if "link" in asked:
        if asked["link"].endswith("/die"):
            os._exit(3)
        answer = {"outcome": "refused_link", "stage": "source", "detail": "**private** address"}
    else:
        packed = base64.b64encode(open(asked["path"], "rb").read()).decode()
        answer = {"outcome": "ok", "embedding": packed, "title": ""}
    print(json.dumps({"fingerprint": key, **answer}), flush=True)
"""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Path], AppTest]]:
    """Open the Similar view, whose encoder takes a file's bytes for its embedding, by the fingerprint in a file."""
    (tmp_path / "key").write_text(FINGERPRINT.key)
    child = EncoderChild(tmp_path, [sys.executable, "-c", STAND_IN, str(tmp_path / "key")])
    monkeypatch.setattr(children, "encoder_child", lambda: child)

    def similar(folder: Path) -> AppTest:
        monkeypatch.setattr(sys, "argv", ["app.py", "-c", str(folder)])
        return AppTest.from_file(str(APP), default_timeout=120).run().switch_page("views/similar.py").run()

    yield similar
    child.close()
    st.cache_resource.clear()


@pytest.fixture
def similar(opened: Callable[[Path], AppTest], made_collection: Path) -> AppTest:
    """The Similar view of the made-up collection."""
    return opened(made_collection)


def way(test: AppTest, name: str) -> AppTest:
    """Choose what to search with."""
    return test.button_group[0].set_value(name).run()


def test_a_video_finds_its_neighbours(similar: AppTest) -> None:
    """A video of the collection is searched with at once; more neighbours come on request; one plays on a click."""
    assert not similar.exception
    assert sum("of pairs" in text.value for text in similar.text) == 10
    next(button for button in similar.button if button.label == "Show more").click().run()
    assert sum("of pairs" in text.value for text in similar.text) == 20
    before = len(similar.get("audio"))
    next(button for button in similar.button if button.label.startswith("Play ")).click().run()
    assert len(similar.get("audio")) == before + 1


def test_an_upload_finds_the_video_of_its_embedding(similar: AppTest, made_collection: Path) -> None:
    """The neighbours of an uploaded file are those of its embedding, the nearest first; it is not kept."""
    with open_collection(made_collection) as collection:
        content = collection.store.embeddings(FINGERPRINT, ["v005"]).matrix[0].tobytes()
    test = way(similar, "Upload a file")
    assert "Give a file: its neighbours appear here." in texts(test)
    test.file_uploader[0].set_value(("song <b>.mp3", content, "audio/mpeg")).run()
    assert not test.exception
    assert "Searched with: song <b>.mp3" in texts(test).splitlines()
    assert first_video(test) == "Video number 5 of the collection"


def test_an_upload_of_another_encoder_is_an_error_in_words(similar: AppTest) -> None:
    """An embedding that cannot meet the collection's is refused with a sentence."""
    test = way(similar, "Upload a file")
    test.file_uploader[0].set_value(("short.mp3", b"12345678", "audio/mpeg")).run()
    assert not test.exception
    assert len(test.error) == 1


def first_video(test: AppTest) -> str:
    """Title of the nearest video."""
    return next(text for text in (text.value for text in test.text) if text.startswith("Video number"))


def test_an_upload_is_heard_anew_by_another_encoder(opened: Callable[[Path], AppTest], tmp_path: Path) -> None:
    """After the collection got another encoder, an upload is searched by this one: nowhere by the old embedding."""
    folder = make_collection(tmp_path / "own", Wanted(videos=12, channels=4, media=False))
    with open_collection(folder) as collection:
        vector = collection.store.embeddings(FINGERPRINT, ["v005"]).matrix[0]
    test = way(opened(folder), "Upload a file")
    test.file_uploader[0].set_value(("a.mp3", vector.tobytes(), "audio/mpeg")).run()
    assert first_video(test) == "Video number 5 of the collection"
    embed_again(folder)
    told = texts(test.run())
    assert "not the one that the collection is embedded by" in told  # the encoder still has the old choice
    assert "Video number" not in told
    (tmp_path / "key").write_text(BLOCK.key)
    test.file_uploader[0].set_value(("b.mp3", (-vector).tobytes(), "audio/mpeg")).run()
    assert first_video(test) == "Video number 5 of the collection"


def test_a_change_while_the_encoder_listens_mixes_nothing(
    opened: Callable[[Path], AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An embedding meets those of the encoder that it is by, though the collection got another one meanwhile."""
    folder = make_collection(tmp_path / "own", Wanted(videos=12, channels=4, media=False))
    with open_collection(folder) as collection:
        content = collection.store.embeddings(FINGERPRINT, ["v005"]).matrix[0].tobytes()
    test, child = way(opened(folder), "Upload a file"), children.encoder_child()

    class Slow:
        def ask(
            self, request: dict[str, str], key: str, waits: Callable[[], object], begins: Callable[[], object]
        ) -> Answer:
            answer = child.ask(request, key, waits=waits, begins=begins)
            embed_again(folder)
            return answer

    monkeypatch.setattr(children, "encoder_child", Slow)
    test.file_uploader[0].set_value(("a.mp3", content, "audio/mpeg")).run()
    assert not test.exception
    assert first_video(test) == "Video number 5 of the collection"


@pytest.mark.parametrize("way_", ["Upload a file", "Paste a link"])
def test_who_waits_for_another_is_told_and_can_stop(
    opened: Callable[[Path], AppTest], made_collection: Path, monkeypatch: pytest.MonkeyPatch, way_: str
) -> None:
    """While another browser's file is listened to, that is said; Stop ends the wait, and nothing is asked of it."""
    test, child = way(opened(made_collection), way_), children.encoder_child()
    turns: list[int] = []

    def waits_twice(
        request: dict[str, str], key: str, waits: Callable[[], object], begins: Callable[[], object]
    ) -> Answer:
        """A turn that does not come before the browser draws its page anew, and comes while it does so again."""
        waits()
        waits()
        if turns:
            begins()
        st.stop()

    monkeypatch.setattr(child, "ask", waits_twice)
    if way_ == "Upload a file":
        test.file_uploader[0].set_value(("a.mp3", b"12345678", "audio/mpeg")).run()
    else:
        next(box for box in test.text_input if box.label == "Link").set_value("http://a.b/c")
        next(button for button in test.button if button.label == "Search").click().run()
    assert texts(test).splitlines().count("Another file or link comes first.") == 1
    assert "Another file or link comes first." in texts(test.run())
    turns.append(1)
    assert "comes first" not in texts(test.run())
    turns.clear()
    test.run()
    next(button for button in test.button if button.label == "Stop").click().run()
    assert not test.exception
    assert "Stopped before its turn came" in texts(test)
    assert "comes first" not in texts(test.run())


def test_only_what_the_encoder_embedded_can_be_chosen(opened: Callable[[Path], AppTest], tmp_path: Path) -> None:
    """A kept video that the present encoder has not embedded is not offered to search with."""
    folder = make_collection(tmp_path / "own", Wanted(videos=12, channels=4, media=False))
    embed_again(folder, left_out=3)
    test = opened(folder)
    assert not test.error
    assert len(next(one for one in test.selectbox if one.label.startswith("Video")).options) == 9


def test_a_bad_link_is_told_in_words(similar: AppTest) -> None:
    """A link that cannot be searched with gives its outcome in a plain sentence, and the encoder's death is told."""
    test = way(similar, "Paste a link")
    for link, told in (("http://10.0.0.1/", "refused for safety"), ("http://a.b/die", "started again")):
        next(box for box in test.text_input if box.label == "Link").set_value(link)
        next(button for button in test.button if button.label == "Search").click().run()
        assert not test.exception
        assert told in texts(test)
