"""What a guard saw, for the words that people read: hosts, where yt-dlp only met a proxy on loopback."""

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Log:
    """The first address that was refused, what connecting failed with last, and how many bytes came in.

    ``host`` is the latest that was asked for; ``unreached`` says why it cannot be reached, ``proxy_failed`` that the
    user's own proxy is why. Both are None again once a later connection is made.
    """

    refused: str | None = None
    proxy_failed: str | None = None
    host: str = ""
    unreached: str | None = None
    received_bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, host: str) -> None:
        """A host is being connected to; yt-dlp may give up before it answers, and this then is why."""
        self.host, self.unreached = host, f"{host}: timed out"

    def reached(self) -> None:
        """A connection was made."""
        self.proxy_failed = self.unreached = None


def failure(host: str, error: OSError) -> str:
    """Why a host cannot be reached, for people.

    >>> failure("www.youtube.com", OSError(-2, "Name or service not known"))
    'www.youtube.com: Name or service not known'
    """
    return f"{host}: {error.strerror or error}"
