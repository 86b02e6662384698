"""Killed at any moment, whatever it was doing, a process leaves a collection that is whole."""

import random
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from store import schema
from store.checking import check
from store.collection import EncoderChoice, ingest_lock, open_collection
from store.local import CATALOG, LocalStore
from store.mending import mend
from tests.store.changes import Script, forkserver, settled, told

pytestmark = pytest.mark.slow
COLLECTIONS = 10
KILLS = 20


def work(folder: Path, script: Script, pipe: Connection) -> None:
    """Change the collection without end, and tell of each change when the store has acknowledged it."""
    pipe.send_bytes(b"begun")
    with ingest_lock(folder), open_collection(folder) as collection:
        while True:
            script.next.write_media(collection)
            script.next.make(collection)
            pipe.send_bytes(b"kept")
            script.keep()


def killed(folder: Path, script: Script, after: int, seconds: float) -> int:
    """Start to work, and kill that so many seconds after so many changes; how many were acknowledged."""
    context = forkserver()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(folder, script, theirs))
    process.start()
    theirs.close()
    assert ours.recv_bytes() == b"begun"
    n = sum(ours.recv_bytes() == b"kept" for _ in range(after))
    until = time.monotonic() + seconds
    with suppress(EOFError):
        while (left := until - time.monotonic()) > 0 and ours.poll(left):
            n += ours.recv_bytes() == b"kept"
    process.kill()
    process.join()
    with suppress(EOFError):
        while ours.poll():
            n += ours.recv_bytes() == b"kept"
    assert process.exitcode == -9
    ours.close()
    return n


@pytest.mark.parametrize("number", range(COLLECTIONS))
def test_a_collection_survives_20_kills(tmp_path: Path, number: int) -> None:
    """After each SIGKILL everything acknowledged is there, the change under way whole or not at all, and all is sound.

    200 kills in all: in lists, commits, labels, removals, runs, searches that build and swap their index, and openings.
    """
    moments, script = random.Random(number), Script(number)
    open_collection(tmp_path, create=EncoderChoice()).__exit__()
    for _ in range(KILLS):
        after = moments.choice([0, 0, 1, 2, 4, 6])
        n = killed(tmp_path, script, after, moments.uniform(0, 0.02 if after else 0.06))
        for _ in range(n):
            script.keep()
        assert [one for one in check(tmp_path) if one.severity == "wrong" and one.where != "removal.json"] == []
        with open_collection(tmp_path) as collection:
            settled(collection, script)
    assert script.n > KILLS
    mend(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.suffix in {".tmp", ".partial", ".removed"}] == []
    with LocalStore(tmp_path) as store:
        assert told(store) == told(script.model)
        kept = {one.id for one in store.runs()}
    # Of runs that were cut off before they counted, a folder may be set aside; of removed ones none is left.
    assert {path.name for path in (tmp_path / "runs").glob("*")} == kept


def migrate(folder: Path, pipe: Connection) -> None:
    """Open an older collection, which brings it up to date."""
    pipe.send_bytes(b"begun")
    LocalStore(folder).close()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog of the first version with a thousand videos."""
    folder = tmp_path_factory.mktemp("old")
    with closing(sqlite3.connect(folder / CATALOG, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {schema.PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        schema.migrate(connection, folder / CATALOG, schema.MIGRATIONS[:1])
        values = ((f"v{number}", "s", "x" * 2000) for number in range(1000))
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO videos (id, source, description) VALUES (?, ?, ?)", values)
        connection.execute("COMMIT")
    return folder


def test_killed_in_a_migration_a_catalog_is_old_or_new(tmp_path: Path, old: Path) -> None:
    """After each of 40 kills the catalog is of the old version or the new one, has every row, and opens."""
    versions, moments = set(), random.Random(0)
    for number in range(40):
        folder = tmp_path / str(number)
        shutil.copytree(old, folder)
        context = forkserver()
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=migrate, args=(folder, theirs))
        process.start()
        ours.recv_bytes()
        process.join(moments.uniform(0, 0.03))
        process.kill()
        process.join()
        with closing(sqlite3.connect(folder / CATALOG)) as connection:
            versions.add(schema.version_of(connection))
            assert connection.execute("SELECT count(*) FROM videos").fetchone() == (1000,)
        with LocalStore(folder) as store:
            assert len(store.videos()) == 1000
        with closing(sqlite3.connect(folder / f"{CATALOG}.before-version-{len(schema.MIGRATIONS)}")) as connection:
            assert schema.version_of(connection) == 1
            assert connection.execute("SELECT count(*) FROM videos").fetchone() == (1000,)
        shutil.rmtree(folder)
    assert versions <= {1, len(schema.MIGRATIONS)}
