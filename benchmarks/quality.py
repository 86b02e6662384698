"""What each precision makes of real recordings with a trained checkpoint: numbers, neighbours, and an evaluation."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.dataset import load_dataset
from analysis.evaluation import evaluate
from benchmarks.calibrated import calibrated
from benchmarks.models import CLIP_SECONDS, data_folder
from benchmarks.report import Table
from pipeline.calibration import CLIPS, spread
from pipeline.checkpoint import open_checkpoint
from pipeline.decode import Decoded, decode
from pipeline.encoder import Encoder, EncoderSettings
from pipeline.engine import OpenVinoEncoder, has_bf16
from pipeline.reference import ReferenceEncoder
from pipeline.sources import read_source
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Media, Result, Row
from store.memory import MemoryStore

_NEIGHBOURS = 10
_LISTS = ("videos/videos.csv", "esc10/esc10.csv")
_JUDGED = 1  # of the lists, by number: the one with published folds
Clips = dict[str, NDArray[np.float32]]


def tables(work: Path) -> list[Table]:
    """Similarity to NeMo eager, neighbours and accuracy of each precision; nothing without the recordings."""
    if not data_folder().is_dir():
        return [Table("Precisions", "Not measured: the recordings of $DATA are not here.", ("precision",), [])]
    lists = [read_source(str(data_folder() / name)) for name in _LISTS]
    sounds = _sounds([row for one in lists for row in one.rows])
    embedded = {name: _encoded(encoder, sounds) for name, encoder in _encoders(work, sounds).items()}
    rows = [_row(name, embedded, lists[_JUDGED].rows) for name in embedded]
    columns = (
        "engine",
        "pooled: least cosine",
        "median",
        "fragments: least cosine",
        "median",
        f"neighbours@{_NEIGHBOURS} of f32",
        "accuracy",
    )
    n_fragments = sum(len(one.fragments) for one in embedded["NeMo eager"].values())
    note = (
        f"Demo checkpoint; {len(sounds)} clips of $DATA with {n_fragments} fragments, first {CLIP_SECONDS:.0f} s. "
        f"Cosines are to NeMo eager; neighbours are the share of the {_NEIGHBOURS} nearest clips that f32 finds; "
        f"accuracy is logistic regression's on the published folds of $DATA/{_LISTS[_JUDGED]}, plus or minus one "
        f"standard error. int8 is calibrated with a spread of {CLIPS} of these clips."
    )
    return [Table("Precisions", note, columns, rows)]


def _sounds(rows: Sequence[Row]) -> Clips:
    decoded = {row.video_id: decode(Path(row.source), 0.0, CLIP_SECONDS) for row in rows}
    return {name: one.audio for name, one in decoded.items() if isinstance(one, Decoded)}


def _encoders(work: Path, sounds: Clips) -> dict[str, Encoder]:
    checkpoint = open_checkpoint("demo")
    calibration, digest = calibrated(work, checkpoint, spread(list(sounds.values()), CLIPS))
    int8 = EncoderSettings(precision="int8", calibration=digest)
    encoders: dict[str, Encoder] = {
        "NeMo eager": ReferenceEncoder(checkpoint, EncoderSettings()),
        "f32": OpenVinoEncoder(checkpoint, EncoderSettings()),
    }
    if has_bf16():
        encoders["bf16"] = OpenVinoEncoder(checkpoint, EncoderSettings(precision="bf16"))
    return encoders | {"int8": OpenVinoEncoder(checkpoint, int8, calibration=calibration)}


def _encoded(encoder: Encoder, sounds: Clips) -> dict[str, Embedded]:
    futures = {name: encoder.submit(sound) for name, sound in sounds.items()}
    embedded = {name: future.result() for name, future in futures.items()}
    encoder.close()
    return embedded


def _row(name: str, embedded: dict[str, dict[str, Embedded]], judged: Sequence[Row]) -> tuple[str, ...]:
    own, nemo = embedded[name], embedded["NeMo eager"]
    pooled = _cosines(_pooled(own), _pooled(nemo))
    fragments = _cosines(*(np.concatenate([one.fragments for one in these.values()]) for these in (own, nemo)))
    shared = _shared(_pooled(own), _pooled(embedded["f32"]))
    accuracy, error = _accuracy(own, judged)
    cosines = [f"{value:.6f}" for one in (pooled, fragments) for value in (one.min(), np.median(one))]
    return name, *cosines, f"{shared:.3f}", f"{accuracy:.4f} ± {error:.4f}"


def _pooled(embedded: dict[str, Embedded]) -> NDArray[np.float32]:
    return np.stack([one.embedding for one in embedded.values()])


def _unit(matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = matrix.astype(np.float64)
    return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True))


def _cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray((_unit(one) * _unit(other)).sum(axis=1))


def _shared(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Mean share of each row's nearest rows by cosine that are nearest in both; a row is no neighbour of its own."""
    return float(
        np.mean([len(set(a) & set(b)) / _NEIGHBOURS for a, b in zip(_nearest(one), _nearest(other), strict=True)])
    )


def _nearest(matrix: NDArray[np.float32]) -> NDArray[np.int64]:
    similarity = _unit(matrix) @ _unit(matrix).T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :_NEIGHBOURS]


def _accuracy(embedded: dict[str, Embedded], rows: Sequence[Row]) -> tuple[float, float]:
    """Out-of-fold accuracy on the published folds, and its standard error."""
    fingerprint = next(iter(embedded.values())).fingerprint
    media = Media(None, CLIP_SECONDS, -20.0, "vorbis", 44100)
    with MemoryStore() as store:
        store.add_rows(rows[0].source_list, rows, [])
        now = "2026-01-01T00:00:00+00:00"
        ids = [row.video_id for row in rows if row.video_id in embedded]
        store.commit([Result(one, Outcome.OK, Stage.STORE, now, media=media, embedded=embedded[one]) for one in ids])
        dataset = load_dataset(store, fingerprint, "fold")
        judged = evaluate(dataset, store.fragments(fingerprint), classifier="logistic").predictions
    accuracy = float((judged["category"] == judged["predicted"]).mean())
    return accuracy, math.sqrt(accuracy * (1 - accuracy) / len(judged))
