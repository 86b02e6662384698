"""Collections for the dashboard's tests, made through the store: structured embeddings, real media, real confusions."""

import io
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Media, Result, Row, Words
from store.collection import EncoderChoice, change_encoder, ingest_lock, open_collection

DIMENSION = 64
FRAGMENTS = 6
FINGERPRINT = Fingerprint("ab" * 32, "{}", 0.0, 60.0, "mean", "f32", DIMENSION, "demo")
BLOCK = replace(FINGERPRINT, block="B2")
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "**b** :red[x] $x$ [l](javascript:alert(1)) :smile: :material/home: -> www.example.com",
    "\u202eright to left\u202c <script>alert(2)</script>",
    "# heading\n- list `code` | a | b | ![i](http://127.0.0.1:9/x.png)",
)


@dataclass(frozen=True)
class Wanted:
    """What a made-up collection is like."""

    categories: tuple[str, ...] = ("art_music", "food", "history", "travel")
    videos: int = 60
    channels: int = 12
    media: bool = True
    labelled: bool = True
    hostile: bool = False
    start_seconds: float = 0.0
    extra: dict[str, str] = field(default_factory=dict)


def make_collection(folder: Path, wanted: Wanted = Wanted()) -> Path:
    """Build a collection whose categories overlap, so that a classifier makes errors; a few videos are lost."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(len(wanted.categories), DIMENSION)).astype(np.float32)
    with open_collection(folder, create=EncoderChoice(start_seconds=wanted.start_seconds)) as collection:
        rows = [_row(wanted, number) for number in range(wanted.videos)]
        lost = [Row("list.csv", 1000 + n, f"lost{n}", f"/gone/{n}.mp4", title=f"Lost {n}") for n in range(3)]
        collection.store.add_rows("list.csv", [*rows, *lost], [])
        results = [_kept(wanted, row, n, centres, rng, collection.media_folder) for n, row in enumerate(rows)]
        reasons = (Outcome.MISSING_FILE, Outcome.TOO_SHORT)
        for row, outcome in zip(lost, reasons, strict=False):
            results.append(Result(row.video_id, outcome, Stage.SOURCE, "2026-01-01T00:00:00+00:00", "no such file"))
        collection.store.commit(results)
    return folder


def embed_again(folder: Path, left_out: int = 0, heard: str = "") -> None:
    """Embed all but the first ``left_out`` by a block of the same dimension, then choose it: each vector turned round.

    An embedding of the one encoder is therefore nowhere near its own video by the other.
    """
    with open_collection(folder) as collection, ingest_lock(folder):
        store, old = collection.store, collection.store.embeddings(FINGERPRINT)
        for video_id, vector in list(zip(old.ids, old.matrix, strict=True))[left_out:]:
            pieces, media = store.fragments(FINGERPRINT, [video_id]), store.videos([video_id])[0].media
            words = (Words(heard, 0.5),) * len(pieces.ids) if heard else ()
            embedded = Embedded(BLOCK, -vector, -pieces.matrix, pieces.bounds, words=words)
            result = Result(video_id, Outcome.OK, Stage.STORE, "2026-01-02T00:00:00+00:00", "", media, embedded)
            store.commit([result])
        change_encoder(folder, replace(collection.encoder, block=BLOCK.block))


def _row(wanted: Wanted, n: int) -> Row:
    channel = n % wanted.channels
    category = wanted.categories[channel % len(wanted.categories)] if wanted.labelled else None
    title = HOSTILE[n] if wanted.hostile and n < len(HOSTILE) else f"Video number {n} of the collection"
    name = HOSTILE[channel] if wanted.hostile and channel < len(HOSTILE) else f"Channel {channel}"
    return Row(
        "list.csv",
        n + 1,
        f"v{n:03d}",
        f"/videos/{n}.mp4",
        title=title,
        channel=name,
        label=category,
        extra=wanted.extra,
    )


def _kept(
    wanted: Wanted, row: Row, n: int, centres: NDArray[np.float32], rng: np.random.Generator, folder: Path
) -> Result:
    """A video whose fragments are partly its own category's and, in every third video, partly the next one's."""
    own = (n % wanted.channels) % len(centres)
    foreign = (own + 1) % len(centres)
    share = FRAGMENTS * 2 // 3 if n % 3 == 0 else 0
    which = [foreign] * share + [own] * (FRAGMENTS - share)
    fragments = centres[which] + rng.normal(scale=0.8, size=(FRAGMENTS, DIMENSION)).astype(np.float32)
    bounds = np.array([(5.0 * i, 5.0 * i + 5.0) for i in range(FRAGMENTS)], dtype=np.float32) + wanted.start_seconds
    encoder = replace(FINGERPRINT, start_seconds=wanted.start_seconds)
    embedded = Embedded(encoder, fragments.mean(axis=0).astype(np.float32), fragments.astype(np.float32), bounds)
    names = _media(folder, row.video_id, n) if wanted.media else (None, None)
    media = Media(30.0, 30.0, -20.0, "vorbis", 16000, media_file=names[0], thumbnail_file=names[1])
    return Result(row.video_id, Outcome.OK, Stage.STORE, "2026-01-01T00:00:00+00:00", "", media, embedded)


def _media(folder: Path, video_id: str, n: int) -> tuple[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{video_id}.ogg").write_bytes(_tone(220.0 + 110 * (n % 4)))
    shade = tuple(int(value) for value in np.random.default_rng(n).integers(90, 220, 3))
    Image.new("RGB", (160, 90), shade).save(folder / f"{video_id}.jpg")
    return f"{video_id}.ogg", f"{video_id}.jpg"


@cache
def _tone(pitch_hz: float, seconds: float = 30.0, rate_hz: int = 16000) -> bytes:
    """Half a minute of a sine as Opus in Ogg."""
    file = io.BytesIO()
    wave = (0.2 * np.sin(2 * np.pi * pitch_hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None, :], format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48000, frame_size=960)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()
