"""The search index of a folder: exact whatever happens to its file, caught up with every change, made anew beside."""

import fcntl
import hashlib
import logging
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quartzlens.errors import CollectionError, LockedError
from quartzlens.records import Neighbour
from store import index_file, indexed, kinds, vectors
from store.indexed import Source, Stamp
from store.local import INDEX, LocalStore
from store.places import Block, Places, What
from store.segment import codes_of
from tests.store.things import DIMENSION, FINGERPRINT, axis, embedded, matrix_of, ok, rows

QUERIES = matrix_of([axis(0), axis(1, 2)])
KEY = (FINGERPRINT.key, What.VIDEOS)


def fill(store: LocalStore, count: int, start: int = 0, seed: int = 3) -> None:
    """Add ``count`` videos with random embeddings."""
    names = [f"v{number}" for number in range(start + count)]
    store.add_rows("list", rows(*names), [])
    drawn = np.random.default_rng(seed).normal(size=(count, DIMENSION))
    store.commit([ok(name, vector) for name, vector in zip(names[start:], drawn, strict=True)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of 40 random embeddings that was searched once, so that its index is kept."""
    with LocalStore(tmp_path) as store:
        fill(store, 40)
        answer(store)
    return tmp_path


def the_file(folder: Path) -> Path:
    """The one index file of the videos."""
    (path,) = (folder / INDEX).glob(f"{FINGERPRINT.key}.videos.*.faiss")
    return path


def answer(store: LocalStore, k: int = 40) -> list[list[Neighbour]]:
    """The nearest of two fixed queries."""
    return store.search(FINGERPRINT, QUERIES, k)


def exact_answer(store: LocalStore, k: int = 40) -> list[list[Neighbour]]:
    """The same from the catalog alone, by scoring every vector."""
    held = store.embeddings(FINGERPRINT)
    unit, found = vectors.normalised(held.matrix), []
    for query in vectors.normalised(QUERIES):
        scores = vectors.similarities(unit, query)
        found.append([Neighbour(held.ids[i], float(scores[i])) for i in vectors.best(scores, k)])
    return found


def settled(store: LocalStore) -> None:
    """Wait until nothing is made any more."""
    for maker in list(store._indexes._makers.values()):
        maker.join()


def test_a_kept_index_is_used_again(folder: Path) -> None:
    """A second process loads the file that the first one wrote and does not write it again."""
    before = the_file(folder).stat()
    with LocalStore(folder) as store:
        assert answer(store) == exact_answer(store)
    after = the_file(folder).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("harm", ["deleted", "truncated", "longer", "folder deleted", "in the way"])
def test_a_harmed_index_is_made_anew(folder: Path, harm: str) -> None:
    """An index file that is gone, cut, longer or no file at all is made again, and the answers stay right."""
    path = the_file(folder)
    content = path.read_bytes()
    path.unlink()
    if harm == "folder deleted":
        for left in path.parent.iterdir():
            left.unlink()
        path.parent.rmdir()
    if harm == "truncated":
        path.write_bytes(content[: len(content) // 2])
    if harm == "longer":
        path.write_bytes(content + b"x")
    if harm == "in the way":
        path.mkdir()
    with LocalStore(folder) as store:
        assert answer(store) == exact_answer(store)
    assert harm == "in the way" or the_file(folder).read_bytes() == content


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_corruption_gives_a_wrong_answer(folder: Path, data: st.DataObject) -> None:
    """Whichever bytes of the file are changed, the answers are those of the catalog."""
    path = the_file(folder)
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


def test_what_came_since_is_caught_up_with(folder: Path) -> None:
    """After a few changes the old file still serves: what it lacks is read from the catalog, what went is left out."""
    old = the_file(folder)
    with LocalStore(folder) as store:
        store.commit([ok("v0", axis(7)), ok("v1", axis(0))])
        store.remove(["v2", "v3"])
    with LocalStore(folder) as store:
        assert answer(store) == exact_answer(store)
        fill(store, 5, start=40, seed=9)
        store.remove(["v4", "v41"])
        assert answer(store) == exact_answer(store)
        assert the_file(folder) == old


def test_an_index_of_another_time_is_not_used(folder: Path) -> None:
    """A file put back from before the stamp's, and a stamp from after the catalog's revision, count for nothing."""
    first = the_file(folder)
    old = first.read_bytes()
    with LocalStore(folder) as store:
        store.commit([ok("v0", axis(7))])
        half = first.with_name(f".{first.name}.12-ab.tmp")  # of a killed process
        half.write_bytes(old[:100])
        made = store.make_index(FINGERPRINT, What.VIDEOS)
        assert made is not None
        assert not first.exists()
        assert not half.exists()
        (folder / INDEX / made.name).write_bytes(old)
    with LocalStore(folder) as store:
        assert answer(store) == exact_answer(store)
        with store._database.writing() as connection:
            connection.execute("UPDATE index_files SET revision = 99")
    with LocalStore(folder) as store:
        assert answer(store) == exact_answer(store)


def test_a_change_by_another_process_is_seen(folder: Path) -> None:
    """A store that holds an index in memory notices what another one commits and removes."""
    with LocalStore(folder) as reader, LocalStore(folder) as writer:
        assert answer(reader) == exact_answer(reader)
        writer.commit([ok("v0", axis(7)), ok("v1", axis(0))])
        assert answer(reader)[0][0] == Neighbour("v1", 1.0)
        writer.remove(["v1"])
        assert answer(reader) == exact_answer(reader)


def test_much_that_came_is_taken_in_beside_the_search(folder: Path) -> None:
    """Where far more came than the file has, it is made anew in a thread; answers are exact before and after."""
    old = the_file(folder)
    with LocalStore(folder) as store:
        for start in range(40, 640, 60):
            fill(store, 60, start, seed=start)
            assert answer(store) == exact_answer(store)
        settled(store)
        assert the_file(folder) != old
        assert answer(store) == exact_answer(store)
        assert len(store._indexes._snapshots[KEY].segments) <= 4
        assert store.index_stamp(FINGERPRINT, What.VIDEOS)[0].count >= 340  # type: ignore[union-attr]


def test_many_small_changes_do_not_pile_up(tmp_path: Path) -> None:
    """Hundreds of commits between searches leave a handful of segments, and every answer is exact."""
    with LocalStore(tmp_path) as store:
        fill(store, 2000)
        answer(store)
        for number in range(120):
            store.commit([ok(f"v{number * 7 % 2000}", np.roll(axis(0, 2, 3), number) + number / 100)])
            (found, _) = answer(store, 5)
            assert found == exact_answer(store, 5)[0]
        assert len(store._indexes._snapshots[KEY].segments) <= 6


def test_searches_go_on_while_everything_changes(tmp_path: Path) -> None:
    """Threads that search while one commits and indexes are made anew each see whole batches, and no crash."""
    wrong: list[int] = []
    with LocalStore(tmp_path) as store:
        fill(store, 300)
        first = [f"v{number}" for number in range(300)]  # which stay as they are
        few_of = {
            what: [one.video_id for one in store.search(FINGERPRINT, QUERIES[:1], 10, first, fragments=what)[0]]
            for what in (False, True)
        }
        done = threading.Event()

        def search() -> None:
            while not done.is_set():
                for what in (False, True):
                    (found,) = store.search(FINGERPRINT, QUERIES[:1], 4000, fragments=what)
                    if len(found) % (20 if what else 10):
                        wrong.append(len(found))
                    (few,) = store.search(FINGERPRINT, QUERIES[:1], 10, first, fragments=what)
                    if [one.video_id for one in few] != few_of[what]:
                        wrong.append(-1)

        threads = [threading.Thread(target=search) for _ in range(3)]
        for thread in threads:
            thread.start()
        for start in range(300, 900, 10):
            names = [f"w{number}" for number in range(start, start + 10)]
            store.add_rows(f"list {start}", rows(*names, source_list=f"list {start}"), [])
            store.commit([ok(name, axis(start % 8)) for name in names])
            if start % 100 == 0:
                store.make_index(FINGERPRINT, What.VIDEOS, kinds.KINDS[start // 100 % 3])
        done.set()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert len(store.search(FINGERPRINT, QUERIES[:1], 4000)[0]) == 900


@pytest.mark.parametrize("kind", kinds.KINDS)
@pytest.mark.parametrize("what", What)
def test_a_kind_can_be_chosen(tmp_path: Path, kind: str, what: What) -> None:
    """A person's choice is kept to by every process and also when the file is lost; auto goes back."""
    with LocalStore(tmp_path) as store:
        fill(store, 300)
        made = store.make_index(FINGERPRINT, what, kind)
        assert made is not None
        assert (made.kind, made.chosen, made.count) == (kind, True, 300 * (1 + (what is What.FRAGMENTS)))
        assert made.recall >= 0.95
    with LocalStore(tmp_path) as store:
        assert store.search(FINGERPRINT, QUERIES, 300, {"v7", "v8"}) == [
            [one for one in hits if one.video_id in {"v7", "v8"}] for hits in exact_answer(store, 300)
        ]
        assert store.index_stamp(FINGERPRINT, what)[0] == made
    for path in (tmp_path / INDEX).glob("*.faiss"):
        path.unlink()
    with LocalStore(tmp_path) as store:
        found = store.search(FINGERPRINT, QUERIES, 7, fragments=what is What.FRAGMENTS)
        assert [len(hits) for hits in found] == [7, 7]
        settled(store)
        assert store.index_stamp(FINGERPRINT, what)[0] == replace(
            made,
            name=store.index_stamp(FINGERPRINT, what)[0].name,  # type: ignore[union-attr]
        )
        fill(store, 90, 300, seed=5)
        again = store.make_index(FINGERPRINT, what)
        assert again is not None
        assert (again.kind, again.chosen) == (kind, True)
        back = store.make_index(FINGERPRINT, what, "auto")
        assert back is not None
        assert (back.kind, back.chosen) == ("f32", False)


def test_a_size_brings_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a collection grows its index changes kind by itself; without a file the quickest kind answers first."""
    monkeypatch.setattr(kinds, "MOST_FLAT", 100)
    monkeypatch.setattr(kinds, "MOST_SCANNED", 400)
    with LocalStore(tmp_path) as store:
        kinds_seen = []
        for start in range(0, 600, 90):
            fill(store, 90, start, seed=start)
            answer(store)
            settled(store)
            answer(store)
            kinds_seen.append(store.index_stamp(FINGERPRINT, What.VIDEOS)[0].kind)  # type: ignore[union-attr]
            found = store.search(FINGERPRINT, QUERIES, 40, within={f"v{number}" for number in range(700)})
            assert found == exact_answer(store)
    assert kinds_seen == ["f32", "f16", "f16", "f16", "hnsw", "hnsw", "hnsw"]
    the_file(tmp_path).unlink()
    with LocalStore(tmp_path) as store:
        assert answer(store) == exact_answer(store)
        settled(store)
        assert store.index_stamp(FINGERPRINT, What.VIDEOS)[0].kind == "hnsw"  # type: ignore[union-attr]


def test_many_ids_are_looked_for_at_once(tmp_path: Path) -> None:
    """A filter of thousands of ids is exact, asked again too, and after videos came, went and came again."""
    with LocalStore(tmp_path) as store:
        fill(store, 2500)
        names = frozenset(f"v{number}" for number in range(1, 2500, 2)) | {"nowhere"}
        everything = exact_answer(store, 2500)
        for asked in (names, names, sorted(names)):
            assert store.search(FINGERPRINT, QUERIES, 2500, asked) == [
                [one for one in hits if one.video_id in names] for hits in everything
            ]
        store.remove(["v1", "v5"])
        store.add_rows("again", rows("v1", "new", source_list="again"), [])
        store.commit([ok("v1", axis(0)), ok("new", axis(0))])
        (found,) = store.search(FINGERPRINT, QUERIES[:1], 2500, names | {"new"})
        assert {one.video_id for one in found} == (names | {"new"}) - {"nowhere", "v5"}
        assert {found[0].video_id, found[1].video_id} == {"v1", "new"}


def test_a_newer_index_of_another_process_is_taken_over(tmp_path: Path) -> None:
    """Who would make an index anew and finds that another process did so loads that one."""
    with LocalStore(tmp_path) as first, LocalStore(tmp_path) as second:
        fill(first, 300)
        answer(first)
        fill(first, 400, 300, seed=4)
        made = second.make_index(FINGERPRINT, What.VIDEOS)
        assert made is not None
        whole = the_file(tmp_path).read_bytes()
        the_file(tmp_path).write_bytes(whole[:-1])
        assert not first._indexes._taken_over(FINGERPRINT, What.VIDEOS)
        the_file(tmp_path).write_bytes(whole)
        answer(first)
        settled(first)
        assert the_file(tmp_path).name == made.name
        assert answer(first) == exact_answer(first)
        assert first._indexes._snapshots[KEY].made == made.revision


def test_only_one_process_makes_an_index(folder: Path) -> None:
    """While another process makes an index of the folder, this one makes none and answers as it can."""
    handle = os.open(folder / INDEX / ".making", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with LocalStore(folder) as store:
            with pytest.raises(LockedError, match="Another process makes a search index"):
                store.make_index(FINGERPRINT, What.VIDEOS)
            fill(store, 400, 40, seed=2)
            assert answer(store) == exact_answer(store)
            settled(store)
            assert answer(store) == exact_answer(store)
        the_file(folder).unlink()
        with LocalStore(folder) as store:
            assert answer(store) == exact_answer(store)
        assert not list((folder / INDEX).glob("*.faiss"))
    finally:
        os.close(handle)


def test_who_may_only_read_makes_indexes_in_memory(folder: Path) -> None:
    """A reader without the right to write searches in an index of its own, anew when much came, and writes nothing."""
    the_file(folder).unlink()
    before = sorted((folder / INDEX).iterdir())
    with LocalStore(folder, read_only=True) as reader, LocalStore(folder) as writer:
        assert answer(reader) == exact_answer(reader)
        fill(writer, 400, 40, seed=2)
        assert answer(reader) == exact_answer(reader)
        settled(reader)
        assert answer(reader) == exact_answer(reader)
        assert reader._indexes._snapshots[KEY].made == 2
    assert sorted((folder / INDEX).iterdir()) == before


def test_closing_gives_up_what_is_being_made(tmp_path: Path) -> None:
    """A store that is closed waits for no index: the thread ends, and what was kept before stays."""
    with LocalStore(tmp_path) as store:
        fill(store, 300)
        answer(store)
        kept = the_file(tmp_path)
        fill(store, 400, 300, seed=4)
        store._indexes._closed.set()
        with pytest.raises(kinds.Stopped):
            store.make_index(FINGERPRINT, What.VIDEOS)
        store._indexes._make_beside(FINGERPRINT, What.VIDEOS)
        assert answer(store) == exact_answer(store)
    assert the_file(tmp_path) == kept


def test_nothing_embedded_has_no_index(tmp_path: Path) -> None:
    """Of an encoder that never embedded anything, or whose last video went, there is nothing to make or to tell."""
    with LocalStore(tmp_path) as store:
        store.add_rows("list", rows("a"), [])
        assert store.make_index(FINGERPRINT, What.VIDEOS) is None
        assert store.index_stamp(FINGERPRINT, What.VIDEOS) == (None, 0)
        assert not store._indexes._taken_over(FINGERPRINT, What.VIDEOS)
        store.commit([ok("a", axis(0))])
        assert answer(store) == exact_answer(store)
        store.remove(["a"])
        assert store.make_index(FINGERPRINT, What.VIDEOS) is None
        assert answer(store) == [[], []]
    with LocalStore(tmp_path) as store:
        assert answer(store) == [[], []]
    the_file(tmp_path).unlink()
    with LocalStore(tmp_path) as store:
        assert answer(store) == [[], []]


FLAT = faiss.IndexFlatIP(DIMENSION)


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
    (tmp_path / "x.faiss").write_bytes(content)
    stamp = Stamp(
        "x.faiss", "f32", 1, 0, len(content), hashlib.sha256(content).hexdigest(), faiss.__version__, 0, 0, 1, False
    )
    assert index_file.load(tmp_path, stamp, Source(1, What.VIDEOS, DIMENSION)) is None
    assert index_file.load(tmp_path, replace(stamp, name="../x.faiss"), Source(1, What.VIDEOS, DIMENSION)) is None


def test_the_stamp_says_what_the_file_is(folder: Path) -> None:
    """The stamp in the catalog has revision, count, length, sha256 and FAISS' version; another of these is not used."""
    path = the_file(folder)
    content = path.read_bytes()
    with LocalStore(folder) as store, store._database.reading() as connection:
        found = indexed.source(connection, FINGERPRINT, What.VIDEOS)
        assert found is not None
        of = found[0]
        stamp = indexed.stamp(connection, of)
    digest = hashlib.sha256(content).hexdigest()
    assert stamp == Stamp(path.name, "f32", 1, 40, len(content), digest, faiss.__version__, 0, 0, 1, False)
    assert stamp is not None
    assert index_file.load(folder / INDEX, stamp, of) is not None
    for other in (
        {"faiss_version": "0"},
        {"kind": "f16"},
        {"kind": "hnsw"},
        {"count": 39},
        {"bytes": 1},
        {"sha256": "0"},
    ):
        assert index_file.load(folder / INDEX, replace(stamp, **other), of) is None


@contextmanager
def filled_disk() -> Iterator[None]:
    """No file of this process may grow beyond some bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_an_index_that_cannot_be_kept_is_only_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where the index cannot be written the search answers all the same, and the log says why."""
    (tmp_path / INDEX).write_bytes(b"in the way")
    with LocalStore(tmp_path) as store, caplog.at_level(logging.WARNING):
        fill(store, 20)
        assert answer(store) == exact_answer(store)
        assert "made again next time" in caplog.text
        fill(store, 400, 20, seed=4)
        assert answer(store) == exact_answer(store)
        settled(store)
        assert caplog.text.count("answers as it was") == 1
        assert answer(store) == exact_answer(store)
        settled(store)
        (tmp_path / INDEX).unlink()
        (tmp_path / INDEX).mkdir()
        with pytest.raises(CollectionError, match="No index can be written"), filled_disk():
            store.make_index(FINGERPRINT, What.VIDEOS)
    assert caplog.text.count("answers as it was") == 1


FULL = faiss.IndexFlatL2(DIMENSION)
FULL.add(np.ones((60, DIMENSION), np.float32))  # type: ignore[call-arg]
HARMED_GRAPHS = {
    "whole": lambda graph: None,
    "a link beyond": lambda graph: harmed(graph.hnsw.neighbors, 0, 60),
    "a link before": lambda graph: harmed(graph.hnsw.neighbors, 1, -2),
    "a vector without level": lambda graph: harmed(graph.hnsw.levels, 3, 0),
    "a level too high": lambda graph: harmed(graph.hnsw.levels, 3, 10**6),
    "links from elsewhere": lambda graph: harmed(graph.hnsw.offsets, 5, 10**9),
    "begun nowhere": lambda graph: setattr(graph.hnsw, "entry_point", 60),
    "begun too high": lambda graph: setattr(graph.hnsw, "max_level", 9),
    "too few levels": lambda graph: faiss.copy_array_to_vector(np.ones(9, np.int32), graph.hnsw.levels),
    "too few starts": lambda graph: faiss.copy_array_to_vector(np.zeros(9, np.uint64), graph.hnsw.offsets),
    "links cut off": lambda graph: faiss.copy_array_to_vector(np.zeros(9, np.int32), graph.hnsw.neighbors),
    "too few codes": lambda graph: setattr(codes_of(graph), "ntotal", 59),
    "codes of floats": lambda graph: setattr(graph, "storage", FULL),
}


def harmed(vector: Any, position: int, value: int) -> None:
    """Put a value into a vector of FAISS'."""
    array = faiss.vector_to_array(vector)
    array[position] = value
    faiss.copy_array_to_vector(array, vector)


def graph_file(order: NDArray[np.int64], harm: Callable[[Any], None]) -> bytes:
    """An index file of 60 vectors in a graph that was harmed."""
    matrix = np.random.default_rng(0).normal(size=(60, DIMENSION)).astype(np.float32)
    index = faiss.IndexHNSWSQ(DIMENSION, faiss.ScalarQuantizer.QT_8bit, 16)
    index.train(matrix)  # type: ignore[call-arg]
    index.add(matrix)  # type: ignore[call-arg]
    harm(index)
    arrays = (np.arange(60), np.zeros(60, np.int32), order, np.zeros(DIMENSION, np.float32))
    head = b"".join(array.tobytes() for array in arrays)
    return head + faiss.serialize_index(index).tobytes()


def loaded_graph(folder: Path, content: bytes) -> object:
    """What is made of such a file by a stamp that fits it."""
    (folder / "x.faiss").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    stamp = Stamp("x.faiss", "hnsw", 1, 60, len(content), digest, faiss.__version__, 0, 16, 1, False)
    return index_file.load(folder, stamp, Source(1, What.VIDEOS, DIMENSION))


@pytest.mark.parametrize("harm", HARMED_GRAPHS)
def test_a_graph_that_leads_astray_is_not_followed(tmp_path: Path, harm: str) -> None:
    """A stamped stranger's graph with links, levels or codes that FAISS would follow out of its memory is not used."""
    loaded = loaded_graph(tmp_path, graph_file(np.arange(60), HARMED_GRAPHS[harm]))
    assert (loaded is not None) == (harm == "whole")


@pytest.mark.parametrize("order", [np.zeros(60, np.int64), np.arange(1, 61)], ids=["one for all", "one too far"])
def test_an_order_that_is_none_is_not_used(tmp_path: Path, order: NDArray[np.int64]) -> None:
    """A stamped stranger's graph whose vectors are of no videos, or of one and the same, is not used."""
    content = graph_file(order, lambda graph: None)
    assert loaded_graph(tmp_path, content) is None


@pytest.mark.parametrize("kind", ["f16", "hnsw"])
def test_videos_without_fragments_are_in_no_index_of_fragments(tmp_path: Path, kind: str) -> None:
    """Hundreds of videos of which no fragment is kept do not keep an index of the others' from being made."""
    with LocalStore(tmp_path) as store:
        names = [f"e{number}" for number in range(700)]
        store.add_rows("empty", rows(*names, source_list="empty"), [])
        whole = ok("e", axis(0))
        bare = replace(whole, embedded=embedded(axis(0), fragments=0))
        store.commit([replace(bare, video_id=one) for one in names])
        fill(store, 100)
        made = store.make_index(FINGERPRINT, What.FRAGMENTS, kind)
        assert made is not None
        assert made.count == 200
        assert len(store.search(FINGERPRINT, QUERIES, 10, fragments=True)[0]) == 10


def test_videos_that_went_are_not_found_through_a_graph(tmp_path: Path) -> None:
    """A search through a graph finds nothing that was removed, and what was embedded anew as it is now."""
    with LocalStore(tmp_path) as store:
        fill(store, 600)
        store.make_index(FINGERPRINT, What.VIDEOS, "hnsw")
        nearest = [one.video_id for one in answer(store, 10)[0]]
        store.remove(nearest[:5])
        store.commit([ok(nearest[5], axis(3)), ok(nearest[6], QUERIES[0])])
        (found, _) = answer(store, 10)
        assert not {one.video_id for one in found} & set(nearest[:5])
        assert found[0] == Neighbour(nearest[6], 1.0)
        assert found[:4] == [found[0], *(one for one in exact_answer(store, 10)[0][1:4])]


def test_a_search_does_not_undo_what_a_person_chose_meanwhile(tmp_path: Path) -> None:
    """An index that was begun before another process made one of a chosen kind is not put in its place."""
    with LocalStore(tmp_path) as store, LocalStore(tmp_path) as other:
        fill(store, 300)
        with store._database.reading() as connection:
            found = indexed.source(connection, FINGERPRINT, What.VIDEOS)
            assert found is not None
            made = other.make_index(FINGERPRINT, What.VIDEOS, "f16")
            assert store._indexes._first(connection, FINGERPRINT, found[0], found[1]) is not None
        assert store.index_stamp(FINGERPRINT, What.VIDEOS)[0] == made


def test_an_index_that_memory_cannot_hold_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there is no memory to make an index anew the old one answers, and not every search tries again."""
    with LocalStore(tmp_path) as store, caplog.at_level(logging.WARNING):
        fill(store, 300)
        answer(store)
        fill(store, 400, 300, seed=4)
        tries = []

        def make(*_: object) -> None:
            tries.append("f32")
            raise MemoryError

        monkeypatch.setattr(store._indexes, "make", make)
        for _ in range(3):
            assert answer(store) == exact_answer(store)
            settled(store)
        assert tries == ["f32"]
        assert "could not be made anew" in caplog.text


def test_a_removal_does_not_wait_for_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal ends the making of an index in this process, as that reads all along, and every byte goes."""
    with LocalStore(tmp_path, busy_seconds=1) as store:
        fill(store, 300)
        begun = threading.Event()

        def blocks(*_: object) -> Iterator[Block]:
            while True:
                begun.set()
                yield Block(Places(np.zeros(1, np.int64), np.zeros(1, np.int32)), np.ones((1, DIMENSION), np.float32))

        monkeypatch.setattr(indexed, "blocks", blocks)
        maker = threading.Thread(target=store._indexes._make_beside, args=(FINGERPRINT, What.VIDEOS))
        store._indexes._makers[KEY] = maker
        maker.start()
        assert begun.wait(30)
        monkeypatch.undo()
        store.remove(["v3"])
        maker.join()
        assert len(answer(store, 300)[0]) == 299


def test_who_may_only_read_makes_no_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be kept no graph is made beside the search: the codes are scanned."""
    monkeypatch.setattr(kinds, "MOST_FLAT", 50)
    monkeypatch.setattr(kinds, "MOST_SCANNED", 100)
    with LocalStore(tmp_path) as store:
        fill(store, 200)
    with LocalStore(tmp_path, read_only=True) as store:
        assert answer(store) == exact_answer(store)
        assert store._indexes._makers == {}
        assert store._indexes._snapshots[KEY].segments[0].kind == "f16"


def test_a_first_search_does_not_wait_for_the_making_of_another_index(tmp_path: Path) -> None:
    """While a thread makes an index the first search of other vectors answers and leaves keeping to a later one."""
    with LocalStore(tmp_path) as store:
        fill(store, 30)
        with store._indexes._making:
            assert answer(store) == exact_answer(store)
        assert store.index_stamp(FINGERPRINT, What.VIDEOS)[0] is None
