"""Whether the sound of videos is in the collection, and what a person who wants to hear it is told."""

from collections.abc import Sequence

import streamlit as st

from dashboard import parts, state
from dashboard.site_player import embedded_player, watched
from dashboard.wording import shown_command
from quartzlens.records import Video, Words


def n_kept(now: state.Tables) -> int:
    """Number of embedded videos whose sound is kept, too."""
    return _n_kept(now.stamp, now)


@st.cache_resource(show_spinner=False, max_entries=4)
def _n_kept(stamp: state.Stamp, _now: state.Tables) -> int:  # noqa: ARG001 (the stamp is the cache's key)
    return sum(bool(one.outcome == "ok" and one.media and one.media.media_file) for one in _now.by_id.values())


@st.cache_resource(show_spinner=False, max_entries=4)
def _on_youtube(stamp: state.Stamp, _now: state.Tables) -> bool:  # noqa: ARG001 (the stamp is the cache's key)
    return all(embedded_player(one.source, 0.0) for one in _now.by_id.values() if one.outcome == "ok")


def notice(now: state.Tables) -> None:
    """Say how to get the sound that is not kept; nothing where all is."""
    if said := missing(now):
        command = shown_command("ingest", "LIST", "--keep-media", "yes", "--retry", "ok", "-c", str(state.folder()))
        parts.notice(f"{said} To keep it:", "sound", command)


def missing(now: state.Tables) -> str:
    """Whose sound is not kept, and what that means; empty where all is."""
    n_missing = now.kept - n_kept(now)
    if not n_missing:
        return ""
    whose = "the videos" if n_missing == now.kept else f"{n_missing:,} of the {now.kept:,} kept videos"
    return (
        f"The sound of {whose} is not in the collection: it can be heard only where they came from, and quartzlens "
        "reembed has nothing to go by."
    )


def of_a_point(now: state.Tables) -> str:
    """What a click on a point of the map does."""
    n = n_kept(now)
    if n == now.kept:
        return "click one to hear it"
    if n:
        return f"click one to hear it (the sound of {n:,} of {now.kept:,} is kept)"
    what = "play it from YouTube" if _on_youtube(now.stamp, now) else "see what it is"
    return f"click one to {what} (no sound is kept)"


def of_a_stretch(video: Video, words: Sequence[Words | None], place: str = "") -> str:
    """What a click on a stretch of a video does; ``words`` were heard in its fragments (None: nobody listened)."""
    kept = parts.kept_sound(video) is not None
    if at_its_site(video, place):
        return f"Click a stretch to play from there, from YouTube{'' if kept else ': the sound is not kept'}."
    if kept:
        return "Click a stretch to play from there."
    shows = "" if words[0] is None else ", but a click shows which words were heard"
    return f"The sound is not kept, so no stretch can be played{shows}."


def at_its_site(video: Video, place: str = "") -> bool:
    """Whether a stretch of a video is played by the site that it came from: its sound is not kept, or by choice.

    ``place`` is that of its player, as in ``parts.player``.
    """
    if parts.kept_sound(video) is None:
        return embedded_player(video.source, 0.0) is not None
    return watched(video, place)
