"""What the store in Milvus writes into its tables, and what it reads when somebody else wrote or erased there."""

import json
import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quartzlens.errors import CollectionError
from quartzlens.records import BadRow
from store import milvus_search
from store.milvus import MilvusStore
from store.milvus_catalog import Change
from store.milvus_contents import CONTENTS, fragments_table, prepared, searchable, videos_table
from store.milvus_entries import LabelEntry, PendingEntry, hashed
from store.milvus_kept import CATALOG
from store.milvus_tables import row as table_row
from tests.store.crashing import HAS_MILVUS, NO_MILVUS
from tests.store.things import (
    DIMENSION,
    FINGERPRINT,
    OTHER,
    axis,
    embedded,
    failed,
    heard,
    ids_of,
    matrix_of,
    ok,
    person,
    row,
    rows,
    run,
)

pytestmark = pytest.mark.skipif(not HAS_MILVUS, reason=NO_MILVUS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MilvusStore]:
    """A store of two embedded videos."""
    with MilvusStore(str(tmp_path / "m")) as store:
        store.add_rows("list", rows("a", "b"), [])
        store.commit([ok("a", axis(0)), ok("b", axis(1))])
        yield store


def keys_in(store: MilvusStore, table: str) -> set[str]:
    """Keys of all rows of a table."""
    return {one["key"] for one in store._tables.every(table)}


def test_texts_of_any_length_and_kind_come_back(store: MilvusStore) -> None:
    """Texts beyond what a row of Milvus holds are kept whole, are shortened, and leave no row behind when they go."""
    odd = '\'"\\\n\r\t\x00🎵 key in ["a"] or 1 == 1 -- '
    before = keys_in(store, CATALOG)
    long = [replace(row(1, odd, "food", source_list=odd), description="ж" * 200_000, extra={odd: odd})]
    store.add_rows(odd, long, [])
    store.commit([heard(odd, "слово " * 30_000)])
    assert len(keys_in(store, CATALOG)) > len(before) + 20
    with MilvusStore(store.uri) as second:
        (kept,) = second.videos([odd])
        assert (kept.description, dict(kept.extra)) == ("ж" * 200_000, {odd: odd})
        assert second.fragments(FINGERPRINT, [odd], "слово").ids == (odd,)
    store.add_rows(odd, [replace(long[0], description="short")], [])
    assert f"v{hashed(odd)}/1" not in keys_in(store, CATALOG)
    store.remove([odd])
    assert keys_in(store, CATALOG) - before == {f"t{hashed(odd)}"}


def test_a_change_may_need_several_requests(store: MilvusStore) -> None:
    """Where a change is more than one request carries, all of it is there after the last."""
    store._tables._request_bytes = 1000
    store.add_rows("more", rows(*(f"v{n}" for n in range(20)), source_list="more"), [])
    store.commit([ok("v3", axis(0)), ok("v4", axis(1))])
    with MilvusStore(store.uri) as second:
        assert len(second.videos()) == 22
        assert second.embeddings(FINGERPRINT).ids == ("a", "b", "v3", "v4")


def test_what_a_killed_commit_left_is_never_seen_and_goes(store: MilvusStore) -> None:
    """Rows of an attempt that no result names are in no answer, and the next commit of their video takes them away."""
    whole = embedded(axis(0), fragments=3)
    left, contents = prepared(whole)
    pooled, parts = searchable(left, whole)
    unknown = replace(left, encoder="0123456789abcdef", number=left.number + 1)
    store._tables.upsert(CONTENTS, contents)
    store._tables.upsert(videos_table(FINGERPRINT.key), [pooled])
    store._tables.upsert(fragments_table(FINGERPRINT.key), parts)
    store._kept.write(Change([PendingEntry("1", 0.0, (("a", left), ("b", unknown))), PendingEntry("2", 9e9, ())]))
    for fragments, n in ((False, 2), (True, 4)):
        found = store.search(FINGERPRINT, matrix_of([axis(0)]), 99, fragments=fragments)[0]
        assert [one.video_id for one in found] == (["a", "b"] if n == 2 else ["a", "a", "b", "b"])
    store.commit([failed("a")])
    assert str(left.number) not in keys_in(store, videos_table(FINGERPRINT.key))
    assert not {key for key in keys_in(store, CONTENTS) if key.startswith(f"{left.number}/")}
    assert len(keys_in(store, fragments_table(FINGERPRINT.key))) == 4
    assert [[video for video, _ in one.attempts] for one in store._kept.read().pending if one.attempts] == [["b"]]
    store.remove(["b"])
    assert [one.token for one in store._kept.read().pending] == ["2"]


def test_on_a_server_a_commit_of_another_process_is_left_alone(store: MilvusStore) -> None:
    """What a commit that began lately has written is not taken for waste where another process may be at it."""
    store._abandoned_seconds = 3600
    attempt, _ = prepared(embedded(axis(0)))
    store._kept.write(Change([PendingEntry("1", math.inf, (("a", attempt),))]))
    store.commit([ok("a", axis(2))])
    assert [one.token for one in store._kept.read().pending] == ["1"]


def test_replaced_embeddings_leave_no_rows(store: MilvusStore) -> None:
    """After new results and a removal every table has the rows of what is there and no others."""
    for _ in range(3):
        store.commit([heard("a", "one", "two", "three"), ok("b", axis(0), OTHER)])
    store.remove(["b"])
    assert len(keys_in(store, videos_table(FINGERPRINT.key))) == 1
    assert len(keys_in(store, fragments_table(FINGERPRINT.key))) == 3
    assert keys_in(store, videos_table(OTHER.key)) == set()
    assert {key.split("/")[1] for key in keys_in(store, CONTENTS)} == {"pooled", "fragments", "words", "profile"}
    kinds = sorted(one["kind"] for one in store._tables.every(CATALOG))
    assert kinds == ["encoder", "encoder", "list", "result", "stamp", "version", "video"]


def test_waste_that_cannot_be_taken_away_does_no_harm(
    store: MilvusStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A commit whose replaced rows stay is kept with a warning; a removal says so; the next change takes them away."""

    def refuse(*_: object) -> None:
        raise CollectionError("no")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(store._tables, "delete", refuse)
        store.commit([ok("a", axis(3))])
        assert "not taken away, which does no harm" in caplog.text
        with pytest.raises(CollectionError, match="no"):
            store.remove(["b"])
    assert ids_of(store) == ["a"]
    assert f"v{hashed('b')}" in keys_in(store, CATALOG)
    store.add_rows("list", rows("a", "b"), [])
    assert (ids_of(store), store.videos(["b"])[0].outcome) == (["a", "b"], None)
    with MilvusStore(store.uri) as second:
        assert ids_of(second) == ["a", "b"]


def test_a_failed_request_is_followed_by_what_is_there(store: MilvusStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Milvus fails amid a change, what is read next is read from Milvus, not from memory."""
    whole = store._tables.upsert

    def fails_after(name: str, given: object) -> None:
        whole(name, given)  # type: ignore[arg-type]
        if name == CATALOG:
            raise CollectionError("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(store._tables, "upsert", fails_after)
        with pytest.raises(CollectionError, match="no answer"):
            store.add_labels([person("a", "food")])
    assert store.videos(["a"])[0].category == "food"


def test_a_catalog_that_never_rests_is_an_error(store: MilvusStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that sees another state at each look gives up and says so."""
    stamps = iter(range(100))
    monkeypatch.setattr(store._kept, "_stamps", lambda: {"s": str(next(stamps))})
    with pytest.raises(CollectionError, match="changed too often"):
        store.videos()


def test_labels_and_results_of_a_removed_video_are_not_seen(store: MilvusStore) -> None:
    """What another process wrote of a video while it was removed is of no video."""
    label = person("gone", "food")
    result = replace(store._kept.read().results["a"], id="gone")
    store._kept.write(Change([LabelEntry(9, "t", label), result]))
    assert (ids_of(store), store.labels(), store.info().labels) == (["a", "b"], (), 0)
    assert store.embeddings(FINGERPRINT).ids == ("a", "b")


@pytest.mark.parametrize("limit", [16_384, 50])
def test_copies_and_limits_do_not_hide_neighbours(
    store: MilvusStore, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Among many equal vectors, and beyond what Milvus gives at once, neighbours are the exact ones in their order."""
    monkeypatch.setattr(milvus_search, "SEARCH_LIMIT", limit)
    names = [f"v{n:03}" for n in range(200)]
    store.add_rows("more", rows(*names, source_list="more"), [])
    vector = np.random.default_rng(1).normal(size=DIMENSION)
    store.commit([ok(name, vector * (1 + n % 5)) for n, name in reversed(list(enumerate(names)))])
    query = vector[None].astype(np.float32)
    assert [one.video_id for one in store.search(FINGERPRINT, query, 7)[0]] == names[:7]
    assert [one.video_id for one in store.search(FINGERPRINT, query, 3, within=names[50:])[0]] == names[50:53]
    monkeypatch.setattr(milvus_search, "_FEW", 10)
    assert [one.video_id for one in store.search(FINGERPRINT, query, 3, within=names[50:])[0]] == names[50:53]
    assert len(store.search(FINGERPRINT, query, 999)[0]) == 202


def test_rows_that_are_gone_are_damage(store: MilvusStore) -> None:
    """Where somebody erased rows in Milvus itself the error says what is gone, and nothing is made up."""
    store.add_run(run("r", files={"table": b"x"}))
    attempt = store._kept.read().results["a"].attempts[FINGERPRINT.key]
    store._tables.delete(CONTENTS, attempt.content_keys("pooled"))
    with pytest.raises(CollectionError, match=f"its row {attempt.number}/pooled/0 is gone"):
        store.embeddings(FINGERPRINT)
    store._tables.delete(videos_table(FINGERPRINT.key), [str(attempt.number)])
    with pytest.raises(CollectionError, match="1 vectors of the table"):
        store.search(FINGERPRINT, matrix_of([axis(0)]), 1)
    (key,) = store._kept.read().runs["r"].content_keys(0)
    store._tables.upsert(CONTENTS, [table_row(key, "eA==")])
    assert store.runs("r")[0].files == {"table": b"x"}
    store._tables.upsert(CONTENTS, [table_row(key, "eQ==")])
    with pytest.raises(CollectionError, match="the file table of the run r is not what was written"):
        store.runs("r")


def test_a_newer_catalog_is_refused_and_a_reader_writes_nothing(store: MilvusStore) -> None:
    """A catalog of another version is named with both; a store for reading alone refuses every change."""
    with MilvusStore(store.uri, read_only=True) as reader:
        assert ids_of(reader) == ["a", "b"]
        for change in (
            lambda: reader.commit([ok("a", axis(2))]),
            lambda: reader.remove(["a"]),
            lambda: reader.add_run(run()),
            lambda: reader.add_labels([person("a", "food")]),
        ):
            with pytest.raises(CollectionError, match="opened for reading alone"):
                change()
    store._tables.upsert(CATALOG, [table_row("version", kind="version", number=99)])
    with pytest.raises(CollectionError, match="is of version 99, and this quartzlens reads versions up to 2"):
        MilvusStore(store.uri)
    assert ids_of(store) == ["a", "b"]


def test_a_catalog_without_persons_is_read_and_brought_up_to_date(store: MilvusStore) -> None:
    """A label of the first version has no person and no note; a writer makes the version ours, a reader leaves it."""
    store.add_labels([person("a", "food")])
    (entry,) = store._kept.read().labels
    later = ("person", "note", "bulk", "undo")
    plain = {"order": entry.order, "token": entry.token, "label": {"video_id": "a", "category": "food"}}
    plain["label"] |= {"source": "person", "origin": "", "given_at": entry.label.given_at}
    kept = json.loads(store._tables.get(CATALOG, [entry.key], ["text"])[entry.key]["text"])
    assert kept["label"].keys() - plain["label"].keys() == set(later)
    assert {**kept, "label": {name: kept["label"][name] for name in plain["label"]}} == plain
    store._tables.upsert(CATALOG, [table_row(entry.key, json.dumps(plain), kind="label", number=1)])
    store._tables.upsert(CATALOG, [table_row("version", kind="version", number=1)])
    for read_only, version in ((True, 1), (False, 2)):
        with MilvusStore(store.uri, read_only=read_only) as opened:
            assert opened.labels() == (person("a", "food"),)
        assert store._tables.get(CATALOG, ["version"], ["number"])["version"]["number"] == version


def test_every_kind_of_entry_is_read_again(store: MilvusStore) -> None:
    """A store that opens later tells of runs, labels, bad rows and unfinished commits what the first one told."""
    store.add_run(run("r", files={"table": b"x", "empty": b""}))
    store.add_rows("bad", [], [BadRow("bad", 3, "?")])
    store.add_labels([person("a", "food")])
    attempt, _ = prepared(heard("a", "one").embedded or embedded(axis(0)))
    store._kept.write(Change([PendingEntry("1", 2.5, (("a", attempt),))]))
    with MilvusStore(store.uri) as second:
        assert second._kept.read().entries.keys() == store._kept.read().entries.keys()
        assert second._kept.read().pending == store._kept.read().pending
        assert (second.ledger(), second.info(), second.labels()) == (store.ledger(), store.info(), store.labels())
        assert second.runs("r")[0].files == {"table": b"x", "empty": b""}


def test_what_is_in_the_catalog_is_plain_json(store: MilvusStore) -> None:
    """Every entry is a JSON text of ASCII characters that fits into a row of Milvus."""
    for one in store._tables.every(CATALOG):
        if one["kind"] not in {"stamp", "version"}:
            assert isinstance(json.loads(one["text"]), dict)
        assert one["text"].isascii()
        assert len(one["text"]) <= 60_000
