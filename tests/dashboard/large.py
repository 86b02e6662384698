"""Large collections for the dashboard's tests: short embeddings, generated in bulk, with an evaluation of them all."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.dataset import Dataset, load_dataset
from analysis.duplicates import no_copies
from analysis.evaluation import Evaluation, evaluation_run
from analysis.evaluation_report import report
from analysis.intervals import Resamples
from analysis.judging import Deal, Judged, deals_of
from analysis.metrics import probability_names
from analysis.projected_points import Points, Progress
from analysis.projection import Layout, Projection, judged
from analysis.projection_kept import cached_projection
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Media, Result, Row
from store.base import Store
from store.collection import EncoderChoice, open_collection

DIMENSION, FRAGMENTS, BATCH = 16, 2, 250
SPREAD, WITHIN = 1.5, 0.01
"""Of the videos of a category, and of the fragments of a video: so alike that nothing is searched for copies."""
SHORT = Fingerprint("cd" * 32, "{}", 0.0, 60.0, "mean", "f32", DIMENSION, "demo")
BOUNDS = np.array([(0.0, 5.0), (5.0, 10.0)], dtype=np.float32)
MEDIA = Media(10.0, 10.0, -20.0, "vorbis", 16_000)
WHEN = "2026-01-01T00:00:00+00:00"
Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Large:
    """How large a generated collection is; each channel has one category."""

    videos: int
    categories: int = 8
    channels: int = 2_000
    dimension: int = DIMENSION

    @property
    def fingerprint(self) -> Fingerprint:
        """What its embeddings are of."""
        return replace(SHORT, dimension=self.dimension)

    @property
    def centres(self) -> Floats:
        """Around which the embeddings of each category lie: (k, d)."""
        return np.random.default_rng(7).normal(size=(self.categories, self.dimension)).astype(np.float32)

    def own(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Category (a position) of the videos of these numbers."""
        return (numbers % self.channels) % self.categories


def name(number: int) -> str:
    """Id of a video."""
    return f"v{number:06d}"


def category(number: int) -> str:
    """Name of a category."""
    return f"category {number:03d}"


def make_large(folder: Path, large: Large) -> Path:
    """Build a collection whose categories overlap, with an evaluation of all of it."""
    with open_collection(folder, create=EncoderChoice()) as collection:
        store = collection.store
        store.add_rows("list.csv", [_row(large, number) for number in range(large.videos)], [])
        for results in _results(large):
            store.commit(results)
        found = evaluation_of(load_dataset(store, large.fingerprint, copies=no_copies()), large.centres)
        store.add_run(evaluation_run(found, large.fingerprint, 0, store.info().labels))
    return folder


def evaluation_of(dataset: Dataset, centres: Floats) -> Evaluation:
    """What a classifier that knows the centres (k, d) says of all videos, reported as any other; without baselines."""
    deals = deals_of(dataset, 5, 0, 1)
    near = dataset.X @ centres.T - (centres**2).sum(axis=1) / 2
    shares = np.exp((near - near.max(axis=1, keepdims=True)) / np.float32(SPREAD**2))
    by_video = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    owner = np.arange(len(dataset.ids)).repeat(FRAGMENTS)
    bounds = np.tile(BOUNDS, (len(dataset.ids), 1))
    right = float((by_video.argmax(axis=1) == dataset.y).mean())
    said = Judged(by_video, owner, bounds, by_video[owner], (right,), ())
    metrics = report(dataset, said, deals, 5, Resamples.of(dataset.groups, seed=0))
    metrics |= {"classifier": "logistic", "baselines": {}}
    confusion = np.array(metrics["confusion"], dtype=np.int64)
    settings = {"classifier": "logistic", "folds": 5, "folds_asked": 5, "repeats": 1, "class_weight": "none"}
    return Evaluation(*_tables(dataset, said, deals[0]), confusion, metrics, settings={**settings})


def lay_out(folder: Path) -> None:
    """Have the collection keep a map that took no time: its embeddings seen from one side, in place of UMAP's."""
    with open_collection(folder) as collection, patch("analysis.projection_kept.laid_out", _seen):
        (encoder,) = collection.store.info().encoders
        cached_projection(collection.store, encoder, collection.index_folder)


def _seen(store: Store, used: Fingerprint, points: Points, layout: Layout, tell: Progress) -> Projection:
    side = np.random.default_rng(9).normal(size=(used.dimension, 2)).astype(np.float32)
    return judged(points, points.matrix @ side, np.zeros(len(points.names), dtype=bool), layout)


def _tables(dataset: Dataset, said: Judged, deal: Deal) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What was said of the videos, and of their fragments."""
    names, ids = np.array(dataset.categories, dtype=object), np.array(dataset.ids, dtype=object)
    columns = probability_names(dataset.categories)
    guess = names[said.by_video.argmax(axis=1)]
    told = {"id": ids, "category": names[dataset.y], "predicted": guess, "fold": deal[0]}
    seconds = {"start_seconds": said.bounds[:, 0], "end_seconds": said.bounds[:, 1]}
    videos = pd.DataFrame({**told, **dict(zip(columns, said.by_video.T, strict=True))})
    heard = {"id": ids[said.owner], **seconds, **dict(zip(columns, said.by_fragment.T, strict=True))}
    return videos, pd.DataFrame(heard)


def _row(large: Large, n: int) -> Row:
    channel = n % large.channels
    names = {"title": f"Video number {n} of many", "channel": f"Channel {channel}"}
    return Row("list.csv", n + 1, name(n), f"/videos/{n}.mp4", label=category(channel % large.categories), **names)


def _results(large: Large) -> Iterator[list[Result]]:
    """The kept videos, as many as go into one transaction at a time."""
    rng, centres = np.random.default_rng(8), large.centres
    for start in range(0, large.videos, BATCH):
        numbers = np.arange(start, min(start + BATCH, large.videos))
        about = centres[large.own(numbers)] + rng.normal(scale=SPREAD, size=(len(numbers), large.dimension))
        pieces = about[:, None] + rng.normal(scale=WITHIN, size=(len(numbers), FRAGMENTS, large.dimension))
        kept = zip(numbers, pieces.astype(np.float32), strict=True)
        yield [_kept(name(n), large.fingerprint, piece) for n, piece in kept]


def _kept(video_id: str, fingerprint: Fingerprint, fragments: Floats) -> Result:
    embedded = Embedded(fingerprint, fragments.mean(axis=0), fragments, BOUNDS)
    return Result(video_id, Outcome.OK, Stage.STORE, WHEN, "", MEDIA, embedded)
