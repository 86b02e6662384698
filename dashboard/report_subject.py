"""What a report is of, and how much of it is wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from analysis.evaluation import Evaluation
from analysis.evidence_background import Background
from quartzlens.records import Fingerprint, Run, Video
from store.base import Store

MOST_VIDEOS = 60
Cut = Callable[[Path, float, float], bytes | None]
"""Gives so many seconds of a file's sound from a second on, as Opus in Ogg; None where it cannot be read."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A run, and the collection that it is of.

    Attributes
    ----------
    name
        Of the collection.
    fingerprint
        Of the embeddings that the run is of.
    known
        What ``analysis.evidence.background`` gave for the evaluation.
    videos
        All of the collection.
    checkpoint
        What the collection's encoder is made of: ``demo``, a name or a path.
    """

    name: str
    store: Store
    run: Run
    evaluation: Evaluation
    fingerprint: Fingerprint
    known: Background
    videos: tuple[Video, ...]
    media_folder: Path
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Asked:
    """So many confusions, so many videos of each, with their sound or without."""

    confusions: int = 3
    videos: int = 3
    sound: bool = True
