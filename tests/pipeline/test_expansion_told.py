"""What an expansion makes of any listing, told by a site of paper; and which links are asked about."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import expansion
from pipeline.expansion import Expansion, in_question
from pipeline.listing import Entry, Page
from pipeline.sources import Playlist, read_source
from pipeline.work import Refused
from quartzlens.outcomes import Outcome, Stage
from store.memory import MemoryStore


@pytest.mark.parametrize(
    ("source", "asked_about"),
    [
        ("https://example.org/set/7", True),
        ("http://example.org", True),
        ("https://example.org/a.mp3?x=1", False),
        ("https://example.org/A.MP3", False),
        ("https://youtu.be/dQw4w9WgXcQ", False),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PLx", False),
        ("https://www.youtube.com/@handle", False),
        ("ftp://example.org/a", False),
    ],
)
def test_which_links_are_in_question(source: str, asked_about: bool) -> None:
    """Neither media files nor YouTube's are, whose addresses say what they are."""
    assert in_question(read_source(source)) is asked_about


def test_files_and_lists_are_not_in_question(tmp_path: Path) -> None:
    """Only a link that was named itself is."""
    (tmp_path / "a.wav").touch()
    (tmp_path / "a.txt").write_text("https://example.org/set/7\n")
    assert not any(in_question(read_source(str(tmp_path / name))) for name in ("a.wav", "a.txt", "."))


SAYINGS = (("travel", None), ("food", "X"), (None, None), ("food", None))


class Told:
    """An asker whose site lists entries by their names, and is broken after so many requests."""

    def __init__(self, names: Sequence[str], n_answers: int = 99) -> None:
        self._entries = tuple(Entry(f"https://example.org/{name}", name) for name in names)
        self._n_answers = n_answers

    def ask(self, function: object, link: str, first: int, last: int) -> Page | Refused:
        """The entries from first to last."""
        del function, link
        if not self._n_answers:
            return Refused(Outcome.NETWORK, Stage.DOWNLOAD, "gone")
        self._n_answers -= 1
        return Page(self._entries[first - 1 : last], len(self._entries) < last)


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abcdefg"), max_size=9), st.integers(0, 4), st.integers(0, 4)), max_size=4
    )
)
def test_no_ingest_takes_from_a_playlist(told: list[tuple[list[str], int, int]]) -> None:
    """However it changes, breaks off or is left: no row, video or label goes, and none is given twice for nothing."""
    with pytest.MonkeyPatch.context() as patch, MemoryStore() as store:
        patch.setattr(expansion, "FIRST_PAGE", 2)
        known: set[tuple[str, str]] = set()
        n_rows = 0
        for names, n_answers, n_pages in told:
            expanding = Expansion(store, [Playlist("https://example.org/p", label="food")], lambda _: ())
            for _ in islice(expanding.pages(Told(names, n_answers)), n_pages):  # type: ignore[arg-type]
                pass
            (reading,) = expanding.readings
            now = {(video.title, str(video.category)) for video in store.videos()}
            assert known <= now
            assert store.info().rows >= max(n_rows, len(reading.rows))
            assert len(store.labels()) == store.info().rows
            assert [row.title for row in reading.rows] == names[: len(reading.rows)]
            known, n_rows = now, store.info().rows


PL = "https://example.org/p"


class Closed(Told):
    """A site whose list holds nothing but a list that is closed."""

    def ask(self, function: object, link: str, first: int, last: int) -> Page | Refused:
        """The list in the list; of that one, that nobody may see it."""
        del function, first, last
        if link != PL:
            return Refused(Outcome.PRIVATE, Stage.DOWNLOAD, "closed")
        return Page((Entry("https://example.org/inner", nested=True),), last=True)


def test_a_closed_list_in_a_list_is_no_video() -> None:
    """Of a link in question that leads to a list whose own list is closed, that is told; no video comes of it."""
    with MemoryStore() as store:
        expanding = Expansion(store, [Playlist(PL, unsure=True)], lambda _: ())
        for _ in expanding.pages(Closed("")):  # type: ignore[arg-type]
            pass
        (reading,) = expanding.readings
        assert (store.videos(), reading.whole) == ((), False)
        assert reading.refused is not None
        assert reading.refused.outcome is Outcome.PRIVATE


def test_a_list_whose_last_page_was_taken_is_read_to_its_end() -> None:
    """Also where the ingest ends there, so that nothing is left for the same command to read on."""
    with MemoryStore() as store:
        expanding = Expansion(store, [Playlist(PL)], lambda _: ())
        next(expanding.pages(Told("ab")))  # type: ignore[arg-type]
        assert expanding.readings[0].whole


def read(store: MemoryStore, *playlists: Playlist) -> list[str]:
    """An ingest that reads playlists of two videos to their ends; the names of their lists."""
    expanding = Expansion(store, playlists, lambda _: ())
    for _ in expanding.pages(Told("ab")):  # type: ignore[arg-type]
        pass
    return [one.name for one in expanding.readings]


def said(store: MemoryStore) -> list[tuple[str, ...]]:
    """Categories of the videos."""
    return [video.categories for video in store.videos()]


def test_a_list_changes_only_what_it_said_of_a_playlist_itself() -> None:
    """Lists that disagree are a conflict also in ingests of their own, and a list that changes its mind ends it."""
    with MemoryStore() as store:
        read(store, Playlist(PL, label="food", source_list="a.csv"))
        assert said(store) == [("food",)] * 2
        read(store, Playlist(PL, label="travel", source_list="b.csv"))
        assert said(store) == [("food", "travel")] * 2
        read(store, Playlist(PL, label="travel", source_list="a.csv"))
        assert said(store) == [("travel",)] * 2


def test_a_playlist_that_is_named_alone_takes_no_label_back() -> None:
    """The link itself is another list, which says nothing of categories."""
    with MemoryStore() as store:
        read(store, Playlist(PL, label="food", source_list="a.csv"))
        before = store.labels()
        assert read(store, Playlist(PL)) == [PL]
        assert (said(store), store.labels()) == ([("food",)] * 2, before)


def test_the_order_of_a_lists_rows_does_not_matter_to_its_playlists() -> None:
    """Sorted anew, a list that gives a playlist several categories and channels changes no label, nor any name."""
    rows = [Playlist(PL, n, label, channel, source_list="a.csv") for n, (label, channel) in enumerate(SAYINGS, 1)]
    with MemoryStore() as store:
        names = read(store, *rows, rows[0])
        assert names == [f"a.csv > {PL}", *(f"a.csv > {PL} ({n})" for n in (2, 3, 4))]
        before = (store.labels(), store.info().rows, said(store))
        assert before[1:] == (8, [("food", "travel")] * 2)
        assert read(store, *reversed(rows)) == names
        assert (store.labels(), store.info().rows, said(store)) == before


def test_after_the_end_nothing_is_added() -> None:
    """A page that arrives late finds the store left alone."""
    with MemoryStore() as store:
        expanding = Expansion(store, [Playlist("https://example.org/p")], lambda _: ())
        expanding.close()
        assert list(expanding.pages(Told("ab"))) == [()]  # type: ignore[arg-type]
        assert store.videos() == ()
