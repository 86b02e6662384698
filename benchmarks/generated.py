"""Collections of generated vectors, queries held out of them, and the true answers; all kept in the work folder."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.vectors import DIMENSION, mixture
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Media, Result, Row
from store.local import CATALOG, LocalStore

FINGERPRINT = Fingerprint("ab" * 32, "{}", 0.0, 60.0, "mean", "f32", DIMENSION)
CATEGORIES = 10
K = 10
BATCH = 250
_VECTORS, _QUERIES = 1, 2  # seeds: queries are drawn apart
_BLOCK = 50_000
_NOW = "2026-01-01T00:00:00+00:00"


def vectors(work: Path, count: int) -> NDArray[np.float32]:
    """So many vectors (n, d) float32, not normalised, mapped from a file."""
    path = work / f"vectors-{count}.npy"
    if not path.is_file():
        partial = path.with_suffix(".partial.npy")
        written = np.lib.format.open_memmap(partial, "w+", np.float32, (count, DIMENSION))
        at = 0
        for block in mixture(work).blocks(count, _VECTORS):
            written[at : at + len(block)] = block
            at += len(block)
        written.flush()
        partial.replace(path)
    mapped: NDArray[np.float32] = np.load(path, mmap_mode="r")
    return mapped


def queries(work: Path, count: int) -> NDArray[np.float32]:
    """Queries (q, d) float32 from the same mixture, none of them among the vectors."""
    return mixture(work).draw(count, _QUERIES)


def normalised(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1, by blocks so that a mapped file need not be in memory twice."""
    rows = np.empty(matrix.shape, np.float32)
    for start in range(0, len(matrix), _BLOCK):
        block = np.asarray(matrix[start : start + _BLOCK])
        rows[start : start + _BLOCK] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return rows


def nearest(
    work: Path, count: int, asked: NDArray[np.float32], within: NDArray[np.int64] | None = None
) -> list[set[str]]:
    """Ids of the true ten nearest of each query by cosine, among those positions alone where they are given."""
    matrix, units = vectors(work, count), normalised(asked)
    scores = np.full((len(asked), 0), 0, np.float32)
    places = np.zeros((len(asked), 0), np.int64)
    for start in range(0, count, _BLOCK):
        at = np.arange(start, min(start + _BLOCK, count))
        at = at if within is None else at[np.isin(at, within)]
        scores = np.concatenate([scores, units @ normalised(matrix[at]).T], axis=1)
        places = np.concatenate([places, np.broadcast_to(at, (len(asked), len(at)))], axis=1)
        best = np.argpartition(-scores, min(K, scores.shape[1]) - 1, axis=1)[:, :K]
        scores, places = np.take_along_axis(scores, best, 1), np.take_along_axis(places, best, 1)
    return [{name(place) for place in row} for row in places]


def recall(found: list[set[str]], true: list[set[str]]) -> float:
    """Share of the true nearest that was found."""
    return sum(len(one & other) for one, other in zip(found, true, strict=True)) / sum(map(len, true))


def name(position: int) -> str:
    """The id of the video at a position."""
    return f"v{position:08d}"


def category_of(work: Path, count: int) -> NDArray[np.int64]:
    """Ten categories of equal size whose members lie together, as a category's do: tenths along the longest axis."""
    along = np.concatenate([vectors(work, count)[i : i + _BLOCK] @ _axis(work) for i in range(0, count, _BLOCK)])
    ranks: NDArray[np.int64] = np.argsort(np.argsort(along, kind="stable"), kind="stable")
    return ranks * CATEGORIES // count


def _axis(work: Path) -> NDArray[np.float32]:
    axis: NDArray[np.float32] = mixture(work).components[0]
    return axis


def results(work: Path, count: int) -> Iterator[list[Result]]:
    """The vectors as embedded videos without fragments, a batch at a time."""
    matrix = vectors(work, count)
    none = np.zeros((0, DIMENSION), np.float32), np.zeros((0, 2), np.float32)
    media = Media(60.0, 60.0, -20.0, "vorbis", 44_100)
    for start in range(0, count, BATCH):
        yield [
            Result(
                name(start + i), Outcome.OK, Stage.STORE, _NOW, media=media, embedded=Embedded(FINGERPRINT, row, *none)
            )
            for i, row in enumerate(matrix[start : start + BATCH])
        ]


def collection(work: Path, count: int) -> Path:
    """A folder with a collection of so many videos: their embeddings are the vectors, their labels the categories."""
    folder = work / f"videos-{count}"
    done = folder / "whole"
    if not done.is_file():
        folder.mkdir(exist_ok=True)
        for file in folder.glob(f"{CATALOG}*"):
            file.unlink()
        labels = category_of(work, count)
        with LocalStore(folder) as store:
            rows = [Row("list", i + 1, name(i), name(i), label=f"category {labels[i]}") for i in range(count)]
            store.add_rows("list", rows, [])
            for batch in results(work, count):
                store.commit(batch)
        done.touch()
    return folder
