"""The pause between downloads: what slows it down, how it comes back, and when a download is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pace import BACKOFF_SECONDS, SLOWEST_SECONDS, Pace, Wait, backoff_seconds
from quartzlens.outcomes import Outcome, Retry
from tests.pipeline.fake_time import FakeTime

SETTINGS = st.floats(0.0, 600.0)
ANSWERS = st.lists(st.sampled_from(["limited", "well", "else"]), max_size=40)


def made(setting: float, time: FakeTime, told: list[Wait] | None = None) -> Pace:
    """A pace on a clock of its own."""
    return Pace(setting, time.sleep, (told if told is not None else []).append, time.clock)


def hear(pace: Pace, answer: str) -> None:
    """Tell a pace how a download went."""
    if answer == "limited":
        pace.slow_down()
    elif answer == "well":
        pace.ease()


@given(SETTINGS, ANSWERS)
def test_the_pause_stays_between_the_setting_and_the_cap(setting: float, answers: list[str]) -> None:
    """Whatever sites answer, the mean is never below the setting, nor above 120 s (or the setting, where longer)."""
    pace = made(setting, FakeTime())
    for answer in answers:
        before = pace.mean_seconds
        hear(pace, answer)
        assert setting <= pace.mean_seconds <= max(setting, SLOWEST_SECONDS)
        if answer == "limited":
            assert pace.mean_seconds >= min(2 * before, SLOWEST_SECONDS)
        else:
            assert before >= pace.mean_seconds >= 0.9 * before


@given(SETTINGS, ANSWERS)
def test_two_downloads_are_never_closer_than_their_pause(setting: float, answers: list[str]) -> None:
    """From one download's begin to the next lies the mean pause that holds then, give or take 30 %."""
    time = FakeTime()
    pace = made(setting, time)
    pace.wait()
    for answer in answers:
        began, mean = time.now, pace.mean_seconds
        hear(pace, answer)
        pace.wait()
        mean = pace.mean_seconds if answer == "limited" else mean
        assert 0.7 * mean - 1e-6 <= time.now - began <= 1.3 * mean + 1e-6


@given(SETTINGS, ANSWERS)
def test_enough_successes_bring_the_setting_back(setting: float, answers: list[str]) -> None:
    """After being slowed down as far as it goes, 100 downloads that go well lead back to the usual pause."""
    pace = made(setting, FakeTime())
    for answer in answers:
        hear(pace, answer)
    for _ in range(100):
        pace.ease()
    assert pace.mean_seconds == pytest.approx(setting, abs=0.01)


def test_the_first_download_does_not_wait() -> None:
    """Nothing was asked before it."""
    time = FakeTime()
    made(9.0, time).wait()
    assert time.slept == [0.0]


def test_a_site_that_asks_to_slow_down_is_left_alone_for_the_hold() -> None:
    """The next download waits for the whole hold, the one after it for the doubled pause; both waits are told."""
    time, told = FakeTime(), []
    pace = made(7.0, time, told)
    pace.wait()
    pace.slow_down(240.0)
    pace.wait()
    pace.wait()
    assert time.slept[1] == 240.0
    assert 0.7 * 14 <= time.slept[2] <= 1.3 * 14
    assert told[2:4] == [Wait(240.0, slowed=True), Wait()]


@given(st.integers(0, 20))
def test_usual_pauses_are_told_as_such(n_downloads: int) -> None:
    """Whoever shows the waits hears of each pause and its end, and of none out of the usual while a site is content."""
    time, told = FakeTime(), []
    pace = made(7.0, time, told)
    for _ in range(n_downloads):
        pace.wait()
    assert not any(wait.slowed for wait in told)
    assert told[1::2] == [Wait()] * n_downloads
    assert all(0.7 * 7.0 - 1e-6 <= wait.seconds <= 1.3 * 7.0 + 1e-6 for wait in told[2::2])


def test_without_a_pause_a_site_can_still_slow_the_run_down() -> None:
    """Where no pause was wanted, being asked to slow down makes one of 5 s."""
    pace = made(0.0, FakeTime())
    pace.slow_down()
    assert pace.mean_seconds == 5.0


@pytest.mark.parametrize(("outcome", "n_tries"), [("network", 3), ("forbidden", 2), ("rate_limited", 3)])
def test_each_outcome_has_its_number_of_tries(outcome: str, n_tries: int) -> None:
    """A broken network and a rate limit get three tries, each wait some times the one before; a refusal gets two."""
    waits = [backoff_seconds(Outcome(outcome), tried) for tried in range(1, n_tries + 1)]
    assert waits.pop() is None
    for wait, mean in zip(waits, BACKOFF_SECONDS[Outcome(outcome)], strict=True):
        assert wait is not None
        assert 0.7 * mean <= wait <= 1.3 * mean
    assert waits == sorted(waits, key=float)


def test_what_is_worth_a_try_now_is_tried_again() -> None:
    """Exactly the outcomes whose retry is now have a time to wait for it."""
    assert {outcome for outcome in Outcome if backoff_seconds(outcome, 1)} == {
        outcome for outcome in Outcome if outcome.retry is Retry.NOW
    }
