"""What sounds like a video of the collection, an uploaded file, or what a link leads to."""

import streamlit as st

from dashboard import nearest, parts, query, state
from dashboard.state import Key
from dashboard.style import GREY

WAYS = ("In the collection", "Upload a file", "Paste a link")
NEIGHBOURS = 10


def show() -> None:
    """Draw the view."""
    now = state.tables()
    parts.heading("Similar", "Neighbours by the sound of the first minute")
    if not now.embedded:
        parts.start_here("Nothing is embedded yet.")
        return
    left, right = st.columns([1, 1.7])
    with left, parts.panel("query"):
        asked = _ask(now)
        _about(now, asked)
    with right, parts.panel("results"):
        _results(now, asked)


def _ask(now: state.Tables) -> query.Query | None:
    way = st.segmented_control("What to search with", WAYS, default=WAYS[0], required=True)
    if way == WAYS[0]:
        return query.of_collection(now)
    if way == WAYS[1]:
        return query.of_upload()
    return query.of_link()


def _about(now: state.Tables, asked: query.Query | None) -> None:
    if asked is not None and asked.problem:
        parts.notice(asked.problem, "problem")
    elif asked is not None and asked.video_id:
        video = now.by_id[asked.video_id]
        parts.card(video, "asked", (video.channel or "", video.category or "no label"))
        parts.player(video)
    elif asked is not None:
        parts.muted(f"Searched with: {asked.name}", "asked")


def _results(now: state.Tables, asked: query.Query | None) -> None:
    st.subheader("Nearest first", anchor=False)
    if asked is None or asked.key is None:
        parts.muted("Choose a video, or give a file or a link: its neighbours appear here.", "results")
        return
    shown = _begun(asked)
    found, sides = nearest.neighbours(asked.key, shown, encoder=asked.encoder), st.columns(2)
    for number, row in enumerate(found.to_dict("records")):
        video = now.by_id[row["id"]]
        with sides[number % 2]:
            words = f"{video.category or 'no label'} · {parts.nearness(row['percentile'])}"
            tint = (words, now.colours.get(video.category or "", GREY))
            parts.playable(video, f"similar-{row['id']}", (video.channel or "",), tint, number=number + 1)
    if shown < len(now.embedded) - 1:
        st.button("Show more", on_click=_more)


def _begun(asked: query.Query) -> int:
    """How many neighbours are shown; a query other than the last begins with silence and the first ones."""
    identity = (asked.video_id, asked.name, asked.token)
    if st.session_state.get(Key.QUERY) != identity:
        st.session_state[Key.QUERY], st.session_state[Key.MORE] = identity, NEIGHBOURS
        state.silence()
    return int(st.session_state[Key.MORE])


def _more() -> None:
    st.session_state[Key.MORE] += NEIGHBOURS


if __name__ == "__main__":
    show()
