"""``quartzlens ingest`` on a full disk and beside a process that holds the catalog: what it says, and what is kept."""

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, on_small_disk, quartzlens
from tests.pipeline.sounds import write_list
from tests.pipeline.synth import write_media

N_VIDEOS = 40


@contextmanager
def held(catalog: Path) -> Iterator[sqlite3.Connection]:
    """Another program's write in the catalog that is not ended."""
    with closing(sqlite3.connect(catalog, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        finally:
            connection.rollback()


def ingest(list_path: Path, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command with a catalog that waits for others as long as the settings say."""
    import os

    command = [sys.executable, "-m", "tests.pipeline.hurried", "ingest", str(list_path), "-c", str(folder), "--json"]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.mark.slow
def test_a_catalog_that_is_locked_for_long_ends_the_ingest(tmp_path: Path) -> None:
    """Exit code 1 with what to do, and the same command, once the other is done, brings everything in."""
    list_path, folder = write_list(tmp_path / "tones", 6), tmp_path / "collection"
    assert ingest(list_path, folder).returncode == 0
    longer = write_list(tmp_path / "tones", 9)
    with held(folder / "catalog.sqlite"):
        stopped = ingest(longer, folder, QUARTZLENS_TEST_BUSY_SECONDS="1")
    assert stopped.returncode == 1
    assert "another process was writing for too long: wait for it, or stop it, and try again" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    done = ingest(longer, folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcomes"] == {"ok": 9, "undecodable": 1, "missing_file": 1}


@pytest.mark.slow
def test_a_catalog_that_is_locked_for_a_moment_only_delays(tmp_path: Path) -> None:
    """A dashboard's short write in the middle of an ingest costs nothing: all videos come in."""
    list_path, folder = write_list(tmp_path / "tones", N_VIDEOS), tmp_path / "collection"
    stop, n_kept = threading.Event(), list[int]()

    def disturb() -> None:
        while not stop.wait(0.3):
            if (folder / "catalog.sqlite").exists():
                try:
                    with held(folder / "catalog.sqlite") as catalog:
                        n_kept.extend(catalog.execute("SELECT COUNT(*) FROM videos WHERE outcome = 'ok'").fetchone())
                        stop.wait(0.7)
                except sqlite3.OperationalError:
                    continue

    other = threading.Thread(target=disturb)
    other.start()
    try:
        done = ingest(list_path, folder)
    finally:
        stop.set()
        other.join()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcomes"] == {"ok": N_VIDEOS, "undecodable": 1, "missing_file": 1}
    assert [n for n in n_kept if n < N_VIDEOS], n_kept


@pytest.mark.slow
@pytest.mark.parametrize("size", [1_000_000, 2_500_000, 4_500_000])
def test_a_full_disk_ends_the_ingest_and_loses_nothing(tmp_path: Path, size: int) -> None:
    """Whatever fills first, catalog or media, the message says so; with room the same command does the rest."""
    sources, disk = tmp_path / "sources", tmp_path / "disk"
    sources.mkdir()
    disk.mkdir()
    for number in range(N_VIDEOS):
        noise = np.random.default_rng(number).normal(0, 0.1, 6 * 44_100).astype(np.float32)  # is not made smaller
        write_media(sources / f"{number:02}.flac", [noise], 44_100, "flac")
    command = [sys.executable, "-m", "quartzlens", "ingest", str(sources), "-c", str(disk / "collection"), "--json"]
    first, second = on_small_disk(disk, size, *command)
    assert first["code"] == 1, first
    assert "disk is full" in first["said"]
    assert "run the same command again" in first["said"]
    assert "Traceback" not in first["said"]
    assert second["code"] == 0, second
    told = json.loads(second["out"])
    assert (told["videos"], told["outcomes"], told["pending"]) == (N_VIDEOS, {"ok": N_VIDEOS}, 0)


def test_a_second_ingest_is_told_of_the_first(tmp_path: Path) -> None:
    """It ends at once with the pid and the start of the one that works."""
    import os

    from store.collection import EncoderChoice, create_collection, ingest_lock

    create_collection(tmp_path / "collection", EncoderChoice())
    list_path = write_list(tmp_path / "tones", 1)
    with ingest_lock(tmp_path / "collection"):
        second = quartzlens("ingest", list_path, "-c", tmp_path / "collection")
    assert second.returncode == 1
    assert f"process {os.getpid()}, started 20" in second.stderr
