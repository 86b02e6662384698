"""From a link to the entries of its playlist or channel, a page at a time: yt-dlp as a library, no media."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.container import Refusal
from pipeline.download import DownloadLimits
from pipeline.guard import refusal_of_link
from pipeline.identity import YOUTUBE_ID_LENGTH, canonical_link, is_bare_id, playlist_link, youtube_link
from pipeline.meaning import unkeepable
from pipeline.verdicts import outcome_of, plain
from pipeline.ytdlp import asked
from quartzlens.characters import one_line
from quartzlens.outcomes import Outcome

if TYPE_CHECKING:
    from yt_dlp import YoutubeDL

_MAX_TEXT_LENGTH = 1000
_MAX_LINK_LENGTH = 2000
_MAX_REDIRECTS = 3
_LISTS = frozenset({"playlist", "compat_list"})
_LINKS = frozenset({"url", "url_transparent"})
# What yt-dlp says of lists alone; the rest is as for videos.
_GONE = ("does not exist", "http error 404")
_CLOSED = ("playlist is private", "playlist type is unviewable")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list says of one of its videos, in strangers' words, or of a list in it (``nested``).

    ``problem`` says why it leads nowhere; None for the others.
    """

    link: str
    title: str = ""
    channel: str | None = None
    nested: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries of a list in their order; ``last`` where none come after."""

    entries: tuple[Entry, ...]
    last: bool


def listing(
    link: str, first: int, last: int, limits: DownloadLimits | None = None, cookies: Path | None = None
) -> Page | Refusal:
    """The entries of a list from ``first`` to ``last``, counted from 1; a link that leads to one video is its entry.

    Nothing is asked of the entries themselves, and no more of the list than its site has to be asked to reach ``last``.
    Meant for a worker process of its own.
    """
    limits = limits or DownloadLimits()

    def page(ydl: "YoutubeDL") -> Page | Refusal:
        info = _resolved(ydl, link, limits.allow_hosts)
        return info if isinstance(info, Refusal) else _page_of(ydl, info, link, first, last)

    return asked(page, limits, cookies, _refusal)


def _resolved(ydl: "YoutubeDL", link: str, allow_hosts: frozenset[str]) -> Mapping[str, Any] | Refusal:
    """What a link leads to by way of other links, its entries untouched."""
    key = None
    for _ in range(_MAX_REDIRECTS + 1):
        refusal = refusal_of_link(link, allow_hosts)
        if refusal:
            return refusal
        info = ydl.extract_info(link, download=False, ie_key=key, process=False)
        if not isinstance(info, Mapping):
            return Refusal(Outcome.FAILED, "yt-dlp ended without a list and without an error")
        if info.get("_type") not in _LINKS:
            return info
        link, key = _text(info.get("url")), info.get("ie_key")
    return Refusal(Outcome.FAILED, f"the link leads on to another more than {_MAX_REDIRECTS} times")


def _page_of(ydl: "YoutubeDL", info: Mapping[str, Any], link: str, first: int, last: int) -> Page:
    if info.get("_type") not in _LISTS:
        return Page((Entry(link, *_told(info)),) if first == 1 else (), last=True)
    some = _slice(info.get("entries"), first, last)
    return Page(tuple(_entry(ydl, one, link) for one in some), last=len(some) < last - first + 1)


def _slice(entries: Any, first: int, last: int) -> list[object]:
    if hasattr(entries, "getslice"):  # yt-dlp's lists of pages, which need not be read from the beginning
        return list(entries.getslice(first - 1, last))
    return list(islice(entries, first - 1, last)) if isinstance(entries, Iterable) else []


def _entry(ydl: "YoutubeDL", raw: object, of_link: str) -> Entry:
    if not isinstance(raw, Mapping):
        return Entry("", problem="the list says nothing of this entry")
    link, told = _link(raw, of_link), _told(raw)
    problem = _problem(link)
    if problem:
        return Entry("", *told, problem=problem)
    if raw.get("_type") in _LINKS:
        return Entry(link, *told, nested=playlist_link(link) is not None or _is_list(ydl, raw.get("ie_key"), link))
    return Entry(link, *told, nested=raw.get("_type") in _LISTS)


def _link(raw: Mapping[str, Any], of_link: str) -> str:
    """The link of an entry; of a video that the list holds whole, the page of the list is not its own."""
    link = _text(raw.get("url"))
    if raw.get("_type") not in _LINKS:
        pages = (_text(raw.get(name)) for name in ("webpage_url", "original_url"))
        link = next((page for page in pages if page and page != of_link), link)
    if raw.get("ie_key") == "Youtube" and is_bare_id(link) and len(link) == YOUTUBE_ID_LENGTH:
        return youtube_link(link)
    return playlist_link(link) or canonical_link(link)


def _problem(link: str) -> str | None:
    """Why an entry's link cannot be a row's; None where it can. A local file is nothing that a site may name."""
    if not link:
        return "the list gives no link of this entry"
    if len(link) > _MAX_LINK_LENGTH:
        return f"the list gives a link of {len(link):,} characters"
    shown = repr(link[:80])
    try:
        parts = urlsplit(link)
        is_address = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    return unkeepable(link) if is_address else f"the list gives {shown}, and only http and https links are fetched"


def _is_list(ydl: "YoutubeDL", key: object, link: str) -> bool:
    """Whether yt-dlp knows that a link leads to a list, by the part of it that would ask."""
    if not isinstance(key, str):
        return False
    try:
        return ydl.get_info_extractor(key).is_single_video(link) is False
    except KeyError:
        return False


def _told(info: Mapping[str, Any]) -> tuple[str, str | None]:
    """Title and channel, each on one line."""
    channel = _text(info.get("channel")) or _text(info.get("uploader"))
    return _one_line(_text(info.get("title"))), _one_line(channel) or None


def _one_line(text: str) -> str:
    readable = text[:_MAX_TEXT_LENGTH].encode("utf-8", "replace").decode()
    return " ".join(one_line(readable, " ").split())


def _refusal(message: str) -> Refusal:
    return Refusal(_outcome_of(message), plain(message))


def _outcome_of(message: str) -> Outcome:
    text = plain(message).lower()
    if any(mark in text for mark in _CLOSED):
        return Outcome.PRIVATE
    return Outcome.REMOVED if any(mark in text for mark in _GONE) else outcome_of(message)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
