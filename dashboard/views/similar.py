"""What sounds like a video of the collection, an uploaded file, or what a link leads to."""

import streamlit as st

from dashboard import filters, parts, query, results, state

WAYS = ("In the collection", "Upload a file", "Paste a link")


def show() -> None:
    """Draw the view."""
    now = state.tables()
    parts.heading("Similar", "Neighbours by the sound of the first minute")
    if not now.embedded:
        parts.start_here("Nothing is embedded yet.")
        return
    chosen = filters.show(now)
    left, right = st.columns([1, 1.7])
    with left, parts.panel("query"):
        asked = _ask(now)
        _about(now, asked)
    with right, parts.panel("results"):
        results.show(now, asked, chosen)


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
        parts.player(video, asked.at_seconds or 0.0)
    elif asked is not None:
        parts.muted(f"Searched with: {asked.name}", "asked")


if __name__ == "__main__":
    show()
