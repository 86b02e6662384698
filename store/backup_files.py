"""Files beside the catalog in a backup: each from the collection, or from the earlier backup where it is lost there."""

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from store import files, rules
from store.collection import MEDIA
from store.local import RUNS

CALIBRATION = "calibration"
Digests = Mapping[str, str | None]
"""Files by their paths in the collection, each with its sha256; None where none is known."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Which files only the earlier backup had whole, and which nobody; the others the collection has."""

    taken: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def __add__(self, other: "Linked") -> "Linked":
        """Those of both."""
        return Linked(self.taken + other.taken, self.missing + other.missing)


class _From(Enum):
    COLLECTION = auto()
    EARLIER = auto()
    NOWHERE = auto()


def link_all(
    folder: Path, made: Path, earlier: Path, digests: Digests, say: Callable[[str], None], what: str
) -> Linked:
    """Give files a second name in the new folder ``made``, or copy them where the disk has no second names.

    What is unchanged since the backup in ``earlier``, which need not be there, comes from there. A file is lost in
    ``folder`` where it is gone or empty, or where its sha256 is another; one that is nowhere whole is copied as it is.

    Raises
    ------
    OSError
        The disk is full, or a file cannot be read.
    """
    found: dict[_From, list[str]] = {one: [] for one in _From}
    wanted = sorted(digests)
    for at, name in enumerate(wanted, 1):
        target = made / name
        target.parent.mkdir(parents=True, exist_ok=True)
        found[_link(folder / name, earlier / name, target, digests[name])].append(name)
        if at % 1000 == 0 or at == len(wanted):
            say(f"{what}: {at} of {len(wanted)}")
    for parent in {(made / name).parent for name in wanted}:
        files.sync_folder(parent)
    return Linked(tuple(found[_From.EARLIER]), tuple(found[_From.NOWHERE]))


def _link(here: Path, there: Path, target: Path, sha256: str | None) -> _From:
    # A removal may take the collection's file away between the look and the link.
    if _is_whole(here, sha256):
        with suppress(FileNotFoundError):
            files.linked(there if _is_same(here, there) and _is_whole(there, sha256) else here, target)
            return _From.COLLECTION
    if _is_whole(there, sha256):
        files.linked(there, target)
        return _From.EARLIER
    if here.is_file():
        with suppress(FileNotFoundError):
            files.linked(here, target)
    return _From.NOWHERE


def _is_whole(path: Path, sha256: str | None) -> bool:
    """Whether a file is there and what was written, as far as that is known: an empty one never was."""
    try:
        if sha256 is None:
            return path.is_file() and path.stat().st_size > 0
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _is_same(path: Path, earlier: Path) -> bool:
    """Whether an earlier copy of a file has the same size and time of change."""
    with suppress(OSError):
        facts, old = path.stat(), earlier.stat()
        return (facts.st_size, facts.st_mtime_ns) == (old.st_size, old.st_mtime_ns)
    return False


def media(connection: sqlite3.Connection) -> Digests:
    """All media that a catalog names; those that lead out of their folder are not ours."""
    found = connection.execute("SELECT media_file FROM videos UNION SELECT thumbnail_file FROM videos")
    names = (name for (name,) in found if name and Path(name).name == name and name not in {".", ".."})
    return {f"{MEDIA}/{name}": None for name in names}


def run_files(connection: sqlite3.Connection) -> Digests:
    """All files of runs that a catalog names; those that lead out of their folder are not ours."""
    found = connection.execute("SELECT runs.id, name, sha256 FROM run_files JOIN runs ON runs.seq = run")
    return {
        f"{RUNS}/{run_id}/{name}": sha256
        for run_id, name, sha256 in found
        if rules.is_safe_name(run_id) and rules.is_safe_name(name)
    }


def calibration(folder: Path) -> Digests:
    """Features that an int8 encoder was made with: no catalog names them."""
    return {f"{CALIBRATION}/{path.name}": None for path in (folder / CALIBRATION).glob("*") if path.is_file()}
