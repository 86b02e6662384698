"""Small rows, results and runs for the store's tests."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Embedded, Fingerprint, Label, LabelSource, Media, Outcome, Result, Row, Run, Stage
from store.base import Store

DIMENSION = 8
FINGERPRINT = Fingerprint("a" * 64, "{}", 0.0, 60.0, "mean", "f32", DIMENSION, "demo")
OTHER = Fingerprint("b" * 64, "{}", 0.0, 60.0, "mean", "f32", DIMENSION, "other")


def row(number: int, video_id: str, label: str | None = None, source_list: str = "list", **columns: str) -> Row:
    """A row of a list that leads to ``video_id``."""
    return Row(source_list, number, video_id, f"https://example.org/{video_id}", label=label, **columns)


def rows(*ids: str, source_list: str = "list") -> list[Row]:
    """Rows 1.. of a list, one a video, without labels."""
    return [row(number, video_id, source_list=source_list) for number, video_id in enumerate(ids, 1)]


def embedded(vector: object, fingerprint: Fingerprint = FINGERPRINT, fragments: int = 2) -> Embedded:
    """The vector as embedding and, scaled, as fragments of 5 s each."""
    pooled = np.asarray(vector, dtype=np.float32)
    starts = np.arange(fragments, dtype=np.float32) * 5
    scaled = pooled[None] * (starts[:, None] + 1)
    return Embedded(fingerprint, pooled, scaled, np.stack([starts, starts + 5], axis=1))


def ok(video_id: str, vector: object, fingerprint: Fingerprint = FINGERPRINT, media: Media | None = None) -> Result:
    """An embedded video."""
    return Result(
        video_id, Outcome.OK, Stage.ENCODE, "2026-01-02T03:04:05+00:00", "", media, embedded(vector, fingerprint)
    )


def failed(video_id: str, outcome: Outcome = Outcome.NETWORK, detail: str = "timed out") -> Result:
    """A video that was not embedded."""
    return Result(video_id, outcome, Stage.DOWNLOAD, "2026-01-02T03:04:05+00:00", detail)


def matrix_of(vectors: object) -> NDArray[np.float32]:
    """Vectors under one another."""
    return np.asarray(vectors, dtype=np.float32)


def axis(*positions: int) -> list[float]:
    """A vector with ones at these positions."""
    return [float(position in positions) for position in range(DIMENSION)]


def media(video_id: str) -> Media:
    """Facts of a decoded video with kept files."""
    return Media(61.5, 60.0, -23.5, "aac", 44100, False, f"{video_id}.m4a", f"{video_id}.jpg")


def run(run_id: str = "r1", labels_seen: int = 0, files: Mapping[str, bytes] | None = None) -> Run:
    """An evaluation with settings of every JSON kind."""
    return Run(
        run_id,
        "evaluate",
        "2026-01-02T03:04:05+00:00",
        FINGERPRINT.key,
        3,
        labels_seen,
        {"folds": 5, "classifier": "original", "columns": ["a", None]},
        {"accuracy": {"value": 0.5}},
        files or {},
    )


def ids_of(store: Store) -> list[str]:
    """Ids in the order of videos."""
    return [video.id for video in store.videos()]


def person(video_id: str, category: str | None) -> Label:
    """What a person says about a video."""
    return Label(video_id, category, LabelSource.PERSON, "", "2026-01-02T03:04:05+00:00")
