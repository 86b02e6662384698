"""The file of an index: places, centre and what ``faiss.write_index`` writes, one after the other.

FAISS files have no checksum, and a flipped byte in one would answer wrongly. What a file must be is in the catalog
(``store.indexed.Stamp``): its bytes are compared with that before FAISS sees any. A file has a name of its own, so the
one before it stays whole until the stamp names the new one.
"""

import hashlib
import os
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import faiss
import numpy as np

from store import files, kinds
from store.indexed import Source, Stamp
from store.places import Places, What
from store.recall import held_out_last
from store.segment import Segment, codes_of
from store.snapshot import Snapshot

_CHUNK = 1 << 22
_api: Any = faiss  # its stubs lack what its Python part adds
# Of the index, of its codes, and how they are compared. That links lead to vectors that are there, FAISS checks itself.
_CLASSES: dict[str, tuple[type[faiss.Index], type[faiss.Index], int]] = {
    "f32": (faiss.IndexFlat, faiss.IndexFlat, faiss.METRIC_INNER_PRODUCT),
    "f16": (faiss.IndexScalarQuantizer, faiss.IndexScalarQuantizer, faiss.METRIC_INNER_PRODUCT),
    "hnsw": (faiss.IndexHNSWSQ, faiss.IndexScalarQuantizer, faiss.METRIC_L2),
}


def every(folder: Path, key: str, what: What) -> list[Path]:
    """The index files of an encoder's vectors, those too that a killed process left half written."""
    return [path for begin in ("", ".") for path in folder.glob(f"{begin}{key}.{what.value}.*")]


def save(snapshot: Snapshot, folder: Path, key: str, what: What) -> Stamp:
    """Write a snapshot's first segment aside, wait for the disk, put it in its place; the stamp is for the catalog.

    Raises
    ------
    OSError
        The folder cannot be written or the disk is full; older files stay as they were.
    """
    segment = snapshot.segments[0]
    folder.mkdir(exist_ok=True)
    path = folder / f"{key}.{what.value}.{snapshot.made}-{os.urandom(4).hex()}.faiss"
    with files.replacing(path) as file:
        written = _Digested(file)
        for array in (segment.places.owners, segment.places.numbers, _centre(segment)):
            written.write(np.ascontiguousarray(array).tobytes())
        _api.write_index(segment.index, _api.PyCallbackIOWriter(written.write, _CHUNK))
    return Stamp(
        path.name,
        segment.kind,
        snapshot.made,
        len(segment),
        written.bytes,
        written.digest.hexdigest(),
        faiss.__version__,
        segment.error,
        segment.effort,
        snapshot.recall,
        snapshot.chosen,
    )


def load(folder: Path, stamp: Stamp, of: Source) -> Snapshot | None:
    """The snapshot of a file as it was when it was made, or None where it is gone, of another FAISS, or damaged."""
    if stamp.faiss_version != faiss.__version__ or stamp.kind not in kinds.KINDS or Path(stamp.name).name != stamp.name:
        return None
    try:
        with (folder / stamp.name).open("rb") as file:
            if not _unharmed(file, stamp):
                return None
            segment = _read(file, stamp, of)
    except (OSError, RuntimeError, ValueError):
        # Whatever keeps it from being read, the catalog has it all. Stamp and file may both be a stranger's: FAISS
        # raises RuntimeError for what it cannot read.
        return None
    return (
        None
        if segment is None
        else Snapshot(stamp.revision, stamp.revision, (segment,), (None,), stamp.chosen, stamp.recall)
    )


def _centre(segment: Segment) -> Any:
    return np.empty(0, np.float32) if segment.centre is None else segment.centre


def _unharmed(file: BufferedReader, stamp: Stamp) -> bool:
    """Whether the file's bytes are the stamp's; it is at its beginning again afterwards."""
    if os.fstat(file.fileno()).st_size != stamp.bytes:
        return False
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest == stamp.sha256


def _read(file: BufferedReader, stamp: Stamp, of: Source) -> Segment | None:
    """The segment in a file, or None where what FAISS made of it is no index of these vectors."""
    owners = np.frombuffer(file.read(8 * stamp.count), np.int64)
    numbers = np.frombuffer(file.read(4 * stamp.count), np.int32)
    centre = None if stamp.kind == "f32" else np.frombuffer(file.read(4 * of.dimension), np.float32)
    content = np.empty(stamp.bytes - file.tell(), np.uint8)
    file.readinto(content.data)
    index = kinds.read(content)
    kind, of_codes, metric = _CLASSES[stamp.kind]
    if not isinstance(index, kind) or not isinstance(codes := codes_of(index), of_codes):
        return None
    facts = {(one.ntotal, one.d, one.metric_type) for one in (index, codes)}
    if facts != {(stamp.count, of.dimension, metric)}:
        return None
    order = held_out_last(stamp.count) if stamp.kind == "hnsw" else None
    return Segment(stamp.kind, Places(owners, numbers), index, centre, stamp.error, stamp.effort, order)


@dataclass
class _Digested:
    """A file to write whose length and sha256 are known at the end."""

    file: BinaryIO

    def __post_init__(self) -> None:
        self.bytes = 0
        self.digest = hashlib.sha256()

    def write(self, content: bytes) -> int:
        """Write all of it; the number of bytes."""
        self.file.write(content)
        self.digest.update(content)
        self.bytes += len(content)
        return len(content)
