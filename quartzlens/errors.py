"""Everything quartzlens raises on purpose, under one root. A message says what is wrong, where, and what to do."""


class QuartzlensError(Exception):
    """Root of all errors that a person is meant to read; the command line prints the message without a traceback."""


class UsageError(QuartzlensError):
    """What was asked for cannot be done as asked: a missing list, an unknown column, a wrong value (exit code 2)."""


class CollectionError(QuartzlensError):
    """A collection cannot be opened or used: not there, damaged, read-only, or written by a newer version."""


class LockedError(CollectionError):
    """Another process holds the collection's ingest lock; the message names its pid and start time."""


class EncoderMismatchError(QuartzlensError):
    """Embeddings of two encoder fingerprints were asked to meet; the message names both."""


class CheckpointError(QuartzlensError):
    """A checkpoint is missing, damaged, unsafe or of a kind that quartzlens does not read."""


class NotEnoughDataError(QuartzlensError):
    """Too few labelled videos, categories or channels for what was asked."""


class UnknownVideoError(QuartzlensError):
    """No video of that id is in the collection, or it has no embedding."""


class HistoryMovedError(QuartzlensError):
    """The label history has not the length any more at which a change of it was decided."""


class PortError(QuartzlensError):
    """The dashboard cannot listen on a port; the message has the command with another one."""
