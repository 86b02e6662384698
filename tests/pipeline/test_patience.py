"""Links that fail for the moment: tried again, slowly, and left alone where the site wants that; real yt-dlp."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from pipeline import runner
from pipeline.asking import BlockedError
from pipeline.fetch import Fetcher, FetchOptions
from pipeline.pace import Pace, Wait
from pipeline.pool import ClosedError
from pipeline.prepare import Prepared
from pipeline.work import TIMEOUT_SECONDS, Refused
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Row, Video
from store.memory import MemoryStore
from tests.pipeline.fake_time import FakeTime
from tests.pipeline.server import Server, serving
from tests.pipeline.site import with_site
from tests.pipeline.sounds import write_tone
from tests.pipeline.standin import StandInEncoder

FINGERPRINT = StandInEncoder().fingerprint
BLOCKED = "Sign in to confirm you\u2019re not a bot. Use --cookies-from-browser"
LIMITED = "Video unavailable. The current session has been rate-limited by YouTube"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Server]:
    """A host with one tone."""
    write_tone(tmp_path / "host" / "tone.wav", 3)
    with serving(tmp_path / "host") as server:
        yield server


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site whose links say what it answers."""
    monkeypatch.syspath_prepend(str(with_site(tmp_path / "plugins")))


def options(folder: Path, cookies: Path | None = None, *, patient: bool = True, pause: float = 7.0) -> FetchOptions:
    """An ingest's, on loopback."""
    allowed = frozenset({"127.0.0.1"})
    return FetchOptions(folder / "incoming", pause, allowed, cookies=cookies, patient=patient)


def hurried(fetcher: Fetcher) -> FakeTime:
    """Let a fetcher's waits pass at once; gives what they were."""
    fake = FakeTime()
    fetcher.asker._sleep, fetcher.asker._pace = fake.sleep, Pace(7.0, fake.sleep, clock=fake.clock)
    return fake


def tone(host: Server) -> Video:
    """The host's tone."""
    return Video("tone", f"{host.address}/files/tone.wav")


def saying(host: Server, words: str, name: str = "video") -> Video:
    """A video of which the site says something."""
    return Video(name, f"{host.address}/site/{name}?say={quote(words)}")


def refusal(arrived: Prepared | Refused) -> tuple[Outcome, str]:
    """How a refused video ended."""
    assert isinstance(arrived, Refused)
    return arrived.outcome, arrived.detail


@pytest.mark.parametrize(
    ("answers", "means"),
    [([503], [5.0]), ([503, 500], [5.0, 20.0]), ([403], [5.0]), ([429], [60.0]), ([429, 429], [60.0, 240.0])],
)
def test_what_passes_is_waited_for(host: Server, tmp_path: Path, answers: list[int], means: list[float]) -> None:
    """A broken, refusing or overasked host is asked again after the wait of its kind, and the video arrives."""
    host.answers += answers
    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        fake = hurried(fetcher)
        assert isinstance(fetcher.fetch(tone(host)), Prepared)
    waited = fake.now - 1000.0
    usual_pauses = 0.0 if 429 in answers else 7.0 * len(answers)
    assert 0.7 * sum(means) <= waited <= 1.3 * (sum(means) + usual_pauses)
    assert host.answers == []


@pytest.mark.parametrize(
    ("status", "outcome", "n_tries"), [(503, "network", 3), (403, "forbidden", 2), (429, "rate_limited", 3)]
)
def test_what_does_not_pass_is_given_up(host: Server, tmp_path: Path, status: int, outcome: str, n_tries: int) -> None:
    """After its number of tries a video has the last one's outcome, which says how many there were."""
    host.answers += [status] * 20
    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        hurried(fetcher)
        ended, detail = refusal(fetcher.fetch(tone(host)))
    assert ended == outcome
    assert str(status) in detail
    assert detail.endswith(f"(after {n_tries} tries)")
    assert len(host.asked) == n_tries


def test_the_outcome_is_the_last_ones(host: Server, tmp_path: Path) -> None:
    """A host that was broken and then refuses has refused."""
    host.answers += [503, 403]
    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        hurried(fetcher)
        ended, detail = refusal(fetcher.fetch(tone(host)))
    assert (ended, len(host.asked)) == (Outcome.FORBIDDEN, 2)
    assert detail.endswith("(after 2 tries)")


def test_a_link_asked_for_by_hand_is_tried_once(host: Server, tmp_path: Path) -> None:
    """A query's link answers at once, also where it fails."""
    host.answers += [503]
    with Fetcher(FINGERPRINT, options(tmp_path, patient=False)) as fetcher:
        fake = hurried(fetcher)
        ended, detail = refusal(fetcher.fetch(tone(host)))
    assert (ended, len(host.asked), fake.slept) == (Outcome.NETWORK, 1, [0.0])
    assert "tries" not in detail


def test_links_asked_for_by_hand_are_never_held_up(host: Server, tmp_path: Path) -> None:
    """However often a site refuses queries, the next one is asked for, after the usual pause."""
    with Fetcher(FINGERPRINT, options(tmp_path, patient=False)) as fetcher:
        hurried(fetcher)
        for words in (LIMITED, *[BLOCKED] * 4):
            assert isinstance(fetcher.fetch(saying(host, words)), Refused)
        assert isinstance(fetcher.fetch(tone(host)), Prepared)
        assert fetcher.asker._pace.mean_seconds == 7.0


def test_what_stays_as_it_is_is_not_asked_for_again(host: Server, tmp_path: Path) -> None:
    """A private video is private at once, without a wait."""
    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        fake = hurried(fetcher)
        ended, detail = refusal(fetcher.fetch(saying(host, "Private video")))
    assert ended is Outcome.PRIVATE
    assert detail.endswith("Private video")
    assert fake.slept == [0.0]


def test_a_rate_limit_slows_the_downloads_after_it_down(host: Server, tmp_path: Path) -> None:
    """Asked to slow down, the pause doubles; each download that goes well takes a tenth off."""
    host.answers += [429]
    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        hurried(fetcher)
        fetcher.fetch(tone(host))
        assert fetcher.asker._pace.mean_seconds == pytest.approx(14.0 * 0.9)
        fetcher.fetch(tone(host))
        assert fetcher.asker._pace.mean_seconds == pytest.approx(14.0 * 0.9**2)
        fetcher.fetch(saying(host, "Private video"))
        assert fetcher.asker._pace.mean_seconds == pytest.approx(14.0 * 0.9**2)


def test_others_download_while_one_backs_off(host: Server, tmp_path: Path) -> None:
    """A video whose host is broken holds up no other; it is tried again when its wait is over."""
    host.answers += [503]
    backing_off, go_on = threading.Event(), threading.Event()

    def sleep(_: float) -> None:
        backing_off.set()
        assert go_on.wait(60)

    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher, ThreadPoolExecutor(1) as thread:
        hurried(fetcher)
        fetcher.asker._sleep = sleep
        first = thread.submit(fetcher.fetch, tone(host))
        assert backing_off.wait(60)
        assert isinstance(fetcher.fetch(Video("other", tone(host).source)), Prepared)
        assert not first.done()
        go_on.set()
        assert isinstance(first.result(60), Prepared)


@pytest.mark.parametrize("words", ["HTTP Error 503", LIMITED])
def test_closing_ends_a_long_wait(host: Server, tmp_path: Path, words: str) -> None:
    """Neither a back-off nor a slowed pause outlives the fetcher, and nothing is asked after it."""
    waits = threading.Event()
    with ThreadPoolExecutor(1) as thread, Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        wait = fetcher.asker._closing.wait

        def announced(seconds: float) -> bool:
            if seconds:
                waits.set()
            return wait(600.0 if seconds else 0.0)

        fetcher.asker._sleep, fetcher.asker._pace = announced, Pace(7.0, announced)
        fetched = thread.submit(fetcher.fetch, saying(host, words))
        assert waits.wait(60)
        fetcher.close()
        assert isinstance(fetched.exception(20), ClosedError)


def test_what_is_under_way_at_the_end_has_no_outcome(host: Server, tmp_path: Path) -> None:
    """A download that the end of the run killed is not told as a loss of its video."""
    fetcher = Fetcher(FINGERPRINT, options(tmp_path, pause=0.0))
    with ThreadPoolExecutor(1) as thread:
        fetched = thread.submit(fetcher.fetch, Video("stalled", f"{host.address}/stall/a.wav"))
        while not host.asked:
            time.sleep(0.02)
        fetcher.close()
        assert isinstance(fetched.exception(20), ClosedError)


def test_a_killed_download_leaves_nothing(host: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its worker had written goes at once, not only when the run ends."""
    monkeypatch.setitem(TIMEOUT_SECONDS, Stage.DOWNLOAD, 4.0)
    with Fetcher(FINGERPRINT, options(tmp_path, pause=0.0)) as fetcher:
        ended, _ = refusal(fetcher.fetch(Video("endless", f"{host.address}/endless/a.wav")))
        assert ended is Outcome.NETWORK
        assert list((tmp_path / "incoming").glob("endless*")) == []


def test_a_third_answer_to_a_bot_ends_the_asking(host: Server, tmp_path: Path) -> None:
    """After three in a row no link is asked for, and what to do is said; files are still read."""
    file = write_tone(tmp_path / "own.wav", 1)
    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        hurried(fetcher)
        for _ in range(3):
            fetcher.asker.check_blocked()
            assert refusal(fetcher.fetch(saying(host, BLOCKED)))[0] is Outcome.BLOCKED_AS_BOT
        with pytest.raises(BlockedError, match="--cookies FILE"):
            fetcher.fetch(tone(host))
        assert isinstance(fetcher.fetch(Video("own", str(file))), Prepared)
    assert host.asked == []


def test_answers_to_a_bot_count_only_in_a_row(host: Server, tmp_path: Path) -> None:
    """A download between them begins the count anew."""
    blocked = saying(host, BLOCKED)
    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        hurried(fetcher)
        for video in (blocked, blocked, tone(host), blocked, blocked, tone(host)):
            fetcher.fetch(video)
        fetcher.asker.check_blocked()
    assert host.asked


def ingested(store: MemoryStore, videos: list[Video], wanted: FetchOptions, **more: object) -> None:
    """Ingest videos as a list's."""
    store.add_rows("list", [Row("list", n, video.id, video.source) for n, video in enumerate(videos, 1)], [])
    encoder = StandInEncoder()
    runner.ingest(store, encoder, store.videos(), wanted, **more)  # type: ignore[arg-type]


def test_a_run_that_is_taken_for_a_bot_ends_itself(host: Server, tmp_path: Path) -> None:
    """Three links are asked for, the others stay pending, and files are embedded wherever they stand in the list."""
    before, after = (Video(name, str(write_tone(tmp_path / f"{name}.wav", 1))) for name in ("before", "after"))
    blocked = [saying(host, BLOCKED, f"b{number}") for number in range(20)]
    with MemoryStore() as store:
        with pytest.raises(BlockedError):
            ingested(store, [before, *blocked, after], options(tmp_path, pause=0.0))
        outcomes = {video.id: video.outcome for video in store.videos()}
    assert outcomes.pop("before") == outcomes.pop("after") == "ok"
    assert Counter(outcomes.values()) == {"blocked_as_bot": 3, None: 17}


def test_who_backs_off_while_others_are_taken_for_bots_keeps_its_outcome(host: Server, tmp_path: Path) -> None:
    """Its further tries are not made; what its first one came to stays."""
    host.answers += [503] * 9
    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        hurried(fetcher)

        def others(_: float) -> None:
            fetcher.asker._n_blocked = 3

        fetcher.asker._sleep = others
        ended, detail = refusal(fetcher.fetch(tone(host)))
    assert ended is Outcome.NETWORK
    assert "tries" not in detail
    assert len(host.asked) == 1


def test_a_download_that_was_stopped_at_its_limit_is_not_begun_again(
    host: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five minutes of the one downloader are enough for a link in one run."""
    monkeypatch.setitem(TIMEOUT_SECONDS, Stage.DOWNLOAD, 3.0)
    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        fake = hurried(fetcher)
        ended, detail = refusal(fetcher.fetch(Video("endless", f"{host.address}/stall/a.wav")))
    assert ended is Outcome.NETWORK
    assert "stopped after 3 s" in detail
    assert fake.slept == [0.0]


def test_a_run_that_ends_blocked_says_so(host: Server, tmp_path: Path) -> None:
    """Also where the third blocked video was the last."""
    with MemoryStore() as store, pytest.raises(BlockedError):
        ingested(store, [saying(host, BLOCKED, f"b{n}") for n in range(3)], options(tmp_path, pause=0.0))


def test_stopping_does_not_wait_for_a_site_to_calm_down(host: Server, tmp_path: Path) -> None:
    """Ctrl-C during a wait of a minute ends the run with the video still pending, and the wait was told before."""
    stop, told = threading.Event(), []

    def on_wait(wait: Wait) -> None:
        if wait.slowed:
            told.append(wait.seconds)
            stop.set()

    with MemoryStore() as store:
        ingested(store, [saying(host, LIMITED)], options(tmp_path), stop=stop, on_wait=on_wait)
        assert [video.outcome for video in store.videos()] == [None]
    assert 0.65 * 60 <= told[0] <= 1.3 * 60
