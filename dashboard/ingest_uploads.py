"""What was given to the browser to be ingested, kept in the collection's folder until and after it is.

Each time that links or files are given they make a batch: a folder of their own, so that no name meets another. What a
batch holds and how far it is stands in a file beside it, so that it is found again after a reload or a restart.
"""

import json
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from quartzlens.errors import UsageError

FOLDER = "uploads"
LONGEST_NAME = 80
MOST_LINKS = 10_000
_FACTS = "batch.json"
_LINKS = "links.txt"
_LISTS = {".csv", ".tsv", ".txt"}
_ID = re.compile(r"[A-Za-z0-9_-]{11}")


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
        raise UsageError(f"That are {len(words):,} links: give {MOST_LINKS:,} at most, or make a CSV of them.")
    return words


def safe_name(name: str, taken: Iterable[str] = ()) -> str:
    """A harmless file name that looks like a stranger's, and is none of ``taken``.

    >>> safe_name("../../étude n°1.MP3"), safe_name("a.csv", ["a.csv"]), safe_name(".htaccess")
    ('etude_n1.mp3', 'a-2.csv', 'htaccess')
    """
    plain = unicodedata.normalize("NFKD", re.split(r"[/\\]", name)[-1]).encode("ascii", "ignore").decode()
    stem, dot, ending = plain.strip(". ").rpartition(".")
    if not dot or not re.fullmatch(r"[A-Za-z0-9]{1,5}", ending):
        stem, ending = plain, ""
    stem = re.sub(r"[^A-Za-z0-9-]+", "_", stem).strip("_-")[:LONGEST_NAME] or "upload"
    ending = f".{ending.lower()}" if ending else ""
    known, number, found = set(taken), 2, f"{stem}{ending}"
    while found in known:
        found, number = f"{stem}-{number}{ending}", number + 1
    return found


def keep(collection: Path, links: tuple[str, ...], files: Iterable[tuple[str, bytes | memoryview]]) -> Batch:
    """Write what was given into a new batch. Lists are sources; with a list, files are what it may name.

    Raises
    ------
    UsageError
        Nothing was given.
    """
    files = list(files)
    if not links and not files:
        raise UsageError("Nothing was given: paste links, or choose files or a CSV.")
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = collection / FOLDER / f"{stamp}-{secrets.token_hex(3)}"
    folder.mkdir(parents=True)
    names: list[str] = []
    for name, content in files:
        names.append(safe_name(name, [*names, _FACTS, _LINKS]))
        (folder / names[-1]).write_bytes(content)
    if links:
        (folder / _LINKS).write_text("".join(f"{link}\n" for link in links), encoding="utf-8")
    lists = [name for name in names if Path(name).suffix in _LISTS]
    sources = (lists or names) + [_LINKS] * bool(links)
    return noted(Batch(folder, tuple(sources), {}, State.GIVEN))


def noted(batch: Batch) -> Batch:
    """The batch, written down, whole or not at all."""
    facts = {"sources": batch.sources, "survey": batch.survey, "state": batch.state}
    partial = batch.folder / f"{_FACTS}.partial"
    partial.write_text(json.dumps(facts), encoding="utf-8")
    partial.replace(batch.folder / _FACTS)
    return batch


def batches(collection: Path) -> list[Batch]:
    """All batches of a collection, oldest first; what is no batch is passed over."""
    found = []
    for facts in sorted((collection / FOLDER).glob(f"*/{_FACTS}")):
        try:
            told = json.loads(facts.read_text(encoding="utf-8"))
            found.append(Batch(facts.parent, tuple(told["sources"]), told["survey"], State(told["state"])))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def discard(batch: Batch) -> None:
    """Remove a batch that was never begun, with its files; one that was begun stays."""
    if batch.state is State.GIVEN:
        shutil.rmtree(batch.folder)
