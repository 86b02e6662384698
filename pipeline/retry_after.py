"""How long a site asks to be left alone: the header Retry-After of the answer behind an error of yt-dlp."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

# A host that asks for more than some days, for less than nothing or for no time at all has not been understood.
_MAX_SECONDS = 7 * 86_400.0
_ASKING = frozenset({429, 503})  # the answers that RFC 9110 and RFC 6585 give the header for
_SECONDS = re.compile(r"\d{1,6}", re.ASCII)


class Listener:
    """Hears the answers that are errors on their way through yt-dlp, which often tells no more than their number.

    Parameters
    ----------
    ydl
        yt-dlp's own object; all its connections are opened by its ``urlopen``, which this one takes the place of.
    """

    def __init__(self, ydl: Any) -> None:
        self._urlopen = ydl.urlopen
        self._headers: dict[int, object] = {}
        ydl.urlopen = self._opened

    def seconds(self, words: str) -> float | None:
        """Seconds that the last answer with a status that the words name asks to wait; None where it asks for none."""
        named = [header for status, header in self._headers.items() if f"HTTP Error {status}" in words]
        return seconds_of(named[-1], datetime.now(UTC)) if named else None

    def _opened(self, *arguments: Any, **options: Any) -> Any:
        from yt_dlp.networking.exceptions import HTTPError

        try:
            return self._urlopen(*arguments, **options)
        except HTTPError as error:
            if error.status in _ASKING:
                self._headers[error.status] = error.response.headers.get("Retry-After")
            raise


def seconds_of(header: object, now: datetime) -> float | None:
    """The seconds that a header's value means, given as such or as a date; None for a value that is neither, or absurd.

    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> [seconds_of(value, now) for value in ("120", "Thu, 01 Jan 2026 00:01:00 GMT", "-5", "1e12", None)]
    [120.0, 60.0, None, None, None]
    """
    if not isinstance(header, str):
        return None
    if _SECONDS.fullmatch(header.strip()):
        seconds = float(header)
    else:
        try:
            until = parsedate_to_datetime(header)
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
        seconds = (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    return seconds if 0 < seconds <= _MAX_SECONDS else None
