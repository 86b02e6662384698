"""``make bench``: what the parts of the pipeline cost, beside each other, written to docs/benchmarks.md."""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from pipeline.checkpoint import open_checkpoint
from pipeline.decode import Decoded, decode
from pipeline.encoder import NemoEncoder
from pipeline.media import keep_media
from quartzlens.records import Media, Outcome, Result, Row, Stage
from store.collection import EncoderChoice, open_collection

PAIRS = 7
CLIP_SECONDS = 60.0


def seconds(action: Callable[[], object], times: int = PAIRS) -> float:
    """Median wall-clock seconds of an action, after one run that does not count."""
    action()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def start_up() -> Iterator[tuple[str, float]]:
    """Bare Python beside ``quartzlens --help``, interleaved."""
    commands = {"python -c pass": ["-c", "pass"], "quartzlens --help": ["-m", "quartzlens", "--help"]}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(PAIRS):
        for name, arguments in commands.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
            taken[name].append(time.perf_counter() - began)
    for name, values in taken.items():
        yield name, statistics.median(values)


def one_clip(folder: Path) -> Iterator[tuple[str, float]]:
    """Decoding, keeping media, encoding, committing and searching one clip of the demo collection."""
    encoder = NemoEncoder(open_checkpoint("demo"))
    path = max((encoder_demo() / "videos").iterdir(), key=lambda one: one.stat().st_size)
    decoded = decode(path, 0.0, CLIP_SECONDS)
    if not isinstance(decoded, Decoded):
        raise SystemExit(f"{path} does not decode: {decoded.detail}")
    audio = np.resize(decoded.audio, round(CLIP_SECONDS * 16000))
    yield (
        f"decode {len(decoded.audio) / 16000:.0f} s of {path.suffix[1:]}",
        seconds(lambda: decode(path, 0.0, CLIP_SECONDS)),
    )
    yield "keep its media and thumbnail", seconds(lambda: keep_media(path, folder, "clip", 0.0, CLIP_SECONDS))
    yield "encode 60 s, demo checkpoint, NeMo eager", seconds(lambda: encoder.encode(audio))
    embedded = encoder.encode(audio)
    media = Media(60.0, 60.0, -20.0, "aac", 44100)
    with open_collection(folder / "collection", create=EncoderChoice()) as collection:
        store = collection.store
        store.add_rows("list", [Row("list", number, f"v{number}", f"/v{number}") for number in range(1000)], [])
        results = [
            Result(f"v{number}", Outcome.OK, Stage.STORE, "2026-01-01T00:00:00+00:00", media=media, embedded=embedded)
            for number in range(1000)
        ]
        yield "commit one video with 12 fragments", seconds(lambda: store.commit(results[:1]))
        yield "the same in transactions of 250, each", seconds(lambda: store.commit(results[:250])) / 250
        store.commit(results)
        query = embedded.embedding[None]
        yield "search 1,000 videos, 10 nearest", seconds(lambda: store.search(encoder.fingerprint, query, 10))


def encoder_demo() -> Path:
    """Folder of the demo collection's source."""
    from pipeline.checkpoint import demo_path

    return demo_path().parent


def main() -> None:
    """Measure, print, and write docs/benchmarks.md."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [*start_up(), *one_clip(Path(folder))]
    machine = (
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    lines = [
        "# Benchmarks",
        "",
        f"`make bench` on {datetime.now(UTC):%Y-%m-%d}: {machine}; medians of {PAIRS}.",
        "Compare within the table, never across runs.",
        "",
        "| what | ms |",
        "|---|---|",
        *(f"| {name} | {1000 * value:.1f} |" for name, value in rows),
        "",
    ]
    print("\n".join(lines))
    Path("docs/benchmarks.md").write_text("\n".join(lines), encoding="utf-8")


main()
