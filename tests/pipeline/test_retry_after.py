"""Sites that say how long they want to be left alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import HTTPError

from pipeline.fetch import Fetcher, FetchOptions
from pipeline.pace import LONGEST_HOLD_SECONDS, Pace
from pipeline.prepare import Prepared
from pipeline.retry_after import Listener, seconds_of
from pipeline.work import Refused
from quartzlens.outcomes import Outcome
from quartzlens.records import Video
from tests.pipeline.fake_time import FakeTime
from tests.pipeline.server import Server, serving
from tests.pipeline.sounds import write_tone
from tests.pipeline.standin import StandInEncoder

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FINGERPRINT = StandInEncoder().fingerprint


def date(seconds: float) -> str:
    """A date of HTTP, so many seconds from now."""
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        (date(90), 90.0),
        (date(90).replace("GMT", "-0000"), 90.0),
        *(
            (garbage, None)
            for garbage in ("0", "-1", "1000000000000", "999999", "1e3", "NaN", "inf", "soon", "", "\u0663")
        ),
        *((garbage, None) for garbage in (date(0), date(-500), date(86_400 * 30), "Mon, 99 Foo 2026 00:00:00 GMT")),
        (None, None),
        (120, None),
    ],
)
def test_seconds_and_dates_are_understood(header: object, seconds: float | None) -> None:
    """A number of seconds or a date to come is heeded; what is past, absurd or neither is as if it were not there."""
    assert seconds_of(header, NOW) == seconds


@given(st.text(max_size=60))
def test_no_header_is_an_accident(header: str) -> None:
    """Whatever a host writes, the answer is some seconds of a week or none."""
    seconds = seconds_of(header, NOW)
    assert seconds is None or 0 < seconds <= 7 * 86_400


def test_the_answer_that_the_words_name_counts() -> None:
    """An answer that yt-dlp got over is not taken for the one that ended it; what is no error is passed on."""
    answers = iter([(429, "60"), (503, "20"), (503, "30"), (404, None), None])

    def urlopen(request: str) -> str:
        answer = next(answers)
        if answer is None:
            return request
        asked = {} if answer[1] is None else {"Retry-After": answer[1]}
        raise HTTPError(Response(BytesIO(), "http://127.0.0.1/a", asked, status=answer[0]))

    ydl = SimpleNamespace(urlopen=urlopen)
    listener = Listener(ydl)
    for _ in range(4):
        with pytest.raises(HTTPError):
            ydl.urlopen("a")
    assert ydl.urlopen("a") == "a"
    assert listener.seconds("Got error: HTTP Error 503: Service Unavailable. Giving up after 1 retries") == 30.0
    assert listener.seconds("Unable to download webpage: HTTP Error 429: Too Many Requests") == 60.0
    assert listener.seconds("HTTP Error 404: Not Found") is None
    assert listener.seconds("Private video") is None


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Server]:
    """A host with one tone."""
    write_tone(tmp_path / "host" / "tone.wav", 3)
    with serving(tmp_path / "host") as server:
        yield server


def fetched(
    host: Server, folder: Path, answers: list[int], retry_after: str
) -> tuple[Prepared | Refused, float, Fetcher]:
    """What comes of a tone whose host first answers so, how long that took, and who asked."""
    host.answers, host.retry_after = answers, retry_after
    options = FetchOptions(folder / "incoming", 7.0, frozenset({"127.0.0.1"}), patient=True)
    with Fetcher(FINGERPRINT, options) as fetcher:
        clock = FakeTime()
        fetcher.asker._sleep, fetcher.asker._pace = clock.sleep, Pace(7.0, clock.sleep, clock=clock.clock)
        arrived = fetcher.fetch(Video("tone", f"{host.address}/files/tone.wav"))
        passed = clock.now - 1000.0
        clock.slept.clear()
        fetcher.asker._pace.wait()
        return arrived, passed, fetcher


@pytest.mark.parametrize("status", [429, 503])
def test_a_site_is_left_alone_as_long_as_it_asks(host: Server, tmp_path: Path, status: int) -> None:
    """With 429 and 503 alike, the next request comes no earlier than the site said, and finds the video."""
    arrived, seconds, _ = fetched(host, tmp_path, [status], "200")
    assert isinstance(arrived, Prepared)
    assert 200 <= seconds < 300


def test_less_than_the_usual_wait_changes_nothing(host: Server, tmp_path: Path) -> None:
    """A site that asks for a second after 429 is left alone for the minute that it would have got anyway."""
    arrived, seconds, _ = fetched(host, tmp_path, [429], "1")
    assert isinstance(arrived, Prepared)
    assert seconds >= 0.7 * 60


@pytest.mark.parametrize("status", [403, 404, 500])
def test_other_answers_hold_nobody(host: Server, tmp_path: Path, status: int) -> None:
    """The header beside an answer that it does not belong to is not heeded: a missing file keeps no one waiting."""
    _, _, fetcher = fetched(host, tmp_path, [status] * 5, "900")
    assert fetcher.asker._pace._clock() - 1000.0 < 100


@pytest.mark.parametrize(("status", "outcome"), [(429, Outcome.RATE_LIMITED), (503, Outcome.NETWORK)])
def test_who_asks_for_hours_gets_a_quarter_of_an_hour(
    host: Server, tmp_path: Path, status: int, outcome: Outcome
) -> None:
    """A wait that is longer than any try's leaves the video for a later ingest; the others wait for the cap alone."""
    arrived, seconds, fetcher = fetched(host, tmp_path, [status] * 5, "7200")
    assert isinstance(arrived, Refused)
    assert (arrived.outcome, arrived.retry_after_seconds, seconds) == (outcome, 7200.0, 0.0)
    assert len(host.asked) == 1
    assert fetcher.asker._pace._clock() - 1000.0 == LONGEST_HOLD_SECONDS


def test_garbage_is_not_heeded(host: Server, tmp_path: Path) -> None:
    """A host that asks for a million years is asked again as if it had said nothing."""
    arrived, seconds, _ = fetched(host, tmp_path, [503], "1000000000000")
    assert isinstance(arrived, Prepared)
    assert seconds < 30
