"""What else is known of a video: who published it and where, its sound, its lists' columns, the uploader's text."""

import streamlit as st

from dashboard import parts
from dashboard.site_player import is_page
from quartzlens.records import Video

LONGEST = 4000


def show(video: Video) -> None:
    """Draw the facts and the uploader's text, folded; all of it strangers' words, shown as text."""
    with st.expander("About this video"):
        with st.container(key="muted-about", gap="xsmall"):
            for name, value in facts(video).items():
                st.text(f"{name}: {value}")
        if is_page(video.source):
            st.link_button("Open where it came from", video.source)
        if video.description:
            parts.strong("The uploader's text", "about")
            cut = video.description[:LONGEST]
            with st.container(key="muted-description", height=160 if len(cut) > 400 else "content"):
                st.text(cut + (" …" if len(video.description) > LONGEST else ""))


def facts(video: Video) -> dict[str, str]:
    """What is known of a video, by name; nothing that is not known.

    >>> facts(Video("v", "/a.mp4", channel="Crumb", extra={"year": "2021", "empty": ""}))
    {'id': 'v', 'channel': 'Crumb', 'source': '/a.mp4', 'year': '2021'}
    """
    known = {"id": video.id, "channel": video.channel or "", "source": video.source}
    if media := video.media:
        known["length"] = f"{media.source_seconds:.0f} s" if media.source_seconds else ""
        known["heard"] = f"{media.clip_seconds:.0f} s" + (", silent" if media.silent else "")
        known["loudness"] = f"{media.loudness_dbfs:.1f} dBFS"
        known["sound"] = f"{media.codec}, {media.sample_rate_hz / 1000:g} kHz"
    known |= {str(name): str(value) for name, value in video.extra.items()}
    return {name: value for name, value in known.items() if value}
