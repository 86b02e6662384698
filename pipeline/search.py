"""YouTube's search by title, and the look at one video: yt-dlp as a library, through the guard, no media."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.container import Refusal
from pipeline.download import DownloadLimits
from pipeline.identity import YOUTUBE_ID_LENGTH, is_bare_id, youtube_link
from pipeline.verdicts import outcome_of, plain
from pipeline.ytdlp import asked

if TYPE_CHECKING:
    from yt_dlp import YoutubeDL

T = TypeVar("T")
_MAX_BYTES = 50_000_000
_MAX_QUERY_LENGTH = 200
_MAX_TEXT_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Hit:
    """A video that a search found; its words are strangers', on one line each. ``channel`` is None where not told."""

    youtube_id: str
    title: str
    channel: str | None


def search(
    title: str, n: int, limits: DownloadLimits | None = None, cookies: Path | None = None
) -> tuple[Hit, ...] | Refusal:
    """The first ``n`` videos that YouTube finds for a title, in its order; what is no video is left out.

    Meant for a worker process of its own, as is ``look_up``. Raises ValueError for an empty title.
    """
    query = " ".join(title.split())[:_MAX_QUERY_LENGTH]
    if not query:
        raise ValueError("nothing can be searched for without a title")
    one = _taken(f"ytsearch{n}:{query}", "YoutubeSearch", partial(_hits, n))
    return asked(one, _bounded(limits), cookies, partial(_refusal, query))


def look_up(youtube_id: str, limits: DownloadLimits | None = None, cookies: Path | None = None) -> Hit | Refusal:
    """Title and channel of one video, by a visit to its page."""
    one = _taken(youtube_link(youtube_id), "Youtube", partial(_looked_up, youtube_id))
    return asked(one, _bounded(limits), cookies, partial(_refusal, ""))


def hit_of(entry: object) -> Hit | None:
    """A stranger's entry as a hit; None where it has no id that can be a YouTube video's.

    >>> hit_of({"id": "dQw4w9WgXcQ", "title": "Never  Gonna", "uploader": "Rick"})
    Hit(youtube_id='dQw4w9WgXcQ', title='Never Gonna', channel='Rick')
    """
    if not isinstance(entry, Mapping):
        return None
    found = entry.get("id")
    if not isinstance(found, str) or len(found) != YOUTUBE_ID_LENGTH or not is_bare_id(found):
        return None
    return Hit(found, _text(entry.get("title")), _text(entry.get("channel")) or _text(entry.get("uploader")) or None)


def _hits(n: int, answer: Mapping[str, Any]) -> tuple[Hit, ...]:
    entries = answer.get("entries")
    some = islice(entries, n) if isinstance(entries, Iterable) else ()
    return tuple(hit for entry in some if (hit := hit_of(entry)) is not None)


def _looked_up(youtube_id: str, answer: Mapping[str, Any]) -> Hit:
    found = hit_of({**answer, "id": youtube_id})
    if found is None:
        raise ValueError(f"{youtube_id!r} is no YouTube id")
    return found


def _taken(what: str, extractor: str, take: Callable[[Mapping[str, Any]], T]) -> Callable[["YoutubeDL"], T]:
    """What is taken from an extractor's answer to an address: as it comes, nothing is downloaded or gone on to."""
    return lambda ydl: take(ydl.extract_info(what, download=False, ie_key=extractor, process=False) or {})


def _bounded(limits: DownloadLimits | None) -> DownloadLimits:
    return replace(limits or DownloadLimits(), max_bytes=_MAX_BYTES)


def _refusal(query: str, message: str) -> Refusal:
    """What yt-dlp's words mean; those that it was to search for are a stranger's, and none of them."""
    words = plain(message.replace(f'query "{query}"', "query"))
    return Refusal(outcome_of(words), words)


def _text(value: object) -> str:
    """A stranger's words on one line, of bounded length and writable as UTF-8; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    return " ".join(value[:_MAX_TEXT_LENGTH].encode("utf-8", "replace").decode().split())
