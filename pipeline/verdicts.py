"""What yt-dlp's words for a failure mean: a closed table, specific messages first."""

import re

from quartzlens.outcomes import Outcome

# In this order: a message that holds words of two lines means the upper one.
_TABLE: tuple[tuple[Outcome, tuple[str, ...]], ...] = (
    (Outcome.DISK_FULL, ("[errno 28]", "[errno 122]")),
    (Outcome.REFUSED_LINK, ("file:// urls are disabled", "no connection adapters were", "unsupported url scheme")),
    (Outcome.DAMAGED_LINK, ("incomplete youtube id", "looks truncated")),
    (Outcome.BLOCKED_AS_BOT, ("sign in to confirm you're not a bot",)),
    (Outcome.AGE_RESTRICTED, ("sign in to confirm your age",)),
    (Outcome.RATE_LIMITED, ("current session has been rate-limited", "http error 429")),
    (Outcome.RATE_LIMITED, ("content isn't available, try again later",)),
    (Outcome.PRIVATE, ("private video", "this video is private")),
    (Outcome.MEMBERS_ONLY, ("join this channel to get access", "requires payment")),
    (Outcome.GEO_BLOCKED, ("not made this video available in your country", "blocked it in your country")),
    (Outcome.NOT_YET, ("premieres in", "live event will begin")),
    (Outcome.REMOVED, ("has been removed by the uploader", "has been removed for violating", "no longer available")),
    (Outcome.REMOVED, ("account associated with this video has been terminated",)),
    (Outcome.UNSUPPORTED_LINK, ("unsupported url",)),
    (Outcome.NO_FORMAT, ("requested format is not available", "no video formats found")),
    (Outcome.FORBIDDEN, ("http error 403",)),
    (Outcome.NETWORK, ("timed out", "connection reset", "connection refused")),
    (Outcome.NETWORK, ("more expected", "remote end closed connection", "connection aborted", "connection broken")),
)
# Not only a webpage: the part of a site that yt-dlp had asked for has many names, and any may fail in this way.
_UNREACHED = re.compile(r"unable to download (?:webpage|api page|json metadata|xml|\w+ (?:manifest|information))\b")
_REASON = re.compile(r"(http error \d{3}).*", re.DOTALL)
_SERVER_ERROR = re.compile(r"http error 5\d\d")
_PREFIX = re.compile(r"^(?:error:\s*)?(?:\[[^\]]*\]\s*)?(?:\S+:\s+)?")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_REPORT = re.compile(r";?\s*please report this issue on\s.{,300}?\syt-dlp -U", re.IGNORECASE | re.DOTALL)


def outcome_of(message: str) -> Outcome:
    """The outcome that a message of yt-dlp stands for; ``failed`` where it is none of the table.

    >>> outcome_of("ERROR: [youtube] dQw4w9WgXcQ: Private video. Sign in if you've been granted access").value
    'private'
    >>> outcome_of("ERROR: [youtube] dQw4w9WgXcQ: Video unavailable").value
    'removed'
    >>> outcome_of("ERROR: the moon is in the way").value
    'failed'
    """
    text = plain(message).replace("\u2019", "'").lower()
    text = _REASON.sub(r"\1", text)  # what a host says beside the number of its answer decides nothing
    for outcome, marks in _TABLE:
        if any(mark in text for mark in marks):
            return outcome
    if _SERVER_ERROR.search(text) or _UNREACHED.search(text):
        return Outcome.NETWORK
    bare = _PREFIX.sub("", text).strip(" .\n")
    return Outcome.REMOVED if bare == "video unavailable" or text.strip(" .") == "video unavailable" else Outcome.FAILED


def plain(message: str) -> str:
    """A message word for word, without terminal colours, the word ERROR in front and yt-dlp's wish for a bug report.

    >>> plain("ERROR: Hm (caused by X); please report this issue on  https://x , using  yt-dlp -U")
    'Hm (caused by X)'
    """
    return _REPORT.sub("", _COLOURS.sub("", message)).removeprefix("ERROR:").strip()
