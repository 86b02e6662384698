"""Small rows, results and runs for the store's tests."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quartzlens.errors import HistoryMovedError
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Label, LabelSource, Media, Result, Row, Run, Words
from store.base import Store
from store.local import LocalStore
from store.words import tokens

DIMENSION = 8
FINGERPRINT = Fingerprint("a" * 64, "{}", 0.0, 60.0, "mean", "f32", DIMENSION, checkpoint_name="demo")
OTHER = Fingerprint("b" * 64, "{}", 0.0, 60.0, "mean", "f32", DIMENSION, checkpoint_name="other")


def row(number: int, video_id: str, label: str | None = None, source_list: str = "list", **columns: str) -> Row:
    """A row of a list that leads to ``video_id``."""
    return Row(source_list, number, video_id, f"https://example.org/{video_id}", label=label, **columns)


def rows(*ids: str, source_list: str = "list") -> list[Row]:
    """Rows 1.. of a list, one a video, without labels."""
    return [row(number, video_id, source_list=source_list) for number, video_id in enumerate(ids, 1)]


def embedded(vector: object, fingerprint: Fingerprint = FINGERPRINT, fragments: int = 2) -> Embedded:
    """The vector as embedding and, scaled, as fragments of 5 s each."""
    pooled = np.asarray(vector, dtype=np.float32)
    starts = np.arange(fragments, dtype=np.float32) * 5
    scaled = pooled[None] * (starts[:, None] + 1)
    return Embedded(fingerprint, pooled, scaled, np.stack([starts, starts + 5], axis=1))


def ok(video_id: str, vector: object, fingerprint: Fingerprint = FINGERPRINT, media: Media | None = None) -> Result:
    """An embedded video."""
    return Result(
        video_id, Outcome.OK, Stage.ENCODE, "2026-01-02T03:04:05+00:00", "", media, embedded(vector, fingerprint)
    )


def profile(*blocks: str, channels: int = 3, value: float = 0.5) -> dict[str, NDArray[np.float32]]:
    """A depth profile: means of ``value`` and standard deviations of twice that."""
    return {block: np.repeat(np.float32([[value], [2 * value]]), channels, axis=1) for block in blocks}


def heard_in(result: Result, *texts: str) -> Result:
    """The result with a profile and with words, a text a fragment."""
    assert result.embedded is not None
    words = tuple(Words(text, 0.75) for text in texts)
    return replace(result, embedded=replace(result.embedded, words=words, profile=profile("C1")))


def heard(video_id: str, *texts: str, fingerprint: Fingerprint = FINGERPRINT) -> Result:
    """An embedded video with a fragment a text, in which that was heard."""
    whole = embedded(axis(0), fingerprint, fragments=len(texts))
    return heard_in(replace(ok(video_id, axis(0)), embedded=whole), *texts)


def failed(video_id: str, outcome: Outcome = Outcome.NETWORK, detail: str = "timed out") -> Result:
    """A video that was not embedded."""
    return Result(video_id, outcome, Stage.DOWNLOAD, "2026-01-02T03:04:05+00:00", detail)


def matrix_of(vectors: object) -> NDArray[np.float32]:
    """Vectors under one another."""
    return np.asarray(vectors, dtype=np.float32)


def axis(*positions: int) -> list[float]:
    """A vector with ones at these positions."""
    return [float(position in positions) for position in range(DIMENSION)]


def media(video_id: str) -> Media:
    """Facts of a decoded video with kept files."""
    return Media(61.5, 60.0, -23.5, "aac", 44100, False, f"{video_id}.m4a", f"{video_id}.jpg")


def run(run_id: str = "r1", labels_seen: int = 0, files: Mapping[str, bytes] | None = None) -> Run:
    """An evaluation with settings of every JSON kind."""
    return Run(
        run_id,
        "evaluate",
        "2026-01-02T03:04:05+00:00",
        FINGERPRINT.key,
        3,
        labels_seen,
        {"folds": 5, "classifier": "original", "columns": ["a", None]},
        {"accuracy": {"value": 0.5}},
        files or {},
    )


def ids_of(store: Store) -> list[str]:
    """Ids in the order of videos."""
    return [video.id for video in store.videos()]


def person(video_id: str, category: str | None) -> Label:
    """What a person says about a video."""
    return Label(video_id, category, LabelSource.PERSON, "", "2026-01-02T03:04:05+00:00")


def check_index(store: LocalStore) -> None:
    """Assert that the full-text index is sound and has exactly the fragments in which a word was heard."""
    with store._database.writing() as connection:
        connection.execute("INSERT INTO heard (heard) VALUES ('integrity-check')")
        kept = connection.execute("SELECT seq, text FROM words ORDER BY seq").fetchall()
        assert connection.execute("SELECT rowid, tokens FROM heard ORDER BY rowid").fetchall() == [
            (seq, " ".join(tokens(text))) for seq, text in kept if tokens(text)
        ]


def count_together(stores: Sequence[Store], times: int) -> list[str | None]:
    """Let a thread a store add the number of entries as a label of "a" so often; what the history says then."""

    def count(store: Store) -> None:
        """Add one number after the other, each after the one that was read last."""
        left = times
        while left:
            n = len(store.labels())
            with suppress(HistoryMovedError):
                store.add_labels([person("a", str(n))], after=n)
                left -= 1

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(count, stores))
    return [label.category for label in stores[0].labels()]
