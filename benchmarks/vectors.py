"""Vectors to search in as many as wanted: drawn from a mixture that is fitted to the fragments of real recordings.

The fragments of $DATA are too few for an index to be judged by (760), so more are drawn from what they look like:
Gaussians with diagonal covariances in the space of their principal components, noise of each dimension's own variance
for what those leave out, and nothing below zero, as an encoder's last ReLU leaves it.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.models import CLIP_SECONDS, data_folder
from benchmarks.report import Table
from benchmarks.sizes import size
from pipeline.checkpoint import open_checkpoint
from pipeline.decode import Decoded, decode
from pipeline.encoder import EncoderSettings
from pipeline.engine import OpenVinoEncoder
from pipeline.sources import read_source

COMPONENTS = 128
GAUSSIANS = 32
DIMENSION = 1024
_LISTS = ("videos/videos.csv", "esc10/esc10.csv")
_AT_A_TIME = 16_384
_NEAREST = 20


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """What vectors are drawn from, all float32.

    Attributes
    ----------
    weights, means, deviations
        Of each Gaussian: (g,), (g, c), (g, c) in the space of the principal components.
    centre, components, noise
        Back to d dimensions: (d,), (c, d) with orthonormal rows, and the deviation of what is left out (d,).
    """

    weights: NDArray[np.float32]
    means: NDArray[np.float32]
    deviations: NDArray[np.float32]
    centre: NDArray[np.float32]
    components: NDArray[np.float32]
    noise: NDArray[np.float32]

    def draw(self, count: int, seed: int) -> NDArray[np.float32]:
        """So many vectors (count, d) float32, not normalised; the same for a seed, whatever else was drawn."""
        drawn = np.empty((count, len(self.centre)), dtype=np.float32)
        at = 0
        for block in self.blocks(count, seed):
            drawn[at : at + len(block)] = block
            at += len(block)
        return drawn

    def blocks(self, count: int, seed: int) -> Iterator[NDArray[np.float32]]:
        """The same vectors in parts of (up to 16,384, d), for collections that memory cannot hold."""
        random = np.random.default_rng(seed)
        shares = self.weights.astype(np.float64)
        shares /= shares.sum()
        for start in range(0, count, _AT_A_TIME):
            some = min(_AT_A_TIME, count - start)
            which = random.choice(len(self.weights), some, p=shares)
            inside = random.standard_normal((some, self.means.shape[1]), dtype=np.float32)
            block = (self.means[which] + inside * self.deviations[which]) @ self.components + self.centre
            block += random.standard_normal(block.shape, dtype=np.float32) * self.noise
            yield np.maximum(block, 0.0, out=block)


def fitted(vectors: NDArray[np.float32]) -> Mixture:
    """A mixture fitted to vectors (n, d) by expectation maximisation, after a PCA."""
    from sklearn.mixture import GaussianMixture

    matrix = vectors.astype(np.float64)
    centre = matrix.mean(axis=0)
    components = np.linalg.svd(matrix - centre, full_matrices=False)[2][:COMPONENTS]
    inside = (matrix - centre) @ components.T
    noise = (matrix - centre - inside @ components).std(axis=0)
    model = GaussianMixture(GAUSSIANS, covariance_type="diag", reg_covar=1e-4 * inside.var(), random_state=0)
    model.fit(inside)
    parts = (model.weights_, model.means_, np.sqrt(model.covariances_), centre, components, noise)
    return Mixture(*(np.ascontiguousarray(part, dtype=np.float32) for part in parts))


def real(work: Path) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Fragments of $DATA by the demo checkpoint, (f, d) float32, and the recording that each is of; kept in ``work``.

    Takes of one recording in ESC-10 count as one, so that halves can be made that share none.
    """
    path = work / "fragments.npz"
    if not path.is_file():
        matrices, names = [], []
        encoder = OpenVinoEncoder(open_checkpoint("demo"), EncoderSettings())
        for row in [row for name in _LISTS for row in read_source(str(data_folder() / name)).rows]:
            decoded = decode(Path(row.source), 0.0, CLIP_SECONDS)
            if not isinstance(decoded, Decoded):
                raise SystemExit(f"{row.source}: {decoded.detail}")
            matrices.append(encoder.submit(decoded.audio).result().fragments)
            names += [row.extra.get("source_id", row.video_id)] * len(matrices[-1])
        encoder.close()
        np.savez(path, matrix=np.concatenate(matrices), names=np.array(names))
    kept = np.load(path)
    return kept["matrix"], kept["names"]


def mixture(work: Path) -> Mixture:
    """The mixture of all real fragments; kept in ``work``, so that it is the same where $DATA is not."""
    path = work / "mixture.npz"
    if not path.is_file():
        made = fitted(real(work)[0])
        np.savez(path, **{name: getattr(made, name) for name in Mixture.__slots__})
    kept = np.load(path)
    return Mixture(**{name: kept[name] for name in Mixture.__slots__})


def table(work: Path) -> Table:
    """How like the real fragments the generated ones are: the same numbers of each against as many of its kind."""
    matrix, names = real(work)
    half = np.array([zlib.crc32(one.encode()) % 2 == 0 for one in names])
    drawn = fitted(matrix[half]).draw(len(matrix), 5)
    whole = mixture(work)
    rows = [
        ("real, from other recordings", *_likeness(matrix[~half], matrix[half])),
        ("generated by a fit to those", *_likeness(drawn[: (~half).sum()], matrix[half])),
    ]
    rows += [
        (f"generated, among {count:,} generated", *_likeness(whole.draw(200, 6), whole.draw(count, 7)))
        for count in (int(half.sum()), size(100_000, 2_000))
    ]
    note = (
        f"Generated vectors are of {GAUSSIANS} Gaussians in {COMPONENTS} principal components of the {len(matrix)} "
        "fragments of $DATA (demo checkpoint, last block). Above, neighbours are looked for among the real fragments "
        f"of half of the recordings ({half.sum()}), for the other half's and for as many that a fit to the first half "
        "generated. Intrinsic dimension: maximum likelihood over 20 neighbours (Levina, Bickel 2004), median."
    )
    columns = ("queries", "cosines of pairs, 5 / 50 / 95 %", "nearest, 5 / 50 / 95 %", "intrinsic dimension")
    return Table("How like real fragments the vectors are", note, columns, rows)


def _likeness(asked: NDArray[np.float32], among: NDArray[np.float32]) -> tuple[str, str, str]:
    one, other = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (asked, among))
    cosines = one @ other.T
    best = -np.sort(np.partition(-cosines, _NEAREST - 1, axis=1)[:, :_NEAREST], axis=1)
    away = np.sqrt(np.maximum(2 - 2 * best, 1e-9))
    dimension = 1 / np.log(away[:, -1:] / away[:, :-1]).mean(axis=1)
    pairs, nearest = (np.percentile(values, (5, 50, 95)) for values in (cosines, best[:, 0]))
    words = (" / ".join(f"{value:.3f}" for value in values) for values in (pairs, nearest))
    return *words, f"{np.median(dimension):.1f}"
