"""The FAISS index: exact as NumPy, and never wrong whatever happens to its file."""

import dataclasses
import hashlib
import logging
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quartzlens.records import Embeddings, Neighbour
from store import embedded, index, vectors
from store.local import INDEX, LocalStore
from tests.store.things import DIMENSION, FINGERPRINT, axis, matrix_of, ok, rows

FILE = f"{FINGERPRINT.key}.faiss"


def by_numpy(matrix: NDArray[np.float32], query: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
    """Positions and cosines of the k nearest rows, computed as plainly as can be."""
    lengths = np.linalg.norm(matrix.astype(np.float64), axis=1)
    cosines = (
        (matrix.astype(np.float64) @ query.astype(np.float64)) / lengths / np.linalg.norm(query.astype(np.float64))
    )
    order = np.argsort(-cosines, kind="stable")[:k]
    return [(int(position), float(cosines[position])) for position in order]


def snapshot_of(matrix: NDArray[np.float32]) -> index.Snapshot:
    """A snapshot whose ids are the positions."""
    return index.build(1, Embeddings(tuple(map(str, range(len(matrix)))), matrix))


def test_search_is_numpys_exact_search() -> None:
    """On random vectors of full size FAISS gives the neighbours and similarities of an exact search, to 1e-5."""
    generator = np.random.default_rng(0)
    matrix = np.abs(generator.normal(size=(700, 1024))).astype(np.float32)
    queries = matrix[:5] + generator.normal(size=(5, 1024)).astype(np.float32) / 10
    for query, found in zip(queries, snapshot_of(matrix).search(queries, 12), strict=True):
        expected = by_numpy(matrix, query, 12)
        assert [int(one.video_id) for one in found] == [position for position, _ in expected]
        assert [one.similarity for one in found] == pytest.approx([cosine for _, cosine in expected], abs=1e-5)


def test_a_filtered_search_is_exact() -> None:
    """Within a tenth of the videos the answer is the exact search among these."""
    generator = np.random.default_rng(1)
    matrix = generator.normal(size=(1000, 64)).astype(np.float32)
    allowed = sorted(generator.choice(1000, size=100, replace=False).tolist())
    (found,) = snapshot_of(matrix).search(matrix[:1], 100, within={str(one) for one in allowed})
    expected = [allowed[position] for position, _ in by_numpy(matrix[allowed], matrix[0], 100)]
    assert [int(one.video_id) for one in found] == expected


@pytest.mark.parametrize("within", [None, {str(one) for one in range(0, 2000, 2)}], ids=["all", "half"])
def test_a_crowd_is_put_in_order(within: set[str] | None) -> None:
    """Of thousands of videos nearer to each other than float32 can tell, the exact order of all comes out."""
    generator = np.random.default_rng(2)
    one = vectors.normalised(generator.normal(size=(1, 512)).astype(np.float32))[0]
    around = generator.normal(size=(2000, 512))
    around = vectors.normalised((around - np.outer(around @ one, one)).astype(np.float32))
    matrix = 0.6 * one + 0.8 * around
    (found,) = snapshot_of(matrix).search(one[None], 8, within=within)
    scores = vectors.similarities(vectors.normalised(matrix), one)
    if within is not None:
        scores[1::2] = -1
    assert [int(neighbour.video_id) for neighbour in found] == vectors.best(scores, 8).tolist()


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 60), k=st.integers(0, 70), values=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_any_small_matrix_is_searched_as_the_reference_does(seed: int, count: int, k: int, values: int) -> None:
    """Vectors of few distinct values, full of ties and zeros, give the same answers as scoring every row."""
    generator = np.random.default_rng(seed)
    matrix = generator.integers(-values, values, size=(count, 3), endpoint=True).astype(np.float32)
    query = generator.integers(-values, values, size=(1, 3), endpoint=True).astype(np.float32)
    (found,) = snapshot_of(matrix).search(query, k)
    scores = vectors.similarities(vectors.normalised(matrix), vectors.normalised(query)[0])
    assert found == [Neighbour(str(i), float(scores[i])) for i in vectors.best(scores, k)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of 40 random embeddings that was searched once, so that its index is kept."""
    matrix = np.random.default_rng(3).normal(size=(40, DIMENSION))
    with LocalStore(tmp_path) as store:
        store.add_rows("list", rows(*(f"v{number}" for number in range(40))), [])
        store.commit([ok(f"v{number}", vector) for number, vector in enumerate(matrix)])
        answer(store)
    return tmp_path


def answer(store: LocalStore) -> list[list[Neighbour]]:
    """The nearest of two fixed queries."""
    return store.search(FINGERPRINT, matrix_of([axis(0), axis(1, 2)]), 40)


def exact_answer(store: LocalStore) -> list[list[Neighbour]]:
    """The same from the catalog alone."""
    held = store.embeddings(FINGERPRINT)
    return index.build(0, held).search(matrix_of([axis(0), axis(1, 2)]), 40)


def test_a_kept_index_is_used_again(folder: Path) -> None:
    """A second process loads the file that the first one wrote and does not write it again."""
    before = (folder / INDEX / FILE).stat()
    with LocalStore(folder) as store:
        assert answer(store) == exact_answer(store)
    after = (folder / INDEX / FILE).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("harm", ["deleted", "truncated", "longer", "folder deleted", "in the way"])
def test_a_harmed_index_is_made_anew(folder: Path, harm: str) -> None:
    """An index file that is gone, cut, longer or no file at all is made again, and the answers stay right."""
    path = folder / INDEX / FILE
    content = path.read_bytes()
    path.unlink()
    if harm == "folder deleted":
        path.parent.rmdir()
    if harm == "truncated":
        path.write_bytes(content[: len(content) // 2])
    if harm == "longer":
        path.write_bytes(content + b"x")
    if harm == "in the way":
        path.mkdir()
    with LocalStore(folder) as store:
        assert answer(store) == exact_answer(store)
    assert harm == "in the way" or path.read_bytes() == content


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_corruption_gives_a_wrong_answer(folder: Path, data: st.DataObject) -> None:
    """Whichever bytes of the file are changed, the answers are those of the catalog."""
    path = folder / INDEX / FILE
    whole = path.read_bytes()
    harmed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        harmed[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    # One byte may be changed twice, and back.
    assume(harmed != whole)
    path.write_bytes(harmed)
    try:
        with LocalStore(folder, read_only=True) as store:
            assert answer(store) == exact_answer(store)
    finally:
        path.write_bytes(whole)


def test_a_stale_index_is_made_anew(folder: Path) -> None:
    """An index from before a commit is not used, also when its file is put back afterwards."""
    old = (folder / INDEX / FILE).read_bytes()
    with LocalStore(folder) as store:
        store.commit([ok("v0", axis(7))])
    with LocalStore(folder) as store:
        assert answer(store) == exact_answer(store)
    assert (folder / INDEX / FILE).read_bytes() != old
    (folder / INDEX / FILE).write_bytes(old)
    with LocalStore(folder) as store:
        assert answer(store) == exact_answer(store)


def test_a_change_by_another_process_is_seen(folder: Path) -> None:
    """A store that holds an index in memory notices what another one commits."""
    with LocalStore(folder) as reader, LocalStore(folder) as writer:
        assert answer(reader) == exact_answer(reader)
        writer.commit([ok("v0", axis(7)), ok("v1", axis(0))])
        assert answer(reader)[0][0] == Neighbour("v1", 1.0)


@pytest.mark.parametrize(
    "content",
    [
        b"no index at all",
        faiss.serialize_index(faiss.IndexFlatL2(DIMENSION)).tobytes(),
        faiss.serialize_index(faiss.IndexFlatIP(DIMENSION + 1)).tobytes(),
        faiss.serialize_index(faiss.IndexHNSWFlat(DIMENSION, 4)).tobytes(),
    ],
    ids=["noise", "other metric", "other dimension", "other kind"],
)
def test_a_stamped_stranger_is_not_trusted(tmp_path: Path, content: bytes) -> None:
    """A file that fits its stamp and is still not an index of these videos is not used."""
    path = tmp_path / FILE
    path.write_bytes(content)
    stamp = index.Stamp(1, 0, len(content), hashlib.sha256(content).hexdigest(), faiss.__version__)
    assert index.load(path, stamp, 1, (), DIMENSION) is None


def test_the_stamp_says_what_the_file_is(folder: Path) -> None:
    """The stamp in the catalog has revision, count, length, sha256 and FAISS' version; another of these is not used."""
    path = folder / INDEX / FILE
    content = path.read_bytes()
    with LocalStore(folder) as store, store._database.reading() as connection:
        stamp = embedded.stamp(connection, FINGERPRINT)
        ids = embedded.embedded_ids(connection, FINGERPRINT)
    assert stamp == index.Stamp(1, 40, len(content), hashlib.sha256(content).hexdigest(), faiss.__version__)
    assert index.load(path, stamp, 1, ids, DIMENSION) is not None
    assert index.load(path, None, 1, ids, DIMENSION) is None
    assert index.load(path, stamp, 2, ids, DIMENSION) is None
    assert index.load(path, stamp, 1, ids[1:], DIMENSION) is None
    assert index.load(path, dataclasses.replace(stamp, faiss_version="0"), 1, ids, DIMENSION) is None


def test_an_index_that_cannot_be_kept_is_only_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where the index cannot be written the search answers all the same, and the log says why."""
    (tmp_path / INDEX).write_bytes(b"in the way")
    with LocalStore(tmp_path) as store, caplog.at_level(logging.WARNING):
        store.add_rows("list", rows("a"), [])
        store.commit([ok("a", axis(0))])
        assert store.search(FINGERPRINT, matrix_of([axis(0)]), 1) == [[Neighbour("a", 1.0)]]
    assert "made again next time" in caplog.text
