"""Runs in Milvus: their files are contents, and an entry of the catalog makes them count."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from quartzlens.errors import CollectionError
from quartzlens.records import Json, Run
from store import rules
from store.milvus_contents import CONTENTS, coded, content_of
from store.milvus_entries import RunEntry
from store.milvus_tables import Tables, row


def write(tables: Tables, order: int, run: Run) -> RunEntry:
    """Write the files of a run where nobody sees them; the entry that makes it count."""
    cut = [(name, sha256(content).hexdigest(), coded(content)) for name, content in run.files.items()]
    files = tuple((name, digest, len(parts)) for name, digest, parts in cut)
    plain = replace(run, settings=_plain(run.settings), results=_plain(run.results), files={})
    entry = RunEntry(order, plain, f"u{secrets.token_hex(8)}", files)
    keys = [key for at in range(len(files)) for key in entry.content_keys(at)]
    text = [part for _, _, parts in cut for part in parts]
    tables.upsert(CONTENTS, [row(key, part) for key, part in zip(keys, text, strict=True)])
    return entry


def with_files(tables: Tables, entry: RunEntry) -> Run:
    """A run with its files.

    Raises
    ------
    CollectionError
        A file is gone or not what was written.
    """
    files = {}
    for at, (name, digest, _) in enumerate(entry.files):
        keys = entry.content_keys(at)
        content = content_of(tables.get(CONTENTS, keys, ["text"]), keys, tables.place)
        if sha256(content).hexdigest() != digest:
            message = (
                f"{tables.place}: the file {name} of the run {entry.run.id} is not what was written: repeat the run."
            )
            raise CollectionError(message)
        files[name] = content
    run = replace(entry.run, files=files)
    rules.check_run(run)  # the catalog may be a stranger's
    return run


def erase(tables: Tables, entries: Sequence[RunEntry]) -> None:
    """Take the files of runs out of the contents."""
    keys = [key for one in entries for at in range(len(one.files)) for key in one.content_keys(at)]
    if keys:
        tables.delete(CONTENTS, keys)


def _plain(values: Mapping[str, Json]) -> dict[str, Json]:
    """A deep copy with only what JSON can hold."""
    copied: dict[str, Json] = json.loads(json.dumps(dict(values)))
    return copied
