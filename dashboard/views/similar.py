"""What sounds like a video of the collection, a file, a recording, or what a link leads to; and what words find."""

import streamlit as st

from dashboard import filters, parts, query, results, similar_kept, state

ASK = dict(zip(query.WAYS[1:], (query.of_upload, query.of_link, query.of_microphone, query.of_words), strict=True))


def show() -> None:
    """Draw the view."""
    now = state.tables()
    parts.heading("Similar", "Neighbours by the sound of the first minute")
    if not now.embedded:
        parts.start_here("Nothing is embedded yet.")
        return
    similar_kept.choose(now)
    chosen = filters.show(now)
    left, right = st.columns([1, 1.7])
    with left, parts.panel("query"):
        asked = _ask(now)
        _about(now, asked)
    with right, parts.panel("results"):
        results.show(now, asked, chosen)


def _ask(now: state.Tables) -> query.Query | None:
    way = query.way()
    return ASK[way]() if way in ASK else query.of_collection(now)


def _about(now: state.Tables, asked: query.Query | None) -> None:
    if asked is not None and asked.problem:
        parts.notice(asked.problem, "problem")
    elif asked is not None and asked.video_id:
        video = now.by_id[asked.video_id]
        parts.card(video, "asked", (video.channel or "", video.category or "no label"))
        parts.player(video, asked.at_seconds or 0.0)
    elif asked is not None and not asked.words:
        parts.muted(f"Searched with: {asked.name}", "asked")


if __name__ == "__main__":
    show()
