"""The catalog in Milvus as it is in memory: entries of one moment, and what they say."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from quartzlens.records import Fingerprint, Info, Label, Row, Video
from store.base import Ledger
from store.labels import current_categories
from store.milvus_entries import (
    Attempt,
    EncoderEntry,
    Entry,
    LabelEntry,
    ListEntry,
    PendingEntry,
    ResultEntry,
    RunEntry,
    VideoEntry,
)

_Of = TypeVar("_Of", bound=Entry)
_Ordered = TypeVar("_Ordered", VideoEntry, ListEntry, LabelEntry, EncoderEntry, RunEntry)


@dataclass(frozen=True, slots=True)
class Change:
    """Entries to write and entries to take away, seen together; and attempts and files of runs that are waste then."""

    put: Sequence[Entry] = ()
    gone: Sequence[Entry] = ()
    waste: Sequence[Attempt] = ()
    files: Sequence[RunEntry] = ()


@dataclass(frozen=True)
class Catalog:
    """The entries of one moment by their keys. Views are made when first asked for; a change makes a new catalog."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def after(self, change: Change) -> "Catalog":
        """The catalog with a change made."""
        left = dict(self.entries)
        for entry in change.gone:
            left.pop(entry.key, None)
        left.update((entry.key, entry) for entry in change.put)
        return Catalog(left)

    def _of(self, kind: type[_Of]) -> list[_Of]:
        return [entry for entry in self.entries.values() if isinstance(entry, kind)]

    @cached_property
    def videos(self) -> dict[str, VideoEntry]:
        """Videos by id, in the order in which they came."""
        return {one.id: one for one in in_order(self._of(VideoEntry))}

    @cached_property
    def results(self) -> dict[str, ResultEntry]:
        """Results by the video's id; a result without a video is of one that was removed meanwhile."""
        return {one.id: one for one in self._of(ResultEntry) if one.id in self.videos}

    @cached_property
    def lists(self) -> dict[str, ListEntry]:
        """Lists by name, in the order in which they came."""
        return {one.name: one for one in in_order(self._of(ListEntry))}

    @cached_property
    def labels(self) -> list[LabelEntry]:
        """The label history of the videos that are there."""
        return [one for one in in_order(self._of(LabelEntry)) if one.label.video_id in self.videos]

    @cached_property
    def encoders(self) -> dict[str, EncoderEntry]:
        """Encoders by the fingerprint's key, in the order in which they came."""
        return {one.fingerprint.key: one for one in in_order(self._of(EncoderEntry))}

    @cached_property
    def runs(self) -> dict[str, RunEntry]:
        """Runs by id, oldest first."""
        return {one.run.id: one for one in in_order(self._of(RunEntry))}

    @cached_property
    def pending(self) -> list[PendingEntry]:
        """Commits that have not ended, or never will."""
        return self._of(PendingEntry)

    @cached_property
    def channels(self) -> dict[tuple[str, str], int]:
        """The channels that profiles of a block have, by the encoder's key and the block."""
        found: dict[tuple[str, str], int] = {}
        for result in self.results.values():
            for key, attempt in result.attempts.items():
                found.update(((key, block), n) for block, n in attempt.channels.items())
        return found

    def held(self) -> list[Fingerprint]:
        """The encoders of which there are embeddings."""
        keys = {key for result in self.results.values() for key in result.attempts}
        return [one.fingerprint for key, one in self.encoders.items() if key in keys]

    def attempts(self, key: str, ids: Collection[str] | None) -> list[tuple[str, Attempt]]:
        """Embedded videos of an encoder in the order of videos, each with where its embeddings are."""
        only = None if ids is None else frozenset(ids)
        found = (
            (one, self.results[one].attempts.get(key))
            for one in self.videos
            if one in self.results and (only is None or one in only)
        )
        return [(one, attempt) for one, attempt in found if attempt is not None]

    def shown(self, ids: Collection[str] | None) -> tuple[Video, ...]:
        """Videos as the contract tells of them."""
        only = None if ids is None else frozenset(ids)
        wanted = [one for one in self.videos.values() if only is None or one.id in only]
        history: dict[str, list[Label]] = {one.id: [] for one in wanted}
        for entry in self.labels:
            if entry.label.video_id in history:
                history[entry.label.video_id].append(entry.label)
        return tuple(
            _shown(one, self.results.get(one.id, ResultEntry(one.id)), current_categories(history[one.id]))
            for one in wanted
        )

    def ledger(self) -> Ledger:
        """What the contract does not tell word for word."""
        bare = ResultEntry("")
        results = [self.results.get(one, bare) for one in self.videos]
        blocks: dict[str, tuple[str, ...]] = {}
        for key, block in sorted(self.channels):
            blocks[key] = (*blocks.get(key, ()), block)
        return Ledger(
            tuple(_shown(one, bare, ()) for one in self.videos.values()),
            tuple((one.told_title, one.told_channel) for one in results),
            tuple((name, tuple(rows_of(self, name)), one.bad_rows) for name, one in self.lists.items()),
            tuple(one.label for one in self.labels),
            tuple(one.fingerprint for one in self.encoders.values()),
            blocks,
        )

    def info(self) -> Info:
        """Counts and encoders."""
        return Info(
            encoders=tuple(one.fingerprint for one in self.encoders.values()),
            revisions={key: one.revision for key, one in self.encoders.items()},
            rows=sum(len(one.rows) for one in self.videos.values()),
            bad_rows=tuple(bad for one in self.lists.values() for bad in one.bad_rows),
            labels=len(self.labels),
        )


def in_order(entries: list[_Ordered]) -> list[_Ordered]:
    """Entries as they came."""
    return sorted(entries, key=lambda one: (one.order, one.key))


def following(entries: Iterable[_Ordered]) -> int:
    """The order of what comes next."""
    return 1 + max((one.order for one in entries), default=0)


def _shown(video: VideoEntry, result: ResultEntry, categories: tuple[str, ...]) -> Video:
    return Video(
        id=video.id,
        source=video.facts.source,
        title=video.facts.title or result.told_title,
        description=video.facts.description,
        channel=video.facts.channel or result.told_channel,
        extra=dict(video.facts.extra),
        categories=categories,
        outcome=result.outcome,
        stage=result.stage,
        detail=result.detail,
        tried_at=result.tried_at,
        media=result.media,
    )


def rows_of(catalog: Catalog, source_list: str) -> list[Row]:
    """The rows of a list in the order of their numbers."""
    found = (row for one in catalog.videos.values() for row in one.rows if row.source_list == source_list)
    return sorted(found, key=lambda row: row.number)
