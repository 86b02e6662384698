"""Whether a collection is sound, all of it; ``store.mending`` repairs what is not."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from quartzlens.errors import CollectionError
from store.advice import explained
from store.check_catalog import of_catalog
from store.check_files import of_files, of_folder
from store.check_search import of_search
from store.choice import keeps_audio, parse
from store.collection import FILE, only_in_folder
from store.findings import Finding, Repair, Say, Severity
from store.local import CATALOG

_SEARCHABLE = {Repair.WORDS, Repair.PROFILE, Repair.HEARD}


def check(folder: Path, say: Say = lambda _: None) -> list[Finding]:
    """Everything that is wrong with the collection in ``folder``; nothing is written, and an ingest may go on.

    Parameters
    ----------
    say
        Told how far it is.

    Raises
    ------
    CollectionError
        There is nothing there that could be a collection; or its catalog cannot be looked at, as rights, the disk or
        another process keep from it, which tells nothing of what it holds.
    """
    if not (folder / FILE).exists() and not (folder / CATALOG).exists():
        message = f"There is no collection in {folder}: name it with -c DIR."
        raise CollectionError(message)
    only_in_folder(folder, "a check")
    return [*_choice(folder / FILE), *of_folder(folder), *_kept(folder, say)]


def is_sound(findings: list[Finding]) -> bool:
    """Whether nothing is lost or wrong; what is untidy is sound."""
    return all(one.severity is not Severity.WRONG for one in findings)


def _choice(path: Path) -> Iterator[Finding]:
    try:
        text = path.read_text(encoding="utf-8")
        parse(text), keeps_audio(text)
    except (OSError, ValueError, KeyError, TypeError) as error:
        advice = "Correct it by hand, or take it from a backup; the catalog has the facts of each encoder."
        yield Finding(Severity.WRONG, f"cannot be read: {error!r}", FILE, advice)


def _kept(folder: Path, say: Say) -> Iterator[Finding]:
    """The catalog, and what can only be looked at where the catalog is sound."""
    if not (folder / CATALOG).exists():
        advice = "Restore it from a backup, or ingest the lists again, which makes a new one; media stay as they are."
        yield Finding(Severity.WRONG, "there is no catalog", CATALOG, advice)
        return
    found = list(of_catalog(folder / CATALOG, say))
    yield from found
    old = any(one.where == CATALOG for one in found)
    try:
        with explained(folder / CATALOG, damage=False):
            if not old:
                yield from of_files(folder, say)
            if _SEARCHABLE.issuperset(one.repair for one in found):
                yield from of_search(folder, say)
    except sqlite3.DatabaseError as error:
        advice = "Check again; if it stays so, restore a backup."
        yield Finding(Severity.WRONG, f"cannot be read: {error}", CATALOG, advice)
