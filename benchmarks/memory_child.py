"""``python -m benchmarks.memory_child WORK COUNT SECONDS``: ingest so many videos; the peaks in bytes as JSON.

Peaks are the kernel's high-water marks (``VmHWM``), on Linux alone. ``ru_maxrss`` would not do: a process starts with
its parent's.
"""

import json
import os
import sys
import threading
from itertools import cycle, islice
from pathlib import Path

from benchmarks.ingesting import ingest_files
from benchmarks.media_files import media_files
from benchmarks.models import clips, full_size
from pipeline.encoder import EncoderSettings, encode
from pipeline.engine import OpenVinoEncoder

_LOOK_SECONDS = 0.5
_DIFFERENT_FILES = 12


def main(work: Path, count: int, seconds: float) -> None:
    """Measure, and print the answer."""
    files = media_files(work / "media", _DIFFERENT_FILES, seconds)
    checkpoint = full_size(work)
    encoder = OpenVinoEncoder(checkpoint, EncoderSettings())
    encode(encoder, clips(1, seconds)[0])
    peaks: dict[int, int] = {}
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(peaks, over))
    watching.start()
    ingest_files(encoder, list(islice(cycle(files), count)), work / f"memory-{count}")
    over.set()
    watching.join()
    encoder.close()
    own = peaks.pop(os.getpid())
    print(json.dumps({"peak": own, "workers": sum(peaks.values()), "model": 4 * checkpoint.parameters}))


def _watch(peaks: dict[int, int], over: threading.Event) -> None:
    """Keep the peaks of this process and of its children up to date until it is over."""
    ended = False
    while not ended:
        ended = over.wait(_LOOK_SECONDS)
        for status in Path("/proc").glob("[0-9]*/status"):
            facts = _facts(status)
            pid = int(facts.get("Pid", 0))
            if os.getpid() in (pid, int(facts.get("PPid", 0))) and "VmHWM" in facts:
                peaks[pid] = max(peaks.get(pid, 0), 1024 * int(facts["VmHWM"].split()[0]))


def _facts(status: Path) -> dict[str, str]:
    """Lines ``name: value`` of a process's status; none of one that has ended."""
    try:
        lines = status.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
