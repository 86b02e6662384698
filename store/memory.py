"""The store in memory: the contract in its plainest form, exact search by NumPy. For tests, and as the reference."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import (
    BadRow,
    Embedded,
    Embeddings,
    Fingerprint,
    Fragments,
    Info,
    Json,
    Label,
    LabelSource,
    Neighbour,
    Result,
    Row,
    Run,
    Video,
)
from store import arrays, rules, vectors, words
from store.base import Ledger
from store.labels import current_categories


class MemoryStore:
    """A store that is gone with its process; every method as in ``store.base.Store``."""

    def __init__(self) -> None:
        self._videos: dict[str, Video] = {}
        self._told: dict[str, tuple[str, str | None]] = {}
        self._rows: dict[str, tuple[Row, ...]] = {}
        self._bad_rows: dict[str, tuple[BadRow, ...]] = {}
        self._labels: list[Label] = []
        self._encoders: dict[str, Fingerprint] = {}
        self._revisions: dict[str, int] = {}
        self._embedded: dict[str, dict[str, Embedded]] = {}
        self._runs: dict[str, Run] = {}

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is held that needs closing."""

    def add_rows(
        self, source_list: str, rows: Sequence[Row], bad_rows: Sequence[BadRow], *, growing: bool = False
    ) -> None:
        """Make these the rows of ``source_list``, or add them where it is ``growing``."""
        rules.check_rows(source_list, rows, bad_rows)
        if growing:
            rows = rules.grown(self._rows.get(source_list, ()), rows)
        before = {row.number: (row.video_id, row.label) for row in self._rows.get(source_list, ())}
        self._rows[source_list] = tuple(sorted(rows, key=lambda row: row.number))
        self._bad_rows[source_list] = tuple(bad_rows)
        for row in rows:
            self._videos.setdefault(row.video_id, Video(row.video_id, row.source))
        self._labels += rules.label_changes(source_list, before, rows)
        for row in reversed([row for kept in self._rows.values() for row in kept]):
            self._videos[row.video_id] = replace(
                self._videos[row.video_id],
                source=row.source,
                title=row.title,
                description=row.description,
                channel=row.channel,
                extra=dict(row.extra),
            )
        self._erase(set(self._videos) - self._held())

    def _held(self) -> set[str]:
        """Ids that something holds: a row, an embedding or a person's label."""
        rows = {row.video_id for kept in self._rows.values() for row in kept}
        embedded = {video_id for kept in self._embedded.values() for video_id in kept}
        return rows | embedded | {label.video_id for label in self._labels if label.source is LabelSource.PERSON}

    def videos(self, ids: Collection[str] | None = None) -> tuple[Video, ...]:
        """All videos in the order in which they came, or those of ``ids``."""
        history: dict[str, list[Label]] = {video_id: [] for video_id in self._videos}
        for label in self._labels:
            history[label.video_id].append(label)
        return tuple(
            self._shown(video, history[video.id]) for video in self._videos.values() if ids is None or video.id in ids
        )

    def _shown(self, video: Video, history: list[Label]) -> Video:
        title, channel = self._told.get(video.id, ("", None))
        return replace(
            video,
            title=video.title or title,
            channel=video.channel or channel,
            categories=current_categories(history),
        )

    def commit(self, results: Sequence[Result]) -> None:
        """Keep outcomes, media facts and embeddings."""
        kept = rules.checked(results)
        rules.check_known((result.video_id for result in kept), self._videos)
        arrays.check_channels(kept, self._channels)
        for result in kept:
            video = self._videos[result.video_id]
            self._videos[result.video_id] = replace(
                video,
                outcome=result.outcome,
                stage=result.stage,
                detail=result.detail,
                tried_at=result.tried_at,
                media=result.media or video.media,
            )
            title, channel = self._told.get(video.id, ("", None))
            self._told[video.id] = (result.title or title, result.channel or channel)
            if result.embedded is not None:
                key = result.embedded.fingerprint.key
                self._encoders[key] = result.embedded.fingerprint
                self._embedded.setdefault(key, {})[result.video_id] = result.embedded
        self._moved({result.embedded.fingerprint.key for result in kept if result.embedded is not None})

    def _channels(self, fingerprint: Fingerprint, block: str) -> int | None:
        held = self._embedded.get(fingerprint.key, {}).values()
        return next((one.profile[block].shape[1] for one in held if block in one.profile), None)

    def _moved(self, keys: set[str]) -> None:
        for key in keys:
            self._revisions[key] = self._revisions.get(key, 0) + 1

    def _of(self, fingerprint: Fingerprint, ids: Collection[str] | None) -> list[tuple[str, Embedded]]:
        held = self._embedded.get(fingerprint.key, {})
        return [(one, held[one]) for one in self._videos if one in held and (ids is None or one in ids)]

    def embedded_ids(self, fingerprint: Fingerprint) -> tuple[str, ...]:
        """Ids of the videos that have embeddings of a fingerprint, in the order of ``videos``."""
        return tuple(video_id for video_id, _ in self._of(fingerprint, None))

    def embeddings(self, fingerprint: Fingerprint, ids: Collection[str] | None = None, block: str = "") -> Embeddings:
        """Pooled embeddings of a fingerprint, or a block's entries of the profile, in the order of ``videos``."""
        found = [(one, held) for one, held in self._of(fingerprint, ids) if not block or block in held.profile]
        matrix = [held.profile[block].reshape(-1) if block else held.embedding for _, held in found]
        empty = np.empty((0, len(matrix[0]) if matrix else 0 if block else fingerprint.dimension), np.float32)
        return Embeddings(tuple(video_id for video_id, _ in found), np.vstack([empty, *matrix]))

    def fragments(
        self,
        fingerprint: Fingerprint,
        ids: Collection[str] | None = None,
        saying: str = "",
        most: int | None = None,
    ) -> Fragments:
        """Fragment embeddings in the order of ``videos``, then of time; with ``saying`` by its share of the words."""
        found = self._of(fingerprint, ids)
        every = Fragments(
            tuple(video_id for video_id, one in found for _ in one.bounds),
            np.vstack([np.empty((0, 2), np.float32), *(one.bounds for _, one in found)]),
            np.vstack([np.empty((0, fingerprint.dimension), np.float32), *(one.fragments for _, one in found)]),
            tuple(heard for _, one in found for heard in one.words or (None,) * len(one.bounds)),
        )
        if not saying:
            return every
        wanted = words.phrases(saying)
        scores = [words.score(words.tokens(heard.text), wanted) if heard else 0.0 for heard in every.words]
        best = sorted((at for at, score in enumerate(scores) if score), key=lambda at: -scores[at])
        return arrays.picked(every, best[:most])

    def search(
        self,
        fingerprint: Fingerprint,
        queries: NDArray[np.float32],
        k: int,
        within: Collection[str] | None = None,
        *,
        fragments: bool = False,
    ) -> list[list[Neighbour]]:
        """Nearest videos or fragments by cosine of each query (q, d), best first, by scoring every embedding."""
        rules.check_queries(fingerprint, queries, k)
        rules.check_held(fingerprint, [self._encoders[key] for key, held in self._embedded.items() if held])
        held = self.fragments(fingerprint, within) if fragments else self.embeddings(fingerprint, within)
        bounds = [(float(start), float(end)) for start, end in held.bounds] if isinstance(held, Fragments) else None
        rows = vectors.normalised(held.matrix)
        answers = []
        for query in vectors.normalised(queries):
            scores = vectors.similarities(rows, query)
            best = vectors.best(scores, k)
            answers.append([Neighbour(held.ids[i], float(scores[i]), bounds[i] if bounds else None) for i in best])
        return answers

    def add_labels(self, labels: Sequence[Label], after: int | None = None) -> None:
        """Append to the label history, where it has ``after`` entries."""
        rules.check_length(after, len(self._labels))
        rules.check_known((label.video_id for label in labels), self._videos)
        self._labels += labels

    def labels(self) -> tuple[Label, ...]:
        """The whole label history."""
        return tuple(self._labels)

    def remove(self, ids: Collection[str], *, runs: Collection[str] = ()) -> None:
        """Erase videos with their rows, labels, outcomes and embeddings, and runs with their files."""
        self._erase(set(ids) & set(self._videos))
        for run_id in runs:
            self._runs.pop(run_id, None)

    def _erase(self, ids: set[str]) -> None:
        erased = [position for position, label in enumerate(self._labels) if label.video_id in ids]
        for run_id, run in self._runs.items():
            self._runs[run_id] = replace(run, labels_seen=rules.labels_seen_after(run.labels_seen, erased))
        self._labels = [label for label in self._labels if label.video_id not in ids]
        for name, rows in self._rows.items():
            self._rows[name] = tuple(row for row in rows if row.video_id not in ids)
        self._moved({key for key, held in self._embedded.items() if ids & set(held)})
        for video_id in ids:
            del self._videos[video_id]
            self._told.pop(video_id, None)
            for held in self._embedded.values():
                held.pop(video_id, None)

    def add_run(self, run: Run) -> None:
        """Keep a run with its files."""
        rules.check_run(run)
        if run.id in self._runs:
            raise rules.twice(run.id)
        self._runs[run.id] = replace(
            run, settings=_plain(run.settings), results=_plain(run.results), files=dict(run.files)
        )

    def runs(self, run_id: str | None = None) -> tuple[Run, ...]:
        """All runs, oldest first, without their files; or the one of ``run_id`` with its files."""
        if run_id is None:
            return tuple(replace(run, files={}) for run in self._runs.values())
        return (self._runs[run_id],) if run_id in self._runs else ()

    def ledger(self) -> Ledger:
        """What the contract does not tell word for word."""
        bare = [
            Video(one.id, one.source, one.title, one.description, one.channel, one.extra)
            for one in self._videos.values()
        ]
        blocks = {
            key: tuple(sorted({block for one in held.values() for block in one.profile}))
            for key, held in self._embedded.items()
        }
        return Ledger(
            tuple(bare),
            tuple(self._told.get(one.id, ("", None)) for one in bare),
            tuple((name, rows, self._bad_rows[name]) for name, rows in self._rows.items()),
            self.labels(),
            tuple(self._encoders.values()),
            blocks,
        )

    def take_over(self, ledger: Ledger) -> None:
        """Be what another store is, but for outcomes, embeddings and runs."""
        if self._videos or self._rows or self._labels or self._encoders or self._runs:
            raise rules.not_empty()
        self._videos = {one.id: one for one in ledger.videos}
        self._told = {one.id: told for one, told in zip(ledger.videos, ledger.told, strict=True) if told != ("", None)}
        self._rows = {name: rows for name, rows, _ in ledger.lists}
        self._bad_rows = {name: bad_rows for name, _, bad_rows in ledger.lists}
        self._labels = list(ledger.labels)
        self._encoders = {one.key: one for one in ledger.encoders}
        self._revisions = dict.fromkeys(self._encoders, 0)

    def info(self) -> Info:
        """Counts and encoders."""
        return Info(
            encoders=tuple(self._encoders.values()),
            revisions=dict(self._revisions),
            rows=sum(len(rows) for rows in self._rows.values()),
            bad_rows=tuple(bad for kept in self._bad_rows.values() for bad in kept),
            labels=len(self._labels),
        )


def _plain(values: Mapping[str, Json]) -> dict[str, Json]:
    """A deep copy with only what JSON can hold, as the other backends give it back."""
    copied: dict[str, Json] = json.loads(json.dumps(dict(values)))
    return copied
