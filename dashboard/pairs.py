"""The seconds of a video and of its neighbours that match best: a click plays the ones after the others."""

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from analysis.evidence import Evidence
from analysis.evidence_parts import clock
from dashboard import nearest, parts, state
from dashboard.errors_component import component
from dashboard.state import Key
from dashboard.style import GREY, on_both
from quartzlens.records import Json, Video

MOST = 3


def show(video: Video, found: Evidence, colours: Mapping[str, str], player: str) -> None:
    """Draw the pairs of fragments, the most alike first; ``player`` is the key of the video's own player."""
    now = state.tables()
    table, known = found.pairs[now.there(found.pairs["id"])].head(MOST), now.by_id
    if table.empty:
        return
    st.subheader("Seconds that match best", anchor=False, help="Of the nearest videos of both categories.")
    rows = [_pair(video, known[str(row["id"])], row, colours) for row in table.to_dict("records")]
    asked = _asked(video.id, len(rows))
    playing: Json = {"number": asked[0], "player": asked[1]} if asked else None
    key = f"{Key.PAIRS}-{video.id}"
    data: Json = {"pairs": list(rows), "player": player, "playing": playing}
    component("pairs")(key=key, data=data, on_play_change=partial(_play, video.id, key))
    if asked is not None:
        row = table.iloc[asked[0]]
        _their_player(known[str(row["id"])], float(row["other_start_seconds"]), asked[1])


def _pair(video: Video, other: Video, row: Mapping[Hashable, Any], colours: Mapping[str, str]) -> Json:
    begins = state.clip_begins()  # the players' sound begins there
    return {
        "start": row["start_seconds"] - begins,
        "end": row["end_seconds"] - begins,
        "clock": clock(row["start_seconds"]),
        "other_start": row["other_start_seconds"] - begins,
        "other_end": row["other_end_seconds"] - begins,
        "other_clock": clock(row["other_start_seconds"]),
        "title": other.title or other.id,
        "colour": on_both(colours.get(str(row["category"]), GREY)),
        "nearness": parts.nearness(nearest.fragment_percentile(float(row["similarity"]))),
        "plays": all(parts.kept_sound(one) is not None for one in (video, other)),
    }


def _asked(video_id: str, n: int) -> tuple[int, str] | None:
    """Which pair was clicked last, and the key of the container of the neighbour's player: another one each time."""
    kept = st.session_state.get(Key.PAIR)
    if not kept or kept[0] != video_id or kept[1] >= n:
        return None
    return kept[1], f"pair-sound-{kept[1]}-{kept[2]}"


def _play(video_id: str, key: str) -> None:
    number = st.session_state[key].get("play")
    if number is not None:
        kept = st.session_state.get(Key.PAIR)
        state.silence()
        st.session_state[Key.PAIR] = (video_id, int(number), kept[2] + 1 if kept else 1)


def _their_player(other: Video, start_seconds: float, key: str) -> None:
    with st.container(key=key, gap="xsmall"):
        parts.muted(" · ".join(filter(None, [other.title or other.id, other.channel])), "pair")
        parts.player(other, start_seconds, place=f"{key}-")
