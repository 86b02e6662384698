"""What the catalog in Milvus holds: entries, each a JSON text under a key, cut into as many rows as it needs.

What different writers change are different entries, so that none takes back what another wrote: a list that comes
changes ``VideoEntry``, a commit ``ResultEntry``, and a label is an entry of its own that never changes. The result of a
video is the commit mark of its embeddings: it names the attempt under which they were written.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, TypeAlias

from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import BadRow, Fingerprint, Label, LabelSource, Media, Row, Run
from store import milvus_tables as tables

GONE = "gone"
STAMP = "stamp"
PART = "part"


def hashed(name: str) -> str:
    """A name of any characters as 40 hex digits, which need no quoting."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where the embeddings of a video by an encoder are: written under a number that no other attempt has.

    ``parts`` is the number of rows of each content (pooled, fragments, words, profile); ``channels`` those of each
    block of the profile, in its order.
    """

    number: int
    encoder: str
    fragments: int
    parts: Mapping[str, int]
    channels: Mapping[str, int]

    def content_keys(self, *names: str) -> list[str]:
        """Keys of the rows of contents: of those named, else of all."""
        return [
            f"{self.number}/{name}/{part}" for name in names or self.parts for part in range(self.parts.get(name, 0))
        ]

    def fragment_keys(self) -> list[str]:
        """Keys of its rows in the encoder's table of fragments."""
        return [f"{self.number}/{at}" for at in range(self.fragments)]


@dataclass(frozen=True, slots=True)
class VideoEntry:
    """A video as lists tell of it: ``facts`` are those of its first row, or of the last one that it had."""

    kind: ClassVar[str] = "video"
    order: int
    id: str
    facts: Row
    rows: tuple[Row, ...] = ()

    @property
    def key(self) -> str:
        """Its key."""
        return f"v{hashed(self.id)}"


@dataclass(frozen=True, slots=True)
class ResultEntry:
    """What became of a video, what a site told of it, and its embeddings by the encoder's key."""

    kind: ClassVar[str] = "result"
    id: str
    outcome: Outcome | None = None
    stage: Stage | None = None
    detail: str = ""
    tried_at: str | None = None
    media: Media | None = None
    told_title: str = ""
    told_channel: str | None = None
    attempts: Mapping[str, Attempt] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its key."""
        return f"r{hashed(self.id)}"


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A list and its bad rows."""

    kind: ClassVar[str] = "list"
    order: int
    name: str
    bad_rows: tuple[BadRow, ...] = ()

    @property
    def key(self) -> str:
        """Its key."""
        return f"t{hashed(self.name)}"


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """A label; ``token`` tells it from one that another process gives at the same moment."""

    kind: ClassVar[str] = "label"
    order: int
    token: str
    label: Label

    @property
    def key(self) -> str:
        """Its key."""
        return f"l{self.order}-{self.token}"


@dataclass(frozen=True, slots=True)
class EncoderEntry:
    """An encoder and the revision of its embeddings."""

    kind: ClassVar[str] = "encoder"
    order: int
    fingerprint: Fingerprint
    revision: int = 0

    @property
    def key(self) -> str:
        """Its key."""
        return f"e{self.fingerprint.key}"


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run without its files, and where those are: name, digest, and the rows of its content."""

    kind: ClassVar[str] = "run"
    order: int
    run: Run
    token: str
    files: tuple[tuple[str, str, int], ...] = ()

    @property
    def key(self) -> str:
        """Its key."""
        return f"u{hashed(self.run.id)}"

    def content_keys(self, at: int) -> list[str]:
        """Keys of the rows of contents that hold the file at this place."""
        return [f"{self.token}/{at}/{part}" for part in range(self.files[at][2])]


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """A commit that began to write these attempts; where it is left behind, they are invisible and waste."""

    kind: ClassVar[str] = "pending"
    token: str
    began_at: float
    attempts: tuple[tuple[str, Attempt], ...]

    @property
    def key(self) -> str:
        """Its key."""
        return f"p{self.token}"


Entry: TypeAlias = VideoEntry | ResultEntry | ListEntry | LabelEntry | EncoderEntry | RunEntry | PendingEntry


def rows_of(entry: Entry) -> list[tables.Row]:
    """The rows that hold an entry; the first one says how many they are."""
    parts = tables.texts(json.dumps(_plain(entry)))
    first = tables.row(entry.key, parts[0], kind=entry.kind, number=len(parts))
    return [first, *(tables.row(f"{entry.key}/{at}", text, kind=PART) for at, text in enumerate(parts[1:], 1))]


def read(rows: Mapping[str, tables.Row], place: str) -> tuple[dict[str, Entry], list[str]]:
    """The entries that rows hold by their keys, and the keys of rows that are waste.

    Raises
    ------
    CollectionError
        A part of an entry is gone.
    """
    entries: dict[str, Entry] = {}
    used = set()
    for key, row in rows.items():
        if row["kind"] in _READERS:
            keys = [key, *(f"{key}/{at}" for at in range(1, row["number"]))]
            used.update(keys)
            entries[key] = _READERS[row["kind"]](json.loads(tables.joined(rows, keys, place)))
    return entries, [key for key, row in rows.items() if row["kind"] in {PART, GONE} and key not in used]


def _plain(entry: Entry) -> dict[str, Any]:
    """An entry as JSON holds it."""
    if isinstance(entry, RunEntry):
        # Deep copies of files and of what may be any JSON are not wanted.
        run = {one.name: getattr(entry.run, one.name) for one in fields(Run) if one.name != "files"}
        return {"order": entry.order, "run": run, "token": entry.token, "files": entry.files}
    plain = asdict(entry)
    if isinstance(entry, VideoEntry) and entry.rows:
        plain["facts"] = None  # those of its first row
    return plain


def _media(facts: Mapping[str, Any] | None) -> Media | None:
    return None if facts is None else Media(**facts)


def _attempts(said: Mapping[str, Mapping[str, Any]]) -> dict[str, Attempt]:
    return {key: Attempt(**one) for key, one in said.items()}


def _video(said: Mapping[str, Any]) -> VideoEntry:
    rows = tuple(Row(**row) for row in said["rows"])
    return VideoEntry(said["order"], said["id"], rows[0] if rows else Row(**said["facts"]), rows)


def _result(said: Mapping[str, Any]) -> ResultEntry:
    return ResultEntry(
        said["id"],
        None if said["outcome"] is None else Outcome(said["outcome"]),
        None if said["stage"] is None else Stage(said["stage"]),
        said["detail"],
        said["tried_at"],
        _media(said["media"]),
        said["told_title"],
        said["told_channel"],
        _attempts(said["attempts"]),
    )


def _list(said: Mapping[str, Any]) -> ListEntry:
    return ListEntry(said["order"], said["name"], tuple(BadRow(**bad) for bad in said["bad_rows"]))


def _label(said: Mapping[str, Any]) -> LabelEntry:
    label: Mapping[str, Any] = said["label"]
    given = Label(**{**label, "source": LabelSource(label["source"])})
    return LabelEntry(said["order"], said["token"], given)


def _encoder(said: Mapping[str, Any]) -> EncoderEntry:
    return EncoderEntry(said["order"], Fingerprint(**said["fingerprint"]), said["revision"])


def _run(said: Mapping[str, Any]) -> RunEntry:
    files: Sequence[tuple[str, str, int]] = said["files"]
    return RunEntry(said["order"], Run(**said["run"]), said["token"], tuple((a, b, c) for a, b, c in files))


def _pending(said: Mapping[str, Any]) -> PendingEntry:
    return PendingEntry(
        said["token"], said["began_at"], tuple((video, Attempt(**one)) for video, one in said["attempts"])
    )


_READERS: dict[str, Callable[[Mapping[str, Any]], Entry]] = {
    "video": _video,
    "result": _result,
    "list": _list,
    "label": _label,
    "encoder": _encoder,
    "run": _run,
    "pending": _pending,
}
