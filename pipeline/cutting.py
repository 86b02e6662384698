"""Which videos are fetched in part, and how ffmpeg is told to: a step that yt-dlp takes before a download."""

import math
from collections.abc import Mapping, MutableMapping
from typing import Any

from pipeline.container import DEMUXERS

# What is hardly longer than what is wanted comes whole.
_CLOSE_ENOUGH_SECONDS = 15.0
_SMALL_BYTES = 4_000_000
_SEGMENTED = {"m3u8": "hls", "m3u8_native": "hls", "http_dash_segments": "dash"}
_PLAIN = {"http", "https"}
# ffmpeg opens the address itself: by these protocols, all of which the guard sees, and with the demuxers of our own
# decoder. It asks for 32 kB at a time, since what is on its way when it has enough has been sent for nothing; it does
# not look for an index or a length at the file's end; and a connection that breaks off is an error, not an end.
_PROTOCOLS = "http,https,tls,tcp,httpproxy,crypto,data"
_REQUESTS = ("-request_size", "32768", "-initial_request_size", "16384", "-multiple_requests", "1")
_STREAMED = ("-seekable", "0", "-recv_buffer_size", "16384")
_NO_INDEX = ("-fflags", "+ignidx", "-skip_estimate_duration_from_pts", "1")


class Cut:
    """A post-processor in yt-dlp's sense: marks what is to be fetched in part, with how ffmpeg is to do it.

    Parameters
    ----------
    first_seconds
        How much of a video is wanted; infinity for all of it.
    """

    def __init__(self, first_seconds: float) -> None:
        self._first_seconds = first_seconds
        self._ydl: Any = None

    def set_downloader(self, ydl: Any) -> None:
        """Take yt-dlp's own object, through which hosts are asked."""
        self._ydl = ydl

    def run(self, info: MutableMapping[str, Any]) -> tuple[list[str], MutableMapping[str, Any]]:
        """Mark a video that is longer than what is wanted of it; no file is to be deleted.

        Whatever may be left to ffmpeg, also by yt-dlp's own choice, it may do only what ``ffmpeg_arguments`` says.
        """
        info["downloader_options"] = {"ffmpeg_args": ffmpeg_arguments(info.get("protocol"), info.get("ext"))}
        if not math.isinf(self._first_seconds) and self._is_long(info):
            info["section_start"], info["section_end"] = 0.0, self._first_seconds
        return [], info

    def _is_long(self, info: Mapping[str, Any]) -> bool:
        """Whether a video is long, and its container one that a part can be had of.

        Where its length is not known, a playlist is cut in any case, and a file where it is large.
        """
        protocol, seconds = info.get("protocol"), known_seconds(info.get("duration"))
        if protocol not in _SEGMENTED and (protocol not in _PLAIN or info.get("ext") in {None, "unknown_video"}):
            return False
        if seconds is not None:
            return seconds > self._first_seconds + _CLOSE_ENOUGH_SECONDS
        return protocol in _SEGMENTED or self._is_large(info)

    def _is_large(self, info: Mapping[str, Any]) -> bool:
        """Whether a host says that a file is large, and that it sends parts of files."""
        from yt_dlp.networking import HEADRequest
        from yt_dlp.networking.exceptions import RequestError

        try:
            with self._ydl.urlopen(HEADRequest(info["url"], headers=dict(info.get("http_headers") or {}))) as answer:
                length, ranges = answer.get_header("Content-Length"), answer.get_header("Accept-Ranges")
        except RequestError:
            return False
        return ranges == "bytes" and str(length).isdecimal() and int(length) > _SMALL_BYTES


def ffmpeg_arguments(protocol: str | None, ext: str | None) -> list[str]:
    """What ffmpeg is told before an address."""
    playlist = _SEGMENTED.get(protocol or "")
    demuxers = f"{DEMUXERS},{playlist}" if playlist else DEMUXERS
    requests = () if playlist else _STREAMED if ext in {"ogg", "oga", "opus"} else _REQUESTS
    limits = ("-xerror", "-protocol_whitelist", _PROTOCOLS, "-format_whitelist", demuxers)
    return [*limits, *requests, *_NO_INDEX]


def known_seconds(value: object) -> float | None:
    """A length that a site tells; None where it tells none."""
    return float(value) if isinstance(value, int | float) and value > 0 else None
