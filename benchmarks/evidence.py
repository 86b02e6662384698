"""How fast the evidence of one video is gathered, and what is computed once before."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.evaluation import Evaluation
from analysis.evidence import background, evidence
from analysis.label_next import spread_choice
from analysis.label_quality import suggested_errors
from benchmarks.report import Table, milliseconds
from benchmarks.sizes import size
from benchmarks.timing import median_seconds, seconds_of
from benchmarks.vectors import DIMENSION, mixture
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Media, Result, Row
from store.local import LocalStore

FRAGMENTS, CATEGORIES, PER_CHANNEL, ASKED = 12, 4, 2, 50
FINGERPRINT = Fingerprint("ab" * 32, "{}", 0.0, 60.0, "mean", "f32", DIMENSION)
_BATCH = 200
_NOW = "2026-01-01T00:00:00+00:00"


def tables(work: Path) -> list[Table]:
    """3,400 videos of 12 fragments, kept by the local store."""
    count = size(3_400, 200)
    folder = work / f"evidence-{count}"
    with LocalStore(_made(work, folder, count)) as store:
        evaluation = _judged(store)
        once = seconds_of(lambda: background(store, FINGERPRINT, evaluation))
        known = background(store, FINGERPRINT, evaluation)
        asked = np.random.default_rng(0).choice(evaluation.predictions["id"], ASKED, replace=False).tolist()
        each = np.array([seconds_of(partial(evidence, evaluation, one, store, FINGERPRINT, known)) for one in asked])
    return [_table(count, once, each, evaluation, known.unit)]


def _table(
    count: int, once: float, each: NDArray[np.float64], evaluation: Evaluation, unit: NDArray[np.float32]
) -> Table:
    note = (
        f"{count:,} generated videos of {FRAGMENTS} fragments, {DIMENSION:,} dimensions, in the local store; "
        f"{ASKED} videos asked for one after the other. Less than 100 ms for one is wanted. "
        "What is of the whole collection is computed once and kept by who asks often, such as the dashboard."
    )
    uncertainty = np.random.default_rng(1).random(len(unit))
    rows = [
        ("evidence of one video, median", milliseconds(float(np.median(each)))),
        ("evidence of one video, 95th percentile", milliseconds(float(np.quantile(each, 0.95)))),
        ("what is of the whole collection, once (copies are most of it)", milliseconds(once)),
        ("suggested label errors", milliseconds(median_seconds(lambda: suggested_errors(evaluation)))),
        (
            "20 to label next, without the training",
            milliseconds(median_seconds(lambda: spread_choice(uncertainty, unit, 20))),
        ),
    ]
    return Table("Evidence and label work", note, ("what", "ms"), rows)


def _judged(store: LocalStore) -> Evaluation:
    """An evaluation whose probabilities are drawn: how long evidence takes does not hang on what the classifier was."""
    rng = np.random.default_rng(2)
    names = [f"category {number}" for number in range(CATEGORIES)]
    videos, parts = store.videos(), store.fragments(FINGERPRINT)
    shares, of_parts = (rng.dirichlet(np.ones(CATEGORIES), len(rows)) for rows in (videos, parts.ids))
    predictions = pd.DataFrame(
        {"id": [one.id for one in videos], "category": [one.category for one in videos], "fold": 0}
        | {"predicted": [names[best] for best in shares.argmax(axis=1)]}
        | dict(zip(names, shares.T, strict=True))
    )
    bounds = {"start_seconds": parts.bounds[:, 0], "end_seconds": parts.bounds[:, 1]}
    fragments = pd.DataFrame({"id": parts.ids, **bounds, **dict(zip(names, of_parts.T, strict=True))})
    return Evaluation(predictions, fragments, np.zeros((CATEGORIES, CATEGORIES), dtype=np.int64), {"categories": names})


def _made(work: Path, folder: Path, count: int) -> Path:
    """A collection whose categories are near parts of one mixture, so that a classifier errs."""
    done = folder / "whole"
    if done.is_file():
        return folder
    folder.mkdir(exist_ok=True)
    videos = mixture(work).draw(count, 3)
    category = np.argsort(np.argsort(videos @ mixture(work).components[0])) * CATEGORIES // count
    rng = np.random.default_rng(0)
    scale = 0.3 * videos.std()
    bounds = np.array([(5.0 * i, 5.0 * i + 5.0) for i in range(FRAGMENTS)], dtype=np.float32)
    media = Media(60.0, 60.0, -20.0, "vorbis", 44_100)
    with LocalStore(folder) as store:
        rows = [
            Row(
                "list", i + 1, f"v{i:05d}", f"v{i:05d}", channel=f"c{i // PER_CHANNEL}", label=f"category {category[i]}"
            )
            for i in range(count)
        ]
        store.add_rows("list", rows, [])
        for start in range(0, count, _BATCH):
            results = []
            for i in range(start, min(start + _BATCH, count)):
                parts = videos[i] + rng.normal(scale=scale, size=(FRAGMENTS, DIMENSION)).astype(np.float32)
                embedded = Embedded(FINGERPRINT, parts.mean(axis=0), parts, bounds)
                results.append(Result(f"v{i:05d}", Outcome.OK, Stage.STORE, _NOW, media=media, embedded=embedded))
            store.commit(results)
    done.touch()
    return folder
