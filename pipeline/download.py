"""From a link to a file: yt-dlp as a library, through the guard, into names that nobody else chooses."""

import errno
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.container import Refusal
from pipeline.cutting import Cut, known_seconds
from pipeline.guard import Guard, refusal_of_link
from pipeline.identity import damaged, is_safe_id
from pipeline.retry_after import Listener
from pipeline.runtime import ffmpeg_path
from pipeline.site_picture import PICTURE_SUFFIX, fetch_picture
from pipeline.upstream import Upstream
from pipeline.verdicts import outcome_of, plain
from pipeline.ytdlp import Log, guarded, guards_word, of_the_host
from quartzlens.outcomes import Outcome

__all__ = ["DownloadLimits", "Downloaded", "Refusal", "clear", "download", "outcome_of"]

# 96 kbit/s are plenty for an encoder that hears 16 kHz. Other protocols have programs of their own, past the guard;
# file: is refused by yt-dlp itself, and called so.
_GUARDED = "[protocol~='^(https?|file|m3u8(_native)?|http_dash_segments)$']"
_FORMAT = "/".join(f"{best}{_GUARDED}" for best in ("bestaudio[abr<=96]", "bestaudio", "best"))
_FFMPEG_FAILED = "ffmpeg exited with code"
_GONE = re.compile(r"HTTP Error (?:404|410)\b")


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """What a download may cost: bytes, seconds of silence on a connection, and which private hosts may be asked.

    ``proxy`` is what hosts are reached through (None: nothing).
    """

    allow_hosts: frozenset[str] = frozenset()
    max_bytes: int = 500_000_000
    socket_timeout_seconds: float = 20.0
    proxy: Upstream | None = None


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file of a link's video, and what its site says of the video (empty and None: nothing).

    ``picture`` is the site's picture as it came, from a stranger and unopened.
    """

    path: Path
    title: str = ""
    description: str = ""
    channel: str | None = None
    source_seconds: float | None = None
    picture: Path | None = None


def download(
    link: str,
    folder: Path,
    video_id: str,
    first_seconds: float,
    limits: DownloadLimits | None = None,
    cookies: Path | None = None,
    *,
    picture: bool = False,
) -> Downloaded | Refusal:
    """Fetch the sound of a link's video, of its first seconds where the site lets a part be fetched.

    Meant for a worker process of its own, whose time limit ends what the limits here do not. Where a part cannot be
    had, all of it comes.

    Parameters
    ----------
    link
        Only http and https, only to public addresses, redirects included.
    folder
        Where the file goes; must exist and be the caller's to empty. Nothing is left in it when a refusal comes back.
    video_id
        Names the file, with a suffix for its container.
    first_seconds
        How much is needed.
    limits
        What it may cost, and which private hosts may be asked.
    cookies
        A checked file of cookies in the Netscape format, the caller's own copy: what the site renews is written to it.
    picture
        Whether the site's picture of the video is wanted too; that none comes is no failure.
    """
    if not is_safe_id(video_id):
        raise ValueError(f"{video_id!r} cannot be part of a file name")
    limits = limits or DownloadLimits()
    reason = damaged(link)
    if reason:
        return Refusal(Outcome.DAMAGED_LINK, reason)
    refusal = refusal_of_link(link, limits.allow_hosts)
    if refusal:
        return refusal
    with guarded(limits, cookies) as (guard, common):
        settings = common | _settings(folder, video_id, limits.max_bytes)
        place = _Place(folder, video_id, guard if picture else None)
        got = _fetched(link, place, settings, Cut(first_seconds))
        if isinstance(got, Refusal) and _FFMPEG_FAILED in got.detail and not guards_word(guard):
            got = _fetched(link, place, settings, Cut(math.inf))
    if isinstance(got, Downloaded) and not guard.over_cap:
        return got
    clear(folder, video_id)
    return guards_word(guard) or (of_the_host(guard, got) if isinstance(got, Refusal) else got)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a video's files go; ``pictures_by`` guards the way of its picture (None: that is not wanted)."""

    folder: Path
    video_id: str
    pictures_by: Guard | None


def _fetched(link: str, place: _Place, settings: Mapping[str, Any], cut: Cut) -> Downloaded | Refusal:
    """Fetch what ``cut`` leaves of a video into an emptied place."""
    from yt_dlp import YoutubeDL
    from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor
    from yt_dlp.utils import YoutubeDLError

    clear(place.folder, place.video_id)
    listener = None
    # Without this, yt-dlp cuts only where an ffmpeg is on PATH, whichever it then runs; its own command line does so.
    FFmpegPostProcessor._ffmpeg_location.set(settings["ffmpeg_location"])  # noqa: SLF001
    try:
        with YoutubeDL(dict(settings)) as ydl:
            listener = Listener(ydl)
            ydl.add_post_processor(cut, when="before_dl")
            info = ydl.extract_info(link, download=True)
            if info and info.get("entries") is not None:
                info = next(iter(info["entries"]), None)
            path = _file(place.folder, place.video_id)
            if info is None or path is None:
                return _nothing_fetched(settings["logger"])
            return _downloaded(path, info, _picture(ydl, info, place))
    except YoutubeDLError as error:
        return _refusal(error, listener)
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        return Refusal(Outcome.DISK_FULL if full else Outcome.FAILED, str(error))


def _picture(ydl: Any, info: Mapping[str, Any], place: _Place) -> Path | None:
    if place.pictures_by is None:
        return None
    return fetch_picture(ydl, info, place.folder / f"{place.video_id}{PICTURE_SUFFIX}", place.pictures_by)


def _downloaded(path: Path, info: Mapping[str, Any], picture: Path | None) -> Downloaded:
    return Downloaded(
        path=path,
        title=_text(info.get("title")),
        description=_text(info.get("description")),
        channel=_text(info.get("channel") or info.get("uploader")) or None,
        source_seconds=known_seconds(info.get("duration")),
        picture=picture,
    )


def _refusal(error: Exception, listener: Listener | None) -> Refusal:
    """What an error of yt-dlp says, and what the site's answer behind it asks for."""
    words = plain(str(error))
    asked_seconds = None if listener is None else listener.seconds(words)
    return Refusal(outcome_of(words), words, final=_GONE.search(words) is not None, retry_after_seconds=asked_seconds)


def _nothing_fetched(log: Log) -> Refusal:
    """Why yt-dlp was content without a file: it passed over what one of our conditions excludes."""
    said = " ".join(log.lines)
    if "larger than max-filesize" in said:
        return Refusal(Outcome.REFUSED_FILE, next(line for line in log.lines if "larger than max-filesize" in line))
    if _LIVE in said:
        return Refusal(Outcome.NOT_YET, _LIVE)
    if _SEVERAL in said:
        return Refusal(Outcome.UNSUPPORTED_LINK, _SEVERAL)
    return Refusal(Outcome.FAILED, "yt-dlp ended without a file and without an error")


_LIVE = "a live stream that is still running"
_SEVERAL = "the link leads to several videos, not to one"


def _excluded(info: Mapping[str, Any], *, incomplete: bool) -> str | None:
    """Why a video is passed over (a condition in yt-dlp's sense); None for one that is wanted."""
    del incomplete
    if (info.get("playlist_count") or 1) > 1:
        return _SEVERAL
    return _LIVE if info.get("is_live") else None


def _settings(folder: Path, video_id: str, max_bytes: int) -> dict[str, Any]:
    """Settings of yt-dlp for a download: nothing read from or written to anywhere but the folder."""
    _prepare_ffmpeg()
    return {
        "format": _FORMAT,
        "outtmpl": {"default": f"{video_id}.%(ext)s"},
        "paths": {"home": str(folder)},
        "noplaylist": True,
        "playlist_items": "1",
        "match_filter": _excluded,
        "ffmpeg_location": ffmpeg_path(),
        "max_filesize": max_bytes,
        "fragment_retries": 1,
        "skip_unavailable_fragments": False,
        "overwrites": True,
        "continuedl": False,
        "updatetime": False,
        "fixup": "never",
    }


def _prepare_ffmpeg() -> None:
    """Let ffmpeg, which takes these from the environment, go through the guard and trust whom yt-dlp trusts."""
    from yt_dlp.dependencies import certifi

    for name in ("no_proxy", "NO_PROXY"):
        os.environ.pop(name, None)
    if certifi is not None:  # a playlist's segments are not told of -ca_file
        os.environ.setdefault("SSL_CERT_FILE", certifi.where())


def _file(folder: Path, video_id: str) -> Path | None:
    """The finished file of a video in a folder."""
    found = [path for path in folder.glob(f"{video_id}.*") if path.suffix not in {".part", ".ytdl", PICTURE_SUFFIX}]
    return next((path for path in sorted(found) if path.is_file() and not path.is_symlink()), None)


def clear(folder: Path, video_id: str) -> None:
    """Delete what there is of a video in the folder of downloads, finished or not."""
    for path in folder.glob(f"{video_id}.*"):
        path.unlink(missing_ok=True)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
