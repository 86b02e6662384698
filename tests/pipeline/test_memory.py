"""Memory stays flat however many videos there are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.pipeline.synth import tone, write_media

CLIP_SECONDS = 20.0
CHILD = """
import json, sys
from contextlib import suppress
from pathlib import Path
from pipeline import runner
from pipeline.fetch import FetchOptions
from quartzlens.records import Row
from store.collection import EncoderChoice, open_collection
from tests.pipeline.standin import StandInEncoder

def peak_mb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

def children():
    found = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
            found += (task / "children").read_text().split()
    return found

def look(result):
    done.append(result.outcome)
    if len(done) in (n_videos // 2, n_videos):
        workers.append(max(map(peak_mb, children())))

done, workers = [], []
media, folder, n_videos = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
with open_collection(folder, create=EncoderChoice(checkpoint="stand-in")) as collection:
    rows = [Row("list", number, f"v{number}", str(media)) for number in range(1, n_videos + 1)]
    collection.store.add_rows("list", rows, [])
    options = FetchOptions(folder / ".incoming", media_folder=collection.media_folder, decoders=2)
    runner.ingest(collection.store, StandInEncoder(), collection.store.videos(), options, look)
print(json.dumps([done.count("ok"), peak_mb("self"), max(workers)]))
"""


def peaks_mb(media: Path, folder: Path, n_videos: int) -> tuple[float, float]:
    """Peak memory in MB of a process that ingests so many videos, and of the largest of its workers."""
    command = [sys.executable, "-c", CHILD, str(media), str(folder), str(n_videos)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    n_ok, own, workers = json.loads(done.stdout)
    assert n_ok == n_videos
    return own, workers


@pytest.mark.slow
def test_peak_memory_does_not_grow_with_the_number_of_videos(tmp_path: Path) -> None:
    """After 300 videos neither the ingest nor a worker is larger than after 100: 200 clips of sound are 256 MB."""
    media = write_media(tmp_path / "a.ogg", [tone(CLIP_SECONDS, 48_000)], 48_000, "libopus")
    few, many = (peaks_mb(media, tmp_path / f"collection{n}", n) for n in (100, 300))
    for before, after in zip(few, many, strict=True):
        assert after < before + 40, (few, many)
