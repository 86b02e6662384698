"""What the pipeline costs a video apart from network, decoding, re-encoding and encoder, for few and many videos."""

import csv
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from benchmarks import instant
from benchmarks.instant import N_SAMPLES
from benchmarks.models import CLIP_SECONDS
from benchmarks.report import Table, milliseconds
from benchmarks.timing import PAIRS, median_seconds
from pipeline import runner
from pipeline.checkpoint import demo_path, open_checkpoint
from pipeline.download import DownloadLimits, download
from pipeline.encoder import EncoderSettings, encode
from pipeline.engine import OpenVinoEncoder
from pipeline.fetch import FetchOptions
from pipeline.sources import read_source
from quartzlens.cli.look import summarise
from quartzlens.records import Embedded
from store.collection import EncoderChoice, open_collection

_COUNTS = (100, 1000, 10_000)
_COLUMNS = ("videos", "from files, ms a video", "from links, ms a video", "run again, ms a video")


def tables(work: Path) -> list[Table]:
    """Ingests in which nothing is fetched, decoded or encoded, and the cost of yt-dlp beside them."""
    folder = work / "overhead"
    encoder = OpenVinoEncoder(open_checkpoint("demo"), EncoderSettings())
    embedded = encode(encoder, np.random.default_rng(0).normal(0, 0.1, N_SAMPLES).astype(np.float32))
    encoder.close()
    rows = [_row(folder, count, embedded) for count in _COUNTS]
    note = (
        "A list is read, its videos are added, go through worker processes (a minute of sound comes back from them "
        "each time), are committed with 12 fragments, depth profile and words, and counted. What downloads, decodes, "
        "keeps media and encodes is replaced by what gives the same answer at once; links have no pause. Run again: "
        "nothing is due. Under 30 ms is wanted, whatever their number."
    )
    return [Table("A video's way through the pipeline alone", note, _COLUMNS, rows), _yt_dlp(folder)]


def _row(folder: Path, count: int, embedded: Embedded) -> tuple[str, ...]:
    files, _ = _ingested(folder, [f"/nowhere/v{number}.wav" for number in range(count)], embedded)
    links, again = _ingested(folder, [f"https://example.org/v{number}" for number in range(count)], embedded)
    return (f"{count:,}", *(milliseconds(seconds / count) for seconds in (files, links, again)))


def _ingested(folder: Path, sources: list[str], embedded: Embedded) -> tuple[float, float]:
    """Seconds of a new collection's ingest from the list to the summary, and of the same command once more."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    list_path = folder / "list.csv"
    with list_path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("link", "title", "category"), *((source, "T", "a") for source in sources)])
    with ExitStack() as stack:
        stack.enter_context(patch("pipeline.fetch.prepare_file", instant.prepared))
        stack.enter_context(patch("pipeline.download.download", instant.downloaded))
        first, second = (_timed(partial(_ingest, list_path, folder, embedded)) for _ in range(2))
    shutil.rmtree(folder)
    return first, second


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _ingest(list_path: Path, folder: Path, embedded: Embedded) -> None:
    """What the command line does with a list."""
    one = read_source(str(list_path))
    with open_collection(folder / "collection", create=EncoderChoice()) as collection:
        collection.store.add_rows(one.name, one.rows, one.bad_rows)
        due = runner.to_try(collection.store, embedded.fingerprint)
        options = FetchOptions(
            folder / ".incoming", media_folder=collection.media_folder, pause_seconds=0.0, patient=True
        )
        if due:
            runner.ingest(collection.store, _Instant(embedded), due, options)
        kept = summarise(collection.store)["outcomes"].get("ok", 0)
        detail = next((video.detail for video in collection.store.videos() if video.detail), "")
    if kept != len(one.rows):
        raise SystemExit(f"{kept} of {len(one.rows)} were embedded: {detail}")


class _Instant:
    """An encoder that has its answer ready."""

    in_flight = 2
    clip_gflop = 1.0
    share_of_peak = 1.0

    def __init__(self, embedded: Embedded) -> None:
        self.fingerprint = embedded.fingerprint
        self._embedded = embedded

    def load(self) -> None:
        """Nothing is to be got ready."""

    def submit(self, audio: NDArray[np.float32]) -> Future[Embedded]:
        """The same embeddings for any sound."""
        if len(audio) != N_SAMPLES:
            raise SystemExit(f"a clip arrived with {len(audio)} samples")
        future: Future[Embedded] = Future()
        future.set_result(self._embedded)
        return future

    def close(self) -> None:
        """Nothing is to be let go."""


def _yt_dlp(folder: Path) -> Table:
    """A download by yt-dlp from this machine: what it and the guard cost a link, before any waiting."""
    folder.mkdir(parents=True, exist_ok=True)
    smallest = min((demo_path().parent / "videos").iterdir(), key=lambda one: one.stat().st_size)
    limits = DownloadLimits(allow_hosts=frozenset({"127.0.0.1"}))
    with _serving(smallest.parent) as address:
        seconds = median_seconds(lambda: download(f"{address}/{smallest.name}", folder, "one", CLIP_SECONDS, limits))
    size = f"{smallest.stat().st_size / 1000:.0f} kB"
    row = (f"one file of {size} by a direct link", milliseconds(seconds))
    return Table("yt-dlp and the guard", f"From a server on this machine; median of {PAIRS}.", ("what", "ms"), [row])


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """The address of a server of a folder's files on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    """Files, without a line for each."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing."""
