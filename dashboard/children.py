"""The processes that belong to this server: one of each kind for all browsers, whatever page is open."""

from pathlib import Path

import streamlit as st

from dashboard.background import Background
from dashboard.child import EncoderChild
from dashboard.ingest_child import IngestChild
from dashboard.state import folder


def encoder_child() -> EncoderChild:
    """The one warm encoder of this server."""
    return _encoder_child(str(folder()))


@st.cache_resource(show_spinner=False)
def _encoder_child(place: str) -> EncoderChild:
    return EncoderChild(Path(place))


def background(what: str) -> Background:
    """The long work of a kind that this server does for the collection: all browsers see the same."""
    return _background(str(folder()), what)


@st.cache_resource(show_spinner=False)
def _background(place: str, what: str) -> Background:  # noqa: ARG001
    return Background()


def ingest_child() -> IngestChild:
    """The one ingest of this server."""
    return _ingest_child(str(folder()))


@st.cache_resource(show_spinner=False)
def _ingest_child(place: str) -> IngestChild:
    return IngestChild(Path(place))
