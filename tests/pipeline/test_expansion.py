"""Playlists of a site on loopback, read by the real yt-dlp: a page, its videos, the next page."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from urllib.parse import quote

import pytest

from pipeline import expansion, runner
from pipeline.asking import Asker, BlockedError
from pipeline.expansion import Expansion, Reading
from pipeline.fetch import FetchOptions
from pipeline.portion import Portion
from pipeline.sources import Playlist
from quartzlens.outcomes import Outcome
from quartzlens.records import Result, Row, Video
from store.local import LocalStore
from tests.pipeline.server import Server, serving
from tests.pipeline.site import with_site, write_playlist
from tests.pipeline.sounds import write_tone
from tests.pipeline.standin import StandInEncoder

ENCODER = StandInEncoder()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A host with eight tones, whose site yt-dlp knows; the first page of a playlist is two entries long."""
    monkeypatch.syspath_prepend(str(with_site(tmp_path / "plugins")))
    monkeypatch.setattr(expansion, "FIRST_PAGE", 2)
    for number in range(8):
        write_tone(tmp_path / "host" / f"{number}.wav", number)
    with serving(tmp_path / "host") as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    """An empty store."""
    (tmp_path / "collection").mkdir()
    with LocalStore(tmp_path / "collection") as made:
        yield made


def tones(host: Server, *numbers: int) -> list[dict[str, str]]:
    """Entries that lead to tones."""
    return [{"_type": "url", "url": f"{host.address}/files/{n}.wav", "title": f"Tone {n}"} for n in numbers]


def listed(host: Server, name: str, entries: Sequence[object]) -> Playlist:
    """A playlist of entries."""
    write_playlist(host.folder, name, entries)
    return Playlist(f"{host.address}/list/{name}")


def ingested(
    store: LocalStore, folder: Path, *playlists: Playlist, max_videos: int | None = None, fails: bool = False
) -> tuple[tuple[Reading, ...], list[Result]]:
    """An ingest of playlists as the command line does it, without pauses; with ``fails`` of an impatient kind."""
    results: list[Result] = []
    options = FetchOptions(folder / "incoming", 0.0, frozenset({"127.0.0.1"}), patient=not fails)
    due = partial(runner.to_try, store, ENCODER.fingerprint, ())
    expanding = Expansion(store, playlists, due)
    portion = Portion(expanding.offer(due()), max_videos)
    more = lambda asker: portion.more(expanding.pages(asker))  # noqa: E731
    runner.ingest(store, ENCODER, portion, options, results.append, more=more)  # type: ignore[arg-type]
    return expanding.readings, results


def kept(store: LocalStore) -> list[str]:
    """Titles of what is embedded."""
    return [video.title for video in store.videos() if video.outcome is Outcome.OK]


def asked(host: Server, name: str = "") -> list[str]:
    """What was asked for since the last time, of a list or all, as the part of the path that names it."""
    paths = [path.removeprefix("/files/") for path in host.asked]
    host.asked.clear()
    return [path for path in paths if path.startswith(name)]


def test_a_page_is_asked_for_when_its_turn_comes(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """The videos of a page are downloaded before the next page is, and each page is twice as long as the last."""
    readings, results = ingested(store, tmp_path, listed(host, "p", tones(host, *range(7))))
    order = asked(host)
    firsts = [order.index(name) for name in ("p/0.json", "0.wav", "p/1.json", "2.wav", "p/3.json", "6.wav")]
    assert firsts == sorted(firsts)
    assert max(order.index(f"{n}.wav") for n in (0, 1)) < order.index("p/1.json")
    assert [result.outcome for result in results] == ["ok"] * 7
    assert kept(store) == [f"Tone {n}" for n in range(7)]
    assert [(one.whole, len(one.rows), one.refused) for one in readings] == [(True, 7, None)]


def test_a_limit_asks_for_no_page_more_than_it_needs(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """For one video the first page is enough, and the next ingest takes what is known before it asks."""
    playlist = listed(host, "p", tones(host, *range(7)))
    (reading,), _ = ingested(store, tmp_path, playlist, max_videos=1)
    assert asked(host, "p/") == ["p/0.json"]
    assert (reading.whole, reading.refused, kept(store), len(store.videos())) == (False, None, ["Tone 0"], 2)
    ingested(store, tmp_path, playlist, max_videos=1)
    assert (asked(host, "p/"), kept(store)) == ([], ["Tone 0", "Tone 1"])


def test_again_only_what_is_new_is_embedded(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """A new upload comes in front, what moved behind is known, and no label is given twice."""
    playlist = Playlist(listed(host, "p", tones(host, 1, 2, 3)).link, label="food", channel="C")
    ingested(store, tmp_path, playlist)
    labels = store.labels()
    write_playlist(host.folder, "p", tones(host, 0, 1, 2, 3))
    _, results = ingested(store, tmp_path, playlist)
    assert kept(store) == ["Tone 1", "Tone 2", "Tone 3", "Tone 0"]
    assert len(results) == 1
    assert store.labels()[:3] == labels
    assert [(video.category, video.channel) for video in store.videos()] == [("food", "C")] * 4
    assert len(store.labels()) == 4
    assert ingested(store, tmp_path, playlist)[1] == []


def test_an_end_before_the_last_page_takes_nothing_away(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """Videos, labels and rows of pages that were not asked for again are as they were, also untried ones."""
    playlist = Playlist(listed(host, "p", tones(host, *range(6))).link, label="food")
    ingested(store, tmp_path, playlist, max_videos=5)
    known, labels = [video.id for video in store.videos()], store.labels()
    write_playlist(host.folder, "p", [*tones(host, 7), *tones(host, *range(6))])
    (host.folder / "p" / "1.json").write_text("{")
    (reading,), _ = ingested(store, tmp_path, playlist, fails=True)
    assert reading.refused is not None
    assert [video.id for video in store.videos()][:6] == known
    assert store.labels()[:6] == labels
    assert {video.category for video in store.videos()} == {"food"}
    assert (len(store.videos()), store.info().rows) == (7, 7)


def test_a_video_that_is_listed_twice_is_one_with_two_rows(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """Over two pages and over two ingests."""
    playlist = listed(host, "p", tones(host, 0, 1, 2, 0))
    for _ in range(2):
        ingested(store, tmp_path, playlist)
        assert (len(store.videos()), store.info().rows) == (3, 4)


def test_one_playlist_under_two_categories_is_a_conflict(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """Its videos have both and no category, like those of any list that disagrees with itself."""
    link = listed(host, "p", tones(host, 0)).link
    same = Playlist(link, 3, "food")
    readings, _ = ingested(store, tmp_path, Playlist(link, 1, "food"), Playlist(link, 2, "travel"), same)
    assert [one.name for one in readings] == [link, f"{link} (2)"]
    assert store.videos()[0].categories == ("food", "travel")


def test_lists_in_lists_are_followed_in_their_order(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """A channel's tabs are playlists of its videos; one that holds itself, comes again or is too deep is told."""
    link = f"{host.address}/list/"

    def inner(name: str) -> dict[str, str]:
        return {"_type": "url", "url": link + name, "ie_key": "LoopbackList", "title": name}

    listed(host, "c", [*tones(host, 4), inner("d")])
    listed(host, "d", tones(host, 5))
    listed(host, "b", [*tones(host, 1, 2), inner("b"), inner("a"), inner("c")])
    top = listed(host, "a", [*tones(host, 0), inner("b"), *tones(host, 3), inner("b"), inner("a")])
    (reading,), _ = ingested(store, tmp_path, top)
    assert reading.whole
    assert [row.title for row in reading.rows] == ["Tone 0", "Tone 1", "Tone 2", "Tone 4", "Tone 3"]
    assert [bad.problem.removeprefix(f"the playlist {link}") for bad in store.info().bad_rows] == [
        "b holds itself (b)",
        "a holds itself (a)",
        "d is in too many others to be followed (d)",
        "b was read before (b)",
        "a holds itself (a)",
    ]
    numbers = [row.number for row in reading.rows] + [bad.number for bad in reading.bad_rows]
    assert sorted(numbers) == list(range(1, 11))


def test_a_list_may_not_have_any_number_of_lists(
    host: Server, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of too many lists in one, those after the limit are rows that say so."""
    monkeypatch.setattr(expansion, "MAX_LISTS", 2)
    inner = [{"_type": "url", "url": f"{host.address}/list/i{n}", "ie_key": "LoopbackList"} for n in range(4)]
    for number in range(4):
        listed(host, f"i{number}", tones(host, number))
    (reading,), _ = ingested(store, tmp_path, listed(host, "p", inner))
    assert len(reading.rows) == 2
    assert [bad.problem for bad in reading.bad_rows] == ["more than 2 playlists in one"] * 2


def test_hostile_entries_harm_nobody(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """What is no http link is a row that says so, a private address is refused, and the rest arrives."""
    entries = [
        {"_type": "url", "url": "file:///etc/passwd", "title": "passwd"},
        {"_type": "url", "url": "/etc/passwd"},
        {"_type": "url", "url": "http://10.1.2.3/a.wav"},
        {"_type": "url", "url": "javascript:alert(1)"},
        {"_type": "url", "url": "http://[broken"},
        {"_type": "url", "url": "http://example.org/" + "a" * 3000},
        {"_type": "url", "url": "http://example.org/\ud800"},
        {"_type": "url"},
        {"_type": "url", "url": 7, "title": ["a"], "channel": {}},
        {"title": "no link", "formats": []},
        None,
        "text",
        {"_type": "playlist", "entries": [{"_type": "url", "url": "http://10.1.2.3/b.wav"}]},
        {"_type": "url", "url": f"{host.address}/files/0.wav", "title": "a\ud800\x1b[31m\n\x00b" + "c" * 9999},
        {"url": f"{host.address}/files/1.wav", "title": "whole", "channel": "C\nD", "ie_key": "NoSuch"},
        {"_type": "url", "url": f"{host.address}/files/2.wav", "uploader": "U", "ie_key": "NoSuch"},
    ]
    (reading,), results = ingested(store, tmp_path, listed(host, "p", entries))
    assert reading.whole
    assert reading.n_entries == len(entries)
    assert [result.outcome for result in results] == ["refused_link", "ok", "ok", "ok"]
    videos = store.videos()
    assert all(video.source.startswith("http://") for video in videos)
    assert videos[1].title.startswith("a? [31m b")
    assert len(videos[1].title) <= 1000
    assert [video.channel for video in videos[2:]] == ["C D", "U"]
    assert (videos[2].title, asked(host, "b.wav")) == ("whole", [])
    problems = [bad.problem for bad in store.info().bad_rows]
    assert problems[0] == "the list gives 'file:///etc/passwd', and only http and https links are fetched (passwd)"
    assert len(problems) == 12


def test_a_list_that_claims_a_million_entries_is_read_in_pages(
    host: Server, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a limit a page of it is kept; without one it ends at the cap, and says so."""
    monkeypatch.setattr(expansion, "MAX_ENTRIES", 12)
    endless = Playlist(f"{host.address}/list/endless")
    (reading,), _ = ingested(store, tmp_path, endless, max_videos=1, fails=True)
    assert (len(reading.rows), reading.refused) == (2, None)
    (reading,), _ = ingested(store, tmp_path, endless, fails=True)
    assert (reading.whole, len(reading.rows)) == (False, 14)
    assert reading.refused is not None
    assert reading.refused.detail == "more than 12 entries: those after them are left out"


def test_a_playlist_that_fails_does_not_stop_the_others(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """A private, a missing and a refused one are told with their outcome; the one after them arrives."""
    private = Playlist(f"{host.address}/list/p?say=" + quote("YouTube said: This playlist is private."))
    gone, inner = Playlist(f"{host.address}/list/gone"), Playlist("http://10.1.2.3/list/a")
    unviewable = Playlist(f"{host.address}/list/u?say=" + quote("This playlist type is unviewable."))
    good = listed(host, "good", tones(host, 0))
    readings, _ = ingested(store, tmp_path, private, gone, inner, unviewable, good)
    outcomes = [one.refused and one.refused.outcome for one in readings]
    assert outcomes == ["private", "removed", "refused_link", "private", None]
    assert [one.whole for one in readings] == [False, False, False, False, True]
    assert kept(store) == ["Tone 0"]


def test_a_broken_list_in_a_list_does_not_stop_its_neighbours(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """A channel without one of its tabs is read as far as it can be, and is not whole."""
    tabs = [{"_type": "url", "url": f"{host.address}/list/{name}", "ie_key": "LoopbackList"} for name in ("no", "yes")]
    listed(host, "yes", tones(host, 0))
    (reading,), _ = ingested(store, tmp_path, listed(host, "p", tabs))
    assert (reading.whole, kept(store)) == (False, ["Tone 0"])
    assert reading.refused is not None
    assert reading.refused.outcome is Outcome.REMOVED


def test_a_link_in_question_is_what_its_site_says(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """A playlist becomes its videos, a video stays one, and what the site does not let be told has an outcome."""
    names = ("list/p", "files/1.wav", "site/x?say=Private%20video", "list/empty")
    write_playlist(host.folder, "p", tones(host, 0, 2))
    write_playlist(host.folder, "empty", [])
    asking = [Playlist(f"{host.address}/{name}", unsure=True) for name in names]
    readings, _ = ingested(store, tmp_path, *asking, fails=True)
    assert [one.is_video for one in readings] == [False, True, True, True]
    assert {video.source.removeprefix(host.address): video.outcome for video in store.videos()} == {
        "/files/0.wav": "ok",
        "/files/2.wav": "ok",
        "/files/1.wav": "ok",
        "/site/x?say=Private%20video": "private",
        "/list/empty": "failed",
    }
    before = store.info().rows
    ingested(store, tmp_path, *asking[:3])
    assert (len(store.videos()), store.info().rows) == (5, before)


def test_a_link_that_cannot_be_asked_about_now_is_asked_about_again(
    host: Server, store: LocalStore, tmp_path: Path
) -> None:
    """While its host is broken it is neither a video nor a playlist: it must not become a video that was none."""
    playlist = Playlist(listed(host, "p", tones(host, 0, 1)).link, unsure=True)
    host.answers += [503]
    (reading,), _ = ingested(store, tmp_path, playlist, fails=True)
    assert (reading.is_video, store.videos()) == (False, ())
    assert reading.refused is not None
    assert reading.refused.outcome is Outcome.NETWORK
    ingested(store, tmp_path, playlist)
    assert kept(store) == ["Tone 0", "Tone 1"]


def test_a_site_that_takes_us_for_a_bot_is_asked_for_no_more_lists(
    host: Server, store: LocalStore, tmp_path: Path
) -> None:
    """Three such answers in a row end the reading as they end downloads; what was found before is kept."""
    said = quote("Sign in to confirm you\u2019re not a bot.")
    blocked = [Playlist(f"{host.address}/list/b{n}?say={said}") for n in range(3)]
    good, after = listed(host, "good", tones(host, 0)), listed(host, "after", tones(host, 1))
    with pytest.raises(BlockedError):
        ingested(store, tmp_path, good, *blocked, after)
    assert (kept(store), asked(host, "after")) == (["Tone 0"], [])


def test_a_stop_does_not_wait_for_a_page(host: Server, store: LocalStore, tmp_path: Path) -> None:
    """A playlist whose next page waits for its turn, which is far, is left where it is."""
    stop, folder = Event(), tmp_path / "collection"
    store.add_rows("list", [Row("list", 1, "tone", str(host.folder / "0.wav"))], [])
    expanding = Expansion(
        store, [listed(host, "p", [{}, {}, {}])], partial(runner.to_try, store, ENCODER.fingerprint, ())
    )
    options = FetchOptions(folder / "incoming", 6000.0, frozenset({"127.0.0.1"}))

    def pages(asker: Asker) -> Iterator[Sequence[Video]]:
        for page in expanding.pages(asker):
            yield page
            stop.set()

    runner.ingest(store, ENCODER, expanding.offer(store.videos()), options, stop=stop, more=pages)  # type: ignore[arg-type]
    expanding.close()
    assert [video.outcome for video in store.videos()] == ["ok"]
    assert [(one.n_entries, one.whole) for one in expanding.readings] == [(2, False)]
