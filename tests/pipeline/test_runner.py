"""The one loop: every video leaves with one outcome; what is known is not tried or computed again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from pipeline import runner
from pipeline.fetch import FetchOptions
from pipeline.sources import read_source
from quartzlens.errors import CheckpointError
from quartzlens.records import Outcome, Result, Row, Stage, Video
from store.memory import MemoryStore
from tests.pipeline.sounds import write_list
from tests.pipeline.standin import StandInEncoder

ENCODER = StandInEncoder()


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    """An empty store."""
    with MemoryStore() as made:
        yield made


def run(store: MemoryStore, folder: Path, encoder: StandInEncoder = ENCODER, **more: object) -> list[Result]:
    """Ingest what is due, and return the results in order."""
    results: list[Result] = []
    options = FetchOptions(folder / "incoming", folder / "media")
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
    """A private video is not asked for again within 30 days, and is afterwards."""
    store.add_rows(
        "list", [Row("list", 1, "young", "https://example.org/1"), Row("list", 2, "old", "https://example.org/2")], []
    )
    now = datetime.now(UTC)
    store.commit([
        Result("young", Outcome.PRIVATE, Stage.DOWNLOAD, (now - timedelta(days=29)).isoformat()),
        Result("old", Outcome.PRIVATE, Stage.DOWNLOAD, (now - timedelta(days=31)).isoformat()),
    ])  # fmt: skip
    assert [video.id for video in runner.to_try(store, ENCODER.fingerprint)] == ["old"]


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
    """After a stop in the middle, finished videos are committed and the rest is still due."""
    add(store, write_list(tmp_path / "tones", 8))
    stop = Event()
    options = FetchOptions(tmp_path / "incoming", tmp_path / "media")
    seen: list[Result] = []

    def after_three(result: Result) -> None:
        seen.append(result)
        if len(seen) == 3:
            stop.set()

    runner.ingest(store, ENCODER, runner.to_try(store, ENCODER.fingerprint), options, after_three, stop)
    assert len(seen) == 3
    assert len(store.embeddings(ENCODER.fingerprint).ids) == 3
    assert len(runner.to_try(store, ENCODER.fingerprint)) == 8 + 2 - 3


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
