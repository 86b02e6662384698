"""The map: UMAP of a collection's embeddings on the index's own neighbours, seeded, and how far to trust it."""

import io
import math
import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.projected_points import Points, Progress, known_neighbours, points_of, unheard
from quartzlens.records import Fingerprint
from store.base import Store

FEWEST_FOR_UMAP = 4
FEWEST_FOR_SPECTRAL = 32
MOST_JUDGED = 3000
_SHARE_OF_NEIGHBOURS = 0.3
_SOME, _MANY = 2_000, 10_000


@dataclass(frozen=True, slots=True)
class Layout:
    """How UMAP lays a map out: how many neighbours count, how close points may come (0..1), and the seed."""

    neighbours: int = 15
    min_dist: float = 0.1
    seed: int = 0

    def fitting(self, n: int) -> "Layout":
        """With no more neighbours than ``n`` points have.

        >>> Layout().fitting(5).neighbours
        4
        """
        return replace(self, neighbours=min(self.neighbours, max(n - 1, 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A map.

    Attributes
    ----------
    table
        ``id``, ``x``, ``y`` (float32), of fragments also ``start_seconds`` and ``end_seconds`` (float64); ``digest``
        (checksum of the embedding), ``placed`` (bool: set by its neighbours after the map was laid out). One row a
        point, in the store's order.
    of
        How many points the collection has: more than rows where the map is of a seeded draw.
    trustworthiness
        Of ``trustworthiness``; NaN where there are too few points.
    judged
        How many points that figure is of.
    """

    table: pd.DataFrame
    of: int
    trustworthiness: float
    judged: int


def project(
    store: Store,
    fingerprint: Fingerprint,
    layout: Layout = Layout(),
    *,
    fragments: bool = False,
    tell: Progress = unheard,
) -> Projection:
    """Lay a collection's videos, or their fragments, out in the plane so that near embeddings lie near each other.

    UMAP (arXiv 1802.03426) with cosine distance, on the neighbours that the store's search gives; one thread and a
    seed, so the same collection gives the same map on one machine. Fewer than four points are set on a line, in their
    order; small collections take as many neighbours as there are.
    """
    return laid_out(store, fingerprint, points_of(store, fingerprint, fragments=fragments), layout, tell)


def laid_out(
    store: Store, fingerprint: Fingerprint, points: Points, layout: Layout, tell: Progress = unheard
) -> Projection:
    """Lay points out, as ``project`` says."""
    n = len(points.names)
    if n < FEWEST_FOR_UMAP:
        plane = np.column_stack([np.arange(n, dtype=np.float32), np.zeros(n, dtype=np.float32)])
    else:
        layout = layout.fitting(n)
        indices, distances = known_neighbours(
            store,
            fingerprint,
            points,
            layout.neighbours,
            lambda share, doing: tell(share * _SHARE_OF_NEIGHBOURS, doing),
        )
        plane = _umap(points.matrix, indices, distances, layout, tell)
    return judged(points, plane, np.zeros(n, dtype=bool), layout)


def judged(points: Points, plane: NDArray[np.float32], placed: NDArray[np.bool_], layout: Layout) -> Projection:
    """A map of points whose places in the ``plane`` (n, 2) are known, with its trustworthiness."""
    table = points.names.assign(x=plane[:, 0], y=plane[:, 1], digest=points.digests, placed=placed)
    trust, n = trustworthiness(points.matrix, plane, layout.neighbours)
    return Projection(table, points.of, trust, n)


def trustworthiness(
    matrix: NDArray[np.float32], plane: NDArray[np.float32], neighbours: int, most: int = MOST_JUDGED
) -> tuple[float, int]:
    """How far what lies near in the plane (n, 2) is near in the embeddings (n, d), too; and of how many points.

    Venna and Kaski 2001, as of scikit-learn: 1 where every neighbour in the plane is a neighbour by cosine, lower the
    more are none and the farther away they really are; about 0.5 by chance. Of more than ``most`` points it is that of
    a fixed (seeded) draw. NaN below three points; where there are few, of as many neighbours as it is defined for
    (fewer than half the points).
    """
    from sklearn.manifold import trustworthiness as compute

    n = len(matrix)
    if n > most:
        rows = np.sort(np.random.default_rng(0).choice(n, most, replace=False))
        matrix, plane, n = matrix[rows], plane[rows], most
    k = min(neighbours, (n - 1) // 2)
    if k < 1:
        return math.nan, n
    return float(compute(matrix, plane, n_neighbors=k, metric="cosine")), n


def _umap(
    matrix: NDArray[np.float32],
    indices: NDArray[np.int64],
    distances: NDArray[np.float32],
    layout: Layout,
    tell: Progress,
) -> NDArray[np.float32]:
    """Run UMAP; (n, 2) float32. Without a search index its warning about new videos is beside the point."""
    tell(_SHARE_OF_NEIGHBOURS, "loading UMAP")
    import umap

    _keep_compiled()
    n, k = indices.shape
    mapper = umap.UMAP(
        n_neighbors=k,
        min_dist=layout.min_dist,
        metric="cosine",
        random_state=layout.seed,
        n_jobs=1,
        n_epochs=_epochs(n),
        init="spectral" if n >= FEWEST_FOR_SPECTRAL else "random",
        precomputed_knn=(indices, distances, None),
        force_approximation_algorithm=True,
        tqdm_kwds={"disable": False, "file": _Epochs(tell), "bar_format": "{percentage:.0f}"},
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\] \(knn_search_index\)", category=UserWarning)
        return np.asarray(mapper.fit_transform(matrix), dtype=np.float32)


def _epochs(n: int) -> int | None:
    """Epochs of the layout of n points; None for UMAP's own: 500 up to ten thousand, above 200.

    500 take seconds of more than some: with 300 the trustworthiness of 3,400 points is 0.9451 in place of 0.9455, while
    another seed moves it by 0.0006 (means of three seeds, 15 neighbours, generated embeddings of 1,024 dimensions).
    """
    return 300 if _SOME < n <= _MANY else None


@cache
def _keep_compiled() -> None:
    """Let numba keep on disk what of UMAP it compiles in every process anew; 6 s then, once for a machine.

    Nothing changes where numba finds no folder to write to, or another version of UMAP names it otherwise.
    """
    from umap import layouts, umap_

    for module, name in (
        (umap_, "smooth_knn_dist"),
        (umap_, "compute_membership_strengths"),
        (layouts, "_nb_optimize_layout_euclidean_single_epoch"),
    ):
        with suppress(RuntimeError, AttributeError):
            getattr(module, name).enable_caching()


class _Epochs(io.StringIO):
    """Takes UMAP's progress bar, whose text is a percentage, and tells it."""

    def __init__(self, tell: Progress) -> None:
        super().__init__()
        self._tell = tell

    def write(self, text: str) -> int:
        """Tell what the bar says; it writes blanks and newlines as well."""
        if text.strip().isdigit():
            share = min(int(text) / 100.0, 1.0)
            self._tell(_SHARE_OF_NEIGHBOURS + (1.0 - _SHARE_OF_NEIGHBOURS) * share, "laying out")
        return len(text)
