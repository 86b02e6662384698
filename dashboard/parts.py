"""Pieces that several views are made of. All text of strangers goes through ``st.text``, which shows it as it is."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import streamlit as st
from streamlit import runtime

from analysis.evidence_parts import clock
from dashboard import address, state, style
from dashboard.site_player import site_player, switch, watch, watched
from dashboard.wording import plain, shown_command
from quartzlens import figures
from quartzlens.records import Video

THUMBNAIL_PIXELS = 96
MIME = {".m4a": "audio/mp4", ".mp4": "audio/mp4", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg"}
MIME |= {".webm": "audio/webm", ".flac": "audio/flac", ".wav": "audio/wav"}
PICTURE_MIME = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


def heading(title: str, below: str = "") -> None:
    """Title of a view (our words), and a quiet line below it (may hold strangers' words)."""
    with st.container(key="muted-heading"):
        st.title(title, anchor=False)
        if below:
            st.text(below)


def panel(key: str, height: int | None = None) -> "st.delta_generator.DeltaGenerator":
    """Open a white card with a thin border."""
    return st.container(border=True, key=f"panel-{key}", gap="small", height=height or "content")


def muted(text: str, key: str) -> None:
    """Small grey text."""
    with st.container(key=f"muted-{key}"):
        st.text(text)


def strong(text: str, key: str) -> None:
    """The heading of a panel where it holds strangers' words."""
    with st.container(key=f"strong-{key}"):
        st.text(text)


def figure(value: str, name: str, key: str, *, tip: str | None = None) -> None:
    """A number with its name below it, and ``tip`` (our words) on what it says."""
    with st.container(key=f"figure-{key}", gap=None):
        st.text(value)
        st.text(name, help=tip)


def tinted(text: str, colour: str, key: str) -> None:
    """Text behind a dot of a colour."""
    with st.container(key=f"{style.tint(colour)}-{key}", width="content"):
        st.text(text)


def notice(text: str, key: str, command: str = "") -> None:
    """A quiet notice, with a command to copy where there is one."""
    with st.container(key=f"notice-{key}", gap="small"):
        st.text(text)
        if command:
            st.code(command, language=None, wrap_lines=True)


def failure(message: str) -> None:
    """What went wrong, as a sentence."""
    st.error(plain(message))


def table(
    title: str, columns: list[str], rows: Sequence[tuple[object, ...]], widths: Mapping[str, int] = MappingProxyType({})
) -> None:
    """A titled table; nothing at all where there are no rows. ``widths`` of columns are in pixels, others as needed."""
    if rows:
        st.subheader(title, anchor=False)
        shape = {name: st.column_config.Column(width=pixels) for name, pixels in widths.items()}
        st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True, column_config=shape)


def as_table(key: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """What charts show, as tables that a screen reader can read: titled, folded away; empty ones are left out."""
    with st.expander("As a table"), st.container(key=f"tables-{key}"):
        for title, rows in tables.items():
            if not rows.empty:
                st.text(title)
                st.dataframe(rows, hide_index=True)


def card(
    video: Video,
    key: str,
    lines: tuple[str, ...],
    *,
    chosen: bool = False,
    opens: bool = False,
    on_open: Callable[..., None] | None = None,
    args: tuple[object, ...] = (),
    bar: tuple[float, str] | None = None,
) -> bool:
    """A video in a list: thumbnail, title, quiet lines; a click anywhere on it calls ``on_open``.

    Returns whether it was clicked just now.

    Parameters
    ----------
    opens
        Whether it can be clicked without an ``on_open``: what leads to another view cannot be a callback.
    bar
        A share 0..1 and the colour of its bar.
    """
    with st.container(horizontal=True, key=f"card-{key}{'-chosen' if chosen else ''}", gap="small", wrap=False):
        thumbnail(video, key)
        with st.container(key=f"words-{key}", gap=None):
            st.text(video.title or video.id)
            for line in lines:
                st.text(line)
            if bar is not None:
                _bar(*bar, key)
        if on_open is None and not opens:
            return False
        label = f"Open {plain(video.title or video.id)}"
        return st.button(label, key=f"open-{key}", on_click=on_open, args=args)


def _bar(share: float, colour: str, key: str) -> None:
    with st.container(key=f"{style.tint(colour)}-bar-{key}", horizontal=True, vertical_alignment="center"):
        st.progress(share, width=48)
        st.text(f"{share:.2f}")


def thumbnail(video: Video, key: str, width: int = THUMBNAIL_PIXELS) -> None:
    """The kept picture of a video, or a quiet box of its size."""
    kept = _kept_picture(video)
    if kept is not None:
        st.image(str(kept), width=width, alt="")
        return
    with st.container(key=f"blank-{key}", width=width, height=width * 9 // 16, horizontal_alignment="center"):
        st.text("audio")


def thumbnail_address(video: Video, key: str) -> str:
    """Where parts that draw it themselves find the kept picture of a video; empty where there is none."""
    kept = _kept_picture(video)
    kind = PICTURE_MIME.get(kept.suffix.lower()) if kept else None
    if kept is None or kind is None or not runtime.exists():
        return ""
    return runtime.get_instance().media_file_mgr.add(str(kept), kind, key)


def _kept_picture(video: Video) -> Path | None:
    return state.kept_file(video.media.thumbnail_file if video.media else None)


def kept_sound(video: Video) -> Path | None:
    """The file of a video's sound; None where the collection does not keep it."""
    return state.kept_file(video.media.media_file if video.media else None)


def player(
    video: Video, start_seconds: float = 0.0, *, autoplay: bool = False, again: int = 0, place: str = ""
) -> None:
    """The audio that the collection keeps of a video, else its site's; another number ``again`` starts it once more.

    Of a video of YouTube's a switch turns to its player there and back.

    ``start_seconds`` counts from the video's own beginning; what is kept begins where it was heard.
    ``place`` tells apart the players that a page has of one video.
    """
    kept, begins = kept_sound(video), state.clip_begins()
    start_seconds = max(start_seconds, begins)
    if kept is None:
        site_player(video, f"{place}{video.id}-{start_seconds:g}-{again}", start_seconds, at_once=autoplay)
        return
    if watched(video, place):
        watch(video, start_seconds)
    else:
        # Streamlit plays a player by itself once only; another alternative text makes another player of it.
        alt = f"Audio of the video from {clock(start_seconds)}, click {again}" if again else "Audio of the video"
        st.audio(str(kept), format=mime(kept), start_time=int(start_seconds - begins), autoplay=autoplay, alt=alt)
    switch(video, place)


def similar_button(video_id: str, key: str, at_seconds: float | None = None) -> None:
    """A button that searches for what sounds like a video, or for fragments that sound like a moment of it."""
    moment = {} if at_seconds is None else {"at": f"{at_seconds:g}", "find": "Fragments"}
    if st.button("Similar moments" if moment else "Similar videos", key=f"similar-of-{key}"):
        address.go("similar", video=video_id, **moment)


def mime(path: Path) -> str:
    """MIME type of a kept audio file.

    >>> mime(Path("a.m4a"))
    'audio/mp4'
    """
    return MIME.get(path.suffix.lower(), "audio/ogg")


def playable(
    video: Video,
    key: str,
    lines: tuple[str, ...],
    tint: tuple[str, str],
    width: int = THUMBNAIL_PIXELS,
    number: int | None = None,
    start_seconds: float = 0.0,
) -> None:
    """A card that plays its video below itself when it is clicked; one at a time in a browser.

    Parameters
    ----------
    start_seconds
        Where it plays from.
    number
        Its place in a list, shown before it.
    tint
        Words (a category and what is said of it) and the colour of the dot before them.
    """
    playing = st.session_state.get(state.Key.PLAYING) == key
    with st.container(horizontal=True, key=f"card-{key}{'-chosen' if playing else ''}", gap="small", wrap=False):
        if number is not None:
            with st.container(key=f"muted-number-{key}", width=22):
                st.text(str(number))
        thumbnail(video, key, width)
        with st.container(key=f"words-{key}", gap=None):
            st.text(video.title or video.id)
            tinted(*tint, f"of-{key}")
            for line in lines:
                st.text(line)
        st.button(f"Play {plain(video.title or video.id)}", key=f"open-{key}", on_click=_play, args=(key,))
    if playing:
        player(video, start_seconds, autoplay=True, place=f"{key}-")


def _play(key: str) -> None:
    now = st.session_state.get(state.Key.PLAYING)
    state.silence()
    st.session_state[state.Key.PLAYING] = None if now == key else key


def nearness(percentile: float) -> str:
    r"""How near a neighbour is, in words; no line breaks between a number and its sign.

    >>> nearness(98.2).replace("\u00a0", " ")
    'nearer than 98 % of pairs'
    """
    words = figures.nearness(percentile).replace(" %", "\u00a0%")
    return words if math.isnan(percentile) else f"nearer than {words}"


def length(video: Video) -> str:
    """How much of a video was heard, such as 1:00; empty where nothing was."""
    return clock(video.media.clip_seconds) if video.media else ""


def start_here(message: str) -> None:
    """What a person sees where there is no collection, or nothing in it, and what changes it.

    The demo is offered where there is no collection: it mixes with no other.
    """
    folder = str(state.folder())
    with panel("start"):
        strong(message, "start")
        elsewhere = st.session_state.get(state.Key.VIEW) != "Overview"
        if elsewhere and st.button("Add videos in the Overview", type="primary"):
            address.go("overview")
        st.text("By a command, from a CSV with links or paths, a folder of videos, or a single file or link:")
        st.code(shown_command("ingest", "SOURCE", "-c", folder), language=None)
        if not state.exists():
            st.text("Or look at the demo, which is generated:")
            st.code(shown_command("demo", "-c", folder), language=None)
        st.text("This page shows what is there after the first videos are in; reload it then.")
