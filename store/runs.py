"""Runs: a row in the catalog, and a folder ``runs/<id>`` with the files (models as safetensors, tables as Parquet).

A run counts while it has its row: files come before it and go after it. A mark ``runs/.<id>.removed``, there before the
row goes, tells whoever writes runs next of files that a killed removal has left.
"""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from quartzlens.errors import CollectionError
from quartzlens.records import Run
from store import files, rules
from store.database import Database

_REMOVED = ".removed"
_COLUMNS = "id, kind, created_at, fingerprint_key, seed, labels_seen, settings, results"


def add(database: Database, folder: Path, run: Run) -> None:
    """Keep a run: files first, whole and durable, then the row that makes it count.

    Raises
    ------
    ValueError
        The id is taken, or a name is not a safe one.
    CollectionError
        The files cannot be written.
    """
    rules.check_run(run)
    target = folder / run.id
    temporary = files.aside(target)
    try:
        # Opened first: where nothing may be written, no folder is left behind.
        with database.writing() as connection:
            _insert(connection, run)
            if run.files:
                _sweep(folder)
                _erase_marked(connection, folder)
                _write_files(temporary, run)
                # A folder without a row is left from a run that was cut off before it counted.
                shutil.rmtree(target, ignore_errors=True)
                temporary.rename(target)
                files.sync_folder(folder)
    except OSError as error:
        message = f"Run {run.id} cannot be written to {target}: {error.strerror}. Check space and permissions."
        raise CollectionError(message) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Clear away what killed processes left half-written: under the catalog's lock nobody else is writing a run."""
    for left in folder.glob(".*.tmp"):
        files.forget(left)


def forget(connection: sqlite3.Connection, folder: Path, ids: Iterable[str]) -> None:
    """Take the rows of runs away, in the caller's transaction; after it ``erase_forgotten`` takes their files.

    Raises
    ------
    CollectionError
        The folder cannot be written, so that their files could not go: nothing is taken away.
    """
    known = [one for one in set(ids) if connection.execute("SELECT 1 FROM runs WHERE id = ?", (one,)).fetchone()]
    # The catalog may be a stranger's: a name that leads elsewhere has no folder of ours.
    with_files = [one for one in known if rules.is_safe_name(one) and (folder / one).is_dir()]
    try:
        for run_id in with_files:
            files.write_synced(_mark(folder, run_id), b"")
        if with_files:
            files.sync_folder(folder)
    except OSError as error:
        message = f"Runs cannot be removed from {folder}: {error.strerror}. Check space and permissions."
        raise CollectionError(message) from error
    connection.executemany("DELETE FROM runs WHERE id = ?", ((one,) for one in known))


def erase_forgotten(database: Database, folder: Path) -> None:
    """Erase the files of runs whose rows went, also those that killed removals have left.

    Raises
    ------
    CollectionError
        Some cannot be erased; they count no more, and whoever keeps or removes a run next tries again.
    """
    with database.writing() as connection:
        _erase_marked(connection, folder)
        left = sorted(run_id for run_id in marked(folder) if (folder / run_id).exists())
    if left:
        message = (
            f"The run is removed, but its files are still there: {folder / left[0]} cannot be erased: check "
            "the disk and permissions. The next run that is kept or removed erases it."
        )
        raise CollectionError(message)


def marked(folder: Path) -> set[str]:
    """Ids of the runs whose removal began and was not ended."""
    names = (path.name.removeprefix(".").removesuffix(_REMOVED) for path in folder.glob(f".*{_REMOVED}"))
    return {name for name in names if rules.is_safe_name(name)}


def is_mark(path: Path) -> bool:
    """Whether a file is the mark of a removal."""
    return path.name.startswith(".") and path.name.endswith(_REMOVED)


def _mark(folder: Path, run_id: str) -> Path:
    return folder / f".{run_id}{_REMOVED}"


def _erase_marked(connection: sqlite3.Connection, folder: Path) -> None:
    """Erase the files of marked runs that have no row; where the row is there the removal never came to be."""
    for run_id in marked(folder):
        if not connection.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone():
            shutil.rmtree(folder / run_id, ignore_errors=True)
            if (folder / run_id).exists():
                continue
        files.forget(_mark(folder, run_id))


def _insert(connection: sqlite3.Connection, run: Run) -> None:
    if connection.execute("SELECT 1 FROM runs WHERE id = ?", (run.id,)).fetchone():
        raise rules.twice(run.id)
    seq = connection.execute(
        f"INSERT INTO runs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",  # noqa: S608 - a constant
        (
            run.id,
            run.kind,
            run.created_at,
            run.fingerprint_key,
            run.seed,
            run.labels_seen,
            json.dumps(dict(run.settings)),
            json.dumps(dict(run.results)),
        ),
    ).fetchone()[0]
    connection.executemany(
        "INSERT INTO run_files (run, name, sha256) VALUES (?, ?, ?)",
        ((seq, name, hashlib.sha256(content).hexdigest()) for name, content in run.files.items()),
    )


def _write_files(folder: Path, run: Run) -> None:
    folder.mkdir(parents=True)
    for name, content in run.files.items():
        files.write_synced(folder / name, content)
    files.sync_folder(folder)


def every(connection: sqlite3.Connection) -> tuple[Run, ...]:
    """All runs, oldest first, without their files."""
    found = connection.execute(f"SELECT {_COLUMNS} FROM runs ORDER BY seq")  # noqa: S608 - a constant
    return tuple(_run(*row) for row in found)


def one(connection: sqlite3.Connection, folder: Path, run_id: str) -> tuple[Run, ...]:
    """The run of that id with its files, or nothing.

    Raises
    ------
    CollectionError
        A file is gone or not what was written.
    """
    row = connection.execute(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", (run_id,)).fetchone()  # noqa: S608 - a constant
    if row is None:
        return ()
    digests = dict(
        connection.execute(
            "SELECT name, sha256 FROM run_files JOIN runs ON runs.seq = run WHERE id = ? ORDER BY run_files.rowid",
            (run_id,),
        )
    )
    run = _run(*row)
    # The catalog may be a stranger's: its names must not lead out of the folder.
    rules.check_run(replace(run, files=dict.fromkeys(digests, b"")))
    return (replace(run, files={name: _read(folder / run_id / name, digest) for name, digest in digests.items()}),)


def _read(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"A file of a run cannot be read: {path} ({error.strerror}). Restore it, or repeat the run."
        raise CollectionError(message) from error
    if hashlib.sha256(content).hexdigest() != digest:
        message = f"A file of a run is not what was written: {path}. Restore it from a backup, or repeat the run."
        raise CollectionError(message)
    return content


def _run(
    run_id: str,
    kind: str,
    created_at: str,
    fingerprint_key: str,
    seed: int,
    labels_seen: int,
    settings: str,
    results: str,
) -> Run:
    return Run(run_id, kind, created_at, fingerprint_key, seed, labels_seen, json.loads(settings), json.loads(results))
