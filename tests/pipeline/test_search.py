"""Searching by title with the real yt-dlp, on loopback."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.container import Refusal
from pipeline.download import DownloadLimits
from pipeline.search import Hit, look_up, search
from pipeline.worker import Worker
from quartzlens.outcomes import Outcome
from tests.pipeline.search_site import SearchServer, entry, searching, with_search

LIMITS = DownloadLimits(frozenset({"127.0.0.1"}), socket_timeout_seconds=2.0)
HOSTILE = [
    *(None, 7, "text", [], {}, {"title": "no id"}, entry(7), entry(None), entry("short"), entry("twelveletter")),
    *(entry("../../etc/p"), entry("elevenele\n\n"), entry("\ud800aaaaaaaaaa")),
    *(entry("a" * 10 + str(digit), ["no", "text"], {"no": "text"}) for digit in range(2)),
    {**entry("b" * 11), "url": 7, "_type": 9, "ie_key": []},
    {**entry("c" * 11, "x" * 100_000, None), "uploader": "Up\t loader"},
    entry("d" * 11, "lone \ud800 surrogate\nand\u2028lines", ""),
]

Ask = Callable[..., object]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[SearchServer]:
    """A search that finds what the test puts in."""
    with searching({}, {}) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: SearchServer) -> Iterator[Ask]:
    """Call a function in a worker process that has the plugin."""
    monkeypatch.syspath_prepend(str(with_search(tmp_path / "plugins")))
    with Worker(None) as worker:
        yield lambda function, *arguments: worker.call(function, *arguments, LIMITS, None, timeout_seconds=60)


def test_a_search_gives_its_hits_in_order_by_one_request(site: SearchServer, ask: Ask) -> None:
    """As many as were asked for, whatever the words mean to yt-dlp, and nothing is visited."""
    title = "ytsearch3: -- \u201cq\u201d https://x?a=b&c %s \U0001f600"
    site.found = {title: [entry(f"{n:011}", f"T{n}", "C") for n in range(9)]}
    found = ask(search, title.replace(" ", "\n  "), 5)
    assert found == tuple(Hit(f"{n:011}", f"T{n}", "C") for n in range(5))
    assert site.asked == [("search", title)]


def test_nothing_found_is_no_error(ask: Ask) -> None:
    """A title that nobody has leads to no hits."""
    assert ask(search, "nobody has it", 20) == ()


def test_hostile_entries_are_dropped(site: SearchServer, ask: Ask) -> None:
    """What has no id of a video is no hit; words of no text are none, long ones are cut, all on one line of UTF-8."""
    site.found = {"q": HOSTILE}
    found = ask(search, "q", 50)
    assert isinstance(found, tuple)
    assert [hit.youtube_id for hit in found] == ["a" * 10 + "0", "a" * 10 + "1", "b" * 11, "c" * 11, "d" * 11]
    assert found[0] == Hit("a" * 10 + "0", "", None)
    assert found[3] == Hit("c" * 11, "x" * 300, "Up loader")
    assert found[4] == Hit("d" * 11, "lone ? surrogate and lines", None)


def test_a_huge_answer_gives_no_more_than_was_asked_for(site: SearchServer, ask: Ask) -> None:
    """Ten thousand entries are twenty hits, and of those alone that are videos."""
    site.found = {"q": [entry("short"), *(entry(f"{n:011}") for n in range(10_000))]}
    found = ask(search, "q", 20)
    assert isinstance(found, tuple)
    assert len(found) == 19


def test_a_long_title_is_cut(site: SearchServer, ask: Ask) -> None:
    """A title is searched for by 200 characters at most, and an empty one is a mistake of the caller."""
    ask(search, "x" * 5000, 20)
    assert site.asked == [("search", "x" * 200)]
    with pytest.raises(ValueError, match="without a title"):
        ask(search, " \n", 20)


def test_a_look_tells_title_and_channel(site: SearchServer, ask: Ask) -> None:
    """Also of an id that begins with a dash; no format is needed."""
    site.videos = {"-abcdefghij": {"id": "other", "title": "T", "uploader": "C"}}
    assert ask(look_up, "-abcdefghij") == Hit("-abcdefghij", "T", "C")
    assert site.asked == [("video", "-abcdefghij")]


@pytest.mark.parametrize("function", [search, look_up])
@pytest.mark.parametrize(
    ("say", "outcome"),
    [("Sign in to confirm you\u2019re not a bot", "blocked_as_bot"), ("Private video", "private"), ("Hm", "failed")],
)
def test_what_the_site_says_is_an_outcome(
    site: SearchServer, ask: Ask, function: Callable[..., object], say: str, outcome: str
) -> None:
    """Searches and looks fail by the same table as downloads."""
    site.found = site.videos = {"a" * 11: {"say": say}}
    got = ask(function, "a" * 11, *([20] if function is search else []))
    assert isinstance(got, Refusal)
    assert (got.outcome, say in got.detail) == (outcome, True)


@pytest.mark.parametrize(
    "title",
    [
        "Why the McRib is no longer available",
        "HTTP Error 429 explained",
        "Sign in to confirm you're not a bot",
        'A "private video" of a query "q" page 1:',
    ],
)
def test_a_title_says_nothing_of_its_search(site: SearchServer, ask: Ask, title: str) -> None:
    """Words of the outcome table in a stranger's title are none of yt-dlp's, and are not kept as such."""
    site.statuses = [500] * 9
    got = ask(search, title, 20)
    assert isinstance(got, Refusal)
    assert got.outcome is Outcome.NETWORK
    assert title not in got.detail
    assert got.detail.startswith("query page 1: Unable to download API page: HTTP Error 500")


@pytest.mark.parametrize(("status", "outcome"), [(429, "rate_limited"), (403, "forbidden"), (500, "network")])
def test_statuses_are_outcomes(site: SearchServer, ask: Ask, status: int, outcome: str) -> None:
    """A site that is broken or overasked is told from one that finds nothing."""
    site.statuses = [status] * 9
    got = ask(search, "q", 20)
    assert isinstance(got, Refusal)
    assert got.outcome == outcome


def test_all_goes_through_the_guard(site: SearchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that would be made at a private address is refused, and never arrives."""
    monkeypatch.syspath_prepend(str(with_search(tmp_path / "plugins")))
    with Worker(None) as worker:
        got = worker.call(search, "q", 20, DownloadLimits(), None, timeout_seconds=60)
    assert isinstance(got, Refusal)
    assert got.outcome is Outcome.REFUSED_LINK
    assert site.asked == []
