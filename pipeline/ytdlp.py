"""What every use of yt-dlp has in common: nothing read or written anywhere, everything through the guard."""

from typing import Any

from pipeline.container import Refusal
from pipeline.guard import Guard
from pipeline.verdicts import plain
from quartzlens.outcomes import Outcome


class Log:
    """Takes yt-dlp's words instead of the terminal."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def debug(self, message: str) -> None:
        """One line of whatever kind."""
        self.lines.append(plain(message))

    info = warning = error = debug


def base_settings(guard: Guard, socket_timeout_seconds: float) -> dict[str, Any]:
    """Settings of yt-dlp for whatever it is used: it only asks, and only by way of the guard."""
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
