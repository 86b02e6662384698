"""What every use of yt-dlp has in common: nothing read or written anywhere, everything through the guard."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.container import Refusal
from pipeline.cookies import in_use
from pipeline.guard import Guard
from pipeline.retry_after import Listener
from pipeline.verdicts import plain
from quartzlens.outcomes import Outcome

if TYPE_CHECKING:
    from yt_dlp import YoutubeDL

    from pipeline.download import DownloadLimits

T = TypeVar("T")
# How a connection that the guard could not make looks from the other side: through a tunnel, plainly, or to ffmpeg.
_OF_THE_WAY = re.compile(r"unable to connect to proxy|http error 50[24]\b|timed out|ffmpeg exited", re.IGNORECASE)


class Log:
    """Takes yt-dlp's words instead of the terminal."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def debug(self, message: str) -> None:
        """One line of whatever kind."""
        self.lines.append(plain(message))

    info = warning = error = debug


@contextmanager
def guarded(limits: "DownloadLimits", cookies: Path | None) -> Iterator[tuple[Guard, dict[str, Any]]]:
    """A guard, and settings of yt-dlp for whatever it is used: it only asks, and only by way of the guard."""
    silence_seconds = 2 * limits.socket_timeout_seconds  # yt-dlp gives up first, and says so in its own words
    guard = Guard(limits.allow_hosts, limits.max_bytes, silence_seconds, limits.proxy)
    with guard, in_use(cookies) as jar:
        settings = base_settings(guard, limits.socket_timeout_seconds)
        yield guard, settings | {"cookiefile": None if jar is None else str(jar)}


def asked(
    taken: Callable[["YoutubeDL"], T | Refusal],
    limits: "DownloadLimits",
    cookies: Path | None,
    refusal: Callable[[str], Refusal],
) -> T | Refusal:
    """What is taken from sites by way of yt-dlp; ``refusal`` tells what its words mean where nothing is."""
    with guarded(limits, cookies) as (guard, settings):
        got = _taken(taken, settings, refusal)
    if isinstance(got, Refusal):
        return guards_word(guard) or of_the_host(guard, got)
    return (guards_word(guard) or got) if guard.over_cap else got


def _taken(
    taken: Callable[["YoutubeDL"], T | Refusal], settings: dict[str, Any], refusal: Callable[[str], Refusal]
) -> T | Refusal:
    from yt_dlp import YoutubeDL
    from yt_dlp.utils import YoutubeDLError

    listener = None
    try:
        with YoutubeDL(settings) as ydl:
            listener = Listener(ydl)
            return taken(ydl)
    except YoutubeDLError as error:
        words = str(error)
        asked_seconds = None if listener is None else listener.seconds(words)
        return replace(refusal(words), retry_after_seconds=asked_seconds)
    except OSError as error:
        return Refusal(Outcome.FAILED, str(error))


def base_settings(guard: Guard, socket_timeout_seconds: float) -> dict[str, Any]:
    """Settings of yt-dlp for whatever it is used, but for cookies."""
    return {
        "proxy": guard.address,
        "socket_timeout": socket_timeout_seconds,
        "retries": 1,
        "extractor_retries": 1,
        "cachedir": False,
        "quiet": True,
        "noprogress": True,
        "logger": Log(),
        "color": {"stdout": "no_color", "stderr": "no_color"},
    }


def guards_word(guard: Guard) -> Refusal | None:
    """What the guard knows better than yt-dlp, which only saw a connection fail."""
    if guard.log.refused:
        return Refusal(Outcome.REFUSED_LINK, guard.log.refused)
    if guard.log.proxy_failed:
        return Refusal(Outcome.NETWORK, guard.log.proxy_failed)
    if guard.over_cap:
        return Refusal(Outcome.REFUSED_FILE, f"the download is over the cap of {guard.max_bytes:,} bytes")
    return None


def of_the_host(guard: Guard, got: Refusal) -> Refusal:
    """A refusal that names the host and what failed, where yt-dlp's words are about the guard that it met instead."""
    if guard.log.unreached and _OF_THE_WAY.search(got.detail):
        return Refusal(Outcome.NETWORK, guard.log.unreached)
    if f"port={guard.port})" in got.detail and "timed out" in got.detail:
        return replace(got, detail=f"{guard.log.host}: timed out")
    return got
