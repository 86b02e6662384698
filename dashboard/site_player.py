"""Playing a video at the site it came from, when a person asks: in place of kept sound, or where there is none."""

import re
from urllib.parse import urlsplit

import streamlit as st

from dashboard.wording import plain
from quartzlens.records import Video

_YOUTUBE = re.compile(r"https://www\.youtube\.com/watch\?v=([A-Za-z0-9_-]{11})")
_HEIGHT_PIXELS = 220
NOT_KEPT = "Its audio was not kept in the collection."
_ONLINE = "With its picture. Your browser asks YouTube for nothing before."


def site_player(video: Video, key: str, start_seconds: float, *, at_once: bool) -> None:
    """YouTube's own player at a second, another site's page, or the words that there is nothing to play.

    Nobody's browser asks YouTube for anything before a person has: ``at_once`` says that this click was for playing.
    """
    if embedded_player(video.source, start_seconds) is None:
        st.text(NOT_KEPT)
        if is_page(video.source):
            st.link_button(f"Open at {plain(urlsplit(video.source).hostname or 'its site')}", video.source)
        return
    if st.toggle("Play from YouTube", value=at_once, key=f"youtube-{key}", help=NOT_KEPT):
        watch(video, start_seconds)


def watched(video: Video, place: str = "") -> bool:
    """Whether a person has asked for YouTube's player in place of the sound that is kept, at this place of the page."""
    return bool(st.session_state.get(_switch(video, place))) and embedded_player(video.source, 0.0) is not None


def watch(video: Video, start_seconds: float) -> None:
    """YouTube's own player at a second."""
    if address := embedded_player(video.source, start_seconds):
        st.iframe(address, height=_HEIGHT_PIXELS)


def switch(video: Video, place: str = "") -> None:
    """Draw what turns to YouTube's player and back; nothing for videos from elsewhere."""
    if embedded_player(video.source, 0.0):
        st.toggle("Play from YouTube", key=_switch(video, place), help=_ONLINE)


def _switch(video: Video, place: str) -> str:
    return f"watch-{place}{video.id}"


def embedded_player(source: str, start_seconds: float) -> str | None:
    """Address of YouTube's player for a video's source, without cookies; None for what is not YouTube's.

    >>> embedded_player("https://www.youtube.com/watch?v=-wtIMTCHWuI", 25.0)
    'https://www.youtube-nocookie.com/embed/-wtIMTCHWuI?start=25&autoplay=1'
    """
    found = _YOUTUBE.fullmatch(source)
    if found is None:
        return None
    return f"https://www.youtube-nocookie.com/embed/{found[1]}?start={int(start_seconds)}&autoplay=1"


def page_at(source: str, start_seconds: float) -> str:
    """Address of the page where a video can be heard, at a second where its site takes one; empty where there is none.

    >>> page_at("https://www.youtube.com/watch?v=-wtIMTCHWuI", 25.0)
    'https://www.youtube.com/watch?v=-wtIMTCHWuI&t=25s'
    >>> page_at("https://example.org/a", 25.0), page_at("/home/me/a.wav", 25.0)
    ('https://example.org/a', '')
    """
    if _YOUTUBE.fullmatch(source):
        return f"{source}&t={int(start_seconds)}s"
    return source if is_page(source) else ""


def is_page(source: str) -> bool:
    """Whether a source is an address that a browser may be sent to: http or https, with a host.

    >>> is_page("https://example.org/a"), is_page("javascript:alert(1)"), is_page("/home/me/a.wav")
    (True, False, False)
    """
    try:
        parts = urlsplit(source)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
