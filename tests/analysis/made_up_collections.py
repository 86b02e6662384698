"""Made-up collections for the tests of analysis: a store in memory with embeddings whose truth is known."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Label, Media, Result, Row
from store.memory import MemoryStore

WHEN = "2026-11-23T10:00:00+00:00"


def fingerprint_of(dimension: int) -> Fingerprint:
    """A made-up encoder's fingerprint."""
    return Fingerprint("ab" * 32, "{}", 0.0, 60.0, "mean", "f32", dimension, "made-up")


def row(
    number: int,
    label: str | None = None,
    channel: str | None = None,
    extra: Mapping[str, str] | None = None,
    source_list: str = "list.csv",
) -> Row:
    """Row of a list that leads to the video ``v<number>``."""
    name = f"v{number}"
    return Row(
        source_list, number, name, f"/media/{name}.mp4", f"title of {name}", "", channel, label, dict(extra or {})
    )


def result(video_id: str, fragments: NDArray[np.float32], *, fragment_seconds: float = 5.0) -> Result:
    """An ok with these fragment embeddings (f, d), whose mean is the video's."""
    fragments = np.asarray(fragments, dtype=np.float32)
    start = np.arange(len(fragments), dtype=np.float32) * fragment_seconds
    bounds = np.column_stack([start, start + fragment_seconds])
    embedded = Embedded(fingerprint_of(fragments.shape[1]), fragments.mean(axis=0), fragments, bounds)
    media = Media(60.0, fragment_seconds * len(fragments), -20.0, "aac", 48000)
    return Result(video_id, Outcome.OK, Stage.STORE, WHEN, media=media, embedded=embedded)


def filled_store(rows: Sequence[Row], results: Sequence[Result]) -> MemoryStore:
    """A store in memory with one list and these results."""
    store = MemoryStore()
    store.add_rows("list.csv", rows, [])
    store.commit(results)
    return store


def labelled_store(
    categories: Sequence[str] = ("food", "history", "travel"),
    channels: int = 5,
    per_channel: int = 4,
    dimension: int = 16,
    apart: float = 3.0,
    seed: int = 0,
    fragments: int = 3,
) -> MemoryStore:
    """Categories around centres ``apart`` times the spread of their videos; a channel has one category."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(categories), dimension)) * apart
    rows, results, number = [], [], 0
    for position, category in enumerate(categories):
        for channel in range(channels):
            for _ in range(per_channel):
                number += 1
                rows.append(row(number, category, f"{category} channel {channel}"))
                around = centres[position] + rng.normal(size=dimension)
                pieces = around + 0.3 * rng.normal(size=(fragments, dimension)) + 8.0
                results.append(result(f"v{number}", pieces))
    return filled_store(rows, results)


def interrupted(store: MemoryStore, patch: pytest.MonkeyPatch, *labels: Label) -> MemoryStore:
    """The store, in which somebody gives one of these labels each time when another has read, before that one adds."""
    left, add = list(labels), store.add_labels

    def later(given: Sequence[Label], after: int | None = None) -> None:
        """Somebody comes first."""
        if left:
            add([left.pop(0)])
        add(given, after)

    patch.setattr(store, "add_labels", later)
    return store
