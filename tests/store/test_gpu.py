"""The index on a graphics card answers as without; where there is no card these tests say so, and did not run."""

import logging
import threading
from pathlib import Path

import faiss
import numpy as np
import pytest

from store import vectors
from store.index_file import _CLASSES
from store.kinds import KINDS
from store.local import INDEX, LocalStore
from store.places import What
from tests.store.test_segment import crowd, found, made, scored
from tests.store.things import FINGERPRINT, axis, matrix_of, ok, rows

cards = getattr(faiss, "get_num_gpus", int)()
pytestmark = pytest.mark.skipif(cards == 0, reason="no GPU that FAISS can use: the search on a card was not tested")


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_answers_as_the_processor_does(kind: str) -> None:
    """Unfiltered searches on the card give the exact neighbours and similarities, of many queries too."""
    matrix = crowd(20_000, 128)
    one = made(kind, matrix, 2000)
    queries = crowd(40, 128, seed=1)
    for query, hits in zip(queries, found(one, matrix, queries, 10, None), strict=True):
        assert hits == scored(matrix, query, 10, None)


def test_threads_share_a_card() -> None:
    """Many threads search at once, and each gets its own answer: the card is asked by one at a time."""
    matrix = crowd(5000, 64)
    one, wrong = made("f16", matrix, 1000), []

    def search(seed: int) -> None:
        for query in crowd(20, 64, seed=seed):
            (hits,) = found(one, matrix, query[None], 5, None)
            if hits != scored(matrix, query, 5, None):
                wrong.append(seed)

    threads = [threading.Thread(target=search, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_more_neighbours_than_a_card_gives_are_found() -> None:
    """A search for more than 2,048 neighbours is the processor's."""
    matrix = crowd(3000, 32)
    (hits,) = found(made("f32", matrix, 1000), matrix, matrix[:1], 2500, None)
    assert hits == scored(matrix, matrix[0], 2500, None)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_an_index_of_the_processor(tmp_path: Path, kind: str) -> None:
    """The file on disk is read by a FAISS without a card."""
    with LocalStore(tmp_path) as store:
        store.add_rows("list", rows("a", "b"), [])
        store.commit([ok("a", axis(0)), ok("b", axis(1))])
        stamp = store.make_index(FINGERPRINT, What.VIDEOS, kind)
        assert stamp is not None
        assert store.search(FINGERPRINT, matrix_of([axis(1)]), 1)[0][0].video_id == "b"
    content = (tmp_path / INDEX / stamp.name).read_bytes()
    head = 12 * stamp.count + (0 if kind == "f32" else 4 * FINGERPRINT.dimension)
    assert isinstance(faiss.deserialize_index(np.frombuffer(content[head:], np.uint8)), _CLASSES[kind][0])


def test_a_card_without_room_is_told_and_done_without(caplog: pytest.LogCaptureFixture) -> None:
    """Where the card's memory is short the log says so, and the processor answers."""
    api = faiss
    resources = api.StandardGpuResources()  # type: ignore[attr-defined]
    settings = api.GpuIndexFlatConfig()  # type: ignore[attr-defined]
    matrix, taken = crowd(300_000, 256), []
    with caplog.at_level(logging.WARNING):
        try:
            while len(taken) < 10_000:
                one = api.GpuIndexFlatIP(resources, 256, settings)  # type: ignore[attr-defined]
                one.add(vectors.normalised(matrix))
                taken.append(one)
        except RuntimeError:
            pass
        (hits,) = found(made("f32", matrix, 50_000), matrix, matrix[:1], 3, None)
    assert "stays on the CPU" in caplog.text
    assert hits == scored(matrix, matrix[0], 3, None)
