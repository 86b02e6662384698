"""Searching with a file or a link from outside, with a stand-in for the encoder process."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.child import EncoderChild
from store.collection import open_collection
from tests.dashboard.conftest import APP
from tests.dashboard.made_up import FINGERPRINT
from tests.dashboard.test_views import texts

STAND_IN = """
import base64, json, os, sys
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
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def similar(monkeypatch: pytest.MonkeyPatch, made_collection: Path) -> Iterator[AppTest]:
    """The Similar view, whose encoder takes a file's bytes for its embedding."""
    child = EncoderChild(made_collection, [sys.executable, "-c", STAND_IN])
    monkeypatch.setattr(sys, "argv", ["app.py", "-c", str(made_collection)])
    monkeypatch.setattr(state, "encoder_child", lambda: child)
    yield AppTest.from_file(str(APP), default_timeout=120).run().switch_page("views/similar.py").run()
    child.close()
    st.cache_resource.clear()


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
    assert "Choose a video, or give a file or a link" in texts(test)
    test.file_uploader[0].set_value(("song <b>.mp3", content, "audio/mpeg")).run()
    assert not test.exception
    shown = [text.value for text in test.text]
    assert "Searched with: song <b>.mp3" in shown
    assert next(text for text in shown if text.startswith("Video number")) == "Video number 5 of the collection"


def test_an_upload_of_another_encoder_is_an_error_in_words(similar: AppTest) -> None:
    """An embedding that cannot meet the collection's is refused with a sentence."""
    test = way(similar, "Upload a file")
    test.file_uploader[0].set_value(("short.mp3", b"12345678", "audio/mpeg")).run()
    assert not test.exception
    assert len(test.error) == 1


def test_a_bad_link_is_told_in_words(similar: AppTest) -> None:
    """A link that cannot be searched with gives its outcome in a plain sentence, and the encoder's death is told."""
    test = way(similar, "Paste a link")
    for link, told in (("http://10.0.0.1/", "refused for safety"), ("http://a.b/die", "started again")):
        test.text_input[0].set_value(link)
        next(button for button in test.button if button.label == "Search").click().run()
        assert not test.exception
        assert told in texts(test)
