"""What was found by Similar: the nearest videos or fragments with the seconds that they are, or what words find."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from analysis.evidence_parts import clock
from dashboard import filters, nearest, parts, query, similar_kept, similar_varied, similar_words, state
from dashboard.state import Key
from dashboard.style import GREY

FRAGMENTS = "Fragments"
KINDS = ("Videos", FRAGMENTS)
NEIGHBOURS = 10


def show(now: state.Tables, asked: query.Query | None, chosen: filters.Chosen) -> None:
    """Draw the neighbours, nearest first."""
    if asked is not None and asked.words:
        similar_words.show(now, asked.words, chosen)
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader("Nearest first", anchor=False, width="content")
        filters.remaining(now, chosen)
        kind = st.segmented_control(
            "Find",
            KINDS,
            default=KINDS[0],
            required=True,
            key="find",
            bind="query-params",
            label_visibility="collapsed",
        )
    if asked is None or asked.key is None:
        parts.muted(query.nothing_yet(), "results")
        return
    if chosen.problem:
        parts.muted("Put the filters right: what they leave appears here.", "results")
        return
    varied, within = kind != FRAGMENTS and similar_varied.asked(), filters.within(chosen)
    shown = _begun((asked.video_id, asked.at_seconds, asked.name, asked.token, str(chosen.where), kind, varied, within))
    search = nearest.fragments if kind == FRAGMENTS else similar_varied.neighbours if varied else nearest.neighbours
    found = search(asked.key, shown + 1, within, encoder=asked.encoder)
    found = found[now.there(found["id"])]  # another browser may add or remove videos while this one searches
    similar_kept.offer(found["id"].head(shown))
    _cards(now, found.head(shown))
    if found.empty:
        parts.muted("No other video matches." if within is not None else "There is no other video.", "results")
    if len(found) > shown:
        st.button("Show more", on_click=_more)
    if kind == FRAGMENTS and found["heard"].notna().any():
        parts.muted("In quotes: the words that were heard, unsure and often wrong.", "heard")


def _cards(now: state.Tables, found: pd.DataFrame) -> None:
    """Two beside each other, each pair beginning at one height."""
    rows = found.to_dict("records")
    for first in range(0, len(rows), 2):
        for number, (side, row) in enumerate(zip(st.columns(2), rows[first : first + 2], strict=False), first + 1):
            with side:
                _card(now, row, number)


def _card(now: state.Tables, row: Mapping[Hashable, Any], number: int) -> None:
    video, start = now.by_id[row["id"]], row.get("start_seconds")
    words = f"{video.category or 'no label'} · {parts.nearness(row['percentile'])}"
    tint = (words, now.colours.get(video.category or "", GREY))
    if start is None:
        parts.playable(video, f"similar-{video.id}", (video.channel or "",), tint, number=number)
        return
    key, seconds = f"similar-{video.id}-{start:g}", f"{clock(start)} to {clock(row['end_seconds'])}"
    said = f"{seconds} · “{row['heard']}”" if row["heard"] else seconds
    parts.playable(video, key, (said, video.channel or ""), tint, number=number, start_seconds=start)
    if st.session_state.get(Key.PLAYING) == key:
        st.button("Search with this moment", key=f"moment-{key}", on_click=query.open_moment, args=(video.id, start))


def _begun(identity: tuple[object, ...]) -> int:
    """How many neighbours are shown; another search than the last begins with silence and the first ones."""
    if st.session_state.get(Key.QUERY) != identity:
        st.session_state[Key.QUERY], st.session_state[Key.MORE] = identity, NEIGHBOURS
        state.silence()
    return int(st.session_state[Key.MORE])


def _more() -> None:
    st.session_state[Key.MORE] += NEIGHBOURS
