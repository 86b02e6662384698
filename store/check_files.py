"""Whether the files of a collection are those that its catalog names, and what else lies in its folders."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from store import files, rules, runs
from store.collection import MEDIA, SET_ASIDE
from store.connections import reader
from store.findings import Finding, Repair, Say, Severity
from store.local import CATALOG, INDEX, RUNS
from store.locks import Holder, holder
from store.removal import NOTE, earlier_catalogs

_INCOMING = ".incoming-"
_OURS = {".m4a", ".mp3", ".ogg", ".flac", ".jpg"}
_EVERY = 2000
_TIDY = "`quartzlens check --repair` deletes it."
_MOVE = f"`quartzlens check --repair` moves it into {SET_ASIDE}/, from where you can delete it."


def of_files(folder: Path, say: Say) -> Iterator[Finding]:
    """What is missing, damaged or left over in the folders beside the catalog. Nothing is written."""
    with reader(folder / CATALOG) as connection:
        yield from _media(folder / MEDIA, connection, say)
        yield from _runs(folder / RUNS, connection, say)
    for path in _left(folder / INDEX):
        yield _untidy(path, folder, "left by a process that was killed", Repair.ERASE, _TIDY)


def of_folder(folder: Path) -> Iterator[Finding]:
    """What else lies in the folder itself: a lock, a removal that was cut off, copies from before."""
    if (folder / NOTE).exists():
        advice = "`quartzlens check --repair` ends it: bytes of what was removed may still be there."
        yield Finding(Severity.WRONG, "a removal was cut off", NOTE, advice, Repair.REMOVAL)
    if (at_work := _at_work(folder)) is not None:
        what = f"in use by {at_work}: files that it is writing are not looked at"
        yield Finding(Severity.NOTE, what, str(folder), "Check again when it is done.")
    else:
        for path in folder.glob(f"{_INCOMING}*"):
            yield _untidy(path, folder, "downloads of a process that was killed", Repair.ERASE, _TIDY)
    for path in _left(folder):
        yield _untidy(path, folder, "left by a process that was killed", Repair.ERASE, _TIDY)
    for path in earlier_catalogs(folder):
        yield Finding(Severity.NOTE, "an earlier catalog", path.name, "Delete it once you do not miss anything.")
    if (folder / SET_ASIDE).is_dir():
        yield Finding(Severity.NOTE, "what repairs set aside", SET_ASIDE, "Delete it once you do not miss anything.")


def _at_work(folder: Path) -> Holder | None:
    """Another process that holds the lock."""
    found = holder(folder)
    return found if found is not None and found.pid != os.getpid() else None


def media_named(connection: sqlite3.Connection) -> dict[str, str]:
    """Names of the media of all videos, with the video's id; those that lead elsewhere are left out."""
    found = connection.execute(
        "SELECT media_file, id FROM videos WHERE media_file IS NOT NULL "
        "UNION ALL SELECT thumbnail_file, id FROM videos WHERE thumbnail_file IS NOT NULL"
    )
    return {name: video_id for name, video_id in found if Path(name).name == name and name not in {"", ".", ".."}}


def _media(folder: Path, connection: sqlite3.Connection, say: Say) -> Iterator[Finding]:
    # The folder first: what an ingest adds meanwhile is then named by the catalog.
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    named = media_named(connection)
    for at, (name, video_id) in enumerate(named.items(), 1):
        if not _is_filled(folder / name):
            advice = "It is lost. `quartzlens ingest LIST --keep-media yes --retry ok` fetches it anew."
            yield Finding(Severity.WRONG, f"missing or empty, of video {video_id}", f"{MEDIA}/{name}", advice)
        if at % _EVERY == 0 or at == len(named):
            say(f"media: {at} of {len(named)}")
    busy = _at_work(folder.parent) is not None
    for path in there:
        if path.name not in named and not busy:
            yield _orphan(path, folder.parent)


def _is_filled(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False


def _orphan(path: Path, folder: Path) -> Finding:
    if files.is_left(path) or (path.name.startswith(".") and path.suffix == ".partial"):
        return _untidy(path, folder, "left by an ingest that was killed", Repair.ERASE, _TIDY)
    if path.suffix in _OURS and path.is_file():
        return _untidy(path, folder, "of no video", Repair.SET_ASIDE, _MOVE)
    return Finding(Severity.NOTE, "no file of ours", f"{MEDIA}/{path.name}", "It is left alone.")


def _runs(folder: Path, connection: sqlite3.Connection, say: Say) -> Iterator[Finding]:
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    known = {run_id for (run_id,) in connection.execute("SELECT id FROM runs")}
    removed = runs.marked(folder)
    found = connection.execute("SELECT id, name, sha256 FROM run_files JOIN runs ON seq = run").fetchall()
    for at, (run_id, name, sha256) in enumerate(found, 1):
        if problem := _problem(folder, run_id, name, sha256):
            advice = "It is lost; the run's numbers are kept. Restore it from a backup, or repeat the run."
            yield Finding(Severity.WRONG, problem, f"{RUNS}/{run_id}/{name}", advice)
        if at == len(found):
            say(f"files of runs: {at} of {len(found)}")
    for path in there:
        if files.is_left(path):
            yield _untidy(path, folder.parent, "left by a process that was killed", Repair.ERASE, _TIDY)
        elif path.name in removed - known or runs.is_mark(path):
            yield _untidy(path, folder.parent, "left by a removal that was killed", Repair.ERASE, _TIDY)
        elif path.name not in known and not path.name.startswith("."):
            yield _untidy(path, folder.parent, "of no run that counts", Repair.SET_ASIDE, _MOVE)


def _problem(folder: Path, run_id: str, name: str, sha256: str) -> str:
    """What is wrong with a run's file; empty where it is right."""
    if not rules.is_safe_name(run_id) or not rules.is_safe_name(name):
        return "a name that leads elsewhere"
    try:
        with (folder / run_id / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if digest == sha256 else "not what was written"


def _left(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if files.is_left(path)) if folder.is_dir() else []


def _untidy(path: Path, folder: Path, what: str, repair: Repair, advice: str) -> Finding:
    where = str(path.relative_to(folder))
    return Finding(Severity.UNTIDY, what, where, advice, repair, where)
