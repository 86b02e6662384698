"""From a link to a file: yt-dlp as a library, through the guard, into names that nobody else chooses."""

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.container import Refusal
from pipeline.cookies import in_use
from pipeline.guard import Guard, refusal_of_link
from pipeline.identity import damaged, is_safe_id
from pipeline.verdicts import outcome_of, plain
from pipeline.ytdlp import Log, base_settings, guards_word
from quartzlens.outcomes import Outcome

__all__ = ["DownloadLimits", "Downloaded", "Refusal", "download", "outcome_of"]

# 96 kbit/s are plenty for an encoder that hears 16 kHz.
_FORMAT = "bestaudio[abr<=96]/bestaudio/best"
_CLOSE_ENOUGH_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """What a download may cost: bytes, seconds of silence on a connection, and which private hosts may be asked."""

    allow_hosts: frozenset[str] = frozenset()
    max_bytes: int = 500_000_000
    socket_timeout_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file of a link's video, and what its site says of the video (empty and None: nothing)."""

    path: Path
    title: str = ""
    description: str = ""
    channel: str | None = None
    source_seconds: float | None = None


def download(
    link: str,
    folder: Path,
    video_id: str,
    first_seconds: float,
    limits: DownloadLimits | None = None,
    cookies: Path | None = None,
) -> Downloaded | Refusal:
    """Fetch the sound of a link's video, of its first seconds where the site lets a part be fetched.

    Meant for a worker process of its own, whose time limit ends what the limits here do not. A file that a link leads
    to directly comes whole.

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
    _clear(folder, video_id)
    silence_seconds = 2 * limits.socket_timeout_seconds  # yt-dlp gives up first, and says so in its own words
    with Guard(limits.allow_hosts, limits.max_bytes, silence_seconds) as guard, in_use(cookies) as jar:
        settings = _settings(folder, video_id, first_seconds, limits, guard)
        got = _fetched(link, folder, video_id, settings | {"cookiefile": None if jar is None else str(jar)})
    if isinstance(got, Downloaded) and not guard.over_cap:
        return got
    _clear(folder, video_id)
    return guards_word(guard) or got


def _fetched(link: str, folder: Path, video_id: str, settings: Mapping[str, Any]) -> Downloaded | Refusal:
    from yt_dlp import YoutubeDL
    from yt_dlp.utils import YoutubeDLError

    try:
        with YoutubeDL(dict(settings)) as ydl:
            info = ydl.extract_info(link, download=True)
    except YoutubeDLError as error:
        return Refusal(outcome_of(str(error)), plain(str(error)))
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        return Refusal(Outcome.DISK_FULL if full else Outcome.FAILED, str(error))
    if info and info.get("entries") is not None:
        info = next(iter(info["entries"]), None)
    path = _file(folder, video_id)
    if info is None or path is None:
        return _nothing_fetched(settings["logger"])
    return Downloaded(
        path=path,
        title=_text(info.get("title")),
        description=_text(info.get("description")),
        channel=_text(info.get("channel") or info.get("uploader")) or None,
        source_seconds=_seconds(info.get("duration")),
    )


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


def _settings(
    folder: Path, video_id: str, first_seconds: float, limits: DownloadLimits, guard: Guard
) -> dict[str, Any]:
    """Settings of yt-dlp: nothing read from or written to anywhere but the folder, everything through the guard."""
    import imageio_ffmpeg

    for name in ("no_proxy", "NO_PROXY"):  # ffmpeg would go around the guard
        os.environ.pop(name, None)

    def stretches(info: Mapping[str, Any], _ydl: object) -> Sequence[Mapping[str, float]]:
        return _stretches(info, first_seconds)

    return base_settings(guard, limits.socket_timeout_seconds) | {
        "format": _FORMAT,
        "outtmpl": {"default": f"{video_id}.%(ext)s"},
        "paths": {"home": str(folder)},
        "noplaylist": True,
        "playlist_items": "1",
        "match_filter": _excluded,
        "download_ranges": stretches,
        "force_keyframes_at_cuts": False,
        "ffmpeg_location": imageio_ffmpeg.get_ffmpeg_exe(),
        "max_filesize": limits.max_bytes,
        "fragment_retries": 2,
        "overwrites": True,
        "continuedl": False,
        "updatetime": False,
        "fixup": "never",
    }


def _stretches(info: Mapping[str, Any], first_seconds: float) -> Sequence[Mapping[str, float]]:
    """What to fetch of a video: all of it, or its first seconds.

    A part is cut by ffmpeg, which opens the address itself: not for whatever file a link may lead to, which could be
    anything that ffmpeg reads, and not for what is hardly longer.
    """
    duration = _seconds(info.get("duration"))
    if info.get("extractor_key") == "Generic" or duration is None or duration <= first_seconds + _CLOSE_ENOUGH_SECONDS:
        return ({},)
    return ({"start_time": 0.0, "end_time": first_seconds},)


def _file(folder: Path, video_id: str) -> Path | None:
    """The finished file of a video in a folder."""
    found = [path for path in folder.glob(f"{video_id}.*") if path.suffix not in {".part", ".ytdl"}]
    return next((path for path in sorted(found) if path.is_file() and not path.is_symlink()), None)


def _clear(folder: Path, video_id: str) -> None:
    for path in folder.glob(f"{video_id}.*"):
        path.unlink(missing_ok=True)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None
