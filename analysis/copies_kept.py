"""Copies that are kept in a file: found once for each state of the collection's embeddings."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa

from analysis.aside import written_aside
from analysis.duplicates import COLUMNS, duplicate_groups, no_copies
from quartzlens.records import Fingerprint
from store.base import Store

MOST_LIVE = 5_000
"""Of how many videos copies are looked for where somebody waits: that takes seconds, and grows with the square."""
_WAY = 2
"""Of finding them: moves when ``duplicate_groups`` would give another table of the same sounds."""


def kept_file(folder: Path, fingerprint: Fingerprint, revision: int | Literal["*"]) -> Path:
    """Where the copies among the embeddings of a revision (``*``: of any) are kept, once they were looked for."""
    return folder / f"copies-{_WAY}-{fingerprint.key}-r{revision}.parquet"


def at_hand(store: Store, fingerprint: Fingerprint, folder: Path, n: int) -> bool:
    """Whether copies among n embedded videos are kept, or found quickly enough for somebody who waits."""
    return n <= MOST_LIVE or kept_file(folder, fingerprint, store.info().revision(fingerprint)).is_file()


def kept_copies(
    store: Store,
    fingerprint: Fingerprint | None,
    folder: Path,
    on_share: Callable[[float], None] = lambda _: None,
) -> pd.DataFrame:
    """The table of ``duplicate_groups`` that ``folder`` keeps for these embeddings, or compute and keep it.

    Labels, titles and runs do not change it, so an evaluation after new labels finds it there. The file is named by
    fingerprint and revision and written aside before it takes its name; a damaged one is computed anew. Where the
    folder cannot be written (a collection opened for reading only), nothing is kept. Without a fingerprint there are
    none. ``on_share`` is called as by ``duplicate_groups``.
    """
    if fingerprint is None:
        return no_copies()
    path = kept_file(folder, fingerprint, store.info().revision(fingerprint))
    with suppress(pa.ArrowException, OSError, ValueError):
        kept = pd.read_parquet(path, engine="pyarrow")
        if tuple(kept.columns) == COLUMNS:
            return kept.astype({"id": object, "copy_of": object})
    found = duplicate_groups(store, fingerprint, on_share)
    with suppress(OSError):
        with written_aside(path) as aside:
            found.to_parquet(aside, engine="pyarrow", index=False)
        for earlier in folder.glob(kept_file(folder, fingerprint, "*").name):
            if earlier != path:
                earlier.unlink(missing_ok=True)
    return found
