"""The real list, years old, of which most is damaged or gone: every video ends with the outcome of its fate."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.sources import read_source
from quartzlens.outcomes import Outcome, Retry
from quartzlens.records import Video
from store.collection import open_collection
from tests.conftest import ROOT
from tests.pipeline import fates
from tests.pipeline.tube import Fate
from tests.pipeline.watched import UNABLE

GIGABYTE = 1 << 30
IN_PYTHON = """
import socket
for family, address in ((socket.AF_INET, ("93.184.216.34", 80)), (socket.AF_INET6, ("2606:2800:220:1::1", 443))):
    with socket.socket(family) as one:
        one.setblocking(False)
        one.connect_ex(address)
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
"""


def watched(report: Path, *command: str) -> int:
    """Run a command in a network of its own; its exit code."""
    run = (sys.executable, "-m", "tests.pipeline.watched", str(report), sys.executable, *command)
    return subprocess.run(run, cwd=ROOT, check=False, timeout=3000).returncode


SLOWLY = """
import os, sys, time
from pathlib import Path
from tests.pipeline import watched
read = os.read
def slow(*arguments):
    block = read(*arguments)
    time.sleep(0.2)
    return block
os.read = slow
sys.exit(watched.main(Path(sys.argv[1]), sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def can_watch(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Whether this machine lets a test make a network of its own."""
    return watched(tmp_path_factory.mktemp("none") / "report.json", "-c", "pass") != UNABLE


@pytest.fixture(scope="module")
def ingested(
    data: Path, can_watch: bool, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[dict[str, Any]]]:
    """Folder of the real list's collection, and what its two ingests came to."""
    folder = tmp_path_factory.mktemp("old")
    command = ("-m", "tests.pipeline.whole_run", str(data / "youtube.csv"), str(folder))
    if can_watch:
        assert watched(folder / "sent.json", *command) == 0
    else:
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, timeout=3000)
    return folder, json.loads((folder / "whole_run.json").read_text())


@pytest.fixture(scope="module")
def fate(data: Path, ingested: tuple[Path, list[dict[str, Any]]]) -> dict[str, Fate]:
    """The fate of every id of the real list."""
    return fates.fates_of(videos_by_id(ingested[0]), fates.write_files(ingested[0] / "media"))


def videos_by_id(folder: Path) -> Mapping[str, Video]:
    """Videos of the collection below a folder."""
    with open_collection(folder / "collection") as collection:
        return {video.id: video for video in collection.store.videos()}


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.timeout(3600)
def test_every_video_of_the_real_list_ends_with_its_own_outcome(
    data: Path, ingested: tuple[Path, list[dict[str, Any]]], fate: dict[str, Fate]
) -> None:
    """3,599 rows lead to 3,432 videos, each row to one, and each of these has exactly the outcome of its fate."""
    folder, runs = ingested
    videos, rows = videos_by_id(folder), read_source(str(data / "youtube.csv")).rows
    assert (len(rows), len(videos)) == (3599, 3432)
    assert {row.video_id for row in rows} == set(videos)
    wrong = {
        one: (fate[one].outcome, video.outcome, video.detail)
        for one, video in videos.items()
        if video.outcome is not fate[one].outcome
    }
    assert wrong == {}
    summary = runs[0]["summary"]
    assert summary["outcomes"] == dict(Counter(one.outcome.value for one in fate.values()))
    assert (summary["rows"], summary["bad_rows"], summary["pending"]) == (3599, 0, 0)
    assert len(summary["outcomes"]) >= 15


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.timeout(3600)
def test_what_cannot_change_is_not_asked_for_again(
    ingested: tuple[Path, list[dict[str, Any]]], fate: dict[str, Fate]
) -> None:
    """The same command again asks for exactly those whose outcome may pass; damaged ids were never asked for."""
    first, second = (run["asked"] for run in ingested[1])
    damaged = {one for one, its in fate.items() if its.outcome is Outcome.DAMAGED_LINK and not its.say}
    assert set(first) == set(fate) - damaged
    may_pass = {one for one, its in fate.items() if its.outcome.retry is not Retry.NEVER}
    assert set(second) == {one for one in may_pass if fate[one].outcome is not Outcome.PRIVATE}
    assert [run["code"] for run in ingested[1]] == [0, 0]


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.timeout(3600)
def test_the_real_list_is_ingested_in_bounded_memory(ingested: tuple[Path, list[dict[str, Any]]]) -> None:
    """The main process, encoder included, stays below a gigabyte, and the list's length is said in hours before."""
    assert max(run["peak_bytes"] for run in ingested[1]) < GIGABYTE
    assert "3,432 videos to embed, at most about" in ingested[1][0]["said"]


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.timeout(3600)
def test_no_connection_of_a_whole_run_leaves_loopback(
    can_watch: bool, ingested: tuple[Path, list[dict[str, Any]]]
) -> None:
    """Whatever yt-dlp, ffmpeg, the JavaScript runtime, OpenVINO or anything else sent stayed on this machine."""
    if not can_watch:
        pytest.skip("no network of its own can be made here: /dev/net/tun and user namespaces are needed to watch")
    assert json.loads((ingested[0] / "sent.json").read_text()) == []


def test_what_leaves_loopback_would_be_seen(can_watch: bool, tmp_path: Path) -> None:
    """The watch sees connections over IPv4 and IPv6, and none on loopback."""
    if not can_watch:
        pytest.skip("no network of its own can be made here: /dev/net/tun and user namespaces are needed to watch")
    report = tmp_path / "report.json"
    assert watched(report, "-c", IN_PYTHON) == 0
    assert {tuple(one) for one in json.loads(report.read_text())} == {
        (6, "93.184.216.34", 80),
        (6, "2606:2800:220:1::1", 443),
    }


def test_what_is_sent_last_is_seen(can_watch: bool, tmp_path: Path) -> None:
    """A watch that comes after all tells of a connection that was begun just before the command's end."""
    if not can_watch:
        pytest.skip("no network of its own can be made here: /dev/net/tun and user namespaces are needed to watch")
    report = tmp_path / "report.json"
    run = (sys.executable, "-c", SLOWLY, str(report), sys.executable, "-c", IN_PYTHON)
    assert subprocess.run(run, cwd=ROOT, check=False, timeout=120).returncode == 0
    assert [6, "2606:2800:220:1::1", 443] in json.loads(report.read_text())
