"""An ingest of a thousand links with a mix of fates, killed again and again while its calendar is wrong."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pipeline.sources import read_source
from quartzlens.outcomes import Outcome, Retry
from store.collection import open_collection
from tests.conftest import ROOT, quartzlens
from tests.pipeline import fates
from tests.pipeline.test_crash import committed
from tests.pipeline.tube import Tube, environment, tube

N_LINKS = 1000
KILLS = 50
CLOCK_DAYS = ("0", "0", "-400", "3", "-0.01")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Tube]:
    """A site with a thousand videos, in two categories, listed in ``list.csv``."""
    files, ids = fates.write_files(tmp_path / "media"), fates.made_up_ids(N_LINKS)
    with (tmp_path / "list.csv").open("w", newline="", encoding="utf-8") as file:
        rows = ((one, ("food", "travel")[number % 2]) for number, one in enumerate(ids))
        csv.writer(file).writerows([("link", "category"), *rows])
    with tube(fates.fates_of(ids, files), tmp_path / "media") as running:
        yield running


def begun(folder: Path, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """The ingest of the list below ``folder``, as a process group of its own."""
    command = (sys.executable, "-m", "tests.pipeline.hurried", "ingest", str(folder / "list.csv"))
    return subprocess.Popen(
        (*command, "-c", str(folder / "collection")), cwd=ROOT, env=dict(settings), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=(folder / "said.txt").open("a"), start_new_session=True,
    )  # fmt: skip


def killed_at_work(process: subprocess.Popen[bytes], site: Tube, n_requests: int, seconds: float) -> None:
    """SIGKILL so many seconds after so many requests of the process."""
    asked = site.asked.total()
    while site.asked.total() - asked < n_requests and process.poll() is None:
        time.sleep(0.01)
    killed_after(process, seconds)


def killed_after(process: subprocess.Popen[bytes], seconds: float) -> None:
    """SIGKILL after so many seconds, unless it has ended by itself."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_50_random_moments_nothing_is_lost_or_doubled(site: Tube, tmp_path: Path) -> None:
    """What was committed stays bit for bit and is not asked for again; at the end every video has its own outcome."""
    moments, before, settled, n_kept = random.Random(4), {}, set[str](), []
    for kill in range(KILLS):
        clock = {"QUARTZLENS_TEST_CLOCK_DAYS": moments.choice(CLOCK_DAYS)}
        asked = site.asked.copy()
        process = begun(tmp_path, environment(tmp_path / "plugins", site.address) | clock)
        if kill % 5 == 4:
            killed_after(process, moments.uniform(0.0, 2.5))
        else:
            killed_at_work(process, site, moments.randrange(1, 30), moments.uniform(0.0, 0.5))
        assert {one for one in settled if site.asked[one] > asked[one]} == set()
        if not (tmp_path / "collection" / "collection.toml").exists():
            continue
        with open_collection(tmp_path / "collection") as collection:
            now, videos = committed(collection), collection.store.videos()
        assert before.items() <= now.items()
        before = now
        settled = {
            one.id
            for one in videos
            if one.outcome is Outcome.OK or (one.outcome or Outcome.FAILED).retry is Retry.NEVER
        }
        n_kept.append(len(now))
    assert len({n for n in n_kept if 0 < n < N_LINKS}) > KILLS / 4, (
        f"too few kills came in the middle of the work: {n_kept}"
    )
    last = begun(tmp_path, environment(tmp_path / "plugins", site.address))
    assert last.wait(1800) == 0, (tmp_path / "said.txt").read_text()[-2000:]
    check_end(site, tmp_path, before)


def check_end(site: Tube, folder: Path, before: dict[str, bytes]) -> None:
    """Every video has its fate's outcome, one row and one label, and nothing half-done is left."""
    with open_collection(folder / "collection") as collection:
        now, store = committed(collection), collection.store
        assert before.items() <= now.items()
        assert {video.id: video.outcome for video in store.videos()} == {
            one: its.outcome for one, its in site.fates.items()
        }
        labels = [(label.video_id, label.category) for label in store.labels()]
        assert (store.info().rows, store.info().bad_rows) == (N_LINKS, ())
    assert labels == [(row.video_id, row.label) for row in read_source(str(folder / "list.csv")).rows]
    left = [
        path.name for path in (folder / "collection").rglob("*") if "partial" in path.name or "incoming" in path.name
    ]
    assert left == []
    told = json.loads(quartzlens("status", "-c", folder / "collection", "--json").stdout)
    assert (told["videos"], told["pending"], sum(told["outcomes"].values())) == (N_LINKS, 0, N_LINKS)
