"""The FAISS index of one fingerprint: an exact search over an unchanging snapshot, and its file beside the catalog.

A file holds what ``faiss.write_index`` writes. What it must be (revision of the embeddings, count, length, sha256,
version of FAISS) is one row of the catalog: FAISS files have no checksum, and a flipped byte in one would answer
wrongly. So the bytes are compared with that row before FAISS sees any; a file that is missing, old or damaged is made
anew from the catalog. Who may only read the collection makes it in memory and keeps nothing.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Embeddings, Neighbour
from store import files, gpu, vectors

# More candidates than asked for, and how far FAISS' float32 scores may be off: whatever lies that near to the last one
# wanted is scored again in float64, so that ties come out in the order of videos.
_MORE = 32
_SLACK = 1e-5
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an index file must be: the revision it was made from, its vectors, its length in bytes, its sha256."""

    revision: int
    count: int
    bytes: int
    sha256: str
    faiss_version: str


class Snapshot:
    """An index that never changes, with the ids of its vectors in the order of videos. Safe for any number of threads.

    Parameters
    ----------
    revision
        The embedding revision that it shows.
    ids
        Length n, in the order of videos.
    index
        Inner product over normalised vectors (n, d) float32, in the order of ``ids``.
    """

    def __init__(self, revision: int, ids: tuple[str, ...], index: faiss.IndexFlat) -> None:
        self.revision = revision
        self.ids = ids
        self.index = index
        self._position: Mapping[str, int] = {video_id: position for position, video_id in enumerate(ids)}
        self._first_pass, slack = gpu.first_pass(index, self._scan)
        self._slack = slack or _SLACK

    def search(
        self, queries: NDArray[np.float32], k: int, within: Collection[str] | None = None
    ) -> list[list[Neighbour]]:
        """Nearest videos of each query (q, d) float32, best first, ties in the order of videos; exact."""
        allowed = None if within is None else self._allowed(within)
        wanted = min(k, self._matching(allowed))
        if wanted == 0:
            return [[] for _ in queries]
        rows = vectors.normalised(queries)
        several = min(wanted + _MORE, self._matching(allowed))
        scores, positions = self._first_pass(rows, several) if allowed is None else self._scan(rows, several, allowed)
        return [self._settled(row, wanted, allowed, scores[i], positions[i]) for i, row in enumerate(rows)]

    def _allowed(self, within: Collection[str]) -> NDArray[np.int64]:
        """Sorted positions of the ids that are here."""
        return np.array(sorted({self._position[one] for one in within if one in self._position}), dtype=np.int64)

    def _matching(self, allowed: NDArray[np.int64] | None) -> int:
        return len(self.ids) if allowed is None else len(allowed)

    def _scan(
        self, rows: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[gpu.Scores, gpu.Positions]:
        """The k best of the allowed positions by FAISS on the CPU; k is at most their number."""
        # FAISS' stubs know the C++ constructors, not the Python ones that its documentation names.
        api: Any = faiss
        parameters = None
        if allowed is not None:
            bits = np.zeros(len(self.ids), dtype=bool)
            bits[allowed] = True
            selector = api.IDSelectorBitmap(np.packbits(bits, bitorder="little"))
            parameters = api.SearchParameters(sel=selector)
        found: tuple[gpu.Scores, gpu.Positions] = self.index.search(rows, k, params=parameters)
        return found

    def _settled(
        self,
        query: NDArray[np.float32],
        wanted: int,
        allowed: NDArray[np.int64] | None,
        scores: gpu.Scores,
        positions: gpu.Positions,
    ) -> list[Neighbour]:
        """The best of the candidates, once those left out are surely farther than the last one wanted."""
        matching = self._matching(allowed)
        while len(positions) < matching and scores[-1] > scores[wanted - 1] - 2 * self._slack:
            found_scores, found = self._scan(query[None], min(len(positions) * 4, matching), allowed)
            scores, positions = found_scores[0], found[0]
        candidates = np.sort(positions)
        blocks = [candidates[start : start + _BLOCK] for start in range(0, len(candidates), _BLOCK)]
        exact = np.concatenate([vectors.similarities(self.index.reconstruct_batch(block), query) for block in blocks])
        return [Neighbour(self.ids[candidates[i]], float(exact[i])) for i in vectors.best(exact, wanted)]


def build(revision: int, embeddings: Embeddings) -> Snapshot:
    """An index over embeddings (n, d), which are normalised for it."""
    index = faiss.IndexFlatIP(embeddings.matrix.shape[1])
    index.add(vectors.normalised(embeddings.matrix))
    return Snapshot(revision, embeddings.ids, index)


def save(snapshot: Snapshot, path: Path) -> Stamp:
    """Write the index aside, wait for the disk, put it in its place; the stamp is for the catalog.

    Raises
    ------
    OSError
        The folder cannot be written or the disk is full; an older file stays as it was.
    """
    content = faiss.serialize_index(snapshot.index).tobytes()
    path.parent.mkdir(exist_ok=True)
    files.replace_file(path, content)
    digest = hashlib.sha256(content).hexdigest()
    return Stamp(snapshot.revision, len(snapshot.ids), len(content), digest, faiss.__version__)


def load(path: Path, stamp: Stamp | None, revision: int, ids: tuple[str, ...], dimension: int) -> Snapshot | None:
    """The index of a file, or None where the file is missing, old, of another version of FAISS, or damaged."""
    if stamp is None or (stamp.revision, stamp.count, stamp.faiss_version) != (revision, len(ids), faiss.__version__):
        return None
    content = _unharmed(path, stamp)
    if content is None:
        return None
    # Stamp and file may both be a stranger's: what FAISS made of them must still be an index of these videos.
    try:
        index = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
    except RuntimeError:
        return None
    facts = (index.ntotal, index.d, index.metric_type)
    if not isinstance(index, faiss.IndexFlat) or facts != (len(ids), dimension, faiss.METRIC_INNER_PRODUCT):
        return None
    return Snapshot(revision, ids, index)


def _unharmed(path: Path, stamp: Stamp) -> bytes | None:
    """The file's bytes where they are the stamp's."""
    try:
        if path.stat().st_size != stamp.bytes:
            return None
        content = path.read_bytes()
    except OSError:
        return None  # whatever keeps the file from being read, the catalog has it all
    return content if hashlib.sha256(content).hexdigest() == stamp.sha256 else None
