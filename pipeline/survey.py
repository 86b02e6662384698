"""What lists hold, counted before any request: rows, categories, channels, repeats, damaged ids and their cause."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.identity import damaged, is_bare_id, is_link, youtube_id
from pipeline.sources import SourceList
from pipeline.stripping import Stripped, stripped
from quartzlens.records import BadRow, Row

DEFINITIONS = {
    "rows": "all rows of the lists; headers and blank lines are none",
    "bad_rows": "rows that an ingest cannot use",
    "playlists": "rows that name a playlist or channel, whose videos only an ingest asks for",
    "usable_rows": "the others, with damaged ids too; all counts below are of these",
    "videos": "different ids, damaged ones too",
    "channels": "different names: column channel, group or source_id, else the first line of the description",
    "repeated_ids": "rows beyond the first of each id",
    "repeated_titles": "rows beyond the first of each title, letter by letter; an empty one is none",
    "ids_under_several_categories": "different ids whose rows name more than one category",
    "damaged_ids": "rows with a YouTube link whose id cannot be one",
}
DAMAGE = {
    "incomplete": "1 to 10 of the 11 characters of a YouTube id",
    "spreadsheet_error": "a spreadsheet's error value: it takes an id that begins with - for a formula",
    "no_id": "a YouTube address that holds no id",
    "not_an_id": "more than 11 characters, or others than letters, digits, - and _",
}
_SPREADSHEET_ERROR = re.compile(r"#(?:NAME\?|REF!|VALUE!|NUM!|NULL!|DIV/0!|N/A|ERROR!)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row stands: the name of its list, and its number there, counted from 1."""

    source_list: str
    number: int


@dataclass(frozen=True, slots=True)
class Count:
    """A category or a channel, and how many usable rows name it."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Shared:
    """A title, an id or a reason, and all rows that have it, in order."""

    text: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class ListedId(Shared):
    """An id as the list gives it: a YouTube id, whole or damaged; where there is none, the link or the absolute path.

    Attributes
    ----------
    link
        Whether it is behind a link; else it is a local file.
    damage
        A key of ``DAMAGE``; None for an id that may lead to a video.
    categories
        Its rows of each category, most first; rows that name none are left out.
    """

    link: bool
    damage: str | None
    categories: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """What lists hold; whatever has a count comes most frequent first, then by name.

    Attributes
    ----------
    lists
        Names of the lists; one that is given twice counts once.
    rows, usable_rows
        All rows, neither headers nor blank lines counted; those of them that lead to one video, with damaged ids too.
        All other counts are of usable rows.
    playlists
        Rows that name a playlist or channel, which a survey does not ask for.
    videos
        Different ids, damaged ones too: ``links`` + ``files`` + those in ``damaged``.
    links, files
        Different ids that are not damaged: what an ingest would try to download, and what it would open.
    categories, rows_without_category
        Rows of each category and of none: they sum to ``usable_rows``.
    channels, rows_without_channel
        Likewise. A channel is the column channel, group or source_id, else the first line of the description.
    repeated_ids, repeated_titles
        Those of more than one row; ``beyond_first`` counts the repetitions. Titles are compared letter by letter, and
        an empty one is none.
    conflicts
        Ids whose rows name more than one category.
    damaged
        YouTube links whose id cannot be one, seen without a request; ``n_rows`` counts their rows.
    stripped
        How ids became incomplete, as far as the ids themselves show it.
    unusable
        What is wrong with the other rows, word for word, and the rows of each reason.
    """

    lists: tuple[str, ...]
    rows: int
    playlists: int
    usable_rows: int
    videos: int
    links: int
    files: int
    categories: tuple[Count, ...]
    rows_without_category: int
    channels: tuple[Count, ...]
    rows_without_channel: int
    repeated_ids: tuple[ListedId, ...]
    repeated_titles: tuple[Shared, ...]
    conflicts: tuple[ListedId, ...]
    damaged: tuple[ListedId, ...]
    stripped: tuple[Stripped, ...]
    unusable: tuple[Shared, ...]


def survey(lists: Iterable[SourceList]) -> Survey:
    """Count what lists hold. Nothing is opened or asked for, and the order of rows changes their numbers alone."""
    known = {one.name: one for one in lists}
    rows = [row for one in known.values() for row in one.rows]
    bad_rows = [bad for one in known.values() for bad in one.bad_rows]
    ids = _ids(rows)
    n_playlists = sum(len(one.playlists) for one in known.values())
    categories, channels = Counter(row.label for row in rows), Counter(row.channel for row in rows)
    titles = _shared((row.title, _place(row)) for row in rows if row.title)
    return Survey(
        lists=tuple(known),
        rows=len(rows) + len(bad_rows) + n_playlists,
        playlists=n_playlists,
        usable_rows=len(rows),
        videos=len(ids),
        links=sum(one.link and not one.damage for one in ids),
        files=sum(not one.link for one in ids),
        categories=_counts(categories),
        rows_without_category=categories[None],
        channels=_counts(channels),
        rows_without_channel=channels[None],
        repeated_ids=tuple(one for one in ids if len(one.places) > 1),
        repeated_titles=tuple(one for one in titles if len(one.places) > 1),
        conflicts=tuple(one for one in ids if len(one.categories) > 1),
        damaged=tuple(one for one in ids if one.damage),
        stripped=stripped(_bare_youtube_ids(rows)),
        unusable=_shared((bad.problem, _place(bad)) for bad in bad_rows),
    )


def totals(found: Survey) -> dict[str, int]:
    """The counts that ``DEFINITIONS`` defines, under its keys and in its order."""
    return {
        "rows": found.rows,
        "bad_rows": found.rows - found.usable_rows - found.playlists,
        "playlists": found.playlists,
        "usable_rows": found.usable_rows,
        "videos": found.videos,
        "channels": len(found.channels),
        "repeated_ids": beyond_first(found.repeated_ids),
        "repeated_titles": beyond_first(found.repeated_titles),
        "ids_under_several_categories": len(found.conflicts),
        "damaged_ids": n_rows(found.damaged),
    }


def n_rows(shared: Iterable[Shared]) -> int:
    """Number of rows that have one of these."""
    return sum(len(one.places) for one in shared)


def beyond_first(shared: Iterable[Shared]) -> int:
    """Number of rows that repeat one of these: all but the first of each."""
    return sum(len(one.places) - 1 for one in shared)


def lengths(ids: Iterable[ListedId]) -> dict[int, int]:
    """Rows by number of characters of damaged ids, the shortest first; 0 characters where the link holds none."""
    rows: Counter[int] = Counter()
    for one in ids:
        rows[0 if one.damage == "no_id" else len(one.text)] += len(one.places)
    return dict(sorted(rows.items()))


def by_damage(ids: Iterable[ListedId]) -> dict[str, tuple[ListedId, ...]]:
    """Damaged ids under every key of ``DAMAGE``, in their order."""
    known = tuple(ids)
    return {kind: tuple(one for one in known if one.damage == kind) for kind in DAMAGE}


def damage_of(source: str) -> str | None:
    """What kind of damage, a key of ``DAMAGE``, keeps a source from leading to a video; None where nothing does.

    >>> damage_of("https://www.youtube.com/watch?v=JLZlCZ0"), damage_of("https://www.youtube.com/watch?v=%23NAME%3F")
    ('incomplete', 'spreadsheet_error')
    """
    if damaged(source) is None:
        return None
    found = youtube_id(source)
    if not found:
        return "no_id"
    if is_bare_id(found):
        return "incomplete"
    return "spreadsheet_error" if _SPREADSHEET_ERROR.fullmatch(found) else "not_an_id"


def _ids(rows: Iterable[Row]) -> tuple[ListedId, ...]:
    """Every id once, in the order of ``_shared``."""
    rows_of: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        rows_of[row.video_id].append(row)
    return tuple(sorted(map(_listed, rows_of.values()), key=_frequent_first))


def _listed(rows: list[Row]) -> ListedId:
    source = min(row.source for row in rows)  # rows of one video may write its address in several ways
    link = is_link(source)
    return ListedId(
        text=(youtube_id(source) if link else None) or source,
        places=tuple(sorted(map(_place, rows))),
        link=link,
        damage=damage_of(source),
        categories=_counts(Counter(row.label for row in rows)),
    )


def _bare_youtube_ids(rows: Iterable[Row]) -> set[str]:
    found = {youtube_id(row.source) for row in rows if is_link(row.source)}
    return {one for one in found if one and is_bare_id(one)}


def _shared(texts: Iterable[tuple[str, Place]]) -> tuple[Shared, ...]:
    places: defaultdict[str, list[Place]] = defaultdict(list)
    for text, place in texts:
        places[text].append(place)
    return tuple(sorted((Shared(text, tuple(sorted(those))) for text, those in places.items()), key=_frequent_first))


def _frequent_first(one: Shared) -> tuple[int, str]:
    return -len(one.places), one.text


def _counts(counter: Counter[str | None]) -> tuple[Count, ...]:
    """Counts of names, most first, then by name; None, which is no name, is left out."""
    named = [Count(name, rows) for name, rows in counter.items() if name is not None]
    return tuple(sorted(named, key=lambda one: (-one.rows, one.name)))


def _place(row: Row | BadRow) -> Place:
    return Place(row.source_list, row.number)
