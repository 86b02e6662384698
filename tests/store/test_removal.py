"""Removed videos leave nothing behind: no entry, no file, no byte, wherever the removal was cut off."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quartzlens.errors import CollectionError
from quartzlens.records import Media
from store.collection import Collection, EncoderChoice, open_collection
from store.local import CATALOG, LocalStore
from store.removal import NOTE, is_unfinished, remove_videos, where_bytes_stay
from store.vectors import normalised
from tests.conftest import on_small_disk
from tests.store.test_collection import ROOT
from tests.store.things import DIMENSION, FINGERPRINT, OTHER, axis, heard_in, matrix_of, media, ok, person, rows, run

SECRET = "Zanzibarquux"


def vectors(seed: int, n: int = 1) -> np.ndarray:
    """Random embeddings (n, d) float32: no other bytes are like theirs."""
    return np.random.default_rng(seed).normal(size=(n, DIMENSION)).astype(np.float32)


def filled(folder: Path) -> Collection:
    """A collection with a video ``leaver`` among others: two titles over time, embeddings, words, media, indexes."""
    names = [f"v{n:02}" for n in range(30)]
    collection = open_collection(folder, create=EncoderChoice())
    store = collection.store
    for title in (f"{SECRET} once", f"{SECRET} now"):
        first = replace(rows("leaver")[0], title=title, description=f"{SECRET} told", channel=SECRET)
        others = [replace(row, number=row.number + 1, title=f"Title {row.video_id}") for row in rows(*names)]
        store.add_rows("list", [first, *others], [])
    store.add_labels([person("leaver", SECRET)])
    for encoder, seed in ((FINGERPRINT, 1), (OTHER, 2), (FINGERPRINT, 3)):
        facts = replace(ok("leaver", vectors(seed)[0], encoder, media("leaver")), detail=SECRET)
        store.commit([heard_in(facts, SECRET, f"{SECRET} again")])
    for seed, name in enumerate(names, 10):
        store.commit([heard_in(ok(name, vectors(seed)[0], media=media(name)), "cook", "so")])
    collection.media_folder.mkdir(exist_ok=True)
    for name in ["leaver", *names]:
        (collection.media_folder / f"{name}.m4a").write_bytes(f"sound of {name}".encode())
        (collection.media_folder / f"{name}.jpg").write_bytes(f"picture of {name}".encode())
    for encoder in (FINGERPRINT, OTHER):
        store.search(encoder, vectors(0), 3)
    return collection


def traces(folder: Path) -> set[str]:
    """Files in which a byte of the video ``leaver`` is found, by any of its texts, vectors and files."""
    raw = [vectors(seed)[0] for seed in (1, 2, 3)]
    unit = list(normalised(np.stack(raw)))
    halves = [(vector * scale).astype(np.float16) for vector in raw for scale in (1, 2)]
    wanted = [array[:4].tobytes() for array in (*raw, *unit, *halves)]
    wanted += [SECRET.encode(), SECRET.lower().encode(), b"leaver"]
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found |= {path.name} if any(one in content for one in wanted) else set()
    return found


def test_no_byte_of_a_removed_video_is_left(tmp_path: Path) -> None:
    """Titles old and new, texts, words, vectors and files of a removed video are nowhere in the folder any more."""
    with filled(tmp_path) as collection:
        index = {path.name for path in collection.index_folder.iterdir() if path.stat().st_size}
        before = traces(tmp_path)
        assert before >= {"catalog.sqlite-wal", "leaver.m4a", "leaver.jpg", *index}
        (collection.index_folder / "projection-x.parquet").write_bytes(b"leaver")
        assert remove_videos(collection, ["leaver"]) == 1
        assert where_bytes_stay(collection) == ""
        assert traces(tmp_path) == set()
        assert list(collection.index_folder.iterdir()) == []
        assert not is_unfinished(collection)
        assert len(collection.store.search(FINGERPRINT, vectors(3), 99)[0]) == 30
        assert "leaver" not in {one.video_id for one in collection.store.search(FINGERPRINT, vectors(3), 99)[0]}
        assert len(set(collection.store.fragments(FINGERPRINT, saying="cook").ids)) == 30
        assert len(list(collection.media_folder.iterdir())) == 60
    assert traces(tmp_path) == set()


def test_what_was_kept_from_before_is_named(tmp_path: Path) -> None:
    """Earlier catalogs and what a repair set aside keep their bytes: each is named, and nothing else has any."""
    kept = [f"{CATALOG}.before-version-5", f"{CATALOG}.damaged-2026-01-01-1", "set-aside"]
    with filled(tmp_path) as collection:
        for name in kept[:2]:
            (tmp_path / name).write_bytes((tmp_path / CATALOG).read_bytes() + b"leaver")
        remove_videos(collection, ["leaver"])
        assert traces(tmp_path) == set(kept[:2])
        said = where_bytes_stay(collection)
        assert all(str(tmp_path / name) in said for name in kept[:2])
        assert kept[2] not in said
        (tmp_path / kept[2] / "media").mkdir(parents=True)
        assert str(tmp_path / kept[2]) in where_bytes_stay(collection)
        for name in kept[:2]:
            (tmp_path / name).unlink()
        assert where_bytes_stay(collection).count(str(tmp_path)) == 1


def test_runs_keep_their_numbers_and_the_ids_they_judged(tmp_path: Path) -> None:
    """A run's results and files are the same before and after one of its videos goes."""
    with filled(tmp_path) as collection:
        collection.store.add_run(run("r1", files={"predictions.parquet": b"leaver, food"}))
        before = collection.store.runs("r1")[0]
        remove_videos(collection, ["leaver"])
        after = collection.store.runs("r1")[0]
        assert (after.results, after.files) == (before.results, before.files)


def test_removing_videos_erases_their_files(tmp_path: Path) -> None:
    """Media and thumbnails go with their videos; files of others, shared ones and names that lead elsewhere stay."""
    folder = tmp_path / "collection"
    hostile = Media(None, 1.0, -20.0, "aac", 8000, False, "../outside", "..")
    shared = replace(media("kept"), media_file="a.m4a")
    with open_collection(folder, create=EncoderChoice()) as collection:
        collection.media_folder.mkdir()
        for name in ("a.m4a", "b.m4a", "b.jpg", "b.ogg", ".b.ogg.partial", "kept.jpg", "b.b.ogg", "mine.txt"):
            (collection.media_folder / name).write_bytes(b"x")
        (folder / "outside").write_bytes(b"x")
        collection.store.add_rows("list", rows("a", "b", "hostile", "pending", "kept"), [])
        facts = {"a": media("a"), "b": media("b"), "hostile": hostile, "kept": shared}
        collection.store.commit([ok(one, axis(0), media=fact) for one, fact in facts.items()])
        assert remove_videos(collection, iter(["a", "b", "hostile", "pending", "nowhere"])) == 4
        assert [video.id for video in collection.store.videos()] == ["kept"]
        left = sorted(path.name for path in collection.media_folder.iterdir())
        assert left == ["a.m4a", "b.b.ogg", "kept.jpg", "mine.txt"]
        assert (folder / "outside").exists()


def test_a_pending_video_goes_without_making_anything_anew(tmp_path: Path) -> None:
    """Where no embedding goes, search indexes and maps stay as they are."""
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        collection.store.add_rows("list", rows("a", "pending"), [])
        collection.store.commit([ok("a", axis(0))])
        collection.store.search(FINGERPRINT, matrix_of([axis(0)]), 1)
        before = {path.name for path in collection.index_folder.iterdir()}
        assert remove_videos(collection, ["pending"]) == 1
        assert {path.name for path in collection.index_folder.iterdir()} == before != set()


KILLED = """
import os, signal, sys
from pathlib import Path
from store import database, files, heard
from store.collection import ingest_lock, open_collection
from store.removal import remove_videos

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def at_a_file(self, missing_ok=False):
    die() if self.suffix == ".jpg" else os.unlink(self) if self.exists() else None

folder, point = Path(sys.argv[1]), sys.argv[2]
with ingest_lock(folder), open_collection(folder) as collection:
    if point == "noted":
        type(collection.store).remove = die
    elif point == "in the transaction":
        heard.forget = die
    elif point == "committed":
        database.Database.compact = die
    elif point == "at a file":
        Path.unlink = at_a_file
    else:
        files.sync_folder = lambda folder: die() if folder.name == "media" else None
    remove_videos(collection, ["leaver", "v03"])
"""


REMOVING = """
import sys
from pathlib import Path
from store.collection import ingest_lock, open_collection
from store.removal import remove_videos

with ingest_lock(Path(sys.argv[1])), open_collection(Path(sys.argv[1])) as collection:
    remove_videos(collection, ["leaver"])
"""


def test_without_room_for_temporary_files_that_is_said(tmp_path: Path) -> None:
    """Where the other disk that SQLite writes to is full, both are named, and the command can be repeated."""
    filled(tmp_path / "c").__exit__()
    with LocalStore(tmp_path / "c") as store:
        long = [replace(row, description="x" * 2000) for row in rows(*(f"w{n}" for n in range(3000)), source_list="l")]
        store.add_rows("l", long, [])
    (tmp_path / "disk").mkdir()
    command = [sys.executable, "-c", REMOVING, str(tmp_path / "c")]
    env = ["env", f"PYTHONPATH={ROOT}", f"SQLITE_TMPDIR={tmp_path / 'disk'}"]
    full, with_room = on_small_disk(tmp_path / "disk", 1_000_000, *env, *command, timeout=120)
    assert (full["code"], with_room["code"]) == (1, 0), (full, with_room)
    places = rf"up to \d+ MB in {tmp_path / 'c'} and as much in .*SQLITE_TMPDIR, .TMPDIR and /var/tmp"
    assert re.search(places, full["said"])
    assert SECRET.encode() not in (tmp_path / "c" / CATALOG).read_bytes()


def test_a_catalog_that_others_write_to_is_not_written_anew(tmp_path: Path) -> None:
    """Room is not what is missing then, and nothing is said of it."""
    filled(tmp_path).__exit__()
    with LocalStore(tmp_path) as other, LocalStore(tmp_path, busy_seconds=0.05) as store:
        with other._database.writing(), pytest.raises(CollectionError, match="another process was writing"):
            store._database.compact()
        store._database.compact()


@pytest.mark.parametrize("point", ["noted", "in the transaction", "committed", "at a file", "all files"])
def test_killed_anywhere_a_removal_is_seen_whole_or_not_at_all(tmp_path: Path, point: str) -> None:
    """After SIGKILL both videos are there with all that is theirs, or neither; the next removal erases what is left."""
    filled(tmp_path).__exit__()
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), point], cwd=ROOT, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    with open_collection(tmp_path) as collection:
        store, both = collection.store, {"leaver", "v03"}
        seen = {video.id for video in store.videos(both)}
        assert seen == (both if point in {"noted", "in the transaction"} else set())
        assert set(store.embeddings(FINGERPRINT, both).ids) == seen
        assert set(store.fragments(FINGERPRINT, both).ids) == seen
        assert {label.video_id for label in store.labels()} == seen & {"leaver"}
        assert {one.video_id for one in store.search(FINGERPRINT, vectors(3), 99)[0]} & both == seen
        for name in seen:
            assert (collection.media_folder / f"{name}.m4a").exists()
            assert (collection.media_folder / f"{name}.jpg").exists()
        assert is_unfinished(collection)
        assert remove_videos(collection, ()) == 0
        assert {video.id for video in store.videos(both)} == seen
        assert len(list(collection.media_folder.iterdir())) == (62 if seen else 58)
        assert not is_unfinished(collection)
        if not seen:
            assert traces(tmp_path) == set()


def test_a_reader_in_the_way_is_told_and_made_up_for(tmp_path: Path) -> None:
    """While another reads the old state the video is gone and the error says so; the next removal erases the rest."""
    filled(tmp_path).__exit__()
    with LocalStore(tmp_path, busy_seconds=0.1) as impatient, open_collection(tmp_path) as opened:
        reader = sqlite3.connect(tmp_path / CATALOG, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM videos").fetchone()
        collection = replace(opened, store=impatient)
        with pytest.raises(CollectionError, match="still has bytes of what was deleted"):
            remove_videos(collection, ["leaver"])
        assert collection.store.videos(["leaver"]) == ()
        reader.close()
        assert is_unfinished(collection)
        remove_videos(collection, ())
        assert traces(tmp_path) == set()


@pytest.mark.parametrize("content", [b"\xff", b"3", b'{"a": 1}', json.dumps(["../outside", "..", "", 3]).encode()])
def test_a_strange_note_erases_nothing_outside(tmp_path: Path, content: bytes) -> None:
    """A note that is damaged, or names what is not in the media folder, is no reason to erase anything."""
    with open_collection(tmp_path / "c", create=EncoderChoice()) as collection:
        collection.media_folder.mkdir()
        (tmp_path / "c" / "outside").write_bytes(b"x")
        (collection.folder / NOTE).write_bytes(content)
        assert remove_videos(collection, ()) == 0
        assert (tmp_path / "c" / "outside").exists()
        assert not is_unfinished(collection)
    assert list((tmp_path / "c" / "media").iterdir()) == []


def test_the_file_that_a_video_was_given_as_goes_too(tmp_path: Path) -> None:
    """A file given to the dashboard is erased with its video, also where the collection was moved; no other file is."""
    folder, elsewhere = tmp_path / "c", tmp_path / "elsewhere" / "uploads" / "b1" / "own.wav"
    given = {name: folder / "uploads" / "b1" / f"{name}.wav" for name in ("here", "moved", "other")}
    for path in (*given.values(), elsewhere):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
    sources = {
        "here": str(given["here"]),
        "moved": "/before/c/uploads/b1/moved.wav",
        "other": str(given["other"]),
        "own": str(elsewhere),
        "link": "https://example.org/uploads/b1/other.wav",
        "relative": "uploads/b1/other.wav",
    }
    with open_collection(folder, create=EncoderChoice()) as collection:
        listed = [replace(row, source=sources[row.video_id]) for row in rows(*sources)]
        collection.store.add_rows("list", listed, [])
        assert remove_videos(collection, [name for name in sources if name != "other"]) == len(sources) - 1
        assert [name for name, path in given.items() if path.exists()] == ["other"]
        assert elsewhere.exists()
        remove_videos(collection, ["other"])
    assert not given["other"].exists()


def test_a_cut_off_removal_of_a_given_file_is_ended(tmp_path: Path) -> None:
    """What the note names in the uploads is erased by the next removal, and nothing that leads out of them."""
    with open_collection(tmp_path / "c", create=EncoderChoice()) as collection:
        paths = [tmp_path / "c" / name for name in ("uploads/b1/a.wav", "uploads/a.wav", "other/b1/a.wav")]
        for path in (*paths, tmp_path / "a.wav"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"sound")
        names = [*(str(path.relative_to(tmp_path / "c")) for path in paths), "uploads/../../a.wav", "uploads/../a.wav"]
        (tmp_path / "c" / NOTE).write_text(json.dumps(names))
        remove_videos(collection, ())
    assert [path.exists() for path in (*paths, tmp_path / "a.wav")] == [False, True, True, True]
