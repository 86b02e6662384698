"""A made-up collection that an evaluation has much to say of: depths, facts, copies, conflicts, published folds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Media, Result, Row
from store.collection import EncoderChoice, open_collection

CATEGORIES = ("food", "history", "travel")
CHANNELS, PER_CHANNEL, DIMENSION, FRAGMENTS = 4, 3, 16, 4
PRINT = Fingerprint("ab" * 32, "{}", 0.0, 60.0, "mean", "f32", DIMENSION, "demo")
OLDER = replace(PRINT, pooling="mean3008")
BLOCKS = ("C1", "B1", "C2")
COPY = "v1"
"""The video that ``copy`` has the sound of."""

Floats = NDArray[np.float32]


def make_to_evaluate(folder: Path, *, older: bool = False) -> Path:
    """36 videos of three categories and a copy of one, and one each without a label, with two, and alone of its kind.

    ``older`` adds embeddings by mean3008.
    """
    rows = _rows()
    with open_collection(folder, create=EncoderChoice()) as collection:
        store = collection.store
        store.add_rows("list", rows, [])
        store.add_rows("other", [replace(rows[-2], source_list="other", number=1, label="travel")], [])
        encoders = [OLDER, PRINT] if older else [PRINT]
        for encoder in encoders:
            store.commit(_results(rows, encoder))
    return folder


def _rows() -> list[Row]:
    wanted = [(name, f"{name} {n // PER_CHANNEL}") for name in CATEGORIES for n in range(CHANNELS * PER_CHANNEL)]
    several, alone, unlabelled = ("food", "of two kinds"), ("alone", "alone"), (None, "unknown")
    rows = [_row(f"v{n}", n, *one) for n, one in enumerate([*wanted, unlabelled], 1)]
    more = [("copy", (CATEGORIES[0], f"{CATEGORIES[0]} 1")), ("several", several), ("alone", alone)]
    return rows + [_row(name, len(rows) + n, *one) for n, (name, one) in enumerate(more, 1)]


def _row(video_id: str, number: int, category: str | None, channel: str) -> Row:
    extra = {"part": channel[-1], "camera": f"camera {number % 9}", "start_seconds": str(number % 7)}
    words = f"All about {category}" if number % 2 else ""
    return Row("list", number, video_id, f"/videos/{number}.mp4", f"Video {number}", words, channel, category, extra)


def _results(rows: list[Row], encoder: Fingerprint) -> list[Result]:
    rng = np.random.default_rng(7)
    centres = dict(zip((*CATEGORIES, "alone", None), rng.normal(size=(5, DIMENSION)), strict=True))
    sounds: dict[str, Floats] = {}
    for row in rows:
        around = centres[row.label] + rng.normal(size=DIMENSION)
        pieces = around + 0.8 * rng.normal(size=(FRAGMENTS, DIMENSION)) + 8.0
        sounds[row.video_id] = (sounds[COPY] if row.video_id == "copy" else pieces).astype(np.float32)
    return [_result(row, sounds[row.video_id], encoder) for row in rows]


def _result(row: Row, fragments: Floats, encoder: Fingerprint) -> Result:
    start = 5.0 * np.arange(FRAGMENTS, dtype=np.float32)
    pooled = fragments.mean(axis=0)
    profile = {name: np.stack([np.roll(pooled, at), pooled])[:, : 4 + at] for at, name in enumerate(BLOCKS)}
    bounds = np.column_stack([start, start + 5.0])
    embedded = Embedded(encoder, pooled, fragments, bounds, profile=profile)
    told = CATEGORIES.index(row.label) if row.label in CATEGORIES else 0
    media = Media(60.0 + 90.0 * told, 5.0 * FRAGMENTS, -20.0 - row.number % 5, "aac", 48000)
    return Result(row.video_id, Outcome.OK, Stage.STORE, "2026-11-23T10:00:00+00:00", "", media, embedded)
