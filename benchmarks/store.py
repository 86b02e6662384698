"""How fast whole videos are kept, durably, and how soon a large collection that was closed can be searched."""

import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import searching
from benchmarks.durable import bytes_a_second
from benchmarks.generated import BATCH, FINGERPRINT, collection, name
from benchmarks.report import Table
from benchmarks.sizes import size
from benchmarks.timing import in_turn
from benchmarks.vectors import DIMENSION, mixture
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Media, Result, Row, Words
from store.local import LocalStore

_FRAGMENTS = 12
_DIFFERENT = 1000
_ROUNDS = 3
_CHANNELS = (256, 256, 512, 512, 512, 1024)  # of a depth profile's blocks, about as many as a 5x5 network has
_SAID = "and now the news of the hour from all over the country"


def tables(work: Path) -> list[Table]:
    """Inserting, and opening."""
    return [_inserting(work), _opening(work)]


def _inserting(work: Path) -> Table:
    count = size(10_000, 500)
    plain = _results(work, count)
    full = [_with_profile_and_words(one) for one in plain]
    kinds = {"embedding and fragments": plain, "with depth profile and words as well": full}
    size_bytes = 4 * DIMENSION + _FRAGMENTS * (2 * DIMENSION + 8)
    taken = in_turn(
        {
            **{label: lambda results=results: _seconds(work, results) for label, results in kinds.items()},  # type: ignore[misc]
            "disk": lambda: count * size_bytes / bytes_a_second(work, BATCH * size_bytes, -(-count // BATCH)),
        },
        _ROUNDS,
    )
    middle = {label: statistics.median(seconds) for label, seconds in taken.items()}
    rows = [(label, f"{middle[label]:.1f}", f"{count / middle[label]:,.0f}") for label in kinds]
    rows.append(("the same bytes to a file, fsync a batch", f"{middle['disk']:.1f}", f"{count / middle['disk']:,.0f}"))
    note = (
        f"{count:,} videos with {_FRAGMENTS} fragments each by `LocalStore.commit`, {BATCH} a transaction, each "
        f"durable (WAL, synchronous FULL) before the next; medians of {_ROUNDS} rounds in turn. Over 2,000 a second is "
        f"wanted. The profile has {len(_CHANNELS)} blocks of {sum(_CHANNELS):,} channels, each fragment "
        f"{len(_SAID.split())} words in the full-text index. Below, what the disk allows for embeddings and fragments."
    )
    return Table("Keeping whole videos", note, ("what", "s", "videos a second"), rows)


def _results(work: Path, count: int) -> list[Result]:
    fragments = mixture(work).draw(_DIFFERENT * _FRAGMENTS, 3).reshape(_DIFFERENT, _FRAGMENTS, DIMENSION)
    bounds = np.array([(5.0 * i, 5.0 * i + 5.0) for i in range(_FRAGMENTS)], dtype=np.float32)
    media = Media(60.0, 60.0, -20.0, "vorbis", 44_100)
    return [_result(number, fragments[number % _DIFFERENT], bounds, media) for number in range(count)]


def _result(number: int, fragments: NDArray[np.float32], bounds: NDArray[np.float32], media: Media) -> Result:
    one = Embedded(FINGERPRINT, fragments.mean(axis=0), fragments, bounds)
    return Result(name(number), Outcome.OK, Stage.STORE, "2026-01-01T00:00:00+00:00", media=media, embedded=one)


def _with_profile_and_words(result: Result) -> Result:
    profile = {f"B{i}": np.full((2, channels), 0.5, np.float32) for i, channels in enumerate(_CHANNELS)}
    words = tuple(Words(f"{_SAID} {i}", 0.5) for i in range(_FRAGMENTS))
    assert result.embedded is not None  # noqa: S101 -- they were made with one
    return replace(result, embedded=replace(result.embedded, profile=profile, words=words))


def _seconds(work: Path, results: Sequence[Result]) -> float:
    """Wall-clock seconds of committing them to a new collection."""
    folder = work / "inserting"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with LocalStore(folder) as store:
        store.add_rows("list", [Row("list", i, one.video_id, one.video_id) for i, one in enumerate(results, 1)], [])
        began = time.perf_counter()
        for start in range(0, len(results), BATCH):
            store.commit(results[start : start + BATCH])
        seconds = time.perf_counter() - began
    shutil.rmtree(folder)
    return seconds


def _opening(work: Path) -> Table:
    count = size(100_000, 2_000)
    collection(work, count)
    index = searching.measured("made", work, count)
    opened = [searching.measured("opened", work, count) for _ in range(_ROUNDS)]
    first = f"{statistics.median(one['first'] for one in opened):.2f}"
    again = f"{1000 * statistics.median(one['p50'] for one in opened):.1f}"
    note = (
        "A new process: seconds from opening the folder to the first answer, with the files in the system's cache and "
        f"the index ({index['kind']}, {index['bytes'] / 2**20:.0f} MB) on disk, whose checksum is verified. Videos "
        f"without fragments. Medians of {_ROUNDS}. Under 2 s is wanted."
    )
    columns = ("videos", "opening and first search, s", "next searches, ms")
    return Table("Opening a collection", note, columns, [(f"{count:,}", first, again)])
