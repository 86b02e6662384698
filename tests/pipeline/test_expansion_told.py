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


def test_after_the_end_nothing_is_added() -> None:
    """A page that arrives late finds the store left alone."""
    with MemoryStore() as store:
        expanding = Expansion(store, [Playlist("https://example.org/p")], lambda _: ())
        expanding.close()
        assert list(expanding.pages(Told("ab"))) == [()]  # type: ignore[arg-type]
        assert store.videos() == ()
