"""What the dashboard says of sound: that it can be played where it can, and how it is got where it is not kept."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from dashboard.sound import missing, of_a_point
from dashboard.state import Tables
from quartzlens.outcomes import Outcome
from quartzlens.records import Info, Media, Row, Video
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated
from tests.dashboard.made_up import BLOCK, FINGERPRINT, Wanted, embed_again, make_collection
from tests.dashboard.test_timeline import strip_of
from tests.dashboard.test_views import drawn, texts

WITHOUT = Wanted(categories=("food", "travel"), videos=12, channels=6, media=False)
YOUTUBE = "https://www.youtube.com/watch?v=-wtIMTCHWuI"


def tables(kept: int, source: str) -> Tables:
    """Three embedded videos of a source, the sound of the first ones kept, and a lost one."""
    media = Media(30.0, 30.0, -20.0, "aac", 48000)
    files = [replace(media, media_file=f"{n}.m4a" if n < kept else None) for n in range(3)]
    videos = [Video(str(n), source, outcome=Outcome.OK, media=one) for n, one in enumerate(files)]
    known = {video.id: video for video in [*videos, Video("lost", "/gone.mp4", outcome=Outcome.MISSING_FILE)]}
    outcomes = pd.DataFrame({"outcome": [str(video.outcome) for video in known.values()]})
    counted = Counter(outcomes["outcome"])
    return Tables(outcomes, known, Info((), {}, 4, (), 0), (), FINGERPRINT, frozenset(), {}, counted, (kept, source))


@pytest.mark.parametrize(
    ("kept", "source", "words"),
    [
        (3, "/a.mp4", "click one to hear it"),
        (2, "/a.mp4", "click one to hear it (the sound of 2 of 3 is kept)"),
        (0, YOUTUBE, "click one to play it from YouTube (no sound is kept)"),
        (0, "/a.mp4", "click one to see what it is (no sound is kept)"),
    ],
)
def test_a_point_promises_no_sound_that_is_not_there(kept: int, source: str, words: str) -> None:
    """What a click on the map does is said by what is kept, and by who else can play it."""
    assert of_a_point(tables(kept, source)) == words


def test_the_map_says_what_a_click_does(view: View, tmp_path: Path) -> None:
    """Of a collection without sound the map does not say that a video can be heard."""
    make_collection(tmp_path, WITHOUT)
    shown = texts(drawn(view(tmp_path, "map")))
    assert "Drag over the map to select videos, or click one to see what it is (no sound is kept)." in shown


@pytest.mark.parametrize(
    ("source", "heard", "words"),
    [
        (YOUTUBE, "", "Click a stretch to play from there, from YouTube: the sound is not kept."),
        ("/a.mp4", "", "The sound is not kept, so no stretch can be played."),
        (
            "/a.mp4",
            "a train",
            "The sound is not kept, so no stretch can be played, but a click shows which words were ",
        ),
    ],
)
def test_the_evidence_says_what_a_click_does(view: View, tmp_path: Path, source: str, heard: str, words: str) -> None:
    """A stretch is said to play only where something plays it."""
    make_collection(tmp_path, WITHOUT)
    with open_collection(tmp_path) as collection:
        known = [video for video in collection.store.videos() if video.id.startswith("v")]
        rows = [
            Row("list.csv", n, one.id, source, title=one.title, channel=one.channel, label=one.category)
            for n, one in enumerate(known, 1)
        ]
        collection.store.add_rows("list.csv", rows, [])
    embed_again(tmp_path, heard=heard)
    hint = strip_of(drawn(view(evaluated(tmp_path, BLOCK), "errors")))["hint"]
    assert hint.startswith(words)


def test_the_evidence_of_kept_sound_plays(view: View, made_collection: Path) -> None:
    """Where the sound is kept, a click plays it, and nothing is said of getting it."""
    assert strip_of(view(made_collection, "errors"))["hint"] == "Click a stretch to play from there."
    overview = drawn(view(made_collection, "overview"))
    assert not any("--keep-media yes" in code.value for code in overview.code)


def test_the_overview_says_how_sound_is_got(view: View, tmp_path: Path) -> None:
    """With the command to copy."""
    make_collection(tmp_path, WITHOUT)
    test = drawn(view(tmp_path, "overview"))
    assert "The sound of the videos is not in the collection" in texts(test)
    (command,) = [code.value for code in test.code if "--keep-media" in code.value]
    assert command.endswith(f"quartzlens ingest LIST --keep-media yes --retry ok -c {tmp_path}")


@pytest.mark.parametrize(("kept", "whose"), [(0, "the videos"), (1, "2 of the 3 kept videos")])
def test_whose_sound_is_missing_is_said(kept: int, whose: str) -> None:
    """All videos, or so many of those that were kept; nothing where all sound is there."""
    assert missing(tables(kept, "/a.mp4")).startswith(f"The sound of {whose} is not in the collection: ")
    assert not missing(tables(3, "/a.mp4"))
