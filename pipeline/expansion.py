"""Playlists and channels read lazily: a page, its rows into the store, its videos to the ingest, the next page."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.asking import Asker, BlockedError
from pipeline.identity import is_link, video_id, youtube_id
from pipeline.listing import Entry, Page, listing
from pipeline.meaning import MEDIA_SUFFIXES
from pipeline.sources import Playlist, SourceList
from pipeline.work import Refused
from quartzlens.outcomes import Outcome, Retry, Stage
from quartzlens.records import BadRow, Row, Video
from store.base import Store

FIRST_PAGE = 50
MAX_PAGE = 1000
MAX_ENTRIES = 20_000
MAX_LISTS = 200
MAX_DEPTH = 2


@dataclass(slots=True)
class Reading:
    """How far a playlist was read.

    ``name`` is that of its list in the store. ``whole`` says that its end was reached; ``refused`` why not all of it
    can be read, None where only this ingest ended before.
    """

    name: str
    playlist: Playlist
    rows: list[Row] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)
    whole: bool = False
    refused: Refused | None = None
    seen: set[str] = field(default_factory=set)

    @property
    def is_video(self) -> bool:
        """Whether the link turned out to lead to one video."""
        return self.playlist.unsure and [row.source for row in self.rows] == [self.playlist.link]

    @property
    def n_entries(self) -> int:
        """Entries that are known so far, usable or not."""
        return len(self.rows) + len(self.bad_rows)


class Expansion:
    """Reads playlists from their beginning, one after the other, and adds what they hold to a store.

    Nothing that the store knows of a playlist goes or loses its label because less of it was read, or because its site
    does not list it any more.

    Parameters
    ----------
    playlists
        Each has a list of its own in the store for every list that names it and for all that is said of its videos, so
        that categories that disagree are seen, and what one list says is changed by that list alone.
    due
        Those of the videos with these ids that an ingest has to work on.
    """

    def __init__(
        self, store: Store, playlists: Sequence[Playlist], due: Callable[[Collection[str]], Sequence[Video]]
    ) -> None:
        self.readings = tuple(Reading(name, playlist) for name, playlist in _named(playlists).items())
        self._store = store
        self._due = due
        self._offered: set[str] = set()
        self._adding = threading.Lock()
        self._closed = False

    def offer(self, known: Sequence[Video]) -> tuple[Video, ...]:
        """Those of the videos to work on, known before any page is, whose link is no playlist as far as one knows.

        They are in no page.
        """
        asked = {video_id(one.playlist.link) for one in self.readings if one.playlist.unsure}
        offered = tuple(video for video in known if video.id not in asked)
        self._offered.update(video.id for video in offered)
        return offered

    def pages(self, asker: Asker) -> Iterator[Sequence[Video]]:
        """The videos to work on of each page, which is asked for when it is taken.

        Ends where links are not asked for any more. Raises ClosedError after the asker's ``close``.
        """
        try:
            for reading in self.readings:
                for entries in self._walk(asker, reading, reading.playlist.link, ()):
                    yield self._added(reading, entries)
                reading.whole = reading.refused is None
        except BlockedError:  # which the end of the ingest tells
            return

    def close(self) -> None:
        """Add nothing more: the store may be closed after this."""
        with self._adding:
            self._closed = True

    def _walk(self, asker: Asker, reading: Reading, link: str, above: tuple[str, ...]) -> Iterator[Sequence[Entry]]:
        """Entries of a list and of those in it, in their order; a page's are given before anything more is asked."""
        first, size = 1, FIRST_PAGE
        reading.seen.add(link)
        while True:
            page = asker.ask(listing, link, first, first + size - 1)
            if reading.playlist.unsure and not above and not reading.n_entries and _is_no_list(page):
                yield (Entry(link),)
                return
            if isinstance(page, Refused):
                reading.refused = reading.refused or page
                return
            reading.whole = page.last and not above  # the last of its videos may never be asked for
            yield from self._followed(asker, reading, page, (*above, link))
            if page.last:
                return
            if reading.n_entries >= MAX_ENTRIES:
                detail = f"more than {MAX_ENTRIES:,} entries: those after them are left out"
                reading.refused = Refused(Outcome.REFUSED_LINK, Stage.SOURCE, detail)
                return
            first, size = first + size, min(2 * size, MAX_PAGE)

    def _followed(
        self, asker: Asker, reading: Reading, page: Page, above: tuple[str, ...]
    ) -> Iterator[Sequence[Entry]]:
        """Entries of a page, those of a list in it in that one's place."""
        begun: list[Entry] = []
        for entry in page.entries:
            problem = _not_followed(reading, entry, above)
            if problem:
                begun.append(Entry("", entry.title, problem=problem))
            elif not entry.nested:
                begun.append(entry)
            else:
                yield begun
                begun = []
                yield from self._walk(asker, reading, entry.link, above)
        yield begun

    def _added(self, reading: Reading, entries: Sequence[Entry]) -> Sequence[Video]:
        """Keep the rows of some more entries; the videos among them that are to be worked on."""
        ids = []
        for entry in entries:
            row = _row(reading, entry)
            if isinstance(row, BadRow):
                reading.bad_rows.append(row)
            else:
                reading.rows.append(row)
                ids.append(row.video_id)
        with self._adding:
            if self._closed or not entries:
                return ()
            self._store.add_rows(reading.name, reading.rows, reading.bad_rows, growing=True)
        new = [one for one in ids if one not in self._offered]
        self._offered.update(new)
        return self._due(new)


def in_question(one: SourceList) -> bool:
    """Whether a source is a single link that may lead to a playlist: of a site of its own kind, not to a media file.

    >>> link = "https://example.org/set/7"
    >>> in_question(SourceList(link, (Row(link, 1, video_id(link), link),), ()))
    True
    """
    if len(one.rows) != 1 or one.name != one.rows[0].source or not is_link(one.name):
        return False
    suffix = "." + one.name.partition("?")[0].rpartition("/")[2].rpartition(".")[2].lower()
    is_http = one.name.lower().startswith(("http://", "https://"))
    return is_http and youtube_id(one.name) is None and suffix not in MEDIA_SUFFIXES


def _is_no_list(page: Page | Refused) -> bool:
    """Whether a link that may lead to a playlist is better taken for a video, whose outcome tells what is wrong."""
    if isinstance(page, Refused):
        return page.outcome.retry is not Retry.NOW
    return page.last and all(entry.problem for entry in page.entries)


def _not_followed(reading: Reading, entry: Entry, above: tuple[str, ...]) -> str | None:
    """Why a list in a list is passed over; None where it is not, and for what is no list."""
    if not entry.nested:
        return None
    if entry.link in above:
        return f"the playlist {entry.link} holds itself"
    if entry.link in reading.seen:
        return f"the playlist {entry.link} was read before"
    if len(above) > MAX_DEPTH:
        return f"the playlist {entry.link} is in too many others to be followed"
    return f"more than {MAX_LISTS} playlists in one" if len(reading.seen) > MAX_LISTS else None


def _row(reading: Reading, entry: Entry) -> Row | BadRow:
    number, of = reading.n_entries + 1, reading.playlist
    if entry.problem:
        return BadRow(reading.name, number, entry.problem + (f" ({entry.title[:80]})" if entry.title else ""))
    source, channel = entry.link, of.channel or entry.channel
    return Row(reading.name, number, video_id(source), source, entry.title, channel=channel, label=of.label)


def _named(playlists: Sequence[Playlist]) -> dict[str, Playlist]:
    """Playlists by the names of their lists: the link, behind the list that names it.

    What a list says of one link is numbered in alphabetical order: the order of its rows changes nothing.
    """
    said: dict[str, dict[tuple[str, str], Playlist]] = {}
    for one in playlists:
        name = one.link if one.source_list is None else f"{one.source_list} > {one.link}"
        said.setdefault(name, {}).setdefault((one.label or "", one.channel or ""), one)
    return {
        name if number == 1 else f"{name} ({number})": those[what]
        for name, those in said.items()
        for number, what in enumerate(sorted(those), start=1)
    }
