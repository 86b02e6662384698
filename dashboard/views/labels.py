"""Decide on labels: those that look wrong, those that would teach most, those that another person could not tell."""

from functools import partial

import streamlit as st

from dashboard import bulk, errors_answers, gone, label_files, label_queues, parts, retrain, state, style, working_set

MORE = ("History", "Take it with you")


def show() -> None:
    """Draw the view."""
    now = state.tables()
    parts.heading("Labels", "A person's word wins over the list's; the history keeps both, and nothing is ever lost")
    if not now.embedded:
        parts.start_here("Nothing is embedded yet.")
        return
    style.sheet("errors.css")
    names = [*label_queues.QUEUES, *MORE]
    gone.chosen("queue", names, "There is no queue {}. The first one is shown instead.")
    chosen = st.segmented_control(
        "Show", names, default=names[0], required=True, key="queue", bind="query-params", label_visibility="collapsed"
    )
    if chosen == MORE[0]:
        with parts.panel("history"):
            label_files.history()
    elif chosen == MORE[1]:
        with parts.panel("files"):
            label_files.show()
    else:
        _queue(now, chosen or names[0])


def _queue(now: state.Tables, name: str) -> None:
    """Videos to decide on, and the one that is open."""
    retrain.show(now)
    working_set.chip(now.by_id)
    queue = label_queues.waiting(now, name)
    if name == working_set.NAME:
        bulk.show([now.by_id[video_id] for video_id in queue.videos])
    video_id = label_queues.opened(now, queue)
    left, right = st.columns([1, 1.5])
    with left, parts.panel("queue"):
        label_queues.heading(name, len(queue.videos))
        label_queues.listing(now, name, queue, video_id)
    with right, parts.panel("open"):
        if video_id is None:
            parts.muted(queue.nothing, "queue-empty")
        else:
            label_queues.about(now, now.by_id[video_id], queue)
            asked = queue.asked(now, video_id)
            errors_answers.show(now.by_id[video_id], asked, partial(label_queues.hold, video_id, asked))


if __name__ == "__main__":
    show()
