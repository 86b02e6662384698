"""A repair makes whole what can be derived, keeps what may be missed, and says what is lost."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from quartzlens.errors import CollectionError, LockedError
from store import files, schema
from store.checking import check, is_sound
from store.collection import EncoderChoice, ingest_lock, open_collection
from store.connections import reader
from store.findings import Severity
from store.local import CATALOG, INDEX, RUNS, LocalStore
from store.mending import mend
from store.removal import remove_videos
from store.salvage import _joined, _readable
from tests.store.sound import IDS, change, harm_table, sound
from tests.store.things import DIMENSION, FINGERPRINT, OTHER, check_index, heard, ids_of, ok, rows, run


def test_a_sound_collection_is_left_alone(tmp_path: Path) -> None:
    """Nothing is done where nothing was found, and an ingest at work is not disturbed."""
    sound(tmp_path)
    mended = mend(tmp_path)
    assert (mended.done, mended.lost, mended.left) == ([], [], [])
    with ingest_lock(tmp_path), pytest.raises(LockedError, match=f"process {os.getpid()}"):
        mend(tmp_path)


def test_a_damaged_embedding_is_made_anew_by_the_next_ingest(tmp_path: Path) -> None:
    """All that the encoder made of the video goes, its revision moves, and the video is ok without an embedding."""
    from pipeline.runner import to_try

    sound(tmp_path)
    change(tmp_path, "UPDATE embeddings SET vector = x'00' WHERE video = 3 AND encoder = 1")
    with LocalStore(tmp_path) as store:
        before = store.info().revisions
    mended = mend(tmp_path)
    assert (len(mended.done), mended.lost, mended.left) == (1, [], [])
    assert "v02" in mended.done[0]
    with LocalStore(tmp_path) as store:
        assert [video.id for video in to_try(store, FINGERPRINT)] == ["v02", "lost"]
        assert set(store.embeddings(OTHER).ids) == set(IDS[:5])
        assert store.info().revisions == {**before, FINGERPRINT.key: before[FINGERPRINT.key] + 1}
        check_index(store)
        store.commit([heard("v02", "cook", "well")])
    assert check(tmp_path) == []


def test_a_damaged_profile_or_words_cost_no_embedding(tmp_path: Path) -> None:
    """What goes beside an embedding is dropped alone."""
    sound(tmp_path)
    change(tmp_path, "UPDATE profiles SET matrix = x'00' WHERE video = 3")
    change(tmp_path, "UPDATE words SET probability = 2 WHERE video = 4")
    assert mend(tmp_path).left == []
    with LocalStore(tmp_path) as store:
        assert len(store.embeddings(FINGERPRINT).ids) == len(IDS)
        assert set(IDS) - set(store.embeddings(FINGERPRINT, block="C1").ids) == {"v02"}
        assert set(IDS) - set(store.fragments(FINGERPRINT, saying="cook").ids) == {"v03"}


@pytest.mark.parametrize("statement", ["DELETE FROM heard", "DELETE FROM heard_data WHERE id > 10", "DROP TABLE heard"])
def test_words_are_indexed_anew(tmp_path: Path, statement: str) -> None:
    """Whatever is wrong with the full-text index, it is made of the words that are kept, and finds them all."""
    sound(tmp_path)
    change(tmp_path, statement)
    mended = mend(tmp_path)
    assert (mended.lost, mended.left) == ([], [])
    with LocalStore(tmp_path) as store:
        check_index(store)
        assert set(store.fragments(FINGERPRINT, saying="cook").ids) == set(IDS)


def test_leftovers_go_and_strangers_stay(tmp_path: Path) -> None:
    """What killed processes left is deleted; what no video or run has is moved aside; other files are not touched."""
    sound(tmp_path)
    for name in ("media/.v09.ogg.partial", "media/v09.ogg", "media/notes.txt", "set-aside/media/v09.ogg"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(name.encode())
    for name in ("runs/r0", "runs/.r2.999999999-0123abcd.tmp", ".incoming-x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "inside").write_bytes(b"x")
    left = tmp_path / INDEX / ".x.faiss.999999999-0123abcd.tmp"
    left.write_bytes(b"")
    assert mend(tmp_path).left == []
    assert not left.exists()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    assert (tmp_path / "media" / "notes.txt").exists()
    assert (tmp_path / "set-aside" / "media" / "v09.ogg").read_bytes() == b"media/v09.ogg"
    assert (tmp_path / "set-aside" / "runs" / "r0" / "inside").exists()
    assert [path.name for path in (tmp_path / RUNS).iterdir()] == ["r1"]
    assert [one.where for one in check(tmp_path)] == ["set-aside", "media/notes.txt"]


def test_what_became_of_use_meanwhile_is_not_moved(tmp_path: Path) -> None:
    """A file that a video has, and a folder that a run has, stay where they are, whatever a check said before."""
    from store.findings import Finding, Repair
    from store.mending import _set_aside

    sound(tmp_path)
    findings = [Finding(Severity.UNTIDY, "", "", "", Repair.SET_ASIDE, key) for key in ("media/v00.m4a", "runs/r1")]
    _set_aside(tmp_path, findings)
    assert check(tmp_path) == []


def test_what_cannot_be_derived_is_named(tmp_path: Path) -> None:
    """Missing media, and a run's file that is gone, are lost, and the collection stays wrong until they are back."""
    sound(tmp_path)
    (tmp_path / "media" / "v00.m4a").unlink()
    (tmp_path / RUNS / "r1" / "table").unlink()
    mended = mend(tmp_path)
    assert mended.done == []
    assert [line.split(":")[0] for line in mended.lost] == ["media/v00.m4a", "runs/r1/table"]
    assert not is_sound(mended.left)


def test_a_removal_is_ended(tmp_path: Path) -> None:
    """What a removal that was cut off had to erase is erased."""
    sound(tmp_path)
    (tmp_path / "removal.json").write_text('["v99.m4a"]')
    (tmp_path / "media" / "v99.m4a").write_bytes(b"x")
    assert mend(tmp_path).left == []
    assert not (tmp_path / "media" / "v99.m4a").exists()


def test_indexes_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a search answers wrongly, all that is derived from embeddings goes."""
    sound(tmp_path)
    (tmp_path / INDEX / "projection").mkdir()
    answer = LocalStore.search

    def wrong(self, *arguments, **options):  # type: ignore[no-untyped-def]
        found = answer(self, *arguments, **options)
        return [one[1:] + one[:1] for one in found] if any((tmp_path / INDEX).iterdir()) else found

    monkeypatch.setattr(LocalStore, "search", wrong)
    assert mend(tmp_path).left == []
    assert list((tmp_path / INDEX).iterdir()) == []


TABLES = ["videos", "list_rows", "labels", "encoders", "embeddings", "fragments", "profiles", "words", "runs"]


@pytest.mark.parametrize("table", TABLES)
def test_a_damaged_table_costs_only_what_was_in_it(tmp_path: Path, table: str) -> None:
    """With a page of any table gone the rest is salvaged, what is lost is named, and the damaged file is kept."""
    sound(tmp_path)
    harm_table(tmp_path, table)
    damaged = (tmp_path / CATALOG).read_bytes()
    mended = mend(tmp_path)
    assert any(line.startswith(f"{table}: row") for line in mended.lost)
    assert mended.left == []
    assert (tmp_path / f"{CATALOG}.damaged-{_today(tmp_path)}-1").read_bytes() == damaged
    with LocalStore(tmp_path) as store:
        assert (len(ids_of(store)) == 31) == (table != "videos")
        assert (len(store.runs()) == 1) == (table != "runs")
        whole = table not in {"videos", "encoders", "embeddings", "fragments"}
        assert (len(store.embeddings(FINGERPRINT).ids) == len(IDS)) == whole
        assert ("the embedding of video v07: the next ingest makes it anew" in mended.lost) == (
            table in {"encoders", "embeddings", "fragments"}
        )
        check_index(store)
        store.add_rows("list", [], [])


def _today(folder: Path) -> str:
    (path,) = folder.glob(f"{CATALOG}.damaged-*-1")
    return path.name.removeprefix(f"{CATALOG}.damaged-").removesuffix("-1")


def test_a_damaged_catalog_is_salvaged_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection named by a path from here, as the default is, is repaired as by its whole path."""
    harm_table(sound(tmp_path / "c"), "labels")
    monkeypatch.chdir(tmp_path)
    assert mend(Path("c")).done
    assert is_sound(check(Path("c")))


@pytest.mark.parametrize("index", ["list_rows_video", "embeddings_encoder", "sqlite_autoindex_videos_1", "heard_data"])
def test_a_damaged_index_costs_nothing(tmp_path: Path, index: str) -> None:
    """What SQLite or the full-text search derive is made anew, and nothing is lost."""
    sound(tmp_path)
    harm_table(tmp_path, index)
    mended = mend(tmp_path)
    assert (mended.lost, mended.left) == ([], [])


def test_what_is_only_in_the_log_is_salvaged_too(tmp_path: Path) -> None:
    """Committed changes that are not in the catalog's file yet are in the new one, and their log is kept aside."""
    other = sound(tmp_path / "other")
    harm_table(other, "profiles")
    folder = tmp_path / "c"
    folder.mkdir()
    with LocalStore(other) as store:
        store.add_labels([])
        with store._database.writing() as connection:
            connection.execute("UPDATE videos SET title = 'late'")
        for path in other.iterdir():
            if path.is_file():
                files.copied(path, folder / path.name)
    mend(folder)
    with LocalStore(folder) as store:
        assert {video.title for video in store.videos()} == {"late"}
    assert list(folder.glob(f"{CATALOG}.damaged-*-wal"))


def test_contradicting_and_orphaned_rows_are_counted(tmp_path: Path) -> None:
    """Rows of videos that are not there, and rows that contradict others, are left out and counted."""
    sound(tmp_path)
    change(tmp_path, "PRAGMA writable_schema = 1")
    with closing(sqlite3.connect(tmp_path / CATALOG, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'sqlite_autoindex_videos_1'")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'TEXT NOT NULL UNIQUE', 'TEXT') WHERE name = 'videos'"
        )
    change(tmp_path, "UPDATE videos SET id = 'v00' WHERE id = 'v01'")
    change(tmp_path, "INSERT INTO labels (video, source, origin, given_at) VALUES (99, 'csv', '', '')")
    mended = mend(tmp_path)
    assert "videos: 1 rows that contradict others" in mended.lost
    assert any(line.startswith("labels: ") and "of what is lost" in line for line in mended.lost)
    assert mended.left == []


def test_an_older_catalog_is_salvaged_as_it_is(tmp_path: Path) -> None:
    """The new catalog has the old one's version; opening it brings it up to date."""
    with closing(sqlite3.connect(tmp_path / CATALOG, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {schema.PAGE_BYTES}")
        schema.migrate(connection, tmp_path / CATALOG, schema.MIGRATIONS[:1])
        connection.execute("INSERT INTO videos (id, source) VALUES ('a', 's')")
    harm_table(tmp_path, "labels")
    mend(tmp_path)
    with reader(tmp_path / CATALOG) as connection:
        assert schema.version_of(connection) == 1
    with LocalStore(tmp_path) as store:
        assert ids_of(store) == ["a"]


def test_a_catalog_of_noise_says_what_is_left_to_do(tmp_path: Path) -> None:
    """Where not even the tables can be read the file stays, and the error says so."""
    sound(tmp_path)
    (tmp_path / CATALOG).write_bytes(b"noise" * 10000)
    with pytest.raises(CollectionError, match=r"Nothing of .* can be read .*restore a backup"):
        mend(tmp_path)
    assert (tmp_path / CATALOG).read_bytes() == b"noise" * 10000
    assert list(tmp_path.glob(".*.tmp")) == []


def test_a_full_disk_stops_a_repair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be moved is an error that says where and to make room."""
    sound(tmp_path)
    (tmp_path / "media" / "v09.ogg").write_bytes(b"x")

    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CollectionError, match=r"media/v09\.ogg stopped .*make room"):
        mend(tmp_path)


def test_a_salvage_without_room_leaves_the_damaged_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the catalog is as it was, and the error says to make room; with room it is salvaged, twice."""
    sound(tmp_path)
    harm_table(tmp_path, "profiles")
    damaged = (tmp_path / CATALOG).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(files, "sync_file", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        with pytest.raises(CollectionError, match=r"it is as it was\. Make room"):
            mend(tmp_path)
    assert (tmp_path / CATALOG).read_bytes() == damaged
    assert list(tmp_path.glob(".*.tmp")) == []
    for number in (1, 2):
        assert mend(tmp_path).left == []
        assert list(tmp_path.glob(f"{CATALOG}.damaged-*-{number}"))
        harm_table(tmp_path, "profiles")


def test_a_removal_that_cannot_write_says_so(tmp_path: Path) -> None:
    """Where files cannot be written or deleted the error says what to do."""
    sound(tmp_path)
    (tmp_path / "removal.json").mkdir()
    with open_collection(tmp_path) as collection, pytest.raises(CollectionError, match="run the same command again"):
        remove_videos(collection, ["v00"])


def test_a_run_clears_away_what_killed_ones_left(tmp_path: Path) -> None:
    """Half-written files of runs do not pile up: the next run that is kept deletes them."""
    sound(tmp_path)
    (tmp_path / RUNS / ".r9.999999999-0123abcd.tmp").mkdir()
    with LocalStore(tmp_path) as store:
        store.add_run(run("r2", files={"table": b"x"}))
    assert sorted(path.name for path in (tmp_path / RUNS).iterdir()) == ["r1", "r2"]


def test_ranges_that_cannot_be_read_are_halved_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are found between lost ones; where too many ranges fail, they are given up as they are."""
    from store import salvage

    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.executemany("INSERT INTO t VALUES (?)", ((number,) for number in range(1, 33)))
        bad = {3, 4, 20}
        connection.create_function("checked", 1, lambda number: 1 / (number not in bad))
        select = "SELECT checked(rowid) FROM t WHERE rowid BETWEEN ? AND ?"
        gaps: list[tuple[int, int]] = []
        assert sum(len(rows) for rows in _readable(connection, select, 32, gaps)) == 29
        assert _joined(gaps) == [(3, 4), (20, 20)]
        monkeypatch.setattr(salvage, "_MANY", 1)
        gaps = []
        assert sum(len(rows) for rows in _readable(connection, select, 32, gaps)) == 0
        assert _joined(gaps) == [(1, 32)]


def test_damage_over_many_pages_keeps_what_is_between(tmp_path: Path) -> None:
    """Of a long table with single pages lost, the rows on the others are all there and the lost ones are named."""
    names = [f"v{number:04}" for number in range(600)]
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        collection.store.add_rows("list", rows(*names), [])
        collection.store.commit([ok(one, np.ones(DIMENSION) * number) for number, one in enumerate(names, 1)])
    with reader(tmp_path / CATALOG) as connection:
        found = connection.execute(
            "SELECT pageno FROM dbstat WHERE name = 'fragments' AND pagetype = 'leaf'"
        ).fetchall()
    pages = [page for (page,) in found]
    assert len(pages) > 2
    with (tmp_path / CATALOG).open("r+b") as file:
        file.seek((pages[1] - 1) * 16384)
        file.write(bytes(16384))
    mended = mend(tmp_path)
    with LocalStore(tmp_path) as store:
        kept = store.embeddings(FINGERPRINT).ids
    assert 300 < len(kept) < 600
    lost = {line.split()[4].rstrip(":") for line in mended.lost if line.startswith("the embedding of")}
    assert lost == set(names) - set(kept)
