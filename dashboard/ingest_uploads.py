"""What was given to the browser to be ingested, kept in the collection's folder until and after it is.

Each time that links or files are given they make a batch: a folder of their own, so that no name meets another. What a
batch holds and how far it is stands in a file beside it, so that it is found again after a reload or a restart.
"""

import json
import re
import secrets
import shutil
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from quartzlens.errors import UsageError
from store.collection import UPLOADS

FOLDER = UPLOADS
LONGEST_NAME = 80
MOST_NAME_BYTES = 200
MOST_LINKS = 10_000
MOST_FILES = 200
MOST_BYTES = 2**30
_FACTS = "batch.json"
_LINKS = "links.txt"
_LISTS = {".csv", ".tsv", ".txt"}
_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_LOCK = threading.Lock()
"""One change of a batch at a time: all browsers of this server see the same ones."""


class State(StrEnum):
    """How far a batch is: given, begun, or ended with all of its videos."""

    GIVEN = "given"
    BEGUN = "begun"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Batch:
    """What was given at once: the names of its sources in ``folder``, what they hold, and how far it is."""

    folder: Path
    sources: tuple[str, ...]
    survey: Mapping[str, Any]
    state: State

    @property
    def paths(self) -> list[str]:
        """The sources as the command line takes them."""
        return [str(self.folder / name) for name in self.sources]


def links_in(text: str) -> tuple[str, ...]:
    """The links and YouTube ids of a text, one a line or with blanks between; a path is none.

    Raises
    ------
    UsageError
        One is neither a link nor an id, or there are too many.

    >>> links_in("https://example.org/a  JLZlCZ0aaaa")
    ('https://example.org/a', 'JLZlCZ0aaaa')
    """
    words = tuple(dict.fromkeys(text.split()))
    for word in words:
        if not re.match(r"https?://[^/]", word, re.IGNORECASE) and not _ID.fullmatch(word):
            raise UsageError(f"{word[:80]} is no link: a link begins with https:// or http://.")
    if len(words) > MOST_LINKS:
        raise UsageError(f"These are {len(words):,} links: give {MOST_LINKS:,} at most, or make a CSV of them.")
    return words


def safe_name(name: str, taken: Iterable[str] = ()) -> str:
    """The bare name of a stranger's file, none of ``taken``: its own, which lists know it by, where that is harmless.

    >>> safe_name("../../étude n°1.MP3"), safe_name("a.csv", ["A.csv"]), safe_name(".htaccess")
    ('étude n°1.MP3', 'a-2.csv', 'htaccess')
    """
    found = bare = _harmless(re.split(r"[/\\]", name)[-1])
    known, number = {one.casefold() for one in taken}, 2
    while found.casefold() in known:
        found, number = f"{Path(bare).stem}-{number}{Path(bare).suffix}", number + 1
    return found


def _harmless(bare: str) -> str:
    """A file's name where it is visible, printable and not too long, else what letters, digits, - and _ leave of it."""
    if bare.isprintable() and bare == bare.strip(". ") and 0 < len(bare.encode()) <= MOST_NAME_BYTES:
        return bare
    plain = unicodedata.normalize("NFKD", bare).encode("ascii", "ignore").decode()
    stem, dot, ending = plain.strip(". ").rpartition(".")
    if not dot or not re.fullmatch(r"[A-Za-z0-9]{1,5}", ending):
        stem, ending = plain, ""
    stem = re.sub(r"[^A-Za-z0-9-]+", "_", stem).strip("_-")[:LONGEST_NAME] or "upload"
    return f"{stem}.{ending.lower()}" if ending else stem


def keep(collection: Path, links: tuple[str, ...], files: Iterable[tuple[str, bytes | memoryview]]) -> Batch:
    """Write what was given into a new folder. Lists are sources; with a list, files are what it may name.

    It is a batch that is found again from when ``noted`` writes down what it holds.

    Raises
    ------
    UsageError
        Nothing was given, or more than is taken at once.
    """
    files = list(files)
    if not links and not files:
        raise UsageError("Nothing was given: paste links, or choose files or a CSV.")
    _check_size(len(files), sum(len(content) for _, content in files))
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = collection / FOLDER / f"{stamp}-{secrets.token_hex(3)}"
    folder.mkdir(parents=True)
    names: list[str] = []
    for name, content in files:
        names.append(safe_name(name, [*names, _FACTS, f"{_FACTS}.partial", _LINKS]))
        (folder / names[-1]).write_bytes(content)
    if links:
        (folder / _LINKS).write_text("".join(f"{link}\n" for link in links), encoding="utf-8")
    lists = [name for name in names if Path(name).suffix.lower() in _LISTS]
    sources = (lists or names) + [_LINKS] * bool(links)
    return Batch(folder, tuple(sources), {}, State.GIVEN)


def _check_size(n: int, n_bytes: int) -> None:
    otherwise = "give fewer at once, or ingest their folder by the command line."
    if n > MOST_FILES:
        raise UsageError(f"These are {n:,} files, and {MOST_FILES:,} are taken at once: {otherwise}")
    if n_bytes > MOST_BYTES:
        given = f"{n_bytes / 2**30:.1f} GB"
        raise UsageError(f"That is {given} of files, and {MOST_BYTES / 2**30:g} GB is taken at once: {otherwise}")


def unnamed(batch: Batch) -> list[str]:
    """Files of a new batch that stand in none of its lists; none where there is no list."""
    files = {one.name for one in batch.folder.iterdir()} - {_FACTS, _LINKS}
    lists = [name for name in batch.sources if name in files and Path(name).suffix.lower() in _LISTS]
    text = "\n".join((batch.folder / name).read_text(encoding="utf-8", errors="replace") for name in lists)
    return sorted(name for name in files - set(lists) if name not in text) if lists else []


def noted(batch: Batch) -> Batch:
    """The batch, written down, whole or not at all."""
    facts = {"sources": batch.sources, "survey": batch.survey, "state": batch.state}
    partial = batch.folder / f"{_FACTS}.partial"
    partial.write_text(json.dumps(facts), encoding="utf-8")
    partial.replace(batch.folder / _FACTS)
    return batch


def batches(collection: Path) -> list[Batch]:
    """All batches of a collection, oldest first; what is no batch is passed over."""
    found = [_read(facts.parent) for facts in sorted((collection / FOLDER).glob(f"*/{_FACTS}"))]
    return [one for one in found if one is not None]


def begin(folder: Path, start: Callable[[Batch], None]) -> None:
    """Start what a batch holds and note that it was begun; nothing is noted where ``start`` raises.

    Raises
    ------
    UsageError
        The batch is not there any more: another browser discarded it.
    """
    with _LOCK:
        now = _read(folder)
        if now is None:
            raise UsageError("Another browser has discarded this: give it once more.")
        start(now)
        noted(replace(now, state=State.BEGUN))


def end(folder: Path) -> None:
    """Note that all of a batch is done."""
    with _LOCK:
        if now := _read(folder):
            noted(replace(now, state=State.ENDED))


def leave(folder: Path, take_back: Callable[[Path], None]) -> None:
    """Remove a batch that was never begun, with its files; of one that was, ``take_back`` takes what is left.

    How far it is is read now: another browser may have begun or removed it since this one was drawn. It waits as before
    where ``take_back`` raises.
    """
    with _LOCK:
        now = _read(folder)
        if now is not None and now.state is State.GIVEN:
            shutil.rmtree(folder)
        elif now is not None:
            if now.state is State.BEGUN:
                take_back(folder)
            noted(replace(now, state=State.ENDED))


def remove(batch: Batch) -> None:
    """Remove a new batch that was never noted, with its files."""
    shutil.rmtree(batch.folder, ignore_errors=True)


def _read(folder: Path) -> Batch | None:
    """What is noted of a batch; None where that is none, or none that can be read."""
    try:
        told = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        return Batch(folder, tuple(told["sources"]), told["survey"], State(told["state"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
