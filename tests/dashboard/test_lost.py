"""What the Overview lists of what was lost: all where it is little, the first where it is very much."""

from pathlib import Path

import pytest

from dashboard import lost
from quartzlens.records import BadRow
from store.collection import open_collection
from tests.dashboard.conftest import View
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_views import drawn, texts


def test_of_very_much_that_was_lost_the_first_is_sent(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more lost videos and bad rows than a page has room for it says how many there are, and how to get all."""
    make_collection(tmp_path, Wanted(videos=4, channels=4, media=False))
    with open_collection(tmp_path) as collection:
        collection.store.add_rows("b.csv", [], [BadRow("b.csv", n, "no link") for n in (1, 2, 3)])
    test = drawn(view(tmp_path, "overview"))
    assert [len(frame.value) for frame in test.dataframe[-2:]] == [2, 3]
    assert not any("status" in code.value for code in test.code)
    monkeypatch.setattr(lost, "MOST_LISTED", 1)
    test = drawn(test.run())
    assert [len(frame.value) for frame in test.dataframe[-2:]] == [1, 1]
    assert {"The first 1 of 2. All of them:", "The first 1 of 3. All of them:"} <= set(texts(test).splitlines())
    commands = [code.value.split("quartzlens ", 1)[1] for code in test.code if "quartzlens status" in code.value]
    assert commands == [f"status --list OUTCOME -c {tmp_path}", f"status --bad-rows -c {tmp_path}"]
