"""The processes that belong to this server: one of each kind for all browsers, whatever page is open.

They are kept here, not in Streamlit's cache, which any browser may empty by a message.
"""

import threading
from functools import cache
from pathlib import Path

from dashboard.background import Background
from dashboard.child import EncoderChild
from dashboard.ingest_child import IngestChild
from dashboard.state import folder

_LOCK = threading.Lock()


def encoder_child() -> EncoderChild:
    """The one warm encoder of this server."""
    with _LOCK:
        return _encoder_child(str(folder()))


@cache
def _encoder_child(place: str) -> EncoderChild:
    return EncoderChild(Path(place))


def background(what: str) -> Background:
    """The long work of a kind that this server does for the collection: all browsers see the same."""
    with _LOCK:
        return _background(str(folder()), what)


@cache
def _background(place: str, what: str) -> Background:  # noqa: ARG001
    return Background()


def ingest_child() -> IngestChild:
    """The one ingest of this server."""
    with _LOCK:
        return _ingest_child(str(folder()))


@cache
def _ingest_child(place: str) -> IngestChild:
    return IngestChild(Path(place))
