"""Killed at any moment, an ingest loses nothing that was committed, and the next one finishes the work."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline.decode import Decoded, decode
from quartzlens.cli.look import summarise
from quartzlens.outcomes import Outcome
from store.collection import Collection, current_fingerprint, open_collection
from tests.conftest import ROOT, quartzlens
from tests.pipeline.sounds import write_list
from tests.pipeline.standin import StandInEncoder

N_TONES = 60
KILLS = 20


def start(*command: str) -> subprocess.Popen[bytes]:
    """A process group of its own, so that nothing of it outlives the kill."""
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def wait_for_media(folder: Path, n_more: int, process: subprocess.Popen[bytes]) -> None:
    """Until so many more videos have their media or the process has ended."""
    begun = n_media(folder)
    while n_media(folder) - begun < n_more and process.poll() is None:
        time.sleep(0.005)


def n_media(folder: Path) -> int:
    """How many media files are whole."""
    return len([path for path in (folder / "media").glob("*") if path.suffix != ".partial"])


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> None:
    """SIGKILL, unless it was done before."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the file is there or the process has ended."""
    while not condition.exists() and process.poll() is None:
        time.sleep(0.005)


def committed(collection: Collection) -> dict[str, bytes]:
    """Embeddings in the collection by video id, after checking that every one belongs to an ok video with its media."""
    fingerprint = current_fingerprint(collection)
    embeddings = collection.store.embeddings(fingerprint) if fingerprint else None
    found = dict(zip(embeddings.ids, (row.tobytes() for row in embeddings.matrix), strict=True)) if embeddings else {}
    videos = collection.store.videos()
    assert set(found) == {video.id for video in videos if video.outcome is Outcome.OK}
    if fingerprint:
        assert set(collection.store.fragments(fingerprint).ids) == set(found)
    for video in videos:
        if video.media and video.media.media_file:
            assert (collection.media_folder / video.media.media_file).stat().st_size > 0
    return found


def expected_embeddings(folder: Path) -> set[bytes]:
    """What an ingest that nobody disturbs would have stored."""
    encoder = StandInEncoder()
    decoded = [decode(path, 0.0, 60.0) for path in sorted(folder.glob("[0-9]*.wav"))]
    return {encoder.encode(one.audio).embedding.tobytes() for one in decoded if isinstance(one, Decoded)}


@pytest.mark.slow
def test_killed_at_20_random_moments_an_ingest_loses_nothing(tmp_path: Path) -> None:
    """After each SIGKILL the collection opens, status adds up, and what was committed is still there, bit for bit."""
    list_path, folder = write_list(tmp_path / "tones", N_TONES), tmp_path / "collection"
    command = (sys.executable, "-m", "tests.pipeline.ingest_child", str(list_path), str(folder))
    moments, before, kept_at = random.Random(0), {}, []
    for kill in range(KILLS):
        process = start(*command)
        wait_for(folder / ("catalog.sqlite" if kill else "collection.toml"), process)
        if kill % 4:
            wait_for_media(folder, moments.randrange(4), process)
        kill_after(process, moments.uniform(0.0, 0.3))
        if not (folder / "collection.toml").exists():
            continue
        with open_collection(folder) as collection:
            now, counts = committed(collection), summarise(collection.store)
        assert counts["videos"] == sum(counts["outcomes"].values()) + counts["pending"]
        assert counts["outcomes"].get("ok", 0) == len(now)
        assert before.items() <= now.items()
        before = now
        kept_at.append(len(now))
    in_the_middle = [kept for kept in kept_at if 0 < kept < N_TONES]
    assert len(in_the_middle) > KILLS / 4, f"too few kills came in the middle of the work: {kept_at}"
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)
    with open_collection(folder) as collection:
        assert set(committed(collection).values()) == expected_embeddings(tmp_path / "tones")
        counts = summarise(collection.store)
    assert counts["outcomes"] == {"ok": N_TONES, "undecodable": 1, "missing_file": 1}
    assert (counts["pending"], counts["rows"], counts["bad_rows"]) == (0, N_TONES + 3, 1)
    assert list(folder.glob(".incoming*")) == []
    assert [path.name for path in (folder / "media").iterdir() if path.name.endswith(".partial")] == []


@pytest.mark.slow
def test_killed_with_the_real_encoder_it_goes_on(tmp_path: Path) -> None:
    """The command line itself, killed while the real encoder works, resumes and computes nothing twice."""
    list_path, folder = write_list(tmp_path / "tones", 40), tmp_path / "collection"
    process = start(sys.executable, "-m", "quartzlens", "ingest", str(list_path), "-c", str(folder))
    until = time.monotonic() + 240
    n_kept = 0
    while n_kept < 3 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
        n_kept = n_media(folder)
    kill_after(process, 0.5)
    with open_collection(folder) as collection:
        before = committed(collection)
        when = {video.id: video.tried_at for video in collection.store.videos() if video.id in before}
    done = quartzlens("ingest", list_path, "-c", folder)
    assert done.returncode == 0, done.stderr
    with open_collection(folder) as collection:
        after = committed(collection)
        assert when.items() <= {video.id: video.tried_at for video in collection.store.videos()}.items()
    assert before.items() <= after.items()
    assert len(after) == 40
    assert np.isfinite(np.frombuffer(next(iter(after.values())), np.float32)).all()
