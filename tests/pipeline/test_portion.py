"""What one ingest takes of the videos that are due, and what it leaves for the next."""

from collections.abc import Iterator
from itertools import chain, count

from hypothesis import given
from hypothesis import strategies as st

from pipeline.portion import Portion
from quartzlens.outcomes import Outcome
from quartzlens.records import Video

VIDEOS = [Video(f"v{number}", f"https://example.org/{number}") for number in range(10)]


def ids(portion: Portion) -> list[str]:
    """Ids of what is taken."""
    return [video.id for video in portion]


@given(st.integers(0, 10), st.none() | st.integers(0, 12), st.none() | st.integers(0, 12))
def test_what_is_taken_and_what_is_left_are_all(n_videos: int, max_videos: int | None, max_hours: int | None) -> None:
    """Of videos that take an hour each, as many are taken in their order as both limits allow; the rest is left."""
    hours = chain([0], count())
    portion = Portion(VIDEOS[:n_videos], max_videos, max_hours, lambda: 3600.0 * next(hours))
    taken = ids(portion)
    n_taken = min(limit for limit in (n_videos, max_videos, max_hours) if limit is not None)
    assert taken == [video.id for video in VIDEOS[:n_taken]]
    assert portion.n_left == n_videos - len(taken)


@given(
    st.integers(0, 4),
    st.lists(st.integers(0, 3), max_size=4),
    st.none() | st.integers(0, 12),
    st.none() | st.integers(1, 9),
)
def test_pages_are_asked_for_as_far_as_the_limits_let(
    n_known: int, page_sizes: list[int], max_videos: int | None, max_hours: int | None
) -> None:
    """Known videos come first, then those of one page after the other; none is asked for once a limit is reached."""
    clock = [0.0]
    asked: list[int] = []
    totals: list[int] = []

    def pages() -> Iterator[list[Video]]:
        for number, size in enumerate(page_sizes):
            asked.append(number)
            yield [Video(f"p{number}-{n}", "https://example.org") for n in range(size)]

    portion = Portion(VIDEOS[:n_known], max_videos, max_hours, lambda: clock[0], totals.append)
    taken = []
    for video in chain(portion, chain.from_iterable(portion.more(pages()))):
        taken.append(video.id)
        clock[0] += 3600.0
    every = [video.id for video in VIDEOS[:n_known]]
    every += [f"p{number}-{n}" for number, size in enumerate(page_sizes) for n in range(size)]
    limit = min(one for one in (len(every), max_videos, max_hours) if one is not None)
    assert taken == every[:limit]
    seen = n_known + sum(page_sizes[: len(asked)])
    assert portion.n_left == seen - len(taken)
    assert asked == list(range(len(asked)))
    before_last = n_known + sum(page_sizes[: max(0, len(asked) - 1)])
    assert not asked or before_last < min(one for one in (max_videos, max_hours, 10**9) if one is not None)
    assert totals == sorted(totals)
    assert not totals or totals[-1] == min(seen, 10**9 if max_videos is None else max_videos)


def test_no_time_takes_nothing() -> None:
    """0 hours are over at once, whatever the clock shows."""
    portion = Portion(VIDEOS, max_hours=0.0, clock=lambda: 5.0)
    assert ids(portion) == []
    assert list(portion.more([VIDEOS])) == []
    assert portion.n_left == 10


def test_a_portion_goes_on_where_the_last_one_ended() -> None:
    """Videos that failed do not come first again and again: new ones do, then the one whose try is longest ago."""
    due = [
        Video("young", "a", outcome=Outcome.NETWORK, tried_at="2026-11-24T10:00:00+00:00"),
        Video("old", "b", outcome=Outcome.FAILED, tried_at="2026-11-23T10:00:00+00:00"),
        Video("other-encoder", "c", outcome=Outcome.OK, tried_at="2026-11-24T11:00:00+00:00"),
        Video("new", "d"),
    ]
    assert ids(Portion(due, 3)) == ["new", "other-encoder", "old"]
    assert ids(Portion(due)) == ["new", "other-encoder", "old", "young"]


def test_what_went_well_is_not_done_twice_before_the_rest_is_done_once() -> None:
    """With ``--retry ok`` the portion after goes on with those whose last try is longest ago."""
    due = [Video(f"v{n}", "a", outcome=Outcome.OK, tried_at=f"2026-11-2{5 - n}T10:00:00+00:00") for n in range(3)]
    assert ids(Portion(due, 2)) == ["v2", "v1"]
