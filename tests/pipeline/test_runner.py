"""The one loop: every video leaves with one outcome; what is known is not tried or computed again."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline import runner
from pipeline.fetch import FetchOptions
from pipeline.sources import read_source
from quartzlens.errors import CheckpointError
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Result, Row, Video
from store.memory import MemoryStore
from tests.pipeline.sounds import write_list
from tests.pipeline.standin import DIMENSION, StandInEncoder

ENCODER = StandInEncoder()


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    """An empty store."""
    with MemoryStore() as made:
        yield made


def run(store: MemoryStore, folder: Path, encoder: StandInEncoder = ENCODER, **more: object) -> list[Result]:
    """Ingest what is due, and return the results in order."""
    results: list[Result] = []
    options = FetchOptions(folder / "incoming", media_folder=folder / "media")
    videos = runner.to_try(store, encoder.fingerprint)
    runner.ingest(store, encoder, videos, options, results.append, **more)  # type: ignore[arg-type]
    return results


def add(store: MemoryStore, list_path: Path) -> None:
    """The rows of a list."""
    one = read_source(str(list_path))
    store.add_rows(one.name, one.rows, one.bad_rows)


def test_every_video_leaves_with_one_outcome(store: MemoryStore, tmp_path: Path) -> None:
    """Tones are embedded, text is undecodable, a gone file is missing; the store says what the results say."""
    add(store, write_list(tmp_path / "tones", 6))
    results = run(store, tmp_path)
    outcomes = [result.outcome for result in results]
    assert sorted(outcomes) == ["missing_file", *["ok"] * 6, "undecodable"]
    assert {video.id: video.outcome for video in store.videos()} == {
        result.video_id: result.outcome for result in results
    }
    assert len(store.embeddings(ENCODER.fingerprint).ids) == 6


def test_a_second_run_tries_only_what_may_have_changed(store: MemoryStore, tmp_path: Path) -> None:
    """The missing file is looked for again, the known-bad one is not, and nothing is embedded twice."""
    add(store, write_list(tmp_path / "tones", 3))
    run(store, tmp_path)
    assert [result.outcome for result in run(store, tmp_path)] == ["missing_file"]


def test_a_known_bad_video_is_tried_again_when_asked(store: MemoryStore, tmp_path: Path) -> None:
    """``--retry undecodable`` brings the undecodable file back."""
    add(store, write_list(tmp_path / "tones", 1))
    run(store, tmp_path)
    due = runner.to_try(store, ENCODER.fingerprint, {Outcome.UNDECODABLE})
    assert {Outcome.UNDECODABLE, Outcome.MISSING_FILE} == {video.outcome for video in due}


def test_a_private_video_rests_for_30_days(store: MemoryStore) -> None:
    """A private video is not asked for again within 30 days, and is afterwards, or where the clock went back since."""
    names = ("young", "old", "future")
    store.add_rows("list", [Row("list", n, name, f"https://example.org/{n}") for n, name in enumerate(names, 1)], [])
    now = datetime.now(UTC)
    store.commit([
        Result("young", Outcome.PRIVATE, Stage.DOWNLOAD, (now - timedelta(days=29)).isoformat()),
        Result("old", Outcome.PRIVATE, Stage.DOWNLOAD, (now - timedelta(days=31)).isoformat()),
        Result("future", Outcome.PRIVATE, Stage.DOWNLOAD, (now + timedelta(days=4000)).isoformat()),
    ])  # fmt: skip
    assert [video.id for video in runner.to_try(store, ENCODER.fingerprint)] == ["old", "future"]


def test_another_encoder_has_everything_to_do(store: MemoryStore, tmp_path: Path) -> None:
    """Embeddings of one fingerprint do not count for another."""
    add(store, write_list(tmp_path / "tones", 2))
    run(store, tmp_path)
    other = StandInEncoder(clip_seconds=30.0)
    assert [video.outcome for video in runner.to_try(store, other.fingerprint)].count(Outcome.OK) == 2


def test_a_damaged_link_costs_no_request(store: MemoryStore, tmp_path: Path) -> None:
    """An id of seven characters ends as damaged before anything is asked for."""
    store.add_rows("list", [Row("list", 1, "JLZlCZ0", "JLZlCZ0")], [])
    options = FetchOptions(tmp_path / "incoming")
    results: list[Result] = []
    runner.ingest(
        store, ENCODER, [replace(store.videos()[0], source="https://youtu.be/JLZlCZ0")], options, results.append
    )
    assert [(result.outcome, result.stage) for result in results] == [(Outcome.DAMAGED_LINK, Stage.SOURCE)]


def test_stopping_keeps_what_was_done(store: MemoryStore, tmp_path: Path) -> None:
    """After a stop in the middle, what the encoder had is committed and the rest is still due."""
    add(store, write_list(tmp_path / "tones", 30))
    stop, encoder = Event(), StandInEncoder(delay_seconds=0.1)
    options = FetchOptions(tmp_path / "incoming", media_folder=tmp_path / "media")
    seen: list[Result] = []

    def after_three(result: Result) -> None:
        seen.append(result)
        if len(seen) == 3:
            stop.set()

    runner.ingest(store, encoder, runner.to_try(store, encoder.fingerprint), options, after_three, stop)
    assert 3 <= len(seen) < 30
    assert store.embeddings(encoder.fingerprint).ids == tuple(result.video_id for result in seen)
    assert len(runner.to_try(store, encoder.fingerprint)) == 30 + 2 - len(seen)


def test_a_stop_at_once_keeps_what_was_finished(store: MemoryStore, tmp_path: Path) -> None:
    """A second Ctrl-C ends the run in the middle: all that was reported is committed."""
    add(store, write_list(tmp_path / "tones", 8))
    options, seen = FetchOptions(tmp_path / "incoming", media_folder=tmp_path / "media"), []

    def interrupt_at_the_third(result: Result) -> None:
        seen.append(result.video_id)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.ingest(store, ENCODER, runner.to_try(store, ENCODER.fingerprint), options, interrupt_at_the_third)
    kept = store.embeddings(ENCODER.fingerprint).ids
    assert kept[:3] == tuple(seen)
    assert set(kept) == {video.id for video in store.videos() if video.outcome is Outcome.OK}


class HeldEncoder(StandInEncoder):
    """Finishes its first clip, and the others when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.in_flight, self.n_begun, self.go_on = 6, 0, Event()
        self.given: list[Future[Embedded]] = []

    def submit(self, audio: NDArray[np.float32]) -> Future[Embedded]:
        """Keep the future."""
        self.given.append(super().submit(audio))
        return self.given[-1]

    def encode(self, audio: NDArray[np.float32]) -> Embedded:
        """Wait, but for the first."""
        self.n_begun += 1
        if self.n_begun > 1:
            assert self.go_on.wait(60)
        return super().encode(audio)


def test_a_stop_at_once_leaves_the_encoder_little_to_finish(store: MemoryStore, tmp_path: Path) -> None:
    """After a second Ctrl-C closing the encoder waits for the clip under way, not for all that were submitted."""
    add(store, write_list(tmp_path / "tones", 8))
    encoder, options = HeldEncoder(), FetchOptions(tmp_path / "incoming", media_folder=tmp_path / "media")

    def interrupt(_: Result) -> None:
        until = time.monotonic() + 60
        while len(encoder.given) < 5 and time.monotonic() < until:
            time.sleep(0.005)
        raise KeyboardInterrupt

    videos = [video for video in store.videos() if video.source.endswith(".wav")]
    with pytest.raises(KeyboardInterrupt):
        runner.ingest(store, encoder, videos, options, interrupt)
    encoder.go_on.set()
    encoder.close()
    assert encoder.n_begun == 2
    assert sum(future.cancelled() for future in encoder.given) == len(encoder.given) - 2 >= 3
    assert len(store.embeddings(encoder.fingerprint).ids) == 1


def test_results_come_in_the_order_of_the_videos(store: MemoryStore, tmp_path: Path) -> None:
    """However long each takes to arrive and to encode, results are reported in the list's order."""
    add(store, write_list(tmp_path / "tones", 12))
    due = [video.id for video in runner.to_try(store, ENCODER.fingerprint)]
    encoder = UnevenEncoder()
    assert [result.video_id for result in run(store, tmp_path, encoder)] == due
    assert 1 <= encoder.most_at_a_time <= encoder.in_flight


class UnevenEncoder(StandInEncoder):
    """Encodes three at a time, some of them slowly."""

    def __init__(self) -> None:
        super().__init__()
        self.in_flight, self.n_submitted, self.most_at_a_time, self._now = 3, 0, 0, 0
        self._lock, self._thread = Lock(), ThreadPoolExecutor(8)

    def submit(self, audio: NDArray[np.float32]) -> Future[Embedded]:
        """Count what is under way."""
        with self._lock:
            self.n_submitted, self._now = self.n_submitted + 1, self._now + 1
            self.most_at_a_time = max(self.most_at_a_time, self._now)
        return self._thread.submit(self._slowly, audio, 0.5 if self.n_submitted % 4 == 1 else 0.0)

    def _slowly(self, audio: NDArray[np.float32], seconds: float) -> Embedded:
        time.sleep(seconds)
        with self._lock:
            self._now -= 1
        return self.encode(audio)


class FailingEncoder(StandInEncoder):
    """Fails on every clip with the error it was given."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def encode(self, audio: object) -> object:  # type: ignore[override]
        """Fail."""
        raise self._error


def test_an_unforeseen_error_costs_one_video(store: MemoryStore, tmp_path: Path) -> None:
    """Anything unexpected in the encoder is recorded word for word, and the run goes on."""
    add(store, write_list(tmp_path / "tones", 2))
    results = run(store, tmp_path, FailingEncoder(ValueError("odd shape")))
    assert [result.detail for result in results if result.outcome is Outcome.FAILED] == ["ValueError: odd shape"] * 2


class OverflowingEncoder(StandInEncoder):
    """The second clip's embedding, fragments or profile are not finite."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part, self._n_clips = part, 0

    def encode(self, audio: NDArray[np.float32]) -> Embedded:
        """Overflow at the second clip."""
        embedded, self._n_clips = super().encode(audio), self._n_clips + 1
        endless = np.full((2, DIMENSION), np.inf, np.float32)
        broken = {"embedding": endless[0], "fragments": np.full_like(embedded.fragments, np.nan)}
        if self._n_clips != 2:
            return embedded
        return replace(embedded, **{self._part: broken.get(self._part, {"C1": endless})})


@pytest.mark.parametrize("part", ["embedding", "fragments", "profile"])
def test_an_embedding_that_is_not_finite_costs_one_video(store: MemoryStore, tmp_path: Path, part: str) -> None:
    """It is recorded as failed with the reason; the others of its batch are kept and the run goes on."""
    add(store, write_list(tmp_path / "tones", 4))
    results = [result for result in run(store, tmp_path, OverflowingEncoder(part)) if result.stage is not Stage.DECODE]
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    assert [(result.stage, "not finite" in result.detail) for result in failed] == [(Stage.ENCODE, True)]
    assert sum(result.outcome is Outcome.OK for result in results) == 3
    assert len(store.embeddings(ENCODER.fingerprint).ids) == 3


def test_a_broken_checkpoint_ends_the_run(store: MemoryStore, tmp_path: Path) -> None:
    """What would fail for every video is raised once, not recorded thousands of times."""
    add(store, write_list(tmp_path / "tones", 2))
    with pytest.raises(CheckpointError):
        run(store, tmp_path, FailingEncoder(CheckpointError("does not fit")))
    assert all(video.outcome is None for video in store.videos())


def test_media_and_thumbnail_names_come_from_the_id_alone(store: MemoryStore, tmp_path: Path) -> None:
    """What is kept is named after the video's id, whatever the title says; downloads' folder is gone afterwards."""
    add(store, write_list(tmp_path / "tones", 1))
    run(store, tmp_path)
    video = next(video for video in store.videos() if video.outcome is Outcome.OK)
    assert video.media is not None
    assert video.media.media_file is not None
    assert (tmp_path / "media" / video.media.media_file).stat().st_size > 0
    assert video.media.media_file.startswith(video.id)
    assert video.media.clip_seconds == pytest.approx(1.5, abs=0.01)
    assert not (tmp_path / "incoming").exists()


def test_a_videos_category_needs_its_labels_to_agree() -> None:
    """Labels that disagree leave a video without a category until the list or a person is clear."""
    assert Video("a", "a.wav", categories=("food",)).category == "food"
    assert Video("a", "a.wav", categories=("food", "travel")).category is None
