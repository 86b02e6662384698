"""The map: UMAP of a collection's embeddings on the index's own neighbours, seeded and kept in a file."""

import os
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from quartzlens.records import Embeddings, Fingerprint
from store.base import Store

COLUMNS = ("id", "x", "y")
FEWEST_FOR_UMAP = 4
FEWEST_FOR_SPECTRAL = 32
QUERIES_AT_ONCE = 1024


def project(store: Store, fingerprint: Fingerprint, seed: int = 0, n_neighbours: int = 15) -> pd.DataFrame:
    """Lay a collection's videos out in the plane so that near embeddings lie near each other.

    UMAP (arXiv 1802.03426) with cosine distance, on the neighbours that the store's search gives; one thread and a
    seed, so the same collection gives the same map on one machine. Fewer than four videos are set on a line, in their
    order; small collections take as many neighbours as there are.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``x``, ``y`` (float32), one row for each video with an embedding of ``fingerprint``, in the store's
        order.
    """
    embeddings = store.embeddings(fingerprint)
    n = len(embeddings.ids)
    if n < FEWEST_FOR_UMAP:
        plane = np.column_stack([np.arange(n, dtype=np.float32), np.zeros(n, dtype=np.float32)])
    else:
        indices, distances = _known_neighbours(store, fingerprint, embeddings, min(n_neighbours, n - 1))
        plane = _umap(embeddings.matrix, indices, distances, seed)
    return pd.DataFrame({"id": list(embeddings.ids), "x": plane[:, 0], "y": plane[:, 1]}, columns=list(COLUMNS))


def cached_projection(
    store: Store, fingerprint: Fingerprint, folder: Path, seed: int = 0, n_neighbours: int = 15
) -> pd.DataFrame:
    """Give the projection that ``folder`` keeps for this state of the collection, or compute and keep it.

    The file is named by fingerprint, revision of its embeddings, seed and neighbours, and written aside before it takes
    its name. A damaged file is computed anew; one of an earlier revision is removed. Where the folder cannot be written
    (a collection opened for reading only), nothing is kept.
    """
    revision = store.info().revisions.get(fingerprint.key, 0)
    stem = f"projection-{fingerprint.key}"
    path = folder / f"{stem}-r{revision}-s{seed}-k{n_neighbours}.parquet"
    kept = _read(path)
    if kept is not None:
        return kept
    table = project(store, fingerprint, seed, n_neighbours)
    with suppress(OSError):
        _write(table, path)
        for other in folder.glob(f"{stem}-r*.parquet"):
            if not other.name.startswith(f"{stem}-r{revision}-"):
                other.unlink(missing_ok=True)
    return table


def _known_neighbours(
    store: Store, fingerprint: Fingerprint, embeddings: Embeddings, k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Neighbours as UMAP wants them, each video its own first: indices and cosine distances, both (n, k)."""
    row_of = {video_id: row for row, video_id in enumerate(embeddings.ids)}
    n = len(row_of)
    indices, distances = np.zeros((n, k), dtype=np.int64), np.zeros((n, k), dtype=np.float32)
    for start in range(0, n, QUERIES_AT_ONCE):
        for row, found in enumerate(
            store.search(fingerprint, embeddings.matrix[start : start + QUERIES_AT_ONCE], k), start
        ):
            others = [(row_of[near.video_id], 1.0 - near.similarity) for near in found if row_of[near.video_id] != row]
            nearest = [(row, 0.0), *others][:k]
            indices[row] = [index for index, _ in nearest]
            distances[row] = np.maximum([distance for _, distance in nearest], 0.0)
    return indices, distances


def _umap(
    matrix: NDArray[np.float32], indices: NDArray[np.int64], distances: NDArray[np.float32], seed: int
) -> NDArray[np.float32]:
    """Run UMAP; (n, 2) float32. Without a search index its warning about new videos is beside the point."""
    import umap

    n, k = indices.shape
    mapper = umap.UMAP(
        n_neighbors=k,
        metric="cosine",
        random_state=seed,
        n_jobs=1,
        init="spectral" if n >= FEWEST_FOR_SPECTRAL else "random",
        precomputed_knn=(indices, distances, None),
        force_approximation_algorithm=True,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\] \(knn_search_index\)", category=UserWarning)
        return np.asarray(mapper.fit_transform(matrix), dtype=np.float32)


def _read(path: Path) -> pd.DataFrame | None:
    """Read a kept projection; None where it is absent or damaged."""
    try:
        table = pd.read_parquet(path, engine="pyarrow")
    except (pa.ArrowException, OSError):
        return None
    return table if tuple(table.columns) == COLUMNS else None


def _write(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(prefix=".projection-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            table.to_parquet(file, engine="pyarrow", index=False)
        Path(aside).replace(path)
    finally:
        Path(aside).unlink(missing_ok=True)
