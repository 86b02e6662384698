"""Search engines under one interface, each for a process of its own: built over the same vectors, asked one by one.

All search the nearest ten by cosine through their Python interface. A knob trades recall for time; one without is exact
or has set it itself. hnswlib, usearch, LanceDB and pymilvus are in the extra ``bench``.
"""

import importlib.metadata
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.generated import FINGERPRINT, K, collection, name, vectors
from store.kinds import Maker
from store.local import LocalStore
from store.places import Block, Places, What

_BATCH = 10_000


class Engine(Protocol):
    """What is measured. ``kept`` are the files that hold it, ``knobs`` from the quickest to the surest."""

    how: str
    knobs: Sequence[int]
    kept: Sequence[Path]

    def build(self) -> None:
        """Over all vectors, up to files on disk."""
        ...

    def nearest(self, query: NDArray[np.float32], knob: int) -> set[str]:
        """Ids of the ten nearest of a query (d,)."""
        ...


class Quartzlens:
    """The store of this project, as a collection has it: the index over vectors that SQLite has already."""

    knobs = (0,)

    def __init__(self, work: Path, count: int, kind: str) -> None:
        self.how = f"quartzlens {kind}"
        self._kind = kind
        folder = collection(work, count)
        self._store = LocalStore(folder)
        self.kept = (folder / "index", folder / "catalog.sqlite")

    def build(self) -> None:
        """The index alone: inserting is measured in the part ``store``."""
        self._store.make_index(FINGERPRINT, What.VIDEOS, self._kind)

    def nearest(self, query: NDArray[np.float32], knob: int) -> set[str]:  # noqa: ARG002 -- it has none
        """As its users ask."""
        return {found.video_id for found in self._store.search(FINGERPRINT, query[None], K)[0]}


class Graph:
    """The graph of quartzlens' own alone, as the libraries below are asked: codes in memory, nothing scored anew."""

    knobs = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640)

    def __init__(self, work: Path, count: int) -> None:
        self.how = "quartzlens hnsw, its graph alone"
        self._matrix = vectors(work, count)
        self.kept = (work / "graph.faiss",)

    def build(self) -> None:
        """From vectors in memory, by all cores."""
        import faiss

        numbers = np.zeros(len(self._matrix), np.int32)

        def blocks() -> Iterator[Block]:
            for start in range(0, len(self._matrix), _BATCH):
                rows = np.array(self._matrix[start : start + _BATCH])
                yield Block(Places(np.arange(start, start + len(rows)), numbers[: len(rows)]), rows)

        maker = Maker(*self._matrix.shape, blocks, lambda places: np.array(self._matrix[places.owners]))
        self._segment: Any = maker.make("hnsw").segment
        faiss.write_index(self._segment.index, str(self.kept[0]))
        faiss.omp_set_num_threads(1)

    def nearest(self, query: NDArray[np.float32], knob: int) -> set[str]:
        """By one thread."""
        import faiss

        moved = query / np.linalg.norm(query) - self._segment.centre
        asked: Any = faiss.SearchParametersHNSW(efSearch=max(knob, K))  # type: ignore[call-arg]
        found = self._segment.index.search(moved[None], K, params=asked)[1][0]
        return {name(int(at)) for at in self._segment.order[found]}


class HnswLib:
    """HNSW over float32, as its README builds it (M 16, ef_construction 200)."""

    knobs = Graph.knobs

    def __init__(self, work: Path, count: int) -> None:
        self.how = f"hnswlib {_version('hnswlib')}"
        self._matrix = vectors(work, count)
        self.kept = (work / "hnswlib.index",)

    def build(self) -> None:
        """By all cores."""
        import hnswlib

        self._index: Any = hnswlib.Index("cosine", self._matrix.shape[1])
        self._index.init_index(len(self._matrix), M=16, ef_construction=200, random_seed=0)
        for start in range(0, len(self._matrix), _BATCH):
            block = np.array(self._matrix[start : start + _BATCH])
            self._index.add_items(block, np.arange(start, start + len(block)))
        self._index.save_index(str(self.kept[0]))

    def nearest(self, query: NDArray[np.float32], knob: int) -> set[str]:
        """By one thread."""
        self._index.set_ef(max(knob, K))
        return {name(int(key)) for key in self._index.knn_query(query[None], K, num_threads=1)[0][0]}


class USearch:
    """HNSW over float16 with its defaults."""

    knobs = Graph.knobs

    def __init__(self, work: Path, count: int) -> None:
        self.how = f"usearch {_version('usearch')}, f16"
        self._matrix = vectors(work, count)
        self.kept = (work / "usearch.index",)

    def build(self) -> None:
        """By all cores."""
        from usearch.index import Index

        self._index: Any = Index(ndim=self._matrix.shape[1], metric="cos", dtype="f16")
        for start in range(0, len(self._matrix), _BATCH):
            block = np.array(self._matrix[start : start + _BATCH])
            self._index.add(np.arange(start, start + len(block)), block)
        self._index.save(str(self.kept[0]))

    def nearest(self, query: NDArray[np.float32], knob: int) -> set[str]:
        """By one thread."""
        self._index.expansion_search = knob
        return {name(int(key)) for key in self._index.search(query, K, threads=1).keys}


class LanceDb:
    """IVF with product quantisation, its usual index; ten times as many are scored anew from its vectors."""

    knobs = (5, 10, 20, 40, 80, 160)

    def __init__(self, work: Path, count: int) -> None:
        self.how = f"LanceDB {_version('lancedb')}, IVF_PQ"
        self._matrix = vectors(work, count)
        self.kept = (work / "lancedb",)

    def build(self) -> None:
        """Table and index."""
        import lancedb
        import pyarrow as pa

        shutil.rmtree(self.kept[0], ignore_errors=True)
        database: Any = lancedb.connect(str(self.kept[0]))
        kind = pa.list_(pa.float32(), self._matrix.shape[1])
        schema = pa.schema([("place", pa.int64()), ("vector", kind)])
        self._table = database.create_table("vectors", schema=schema)
        for start in range(0, len(self._matrix), _BATCH):
            block = np.array(self._matrix[start : start + _BATCH])
            rows = pa.FixedSizeListArray.from_arrays(pa.array(block.reshape(-1)), type=kind)
            self._table.add(pa.table({"place": np.arange(start, start + len(block)), "vector": rows}, schema=schema))
        self._table.create_index(metric="cosine", vector_column_name="vector", index_type="IVF_PQ")

    def nearest(self, query: NDArray[np.float32], knob: int) -> set[str]:
        """Of so many lists, the best ten times ten by their codes."""
        asked = self._table.search(query).distance_type("cosine").nprobes(knob).refine_factor(10)
        found = asked.select(["place", "_distance"]).limit(K).to_arrow()
        return {name(place) for place in found["place"].to_pylist()}


class MilvusLite:
    """Milvus in a folder, with the index that it picks itself."""

    knobs = (0,)

    def __init__(self, work: Path, count: int) -> None:
        self.how = f"Milvus Lite {_version('milvus-lite')}"
        self._matrix = vectors(work, count)
        self.kept = (work / "milvus.db",)

    def build(self) -> None:
        """A collection with an index over its vectors."""
        from pymilvus import MilvusClient

        _remove(self.kept[0])
        self._client: Any = MilvusClient(str(self.kept[0]))
        self._client.create_collection("vectors", dimension=self._matrix.shape[1], metric_type="COSINE")
        for start in range(0, len(self._matrix), 1000):
            block = np.array(self._matrix[start : start + 1000])
            rows = [{"id": start + i, "vector": row} for i, row in enumerate(block)]
            self._client.insert("vectors", rows)
        self._client.flush("vectors")

    def nearest(self, query: NDArray[np.float32], knob: int) -> set[str]:  # noqa: ARG002 -- its index is its own
        """As its client asks."""
        return {name(int(hit["id"])) for hit in self._client.search("vectors", [query], limit=K)[0]}


RIVALS = {"graph": Graph, "hnswlib": HnswLib, "usearch": USearch, "lancedb": LanceDb, "milvus": MilvusLite}


def engine(label: str, work: Path, count: int) -> Engine:
    """An engine by its name; ``quartzlens KIND`` is this project's."""
    if label.startswith("quartzlens "):
        return Quartzlens(work, count, label.split()[1])
    made: Engine = RIVALS[label](work, count)
    return made


def bytes_of(paths: Sequence[Path]) -> int:
    """What files and folders take on disk."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _version(package: str) -> str:
    return importlib.metadata.version(package)
