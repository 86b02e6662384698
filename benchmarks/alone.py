"""``python -m benchmarks.alone WORK CLIPS PRECISION [BLOCK]``: CPU-seconds a clip of each stage by itself, on one core.

Prints ``{"decode": ..., "front end": ..., "encoder": ...}``; decoding is with keeping the media, as an ingest does it.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks.media_files import media_files
from benchmarks.models import CLIP_SECONDS, full_size
from pipeline.encoder import EncoderSettings, encode
from pipeline.engine import OpenVinoEncoder
from pipeline.front_end import front_end
from pipeline.prepare import Prepared, prepare_file

In = TypeVar("In")
Out = TypeVar("Out")


def main(work: Path, count: int, precision: str, block: str) -> None:
    """Measure, and print the answer."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    files = media_files(work / "media", count, CLIP_SECONDS)
    checkpoint = full_size(work)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        kept = Path(folder)
        decode_seconds, prepared = _each(lambda path: prepare_file(path, path.stem, 0.0, CLIP_SECONDS, kept), files)
    sounds = [one.audio for one in prepared if isinstance(one, Prepared)]
    front_seconds, _ = _each(front_end(checkpoint.front_end).features, sounds)
    encoder = OpenVinoEncoder(checkpoint, EncoderSettings(precision=precision, block=block))
    both_seconds, _ = _each(lambda sound: encode(encoder, sound), sounds)
    encoder.close()
    answer = {"decode": decode_seconds, "front end": front_seconds, "encoder": both_seconds - front_seconds}
    print(json.dumps(answer))


def _each(work: Callable[[In], Out], things: Sequence[In]) -> tuple[float, list[Out]]:
    """CPU-seconds of this process for each thing, after one that does not count; and what came of them."""
    work(things[0])
    began = time.process_time()
    done = [work(thing) for thing in things]
    return (time.process_time() - began) / len(things), done


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else "")
