"""The feed: the encoder always has work, never too much, and a stop loses nothing that it was given."""

import time
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline import feed as feed_module
from pipeline.feed import Arrivals, Feed
from pipeline.prepare import Prepared
from pipeline.work import Refused
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Media, Video
from tests.pipeline.standin import StandInEncoder

MEDIA = Media(1.0, 1.0, -20.0, "pcm_s16le", 16_000)


class HandEncoder(StandInEncoder):
    """Finishes a clip when the test says so."""

    def __init__(self, in_flight: int) -> None:
        super().__init__()
        self.in_flight = in_flight
        self.given: list[Future[Embedded]] = []

    def submit(self, audio: NDArray[np.float32]) -> Future[Embedded]:
        """Take a clip."""
        self.given.append(Future())
        return self.given[-1]

    def finish(self, number: int) -> None:
        """Finish the clip of that number."""
        self.given[number].set_result(self.encode(np.ones(16_000, np.float32)))


def arriving(n_videos: int, refused: tuple[int, ...] = ()) -> Arrivals:
    """Clips that are there at once, some of them refused."""
    for number in range(n_videos):
        clip = Prepared(np.ones(16_000, np.float32), MEDIA)
        yield (
            Video(f"v{number}", "a.wav"),
            Refused(Outcome.NO_AUDIO, Stage.DECODE, "") if number in refused else clip,
        )


def wait_until(condition: Callable[[], bool]) -> None:
    """Until it holds, a while at most."""
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    assert condition()


def take_all(feed: Feed) -> list[str]:
    """Ids of all that can still be taken."""
    taken = []
    while not feed.over:
        fed = feed.take(20)
        if fed is not None:
            taken.append(fed.video.id)
    return taken


def test_the_encoder_gets_as_many_as_it_takes_while_nobody_takes_results() -> None:
    """Two clips are given at first, and the next as soon as one is finished, however busy the taker is."""
    encoder = HandEncoder(in_flight=2)
    feed = Feed(encoder, arriving(6))
    for n_given in range(2, 7):
        wait_until(lambda n_given=n_given: len(encoder.given) == n_given)
        time.sleep(0.02)
        assert len(encoder.given) == n_given
        encoder.finish(n_given - 2)
    encoder.finish(5)
    assert take_all(feed) == [f"v{number}" for number in range(6)]


def test_refused_videos_keep_their_place_and_need_no_room() -> None:
    """What did not decode comes at its turn, while the encoder is full."""
    encoder = HandEncoder(in_flight=1)
    feed = Feed(encoder, arriving(4, refused=(1, 2)))
    taken = [feed.take(20) for _ in range(3)]
    assert [fed.video.id for fed in taken if fed] == ["v0", "v1", "v2"]
    assert [fed.embedded is None for fed in taken if fed] == [False, True, True]
    assert feed.take(0.05) is None
    assert not feed.over
    encoder.finish(0)
    assert take_all(feed) == ["v3"]


def test_after_a_stop_what_was_given_can_be_taken_and_nothing_more_is_given() -> None:
    """The clips that the encoder has come out, the others stay where they are, and the thread ends."""
    encoder = HandEncoder(in_flight=2)
    feed = Feed(encoder, arriving(100))
    wait_until(lambda: len(encoder.given) == 2)
    feed.stop()
    for number in range(2):
        encoder.finish(number)
    assert take_all(feed) == ["v0", "v1"]
    assert len(encoder.given) == 2
    wait_until(lambda: not feed._thread.is_alive())


def test_what_is_not_begun_is_taken_back_on_request() -> None:
    """After ``cancel`` the encoder has nothing left to begin; what it computes goes on."""
    encoder = HandEncoder(in_flight=3)
    feed = Feed(encoder, arriving(100))
    wait_until(lambda: len(encoder.given) == 3)
    encoder.given[0].set_running_or_notify_cancel()
    feed.cancel()
    assert [future.cancelled() for future in encoder.given] == [False, True, True]
    wait_until(lambda: not feed._thread.is_alive())
    assert len(encoder.given) == 3


def test_a_taker_that_never_comes_bounds_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished videos that nobody takes are so many at most: memory stays flat."""
    monkeypatch.setattr(feed_module, "BACKLOG", 5)
    encoder = StandInEncoder()
    arrived: list[Video] = []

    def counted() -> Arrivals:
        for video, arrival in arriving(100):
            arrived.append(video)
            yield video, arrival

    feed = Feed(encoder, counted())
    wait_until(lambda: len(arrived) == 6)
    time.sleep(0.1)
    assert len(arrived) == 6
    assert len(take_all(feed)) == 100


def test_what_ends_the_arrivals_is_raised_at_its_turn() -> None:
    """Videos before the error can still be taken."""

    def broken() -> Arrivals:
        yield from arriving(1, refused=(0,))
        raise LookupError("no more")

    feed = Feed(HandEncoder(1), broken())
    assert feed.take(20) is not None
    with pytest.raises(LookupError, match="no more"):
        feed.take(20)


def test_the_audio_is_not_kept() -> None:
    """What waits to be taken holds the facts of a clip, not its sound."""
    feed = Feed(HandEncoder(1), arriving(1))
    fed = feed.take(20)
    assert fed is not None
    assert isinstance(fed.arrival, Prepared)
    assert fed.arrival.media == MEDIA
    assert len(fed.arrival.audio) == 0
