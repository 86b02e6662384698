"""What words find: videos by their titles, and the seconds in which they were heard."""

from collections.abc import Set as AbstractSet

import streamlit as st

from analysis.evidence_parts import clock
from analysis.titles import titled
from dashboard import filters, parts, query, similar_kept, state
from dashboard.state import Key
from dashboard.style import GREY
from quartzlens.figures import how_many, percent
from quartzlens.records import Video

MOST = 20
UNSURE = "Words are heard unsurely, and often wrong: try the beginning of a word, or one word alone."


def show(now: state.Tables, saying: str, chosen: filters.Chosen) -> None:
    """Draw the titles that hold the words, then the fragments in which they were heard; filters hold for both."""
    if chosen.problem:
        parts.muted("Put the filters right: what they leave appears here.", "results")
        return
    allowed = filters.within(chosen)
    within = now.embedded if allowed is None else allowed & now.embedded
    ids = titled((now.by_id[one] for one in sorted(within)), saying)
    heard = _heard(saying, within)
    similar_kept.offer([*ids[:MOST], *(one[0] for one in heard[:MOST])])
    first = f", the first {MOST} of them" if len(ids) > MOST else ""
    st.subheader(f"In titles: {how_many(len(ids), 'video')}{first}", anchor=False)
    for video_id in ids[:MOST]:
        _card(now, now.by_id[video_id], f"title-{video_id}", "", 0.0)
    st.subheader(f"Heard: {_up_to_most(len(heard))}", anchor=False)
    parts.muted(UNSURE, "heard-words")
    for video_id, start, end, words, probability in heard[:MOST]:
        said = f"{clock(start)} to {clock(end)} · “{words}” · {percent(probability)} sure"
        _card(now, now.by_id[video_id], f"heard-{video_id}-{start:g}", said, start)


def _heard(saying: str, within: AbstractSet[str]) -> list[tuple[str, float, float, str, float]]:
    """Id, start and end in seconds, what was heard, and how surely: of the collection's encoder, best match first.

    One more than are shown, which tells whether there are more.
    """
    found = state.collection().store.fragments(state.fingerprint(), within, saying, MOST + 1)
    rows = zip(found.ids, found.bounds.tolist(), found.words, strict=True)
    return [(one, *bounds, words.text, words.probability) for one, bounds, words in rows if words is not None]


def _up_to_most(heard: int) -> str:
    return how_many(heard, "fragment") if heard <= MOST else f"more than {MOST} fragments, the best of them first"


def _card(now: state.Tables, video: Video, key: str, said: str, start: float) -> None:
    lines = (said, video.channel or "") if said else (video.channel or "",)
    tint = (video.category or "no label", now.colours.get(video.category or "", GREY))
    parts.playable(video, f"similar-{key}", lines, tint, start_seconds=start)
    if st.session_state.get(Key.PLAYING) == f"similar-{key}":
        label = "More like these seconds" if said else "Search with this video"
        st.button(label, key=f"search-{key}", on_click=query.open_found, args=(video.id, start if said else None))
