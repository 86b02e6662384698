"""How many copies of real recordings are found, and whether anything else is taken for one."""

import csv
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from analysis.duplicates import duplicate_groups
from benchmarks.copies import CHANGES, copy
from benchmarks.models import CLIP_SECONDS, data_folder
from benchmarks.report import Table
from pipeline.checkpoint import open_checkpoint
from pipeline.decode import Decoded, decode
from pipeline.encoder import Encoder, EncoderSettings
from pipeline.engine import OpenVinoEncoder
from pipeline.sources import read_source
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Media, Result, Row
from store.memory import MemoryStore

_LISTS = ("videos/videos.csv", "esc10/esc10.csv")
_BLOCKS = {"last block": "", "block B2": "B2"}
_LARGE = 3400


@dataclass(frozen=True, slots=True, eq=False)
class _Sound:
    """A recording or a copy of one: what it holds (names of recordings), and what each encoder made of it."""

    video_id: str
    recordings: frozenset[str]
    seconds: float
    embedded: Mapping[str, Embedded]


def tables(work: Path) -> list[Table]:  # noqa: ARG001 -- every part is called alike
    """Recall by kind of change on the held-out half, pairs of different recordings that matched, and the time."""
    columns = ("change", "copies", *(f"{part}, {name}" for name in _BLOCKS for part in ("found", "wrong pairs")))
    if not data_folder().is_dir():
        return [Table("Copies", "Not measured: the recordings of $DATA are not here.", columns, [])]
    checkpoint = open_checkpoint("demo")
    encoders = {name: OpenVinoEncoder(checkpoint, EncoderSettings(block=block)) for name, block in _BLOCKS.items()}
    originals, sources = _originals(encoders)
    rows = [_measured(change, originals, sources, encoders) for change in CHANGES]
    found = Table("Copies", _note(originals), columns, [*rows, _total(rows)])
    return [found, _time()]


def _note(originals: Sequence[_Sound]) -> str:
    judged = [one for one in originals if len(next(iter(one.embedded.values())).fragments) > 1]
    different = sum(not a.recordings & b.recordings for a, b in combinations(judged, 2))
    return (
        f"Demo checkpoint, first {CLIP_SECONDS:.0f} s. A collection is the {len(originals):,} recordings of the half "
        "of $DATA on which no threshold was chosen, and a changed copy of each that stays longer than 7 s. Found: "
        "copies in one group with their original. Wrong pairs: two of one group that share no recording. "
        f"{len(judged)} originals are longer than a fragment, so that changed copies can match: {different:,} pairs of "
        "them share no recording, and up to four times as many with their copies, in each collection."
    )


def _originals(encoders: Mapping[str, Encoder]) -> tuple[list[_Sound], dict[str, Path]]:
    """The recordings of the held-out half, and their files."""
    inside = _inside()
    sounds, sources = [], {}
    for row in [row for name in _LISTS for row in read_source(str(data_folder() / name)).rows]:
        if zlib.crc32(row.video_id.encode()) % 2:
            name = Path(row.source).name
            recordings = inside[name] if name in inside else {row.extra["source_id"]}
            sounds.append(_sound(row.video_id, Path(row.source), frozenset(recordings), encoders))
            sources[row.video_id] = Path(row.source)
    return sounds, sources


def _inside() -> dict[str, set[str]]:
    """Which recordings are in which of the joined files; clips of ESC-10 by the id of their recording."""
    found: dict[str, set[str]] = defaultdict(set)
    with (data_folder() / "videos" / "sources.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row["source"]
            found[row["path"]].add(Path(name).name.split("-")[1] if name.startswith("esc10/") else name)
    return found


def _sound(video_id: str, path: Path, recordings: frozenset[str], encoders: Mapping[str, Encoder]) -> _Sound:
    decoded = decode(path, 0.0, CLIP_SECONDS)
    if not isinstance(decoded, Decoded):
        raise SystemExit(f"{path}: {decoded.detail}")
    embedded = {name: encoder.submit(decoded.audio).result() for name, encoder in encoders.items()}
    return _Sound(video_id, recordings, len(decoded.audio) / 16_000, embedded)


def _measured(
    name: str, originals: Sequence[_Sound], sources: Mapping[str, Path], encoders: Mapping[str, Encoder]
) -> tuple[str, ...]:
    change, copies = CHANGES[name], []
    with TemporaryDirectory() as folder:
        for one in originals:
            whole = decode(sources[one.video_id], 0.0, 600.0)
            seconds = len(whole.audio) / 16_000 if isinstance(whole, Decoded) else 0.0
            if one.seconds > 7.0 and (seconds - change.start_seconds) * change.kept > 7.0:
                path = copy(sources[one.video_id], seconds, change, Path(folder) / one.video_id)
                copies.append(_sound(f"{one.video_id} copy", path, one.recordings, encoders))
    cells = [cell for encoder in encoders for cell in _judged([*originals, *copies], encoder)]
    return name, str(len(copies)), *cells


def _judged(sounds: Sequence[_Sound], encoder: str) -> tuple[str, str]:
    """How many copies are in one group with their original, and how many pairs of a group share no recording."""
    store, fingerprint = _store({one.video_id: (one.embedded[encoder], one.seconds) for one in sounds})
    found = duplicate_groups(store, fingerprint)
    group_of = dict(zip(found["id"], found["group"], strict=True))
    right = sum(name.endswith(" copy") and group_of.get(name[:-5]) == group for name, group in group_of.items())
    of = {one.video_id: one.recordings for one in sounds}
    members: Iterable[list[str]] = found.groupby("group")["id"].apply(list)
    wrong = sum(not of[a] & of[b] for ids in members for a, b in combinations(ids, 2))
    return str(right), str(wrong)


def _store(embedded: Mapping[str, tuple[Embedded, float]]) -> tuple[MemoryStore, Fingerprint]:
    store = MemoryStore()
    store.add_rows("list", [Row("list", number, name, name) for number, name in enumerate(embedded, 1)], [])
    now = "2026-01-01T00:00:00+00:00"
    media = {name: Media(None, seconds, -20.0, "vorbis", 44100) for name, (_, seconds) in embedded.items()}
    store.commit(
        [
            Result(name, Outcome.OK, Stage.STORE, now, media=media[name], embedded=one)
            for name, (one, _) in embedded.items()
        ]
    )
    return store, next(iter(embedded.values()))[0].fingerprint


def _total(rows: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """All kinds together: recall in percent beside the counts, and precision where a count of wrong pairs stands."""
    copies = sum(int(row[1]) for row in rows)
    cells = []
    for column in range(2, 2 + 2 * len(_BLOCKS), 2):
        right, wrong = (sum(int(row[column + i]) for row in rows) for i in (0, 1))
        cells += [f"{right} (recall {right / copies:.3f})", f"{wrong} (precision {right / (right + wrong):.3f})"]
    return "all", str(copies), *cells


def _time() -> Table:
    """Seconds for a collection of generated embeddings, in which every fiftieth video is a copy of the one before."""
    random = np.random.default_rng(0)
    fingerprint = Fingerprint("ab" * 32, "{}", 0.0, 60.0, "mean", "f32", 1024)
    bounds = np.array([(5.0 * i, 5.0 * i + 5.0) for i in range(12)], dtype=np.float32)
    embedded: dict[str, tuple[Embedded, float]] = {}
    fragments = np.zeros((12, 1024), dtype=np.float32)
    for number in range(_LARGE):
        own = random.normal(1.0, 0.5, 1024) + random.normal(0.0, 0.3, (12, 1024))
        fragments = fragments + 0.01 if number % 50 == 49 else np.maximum(own, 0.0).astype(np.float32)
        one = Embedded(fingerprint, fragments.mean(axis=0), fragments.astype(np.float32), bounds)
        embedded[f"v{number}"] = (one, 60.0)
    store, _ = _store(embedded)
    began = time.perf_counter()
    found = duplicate_groups(store, fingerprint)
    seconds = time.perf_counter() - began
    row = (f"{_LARGE:,} videos of 12 fragments", f"{seconds:.1f}", str(found["group"].nunique()))
    return Table("Time to find copies", "Generated embeddings of 1,024 dimensions.", ("what", "s", "groups"), [row])
