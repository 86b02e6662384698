"""What can happen to a video in the pipeline, where it was decided, and when it is tried again."""

from enum import StrEnum


class Retry(StrEnum):
    """When a video with a bad outcome is tried again; "now" is in the same ingest, and then in later ones."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


class Outcome(StrEnum):
    """What happened to a video in the pipeline: a closed set (reference: the outcome table in docs/ingest.md)."""

    OK = "ok"
    DAMAGED_LINK = "damaged_link"
    PRIVATE = "private"
    REMOVED = "removed"
    GEO_BLOCKED = "geo_blocked"
    AGE_RESTRICTED = "age_restricted"
    MEMBERS_ONLY = "members_only"
    NOT_YET = "not_yet"
    BLOCKED_AS_BOT = "blocked_as_bot"
    RATE_LIMITED = "rate_limited"
    FORBIDDEN = "forbidden"
    NO_FORMAT = "no_format"
    UNSUPPORTED_LINK = "unsupported_link"
    REFUSED_LINK = "refused_link"
    REFUSED_FILE = "refused_file"
    NETWORK = "network"
    NO_AUDIO = "no_audio"
    TOO_SHORT = "too_short"
    UNDECODABLE = "undecodable"
    MISSING_FILE = "missing_file"
    DISK_FULL = "disk_full"
    FAILED = "failed"

    @property
    def retry(self) -> Retry:
        """When a later ingest tries a video with this outcome again."""
        return _RETRY.get(self, Retry.NEVER)


_RETRY = {
    Outcome.PRIVATE: Retry.LATER,
    Outcome.NOT_YET: Retry.LATER,
    Outcome.BLOCKED_AS_BOT: Retry.LATER,
    Outcome.RATE_LIMITED: Retry.NOW,
    Outcome.FORBIDDEN: Retry.NOW,
    Outcome.NO_FORMAT: Retry.LATER,
    Outcome.NETWORK: Retry.NOW,
    Outcome.MISSING_FILE: Retry.LATER,
    Outcome.DISK_FULL: Retry.LATER,
    Outcome.FAILED: Retry.LATER,
}


class Stage(StrEnum):
    """Where in the pipeline an outcome was decided."""

    SOURCE = "source"
    DOWNLOAD = "download"
    DECODE = "decode"
    ENCODE = "encode"
    STORE = "store"
