"""What is passed between the layers: rows of a list, videos, labels, embeddings, runs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from quartzlens.outcomes import Outcome, Stage

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class LabelSource(StrEnum):
    """Who gave a label."""

    CSV = "csv"
    PERSON = "person"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Row:
    """One usable row of a list (a CSV, a folder, a single link): it leads to one video.

    ``number`` counts the rows of a list from 1, the header not counted. ``source`` is a link or an absolute path;
    ``channel`` is the group that folds must not split; ``extra`` keeps all other columns as text.
    """

    source_list: str
    number: int
    video_id: str
    source: str
    title: str = ""
    description: str = ""
    channel: str | None = None
    label: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row of a list that cannot be used, and what is wrong with it."""

    source_list: str
    number: int
    problem: str


@dataclass(frozen=True, slots=True)
class Media:
    """What decoding learned about a video's audio.

    Attributes
    ----------
    source_seconds
        Length that the container states for the whole source; None where it states none.
    clip_seconds
        Seconds decoded and embedded.
    loudness_dbfs
        RMS level of the clip after removing its mean, in dB relative to full scale; -inf is stored as -200.
    silent
        Below -80 dBFS: embedded all the same.
    media_file, thumbnail_file
        File names in the collection's ``media`` folder; None where nothing is kept.
    """

    source_seconds: float | None
    clip_seconds: float
    loudness_dbfs: float
    codec: str
    sample_rate_hz: int
    silent: bool = False
    media_file: str | None = None
    thumbnail_file: str | None = None


_LATER = ("block", "calibration")  # empty, they leave the keys of older collections as they were


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What makes two embeddings comparable: everything about the encoder that changes its numbers.

    Attributes
    ----------
    front_end
        Canonical JSON of the front end's settings.
    pooling
        ``mean``, ``mean_std`` or ``mean3008``, over time.
    block
        Name of the block whose output is pooled (``B2``); empty for the last.
    calibration
        Digest of the clips that an int8 encoder was calibrated with; empty for other precisions.
    checkpoint_name
        For people only, and not compared.
    """

    checkpoint_sha256: str
    front_end: str
    start_seconds: float
    clip_seconds: float
    pooling: str
    precision: str
    dimension: int
    block: str = field(default="", kw_only=True)
    calibration: str = field(default="", kw_only=True)
    checkpoint_name: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """16 hex digits that stand for the fingerprint in the catalog and in file names."""
        return _key_of(self)

    def __str__(self) -> str:
        where = f"{self.pooling} of {self.block or 'the last block'}, {self.precision}"
        return f"{self.checkpoint_name or 'checkpoint'} {self.checkpoint_sha256[:8]}, {where} ({self.key})"


@lru_cache(maxsize=64)  # every search asks for one
def _key_of(fingerprint: Fingerprint) -> str:
    facts = {name: value for name, value in asdict(fingerprint).items() if name not in _LATER or value}
    del facts["checkpoint_name"]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Words:
    """What the checkpoint's decoder heard in a fragment, by greedy decoding: unsure, and often wrong.

    ``probability`` is the mean probability of the characters, in [0, 1]; ``text`` is empty where none was heard.
    """

    text: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The embeddings of one video: pooled (d,) float32; fragments (f, d) float32; bounds (f, 2) float32 in seconds.

    Attributes
    ----------
    profile
        The depth profile: name of a block -> (2, c) float32, mean and standard deviation over time of its c channels.
        In the order of the network, up to the block that was pooled; empty where the engine takes none.
    words
        What was heard in each fragment, length f; empty where nobody listened.
    """

    fingerprint: Fingerprint
    embedding: NDArray[np.float32]
    fragments: NDArray[np.float32]
    bounds: NDArray[np.float32]
    profile: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    words: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """How one video left the pipeline: exactly one outcome, with its embeddings where the outcome is ok.

    ``title`` and ``channel`` are what a site told; they fill what the list left empty.
    """

    video_id: str
    outcome: Outcome
    stage: Stage
    tried_at: str
    detail: str = ""
    media: Media | None = None
    embedded: Embedded | None = None
    title: str = ""
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """One entry of the label history; ``category`` None takes back what the same origin said before.

    Attributes
    ----------
    origin
        Tells entries of one source apart: ``list#row`` for a list's; ``unsure`` where a person could not tell.
    person
        Name of the person who said it; empty where none was told.
    note
        What the person wrote beside it: a stranger's text.
    bulk
        The same for all entries that were given in one go; empty for an entry given alone.
    undo
        It takes the video's entry before it back: what held before that one holds again, and is in ``category``.
    """

    video_id: str
    category: str | None
    source: LabelSource
    origin: str
    given_at: str
    person: str = ""
    note: str = ""
    bulk: str = ""
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Video:
    """One video as the store knows it.

    ``categories`` holds every category that its labels claim now: none, one (``category``), or several that a person
    must decide between.
    """

    id: str
    source: str
    title: str = ""
    description: str = ""
    channel: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    outcome: Outcome | None = None
    stage: Stage | None = None
    detail: str = ""
    tried_at: str | None = None
    media: Media | None = None

    @property
    def category(self) -> str | None:
        """The category it is trained and judged by; None where there is none or a conflict."""
        return self.categories[0] if len(self.categories) == 1 else None

    @property
    def silent(self) -> bool:
        """Whether what was decoded of it is silence."""
        return self.media is not None and self.media.silent


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A near video, or a near fragment of one: the cosine similarity of its embedding is in [-1, 1].

    ``bounds`` is where the fragment begins and ends, in seconds; None stands for the whole video.
    """

    video_id: str
    similarity: float
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Pooled embeddings of many videos: ``ids`` of length n and ``matrix`` (n, d) float32, not normalised."""

    ids: tuple[str, ...]
    matrix: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Fragments:
    """Fragment embeddings of many videos in order of video and time.

    ``ids`` (length f) names the video of each fragment; ``bounds`` (f, 2) float32 seconds; ``matrix`` (f, d) float32;
    ``words`` (length f) is None where nobody listened.
    """

    ids: tuple[str, ...]
    bounds: NDArray[np.float32]
    matrix: NDArray[np.float32]
    words: tuple[Words | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One training or evaluation: settings, seed and results as JSON values; ``files`` maps names to bytes.

    ``labels_seen`` is the length of the label history when the run began: the run can be replayed on the labels of its
    day.
    """

    id: str
    kind: str
    created_at: str
    fingerprint_key: str
    seed: int
    labels_seen: int
    settings: Mapping[str, Json]
    results: Mapping[str, Json]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Info:
    """What a store holds: encoders with the revision of their embeddings, usable rows, bad rows, labels ever given."""

    encoders: tuple[Fingerprint, ...]
    revisions: Mapping[str, int]
    rows: int
    bad_rows: tuple[BadRow, ...]
    labels: int

    def revision(self, fingerprint: Fingerprint) -> int:
        """Revision of an encoder's embeddings: it moves with every change of them; 0 before any."""
        return self.revisions.get(fingerprint.key, 0)
