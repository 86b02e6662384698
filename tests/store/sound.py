"""A small sound collection with one of everything, and ways to harm it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from store.collection import EncoderChoice, open_collection
from store.local import CATALOG
from tests.store.things import DIMENSION, FINGERPRINT, OTHER, failed, heard_in, media, ok, person, rows, run

IDS = [f"v{number:02}" for number in range(30)]


def sound(folder: Path) -> Path:
    """Thirty videos by two encoders, with profiles, words, media, labels, a run and search indexes."""
    generator = np.random.default_rng(0)
    with open_collection(folder, create=EncoderChoice()) as collection:
        store = collection.store
        store.add_rows("list", rows(*IDS, "lost"), [])
        store.commit(
            [heard_in(ok(one, generator.normal(size=DIMENSION), media=media(one)), "cook", one) for one in IDS]
        )
        store.commit([ok(one, generator.normal(size=DIMENSION), OTHER, media(one)) for one in IDS[:5]])
        store.commit([failed("lost")])
        store.add_labels([person("v00", "food")])
        store.add_run(run("r1", files={"model": b"x", "table": b"y"}))
        collection.media_folder.mkdir()
        for one in IDS:
            (collection.media_folder / f"{one}.m4a").write_bytes(b"sound")
            (collection.media_folder / f"{one}.jpg").write_bytes(b"picture")
        for encoder in (FINGERPRINT, OTHER):
            store.search(encoder, np.ones((1, DIMENSION), np.float32), 3)
    return folder


def change(folder: Path, statement: str, *values: object) -> None:
    """Change the catalog behind the store's back."""
    with closing(sqlite3.connect(folder / CATALOG, isolation_level=None)) as connection:
        connection.execute(statement, values)


def harm_table(folder: Path, table: str) -> None:
    """Overwrite the first page of a table or index with noise."""
    with closing(sqlite3.connect(folder / CATALOG)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (folder / CATALOG).open("r+b") as file:
        file.seek((page - 1) * 16384)
        file.write(np.random.default_rng(0).bytes(16384))
