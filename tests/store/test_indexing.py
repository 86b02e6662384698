"""What a person sees and asks of the search indexes."""

import fcntl
import logging
from pathlib import Path

import pytest

from quartzlens.errors import UsageError
from store import kinds
from store.collection import Collection, EncoderChoice, open_collection
from store.indexing import index_facts, keep_up, make_indexes
from store.memory import MemoryStore
from store.places import What
from tests.store.things import FINGERPRINT, axis, ok, rows


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """An open collection of five embedded videos."""
    opened = open_collection(tmp_path / "c", create=EncoderChoice())
    opened.store.add_rows("list", rows(*"abcde"), [])
    opened.store.commit([ok(name, axis(number)) for number, name in enumerate("abcde")])
    return opened


def test_facts_are_those_of_the_files(collection: Collection) -> None:
    """Nothing is told before a search; then kind, vectors, bytes and recall, and what came since."""
    with collection:
        assert index_facts(collection, FINGERPRINT) == ()
        make_indexes(collection, FINGERPRINT, "f16")
        videos, fragments = index_facts(collection, FINGERPRINT)
        assert (videos.what, videos.kind, videos.count, videos.recall, videos.chosen, videos.behind) == (
            What.VIDEOS,
            "f16",
            5,
            1.0,
            True,
            0,
        )
        assert (fragments.what, fragments.count) == (What.FRAGMENTS, 10)
        assert {one.bytes for one in (videos, fragments)} == {
            path.stat().st_size for path in collection.index_folder.glob("*.faiss")
        }
        collection.store.commit([ok("a", axis(7))])
        assert [one.behind for one in index_facts(collection, FINGERPRINT)] == [1, 2]
        with pytest.raises(UsageError, match="'hnsw2' is no kind of index: auto, f32"):
            make_indexes(collection, FINGERPRINT, "hnsw2")


def test_an_ingest_keeps_large_indexes_up(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ones are left to the next search; large ones are made, of fragments where these are searched."""
    with collection:
        keep_up(collection, FINGERPRINT)
        assert index_facts(collection, FINGERPRINT) == ()
        monkeypatch.setattr(kinds, "MOST_FLAT", 2)
        keep_up(collection, FINGERPRINT)
        assert [one.what for one in index_facts(collection, FINGERPRINT)] == [What.VIDEOS]
        make_indexes(collection, FINGERPRINT)
        collection.store.commit([ok(name, axis(number)) for number, name in enumerate("abc")])
        keep_up(collection, FINGERPRINT)
        assert [one.behind for one in index_facts(collection, FINGERPRINT)] == [0, 0]


def test_an_ingest_leaves_an_index_to_the_process_that_makes_it(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where another process makes an index just then, what was ingested is kept, and it is said that none was made."""
    with collection:
        make_indexes(collection, FINGERPRINT)
        collection.store.commit([ok(name, axis(number)) for number, name in enumerate("abc")])
        monkeypatch.setattr(kinds, "MOST_FLAT", 2)
        with (collection.index_folder / ".making").open("r+b") as other, caplog.at_level(logging.WARNING):
            fcntl.flock(other, fcntl.LOCK_EX)
            keep_up(collection, FINGERPRINT)
        assert [one.behind for one in index_facts(collection, FINGERPRINT)] == [3, 6]
        assert "index of the videos stays behind for now: Another process makes a search index" in caplog.text


def test_another_backend_has_its_own_indexes(tmp_path: Path) -> None:
    """Of a store that is no folder's nothing is told or made, and asking for a kind says why."""
    other = Collection(tmp_path, MemoryStore(), EncoderChoice(), tmp_path, tmp_path)
    assert index_facts(other, FINGERPRINT) == ()
    keep_up(other, FINGERPRINT)
    with pytest.raises(UsageError, match="makes its indexes itself"):
        make_indexes(other, FINGERPRINT, "f16")
