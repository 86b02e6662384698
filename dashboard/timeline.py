"""A video's fragments as a strip of probabilities that plays; ``timeline.js`` draws it, this gives its data."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from analysis.evaluation import probability_columns
from analysis.evidence_parts import clock
from analysis.evidence_timeline import Timeline
from dashboard import address, state
from dashboard.errors_component import component
from dashboard.state import Key
from dashboard.style import GREY, on_both
from quartzlens.records import Json, Words

MOST_CATEGORIES = 8
OTHERS = "all others"


def draw(shown: Json, key: str, video_id: str) -> None:
    """Draw a video's strip; Similar opens where fragments like one of it are asked for.

    Where the page has no player and a fragment is to be played, ``started`` of this key tells its second.
    """
    asked = component("timeline")(key=key, data=shown, on_start_change=partial(_start, key), on_similar_change=_nothing)
    if asked.similar is not None:
        address.go("similar", video=video_id, at=f"{float(asked.similar):g}", find="Fragments")


def started(key: str) -> tuple[float, int]:
    """Second from which a site's player plays for the strip of a key, and how many clicks on it asked for that."""
    kept = st.session_state.get(Key.START)
    return (kept[1], kept[2]) if kept and kept[0] == key else (0.0, 0)


def _start(key: str) -> None:
    start = st.session_state[key].get("start")
    if start is not None:
        clicks = started(key)[1]
        state.silence()
        st.session_state[Key.START] = (key, float(start), clicks + 1)


def strip(
    found: Timeline,
    colours: Mapping[str, str],
    words: Sequence[Words | None],
    hint: str,
    player: str,
    *,
    keys: bool = True,
    asks: bool = False,
    begins: float = 0.0,
) -> Json:
    """What the strip of a video shows, as JSON values.

    Parameters
    ----------
    words
        What was heard in each fragment (None: nobody listened), in the order of ``found.fragments``.
    hint
        What a click does.
    player
        Key of the container that holds the player.
    keys
        Whether space and P play from anywhere on the page; for one strip of a page.
    asks
        Whether there is something else to play by where the page has no player.
    begins
        The second of the video with which the player's sound begins.
    """
    names, shares = _grouped(
        list(found.probabilities), found.fragments[probability_columns(found.fragments)].to_numpy()
    )
    bounds = found.fragments[["start_seconds", "end_seconds"]].to_numpy(dtype=float).tolist()
    fragments: list[Json] = [
        {
            "start": start,
            "end": end,
            "clock": f"{clock(start)} to {clock(end)}",
            "shares": [float(share) for share in row],
            "heard": None if one is None else one.text,
            "misled": any(low <= start < high for low, high in found.misleading),
        }
        for (start, end), row, one in zip(bounds, shares, words, strict=True)
    ]
    return {
        "categories": [{"name": name, "colour": on_both(colours.get(name, GREY))} for name in names],
        "fragments": fragments,
        "frames": [[low, high] for low, high in found.misleading],
        "hint": hint,
        "player": player,
        "keys": keys,
        "asks": asks,
        "begins": begins,
    }


def _grouped(names: list[str], shares: NDArray[np.float32]) -> tuple[list[str], NDArray[np.float32]]:
    """Categories and (f, k) probabilities; of many categories the most probable ones, and the rest as one."""
    if len(names) <= MOST_CATEGORIES:
        return names, shares
    kept = np.sort(np.argsort(-shares.max(axis=0), kind="stable")[: MOST_CATEGORIES - 1])
    rest = np.clip(1.0 - shares[:, kept].sum(axis=1, keepdims=True), 0.0, 1.0)
    return [*(names[at] for at in kept), OTHERS], np.hstack([shares[:, kept], rest])


def _nothing() -> None:
    """What was asked for is in what the component gives."""
