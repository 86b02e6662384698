"""What the parts of the pipeline cost for one clip of the demo collection."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.models import CLIP_SECONDS, SAMPLE_RATE_HZ
from benchmarks.report import Table, milliseconds
from benchmarks.timing import PAIRS, median_seconds
from pipeline.checkpoint import demo_path, open_checkpoint
from pipeline.decode import Decoded, decode
from pipeline.encoder import EncoderSettings, encode
from pipeline.engine import OpenVinoEncoder
from pipeline.media import keep_media
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Media, Result, Row
from store.collection import EncoderChoice, open_collection

_VIDEOS = 1000


def tables(_work: Path) -> list[Table]:
    """Median times of decoding, keeping media, encoding, committing and searching."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [(name, milliseconds(seconds)) for name, seconds in _measured(Path(folder))]
    return [Table("One clip", f"Medians of {PAIRS}.", ("what", "ms"), rows)]


def _measured(folder: Path) -> Iterator[tuple[str, float]]:
    path = max((demo_path().parent / "videos").iterdir(), key=lambda one: one.stat().st_size)
    decoded = decode(path, 0.0, CLIP_SECONDS)
    if not isinstance(decoded, Decoded):
        raise SystemExit(f"{path} does not decode: {decoded.detail}")
    heard = len(decoded.audio) / SAMPLE_RATE_HZ
    yield f"decode {heard:.0f} s of {path.suffix[1:]}", median_seconds(lambda: decode(path, 0.0, CLIP_SECONDS))
    yield (
        "keep its media and thumbnail",
        median_seconds(lambda: keep_media(path, folder, "clip", 0.0, CLIP_SECONDS, heard)),
    )
    encoder = OpenVinoEncoder(open_checkpoint("demo"), EncoderSettings(), streams=1)
    audio = np.resize(decoded.audio, round(CLIP_SECONDS * SAMPLE_RATE_HZ))
    embedded = encode(encoder, audio)
    yield "encode 60 s alone, demo checkpoint, OpenVINO f32", median_seconds(lambda: encode(encoder, audio))
    encoder.close()
    yield from _stored(folder, encoder.fingerprint, embedded)


def _stored(folder: Path, fingerprint: Fingerprint, embedded: Embedded) -> Iterator[tuple[str, float]]:
    media = Media(60.0, 60.0, -20.0, "aac", 44100)
    names = [f"v{number}" for number in range(_VIDEOS)]
    with open_collection(folder / "collection", create=EncoderChoice()) as collection:
        store = collection.store
        store.add_rows("list", [Row("list", number, name, f"/{name}") for number, name in enumerate(names)], [])
        now = "2026-01-01T00:00:00+00:00"
        results = [Result(name, Outcome.OK, Stage.STORE, now, media=media, embedded=embedded) for name in names]
        yield "commit one video with 12 fragments", median_seconds(lambda: store.commit(results[:1]))
        yield "the same in transactions of 250, each", median_seconds(lambda: store.commit(results[:250])) / 250
        store.commit(results)
        query = embedded.embedding[None]
        yield "search 1,000 videos, 10 nearest", median_seconds(lambda: store.search(fingerprint, query, 10))
