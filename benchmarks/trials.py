"""Collections with a known truth for ``benchmarks.verdicts``: the demo with flipped labels and planted strangers."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Label, LabelSource, Media, Result, Row
from store.base import Store
from store.collection import current_fingerprint, open_collection
from store.memory import MemoryStore

FLIPPED_SHARE = 0.1
FOREIGN = 8
_NOW = "2026-01-01T00:00:00+00:00"
_LIST = "trial.csv"


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A collection in memory; ``truths``: id -> mixed, flipped or foreign, of the videos that are one of these."""

    store: Store
    fingerprint: Fingerprint
    truths: Mapping[str, str]


def segments() -> dict[str, list[tuple[float, float, str]]]:
    """Start, end and category of the parts of the demo's mixed videos, by id."""
    from pipeline.checkpoint import demo_path

    found = defaultdict(list)
    with (demo_path().parent / "segments.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[Path(row["path"]).stem].append((float(row["start_s"]), float(row["end_s"]), row["category"]))
    return dict(found)


def category_at(parts: list[tuple[float, float, str]], second: float) -> str:
    """What a second of a mixed video is; the last part goes on to the end."""
    return next((name for _, end, name in parts if second < end), parts[-1][2])


def plain(demo: Path) -> Trial:
    """The demo as it is, by ids that are the names of its files."""
    return Trial(*_copied(demo), dict.fromkeys(segments(), "mixed"))


def trial(demo: Path, esc10: Path, seed: int) -> Trial:
    """The demo with a tenth of the labels of its other videos flipped, and some clips of ESC-10 labelled by chance."""
    made = plain(demo)
    rng = np.random.default_rng(seed)
    truths = dict(made.truths)
    videos = [video for video in made.store.videos() if video.id not in truths]
    categories = sorted({video.category or "" for video in videos})
    for at in rng.choice(len(videos), round(FLIPPED_SHARE * len(videos)), replace=False):
        video = videos[at]
        other = str(rng.choice([name for name in categories if name != video.category]))
        made.store.add_labels([Label(video.id, other, LabelSource.PERSON, "", _NOW)])
        truths[video.id] = "flipped"
    strangers, fingerprint = _copied(esc10)
    if fingerprint != made.fingerprint:
        raise SystemExit("Both collections must be by the same encoder.")
    ids = rng.choice([video.id for video in strangers.videos()], FOREIGN, replace=False).tolist()
    rows = [
        Row("strangers.csv", i + 1, f"foreign-{one}", one, label=str(rng.choice(categories)))
        for i, one in enumerate(ids)
    ]
    made.store.add_rows("strangers.csv", rows, [])
    made.store.commit([_result(strangers, fingerprint, one, f"foreign-{one}") for one in ids])
    return Trial(made.store, made.fingerprint, truths | {row.video_id: "foreign" for row in rows})


def _copied(folder: Path) -> tuple[MemoryStore, Fingerprint]:
    """A collection's embedded videos in memory; their ids are the names of their files."""
    store = MemoryStore()
    with open_collection(folder) as opened:
        fingerprint = current_fingerprint(opened)
        if fingerprint is None:
            raise SystemExit(f"{folder} holds no embeddings.")
        videos = [video for video in opened.store.videos() if video.outcome is Outcome.OK]
        rows = [
            Row(_LIST, i + 1, Path(v.source).stem, v.source, v.title, "", v.channel, v.category, v.extra)
            for i, v in enumerate(videos)
        ]
        store.add_rows(_LIST, rows, [])
        store.commit([_result(opened.store, fingerprint, v.id, Path(v.source).stem) for v in videos])
    return store, fingerprint


def _result(store: Store, fingerprint: Fingerprint, video_id: str, new_id: str) -> Result:
    embedding, parts = store.embeddings(fingerprint, [video_id]), store.fragments(fingerprint, [video_id])
    embedded = Embedded(fingerprint, embedding.matrix[0], parts.matrix, parts.bounds)
    (video,) = store.videos([video_id])
    media = video.media or Media(None, 60.0, -20.0, "", 16_000)
    return Result(new_id, Outcome.OK, Stage.STORE, _NOW, media=media, embedded=embedded)
