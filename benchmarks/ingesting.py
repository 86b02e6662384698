"""An ingest of local files by a real engine into a real collection, timed from the first file to the last row."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline import runner
from pipeline.encoder import Encoder
from pipeline.fetch import FetchOptions
from quartzlens.outcomes import Outcome
from quartzlens.records import Row
from store.collection import EncoderChoice, open_collection


def ingest_files(encoder: Encoder, files: Sequence[Path], folder: Path) -> float:
    """Wall-clock seconds of ingesting the files, each as a video of its own, into a new collection in ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    with open_collection(folder, create=EncoderChoice()) as collection:
        rows = [Row("bench", number, f"v{number:05}", str(path)) for number, path in enumerate(files, 1)]
        collection.store.add_rows("bench", rows, [])
        options = FetchOptions(folder / ".incoming", media_folder=collection.media_folder)
        began = time.perf_counter()
        runner.ingest(collection.store, encoder, collection.store.videos(), options)
        seconds = time.perf_counter() - began
        bad = [video for video in collection.store.videos() if video.outcome is not Outcome.OK]
    shutil.rmtree(folder, ignore_errors=True)
    if bad:
        raise SystemExit(f"{len(bad)} of {len(files)} were not embedded, the first: {bad[0].outcome}, {bad[0].detail}")
    return seconds
