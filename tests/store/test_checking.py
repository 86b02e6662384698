"""A check finds whatever is wrong with a collection, and nothing where nothing is."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from quartzlens.errors import CollectionError, UsageError
from quartzlens.records import Neighbour
from store import schema
from store.backup import back_up
from store.check_search import _inexact, _inexact_fragments, _missed, _scored
from store.checking import check, is_sound
from store.collection import EncoderChoice, create_collection
from store.findings import Finding, Repair, Severity
from store.local import CATALOG, INDEX, RUNS, LocalStore
from store.locks import LOCK
from tests.store.sound import change, harm_table, sound
from tests.store.things import DIMENSION, FINGERPRINT, ok, rows


def found(folder: Path) -> list[tuple[Severity, str, Repair]]:
    """Severity, place and repair of each finding."""
    return [(one.severity, one.where, one.repair) for one in check(folder)]


def test_a_sound_collection_has_no_findings(tmp_path: Path) -> None:
    """Of a collection with one of everything nothing is found, nothing is changed, and it is told how far it is."""
    sound(tmp_path)
    before = _written(tmp_path)
    said: list[str] = []
    assert check(tmp_path, said.append) == []
    assert _written(tmp_path) == before
    assert {"catalog: integrity", "media: 60 of 60", "files of runs: 2 of 2", "embeddings of demo: 30 of 30"} <= set(
        said
    )


def _written(folder: Path) -> dict[Path, int]:
    """When each file was written, but for the two that SQLite needs for reading."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".sqlite-wal", ".sqlite-shm"})
    return {path: path.stat().st_mtime_ns for path in paths}


def test_an_empty_collection_is_sound(tmp_path: Path) -> None:
    """A catalog without a video has no findings; a folder without anything is no collection."""
    with pytest.raises(CollectionError, match="no collection"):
        check(tmp_path)
    LocalStore(tmp_path).close()
    (finding,) = check(tmp_path)
    assert finding.where == "collection.toml"


VECTOR = np.zeros(DIMENSION, np.float32)
NAN = np.full(DIMENSION, np.nan, np.float32)


@pytest.mark.parametrize(
    ("statement", "value", "repair"),
    [
        ("UPDATE embeddings SET vector = ? WHERE video = 3 AND encoder = 1", NAN.tobytes(), Repair.EMBEDDING),
        ("UPDATE embeddings SET vector = ? WHERE video = 3 AND encoder = 1", VECTOR[1:].tobytes(), Repair.EMBEDDING),
        ("UPDATE embeddings SET vector = ? WHERE video = 3 AND encoder = 1", "text", Repair.EMBEDDING),
        ("UPDATE fragments SET matrix = ? WHERE video = 3 AND encoder = 1", VECTOR[1:].tobytes(), Repair.EMBEDDING),
        ("UPDATE fragments SET bounds = ? WHERE video = 3 AND encoder = 1", NAN[:4].tobytes(), Repair.EMBEDDING),
        ("DELETE FROM fragments WHERE video = ? AND encoder = 1", 3, Repair.EMBEDDING),
        ("DELETE FROM embeddings WHERE video = ? AND encoder = 1", 3, Repair.EMBEDDING),
        ("UPDATE profiles SET matrix = ? WHERE video = 3", VECTOR.tobytes(), Repair.PROFILE),
        ("UPDATE profiles SET matrix = ? WHERE video = 3", b"", Repair.PROFILE),
        ("UPDATE words SET number = ? WHERE video = 3 AND number = 1", 5, Repair.HEARD),
        ("UPDATE words SET probability = ? WHERE video = 3", 2.0, Repair.HEARD),
    ],
)
def test_arrays_that_are_not_right_are_named(tmp_path: Path, statement: str, value: object, repair: Repair) -> None:
    """An embedding, fragment, bound, profile or word that cannot be right is found with its video and encoder."""
    sound(tmp_path)
    change(tmp_path, statement, value)
    findings = check(tmp_path)
    assert {(one.severity, one.where, one.repair) for one in findings} == {
        (Severity.WRONG, f"video v02, encoder {FINGERPRINT.key}", repair)
    }
    assert not is_sound(findings)


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE videos SET extra = '[' WHERE id = 'v03'", "video v03"),
        ("UPDATE videos SET outcome = 'so-so' WHERE id = 'v03'", "video v03"),
        ("UPDATE runs SET settings = 'x'", "run r1"),
        ("UPDATE encoders SET facts = '[]' WHERE seq > 1", "encoder"),
        ("UPDATE encoders SET key = 'x' WHERE seq > 1", "encoder x"),
    ],
)
def test_texts_that_cannot_be_read_are_named(tmp_path: Path, statement: str, where: str) -> None:
    """Columns, outcomes, settings and encoders that are not what they must be are found, and only a backup has them."""
    sound(tmp_path)
    change(tmp_path, statement)
    finding = next(one for one in check(tmp_path) if one.where.startswith(where))
    assert (finding.severity, finding.repair) == (Severity.WRONG, Repair.NOTHING)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM heard WHERE rowid = 3",
        "UPDATE heard SET tokens = 'else' WHERE rowid = 3",
        "INSERT INTO heard (rowid, tokens) VALUES (999, 'cook')",
        "DELETE FROM heard_data WHERE id > 10",
        "DELETE FROM heard_docsize",
        "DROP TABLE heard",
    ],
)
def test_an_index_of_words_that_is_not_right_is_found(tmp_path: Path, statement: str) -> None:
    """Words that are missing from the full-text index, foreign to it, or not found by it are noticed."""
    sound(tmp_path)
    change(tmp_path, statement)
    findings = check(tmp_path)
    assert {one.repair for one in findings} <= {Repair.WORDS, Repair.SALVAGE}
    assert statement == "DELETE FROM heard_docsize" or not is_sound(findings)


def test_a_row_without_its_parent_is_found(tmp_path: Path) -> None:
    """A label of a video that is not there is damage."""
    sound(tmp_path)
    change(tmp_path, "INSERT INTO labels (video, source, origin, given_at) VALUES (99, 'csv', '', '')")
    assert found(tmp_path) == [(Severity.WRONG, "labels 2", Repair.SALVAGE)]


def test_damage_that_sqlite_finds_is_told(tmp_path: Path) -> None:
    """A page of noise, a file of noise, no file at all: each is said, and nothing else is looked at."""
    sound(tmp_path)
    harm_table(tmp_path, "fragments")
    assert {(severity, repair) for severity, _, repair in found(tmp_path)} == {(Severity.WRONG, Repair.SALVAGE)}
    (tmp_path / CATALOG).write_bytes(b"noise" * 10000)
    assert found(tmp_path) == [(Severity.WRONG, CATALOG, Repair.SALVAGE)]
    (tmp_path / CATALOG).unlink()
    assert found(tmp_path) == [(Severity.WRONG, CATALOG, Repair.NOTHING)]


def test_other_versions_are_named(tmp_path: Path) -> None:
    """A newer catalog is wrong here; an older one is brought up to date by opening it."""
    sound(tmp_path)
    newest = len(schema.MIGRATIONS)
    change(tmp_path, f"PRAGMA user_version = {newest + 1}")
    (newer,) = check(tmp_path)
    assert (newer.severity, f"version {newest + 1}" in newer.what) == (Severity.WRONG, True)
    change(tmp_path, f"PRAGMA user_version = {newest - 1}")
    (older,) = check(tmp_path)
    assert (older.severity, "status" in older.advice) == (Severity.NOTE, True)


def test_files_that_are_missing_damaged_or_left_are_found(tmp_path: Path) -> None:
    """Media and files of runs that the catalog names must be there; what it does not name is told by kind."""
    sound(tmp_path)
    media, runs = tmp_path / "media", tmp_path / RUNS
    (media / "v00.m4a").unlink()
    (media / "v01.jpg").write_bytes(b"")
    (runs / "r1" / "model").write_bytes(b"z")
    (runs / "r1" / "table").unlink()
    (media / ".v09.ogg.partial").write_bytes(b"")
    (media / "v09.ogg").write_bytes(b"earlier")
    (media / "notes.txt").write_bytes(b"mine")
    (runs / "r0").mkdir()
    (runs / ".r2.999999999-0123abcd.tmp").mkdir()
    (runs / ".DS_Store").write_bytes(b"")
    (tmp_path / INDEX / ".x.faiss.999999999-0123abcd.tmp").write_bytes(b"")
    (tmp_path / INDEX / f".x.faiss.{os.getpid()}-0123abcd.tmp").write_bytes(b"being written")
    (tmp_path / f".{CATALOG}.999999999-0123abcd.tmp").write_bytes(b"")
    (tmp_path / ".incoming-x").mkdir()
    (tmp_path / f"{CATALOG}.before-version-2").write_bytes(b"")
    (tmp_path / "set-aside").mkdir()
    assert {(severity, where, repair) for severity, where, repair in found(tmp_path)} == {
        (Severity.WRONG, "media/v00.m4a", Repair.NOTHING),
        (Severity.WRONG, "media/v01.jpg", Repair.NOTHING),
        (Severity.WRONG, "runs/r1/model", Repair.NOTHING),
        (Severity.WRONG, "runs/r1/table", Repair.NOTHING),
        (Severity.UNTIDY, "media/.v09.ogg.partial", Repair.ERASE),
        (Severity.UNTIDY, "media/v09.ogg", Repair.SET_ASIDE),
        (Severity.NOTE, "media/notes.txt", Repair.NOTHING),
        (Severity.UNTIDY, "runs/r0", Repair.SET_ASIDE),
        (Severity.UNTIDY, "runs/.r2.999999999-0123abcd.tmp", Repair.ERASE),
        (Severity.UNTIDY, "index/.x.faiss.999999999-0123abcd.tmp", Repair.ERASE),
        (Severity.UNTIDY, f".{CATALOG}.999999999-0123abcd.tmp", Repair.ERASE),
        (Severity.UNTIDY, ".incoming-x", Repair.ERASE),
        (Severity.NOTE, f"{CATALOG}.before-version-2", Repair.NOTHING),
        (Severity.NOTE, "set-aside", Repair.NOTHING),
    }


def test_names_that_lead_elsewhere_are_not_followed(tmp_path: Path) -> None:
    """A stranger's catalog that names files outside is told of, and no such file is looked at."""
    sound(tmp_path)
    change(tmp_path, "UPDATE run_files SET name = '../../secret' WHERE name = 'table'")
    change(tmp_path, "UPDATE videos SET media_file = '../secret', thumbnail_file = ? WHERE id = 'v00'", "x" * 5000)
    assert {where for _, where, _ in found(tmp_path)} == {
        "runs/r1/../../secret", f"media/{'x' * 5000}", "media/v00.m4a", "media/v00.jpg",
    }  # fmt: skip


def test_what_a_working_ingest_writes_is_not_called_left(tmp_path: Path) -> None:
    """While the lock is held the check says by whom, and takes no half-written file for an orphan."""
    sound(tmp_path)
    (tmp_path / "media" / ".new.m4a.partial").write_bytes(b"")
    (tmp_path / ".incoming-x").mkdir()
    (tmp_path / LOCK).write_text('{"pid": 1, "started_at": "today"}')
    (note,) = check(tmp_path)
    assert (note.severity, "process 1, started today" in note.what) == (Severity.NOTE, True)
    assert is_sound([note])


def test_a_removal_that_was_cut_off_is_told(tmp_path: Path) -> None:
    """Its note in the folder is wrong, as bytes may be left."""
    sound(tmp_path)
    (tmp_path / "removal.json").write_text(json.dumps([]))
    assert found(tmp_path) == [(Severity.WRONG, "removal.json", Repair.REMOVAL)]


@pytest.mark.parametrize("table", ["run_files", "words"])
def test_a_catalog_without_a_table_is_told(tmp_path: Path, table: str) -> None:
    """Where something fails that nobody expects of a sound catalog, that is a finding, not a traceback."""
    sound(tmp_path)
    change(tmp_path, f"DROP TABLE {table}")
    assert [one for one in check(tmp_path) if one.severity is Severity.WRONG and table in one.what]


def test_a_search_that_answers_wrongly_is_found(tmp_path: Path) -> None:
    """Answers with a wrong similarity, without near videos, or inexact within some videos are told from right ones."""
    sound(tmp_path)
    with LocalStore(tmp_path) as store, store._database.reading() as connection:
        scored = _scored(connection, FINGERPRINT)
        right = store.search(FINGERPRINT, scored.queries, 10)
        assert _missed(scored, right) == ""
        shifted = [[Neighbour(one.video_id, one.similarity - 0.1) for one in found] for found in right]
        assert "similarity" in _missed(scored, shifted)
        far = [found[::-1][:10] for found in store.search(FINGERPRINT, scored.queries, 30)]
        assert "finds 0." in _missed(scored, far)
        assert _missed(scored, [[Neighbour("elsewhere", 1.0)] * 10] * len(right)) == ""
        assert (_inexact(store, FINGERPRINT, scored), _inexact_fragments(store, FINGERPRINT, scored)) == ("", "")
        for score in scored.scores:
            score[:] = score[::-1].copy()
        assert "within some" in _inexact(store, FINGERPRINT, scored)
        scored.queries[:] = -scored.queries
        other = type(scored)(scored.ids, scored.queries[::-1].copy(), scored.scores)
        assert _inexact_fragments(_Answering(store, scored.queries), FINGERPRINT, other) != ""  # type: ignore[arg-type]


class _Answering:
    """A store that answers other queries than it was asked."""

    def __init__(self, store: LocalStore, queries: np.ndarray) -> None:
        self.store, self.queries, self.fragments = store, queries, store.fragments

    def search(self, fingerprint, queries, k, within=None, *, fragments=False):  # type: ignore[no-untyped-def]
        """The answers to its own queries."""
        return self.store.search(fingerprint, self.queries, k, within, fragments=fragments)


def test_an_index_that_does_not_fit_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a search misses the nearest, or cannot be made, the finding says to make the indexes anew."""
    sound(tmp_path)
    answer = LocalStore.search

    def wrong(self, *arguments, **options):  # type: ignore[no-untyped-def]
        return [found[1:] + found[:1] for found in answer(self, *arguments, **options)]

    monkeypatch.setattr(LocalStore, "search", wrong)
    assert {repair for _, _, repair in found(tmp_path)} == {Repair.INDEX}

    def refusing(self, *arguments, **options):  # type: ignore[no-untyped-def]
        raise CollectionError("no")

    monkeypatch.setattr(LocalStore, "search", refusing)
    assert [one.what for one in check(tmp_path)] == ["no search is possible: no"]


def test_a_large_collection_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more embeddings than are scored a regular part is, and more than a few report how far the check is."""
    from store import check_catalog, check_files, check_search

    monkeypatch.setattr(check_search, "_SCORED", 100)
    monkeypatch.setattr(check_search, "_BLOCK", 40)
    monkeypatch.setattr(check_catalog, "_EVERY", 100)
    monkeypatch.setattr(check_files, "_EVERY", 100)
    names = [f"v{number}" for number in range(250)]
    generator = np.random.default_rng(0)
    with LocalStore(tmp_path) as store:
        store.add_rows("list", rows(*names), [])
        store.commit([ok(one, generator.normal(size=DIMENSION)) for one in names])
        with store._database.reading() as connection:
            assert len(_scored(connection, FINGERPRINT).ids) == 83
    said: list[str] = []
    assert [one.where for one in check(tmp_path, said.append)] == ["collection.toml"]
    assert [line for line in said if line.startswith("emb")] == [
        f"embeddings of demo: {n} of 250" for n in (100, 200, 250)
    ]


def test_findings_say_what_to_do(tmp_path: Path) -> None:
    """Every finding has a place and advice that ends a sentence."""
    sound(tmp_path)
    (tmp_path / "media" / "v00.m4a").unlink()
    change(tmp_path, "DELETE FROM heard")
    findings: list[Finding] = check(tmp_path)
    assert len(findings) == 2
    assert all(one.where and one.advice.endswith(".") for one in findings)


def test_what_is_kept_elsewhere_is_said(tmp_path: Path) -> None:
    """A collection that is kept in Milvus is neither checked nor backed up as a folder: what to do instead is said."""
    create_collection(tmp_path / "c", EncoderChoice(), store="milvus:kept")
    for ask in (lambda: check(tmp_path / "c"), lambda: back_up(tmp_path / "c", tmp_path / "b")):
        with pytest.raises(UsageError, match=r"kept in milvus:kept.*quartzlens copy"):
            ask()
