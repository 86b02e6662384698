"""The box that Similar picks a video from: all videos where they are few, what is typed where they are many."""

from pathlib import Path

import pytest

from dashboard import pick_video
from tests.dashboard.conftest import View
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_views import drawn, texts

MANY = Wanted(videos=24, channels=8, media=False)


def offered(test) -> list[str]:  # type: ignore[no-untyped-def]
    """What the box offers."""
    (box,) = [one for one in test.selectbox if one.label.startswith("Video:")]
    return list(box.options)


def finder(test):  # type: ignore[no-untyped-def]
    """The box that narrows what is offered."""
    (found,) = [one for one in test.text_input if one.label == "Find a video"]
    return found


def test_few_videos_are_all_offered(view: View, tmp_path: Path) -> None:
    """Of a small collection the box offers every video, and nothing else is to be typed."""
    test = drawn(view(make_collection(tmp_path, MANY), "similar"))
    assert len(offered(test)) == 24
    assert not any(one.label == "Find a video" for one in test.text_input)


def test_of_many_videos_what_is_typed_is_offered(view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many, the first are offered, then those that hold what is typed; the one of the address always is."""
    monkeypatch.setattr(pick_video, "MOST_LISTED", 4)
    test = view(make_collection(tmp_path, MANY), "similar")
    assert len(offered(drawn(test))) == 4
    assert "The first 4 of 24 are offered." in texts(test)
    test.query_params["video"] = "v020"
    assert any("(v020)" in one for one in offered(drawn(test.run())))
    drawn(finder(test).set_value("NUMBER 17 ").run())
    assert [one.partition("(")[2] for one in offered(test)] == ["v017)", "v020)"]
    drawn(finder(test).set_value("no such title").run())
    assert "No title or id holds this text." in texts(test)
    assert [one.partition("(")[2] for one in offered(test)] == ["v020)"]
