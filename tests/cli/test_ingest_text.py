"""What an ingest says of itself: how long it will take, and what to do with what was lost."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from quartzlens.cli.ingest_text import say_end, seconds_expected
from quartzlens.records import Fingerprint, Video

ENCODER = SimpleNamespace(
    clip_gflop=1.0, share_of_peak=0.5, fingerprint=Fingerprint("a" * 64, "{}", 0.0, 60.0, "mean", "f32", 16)
)


def links(*ids: str) -> list[Video]:
    """Videos of YouTube ids, whole or not."""
    return [Video(one, f"https://www.youtube.com/watch?v={one}") for one in ids]


def test_pauses_are_most_of_what_is_said() -> None:
    """A thousand whole links at 7 s are about two hours; files beside them hardly change that."""
    whole = links(*(f"{number:011}" for number in range(1000)))
    files = [Video(f"f{number}", f"/videos/{number}.wav") for number in range(1000)]
    assert seconds_expected(ENCODER, whole, 7.0) == pytest.approx(7200, rel=0.1)
    assert seconds_expected(ENCODER, [*whole, *files], 7.0) == pytest.approx(7400, rel=0.1)


def test_damaged_ids_take_no_time() -> None:
    """What leads to no video is not waited for."""
    assert seconds_expected(ENCODER, links(*(f"{number:07}" for number in range(1000))), 7.0) == 0.0


def test_the_end_says_where_losses_are_told() -> None:
    """Where a video failed, the command that says why is named; not where all are in, wait, or have damaged links."""
    for outcomes, named in (
        ({"ok": 2, "network": 1}, True),
        ({"ok": 3}, False),
        ({"ok": 2}, False),
        ({"ok": 2, "damaged_link": 1}, False),
    ):
        said: list[str] = []
        say_end(said.append, Path("my folder"), {"videos": 3, "outcomes": outcomes, "stopped": False}, 0)
        assert any("`quartzlens status -c 'my folder'`" in line for line in said) is named


def test_the_end_says_what_repairs_damaged_links() -> None:
    """Where some are damaged, the command that finds such videos is named; else it is not."""
    for outcomes, named in (({"ok": 1, "damaged_link": 2}, True), ({"ok": 3}, False)):
        said: list[str] = []
        say_end(said.append, Path("c"), {"videos": 3, "outcomes": outcomes, "stopped": False}, 0)
        assert any("2 links are damaged: `quartzlens repair LIST`" in line for line in said) is named
