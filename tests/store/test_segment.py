"""The parts of an index: whatever their kind, they find what scoring every vector finds."""

import logging
from collections.abc import Iterator
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from store import kinds, recall, vectors
from store.kinds import KINDS, Made, Maker
from store.places import Block, Places
from store.segment import Hit, Segment, codes_of, flat_rows


def made(kind: str, matrix: NDArray[np.float32], block: int = 64) -> Made:
    """A segment of the rows of a matrix: their positions are the numbers of videos."""

    def blocks() -> Iterator[Block]:
        for start in range(0, len(matrix), block):
            rows = matrix[start : start + block]
            yield Block(Places(np.arange(start, start + len(rows)), np.zeros(len(rows), np.int32)), rows)

    return Maker(len(matrix), matrix.shape[1], blocks, lambda places: matrix[places.owners]).make(kind)


def found(
    one: Made, matrix: NDArray[np.float32], queries: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
) -> list[list[Hit]]:
    """The exact answer of a segment."""
    return one.segment.nearest(vectors.normalised(queries), k, allowed, lambda places: matrix[places.owners])


def scored(
    matrix: NDArray[np.float32], query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
) -> list[Hit]:
    """The answer by scoring every vector."""
    scores = vectors.similarities(vectors.normalised(matrix), vectors.normalised(query[None])[0])
    among = np.arange(len(matrix)) if allowed is None else np.flatnonzero(allowed)
    return [(float(scores[among[i]]), int(among[i]), 0) for i in vectors.best(scores[among], k)]


def crowd(count: int, dimension: int, seed: int = 0) -> NDArray[np.float32]:
    """Vectors as averaged outputs of a ReLU are: positive, of various lengths, all near one direction, in groups."""
    generator = np.random.default_rng(seed)
    groups = generator.normal(size=(12, dimension))
    rows = 3 + groups[generator.integers(12, size=count)] + generator.normal(size=(count, dimension)) / 4
    lengths = generator.uniform(0.5, 20, size=(count, 1))
    return np.maximum(rows * lengths, 0).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_search_is_exact_in_every_kind(kind: str) -> None:
    """On crowded vectors each kind gives the neighbours and similarities of scoring every vector."""
    matrix = crowd(1500, 96)
    queries = np.concatenate([matrix[3:6], crowd(4, 96, seed=1), np.zeros((1, 96), np.float32)])
    for query, hits in zip(queries, found(made(kind, matrix), matrix, queries, 12, None), strict=True):
        assert hits == scored(matrix, query, 12, None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_a_filtered_search_is_exact(kind: str, share: float) -> None:
    """Among those allowed, at random or the ones farthest from the query, the answer is exact and never short."""
    matrix = crowd(1500, 96)
    one, query = made(kind, matrix), crowd(1, 96, seed=2)
    scores = vectors.similarities(vectors.normalised(matrix), vectors.normalised(query)[0])
    for allowed in (np.random.default_rng(3).random(1500) < share, scores <= np.quantile(scores, share)):
        for k in (1, 10, 2000):
            (hits,) = found(one, matrix, query, k, allowed)
            assert hits == scored(matrix, query[0], k, allowed)


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 90),
    k=st.integers(0, 100),
    values=st.integers(1, 3),
    kind=st.sampled_from(KINDS),
    share=st.sampled_from([None, 0.2, 0.9]),
)
@settings(max_examples=150, deadline=None)
def test_any_small_matrix_is_searched_as_the_reference_does(
    seed: int, count: int, k: int, values: int, kind: str, share: float | None
) -> None:
    """Vectors of few distinct values, full of ties and zeros, give the same answers as scoring every row."""
    generator = np.random.default_rng(seed)
    matrix = generator.integers(-values, values, size=(count, 3), endpoint=True).astype(np.float32)
    query = generator.integers(-values, values, size=(1, 3), endpoint=True).astype(np.float32)
    allowed = None if share is None else generator.random(count) < share
    (hits,) = found(made(kind, matrix), matrix, query, k, allowed)
    assert hits == scored(matrix, query[0], k, allowed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("asked", [1, 40])
def test_what_was_damaged_on_the_disk_is_near_to_nothing(kind: str, asked: int) -> None:
    """Whatever is asked for, a search ends, finds all other vectors exactly, and never a damaged one."""
    matrix, queries = crowd(600, 24), crowd(asked, 24, seed=1)
    whole = np.ones(600, dtype=bool)
    whole[[0, 7, 599]] = False
    damaged = np.where(whole[:, None], matrix, np.float32(np.nan))
    one = made(kind, damaged)
    queries[-1] = 0.0  # to which all are equally near
    for k in (5, 600):
        for query, hits in zip(queries, found(one, damaged, queries, k, None), strict=True):
            assert hits == scored(matrix, query, k, whole)
        assert found(one, damaged, queries, k, ~whole) == [[]] * asked


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 3, 600])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_collection_that_was_wholly_damaged_has_no_neighbours(kind: str, count: int, value: float) -> None:
    """Every search ends, with nothing found."""
    damaged = np.full((count, 24), value, np.float32)
    with np.errstate(invalid="ignore"):
        one = made(kind, damaged)
        for asked in (crowd(1, 24), crowd(40, 24), np.zeros((2, 24), np.float32)):
            for k in (1, 5, 1000):
                assert found(one, damaged, asked, k, None) == [[]] * len(asked)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [None, 0.3])
def test_many_queries_have_the_answers_of_each(kind: str, share: float | None) -> None:
    """However many are asked at once, each has the answer of scoring every vector."""
    matrix, queries = crowd(9000, 16), crowd(50, 16, seed=1)
    allowed = None if share is None else np.random.default_rng(2).random(9000) < share
    if allowed is not None:
        allowed[:5000] = False
    for query, hits in zip(queries, found(made(kind, matrix, 4096), matrix, queries, 12, allowed), strict=True):
        assert hits == scored(matrix, query, 12, allowed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("half", [False, True])
def test_a_crowd_is_put_in_order(kind: str, half: bool) -> None:
    """Of thousands of vectors nearer to each other than a code can tell, the exact order of all comes out."""
    generator = np.random.default_rng(2)
    one = vectors.normalised(generator.normal(size=(1, 512)).astype(np.float32))[0]
    around = generator.normal(size=(2000, 512))
    around = vectors.normalised((around - np.outer(around @ one, one)).astype(np.float32))
    matrix = 0.6 * one + 0.8 * around
    allowed = np.arange(2000) % 2 == 0 if half else None
    (hits,) = found(made(kind, matrix), matrix, one[None], 8, allowed)
    assert hits == scored(matrix, one, 8, allowed)


def test_what_is_promised_of_codes_holds() -> None:
    """No code lies farther from its vector than the segment says, also of vectors that no sample had."""
    matrix = crowd(3000, 64)
    matrix[1234] = 0
    matrix[1234, 5] = 1
    for kind in ("f16", "hnsw"):
        segment = made(kind, matrix).segment
        moved = vectors.normalised(matrix) - segment.centre
        codes = codes_of(segment.index)
        decoded = codes.sq.decode(codes.sq.compute_codes(moved))
        assert np.linalg.norm(decoded - moved, axis=1).max() <= segment.error < 0.05


def test_recall_is_measured_on_queries_that_were_not_learned_from() -> None:
    """An approximate index says how many of the ten nearest it finds, and an own count over all vectors agrees."""
    matrix = np.random.default_rng(5).normal(size=(6000, 24)).astype(np.float32)
    one = made("hnsw", matrix, 500)
    assert recall.ENOUGH <= one.recall <= 1
    assert one.segment.effort > 0
    queries = vectors.normalised(np.random.default_rng(6).normal(size=(200, 24)).astype(np.float32))
    answers = one.segment.nearest(queries, 10, None, lambda places: matrix[places.owners], one.segment.effort)
    right = sum(
        len({hit[1] for hit in hits} & {hit[1] for hit in scored(matrix, query, 10, None)})
        for query, hits in zip(queries, answers, strict=True)
    )
    assert right / 2000 == pytest.approx(one.recall, abs=0.04)


def test_parameters_go_up_until_enough_is_found() -> None:
    """Vectors of many dimensions need more effort than those of few: as much as it takes."""
    generator = np.random.default_rng(7)
    flat, plain = generator.normal(size=(4000, 64)), generator.normal(size=(4000, 4))
    easy, hard = made("hnsw", plain.astype(np.float32), 1000), made("hnsw", flat.astype(np.float32), 1000)
    assert easy.segment.effort < hard.segment.effort
    assert min(easy.recall, hard.recall) >= recall.ENOUGH


def test_recall_is_not_flattered_by_copies() -> None:
    """Where most vectors are copies of one, recall is that of queries to which it matters what is found."""
    matrix = np.random.default_rng(8).normal(size=(3000, 24)).astype(np.float32)
    matrix[1000:] = matrix[0]
    one = made("hnsw", matrix, 500)
    queries = vectors.normalised(np.random.default_rng(9).normal(size=(100, 24)).astype(np.float32))
    answers = one.segment.nearest(queries, 10, None, lambda places: matrix[places.owners], one.segment.effort)
    least = [scored(matrix, query, 10, None)[-1][0] for query in queries]
    right = sum(sum(hit[0] >= tenth for hit in hits) for hits, tenth in zip(answers, least, strict=True))
    assert right / 1000 > 0.93
    same = np.ones((400, 8), np.float32)
    assert made("hnsw", same).recall == 1.0


def test_a_graph_that_finds_too_little_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no effort finds enough every vector is scored, and the answer is exact."""
    monkeypatch.setattr(recall, "ENOUGH", 1.1)
    matrix = crowd(900, 32)
    one = made("hnsw", matrix)
    assert (one.segment.effort, one.recall) == (0, 1.0)
    assert found(one, matrix, matrix[:1], 10, None) == [scored(matrix, matrix[0], 10, None)]


def test_ways_that_end_do_not_shorten_an_answer() -> None:
    """Where a graph's ways lead to fewer vectors than asked for, all are scored: min(k, all) come back."""
    matrix = crowd(900, 32)
    whole = made("hnsw", matrix).segment
    graph: Any = faiss.deserialize_index(faiss.serialize_index(whole.index))
    links = graph.hnsw.neighbors
    faiss.copy_array_to_vector(np.full(links.size(), -1, np.int32), links)
    segment = Segment("hnsw", whole.places, graph, whole.centre, whole.error, 16, whole.order)
    (hits,) = segment.nearest(vectors.normalised(matrix[:1]), 800, None, lambda places: matrix[places.owners], 16)
    assert hits == scored(matrix, matrix[0], 800, None)


def test_making_can_be_given_up() -> None:
    """Somebody who closes the store does not wait for an index: the making ends at its next block."""
    matrix = crowd(500, 8)
    places = Places(np.arange(500), np.zeros(500, np.int32))

    def stopping(after: int) -> Maker:
        left = iter([False] * after)
        return Maker(500, 8, lambda: iter([Block(places, matrix)]), lambda _: matrix, lambda: next(left, True))

    for kind, after in (("f32", 0), ("f16", 1), ("hnsw", 1)):
        with pytest.raises(kinds.Stopped):
            stopping(after).make(kind)


def test_progress_is_told_of_long_work(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a large index is made the log says how far it is, and of a small one nothing."""
    with caplog.at_level(logging.INFO):
        made("f16", crowd(400, 8))
        assert caplog.text == ""
        monkeypatch.setattr(kinds, "MOST_FLAT", 100)
        made("f16", crowd(400, 8))
    assert "adding, 400 of 400 vectors" in caplog.text


def test_an_index_stays_in_the_bytes_that_it_is_read_from() -> None:
    """The index that FAISS reads over NumPy's memory is the one that was written, a graph with its links too."""
    index = faiss.IndexFlatIP(8)
    index.add(np.eye(8, dtype=np.float32))
    copy = kinds.in_one_piece(index)
    assert isinstance(copy, faiss.IndexFlat)
    assert flat_rows(copy).ctypes.data % 64 == 0  # else NumPy multiplies a hundred times slower
    assert (copy.reconstruct_n(0, 8) == np.eye(8)).all()
    graph = made("hnsw", crowd(300, 8)).segment.index
    again = kinds.in_one_piece(graph)
    assert (again.search(crowd(9, 8, 1), 5)[1] == graph.search(crowd(9, 8, 1), 5)[1]).all()  # type: ignore[call-arg]
