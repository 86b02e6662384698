"""The queues of videos that wait for a person's word."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd
import streamlit as st

from analysis.label_next import next_to_label
from analysis.label_quality import suggested_errors
from analysis.label_work import asked_again, decided, of_several
from dashboard import copies, parts, state
from dashboard.errors_answers import Asked
from dashboard.state import Key
from dashboard.style import GREY
from quartzlens.errors import NotEnoughDataError
from quartzlens.figures import how_many
from quartzlens.records import Video

PAGE = 12
_TEACHING = 24


@dataclass(frozen=True, slots=True)
class Queue:
    """Videos in the order in which to decide on them.

    Attributes
    ----------
    videos
        Id of each, with what is said of it: its line, the category that is likeliest, and how sure that is (0..1).
    nothing
        What to say where none waits.
    """

    videos: Mapping[str, tuple[str, str, float]]
    nothing: str

    def asked(self, now: state.Tables, video_id: str) -> Asked:
        """The question of a video, by its label (or the several that lists give it) and what is likeliest."""
        label, given = now.by_id[video_id].category or "", now.by_id[video_id].categories
        _, likeliest, _ = self.videos.get(video_id, ("", "", 0.0))
        names = sorted({name for video in now.by_id.values() for name in video.categories})
        if len(given) > 1:
            return Asked("", tuple(name for name in names if name not in given), "", given)
        others = sorted((name for name in names if name != label), key=lambda name: name != likeliest)
        suggested = "1" if likeliest and likeliest != label else "K" if label else ""
        return Asked(label, tuple(others), suggested)


def _look_wrong() -> Queue:
    found, nothing = state.evaluation(), "Evaluate first: it takes a classifier to doubt a label."
    if found is None:
        return Queue(MappingProxyType({}), nothing)
    known, there = decided(state.collection().store), state.tables().by_id
    table = _suggestions(found[0].id)
    table = table[table["issue"] & ~table["id"].isin(known) & table["id"].isin(there)]
    rows = {
        row["id"]: (f"labelled {row['category']}, sounds like {row['suggested']}", row["suggested"], row["probability"])
        for row in table.to_dict("records")
    }
    return Queue(rows, "No label looks wrong that a person has not looked at.")


@st.cache_resource(show_spinner=False, max_entries=4)
def _suggestions(run_id: str) -> pd.DataFrame:
    found = state.evaluation(run_id)
    if found is None:
        raise NotEnoughDataError("This evaluation is gone: evaluate again.")
    return suggested_errors(found[1])


def _teach_most() -> Queue:
    table = _teaching(state.stamp())
    rows = {
        row["id"]: (f"may be {row['predicted']}", row["predicted"], row["probability"])
        for row in table.to_dict("records")
    }
    return Queue(rows, "Every embedded video has its label.")


@st.cache_resource(show_spinner="Looking for the videos whose label would teach most", max_entries=2)
def _teaching(now: state.Stamp) -> pd.DataFrame:  # noqa: ARG001 (the stamp is the cache's key)
    store, used = state.collection().store, state.fingerprint()
    return next_to_label(store, used, _TEACHING, copies=state.copies())


def _unsure() -> Queue:
    there = state.tables().by_id
    rows = dict.fromkeys(asked_again(state.collection().store), ("another person was unsure", "", 0.0))
    return Queue({one: said for one, said in rows.items() if one in there}, "Nobody was unsure of a video.")


def _several() -> Queue:
    known = {**of_several(state.collection().store)}
    rows = {
        video.id: (" or ".join(video.categories), video.categories[0], 0.0)
        for video in state.tables().by_id.values()
        if len(video.categories) > 1 and video.id not in known
    }
    return Queue(rows, "No video has several categories that a person has not decided on.")


QUEUES: Mapping[str, Callable[[], Queue]] = {
    "Look wrong": _look_wrong,
    "Would teach most": _teach_most,
    "Asked again": _unsure,
    "Several categories": _several,
}
WHY = {
    "Look wrong": "Models that never heard the video doubt its label. Listen before you change one.",
    "Would teach most": "The classifier is least sure of these, and they sound unlike one another.",
    "Asked again": "Somebody listened and could not tell. You may.",
    "Several categories": "The list gives several categories: they stay out of training until a person decides.",
}


def waiting(now: state.Tables, name: str) -> Queue:
    """The queue of a name, of the videos that there are; too few labels to learn from are a queue that says so."""
    try:
        queue = QUEUES[name]()
        return Queue({one: said for one, said in queue.videos.items() if one in now.by_id}, queue.nothing)
    except NotEnoughDataError as error:
        return Queue(MappingProxyType({}), str(error))


def heading(name: str, n: int) -> None:
    """What the queue is, and how long."""
    st.subheader(f"{name}: {how_many(n, 'video')}", anchor=False)
    parts.muted(WHY[name], "queue-why")


def opened(now: state.Tables, queue: Queue) -> str | None:
    """The video that is open: that of the address, else the first."""
    asked = st.query_params.get("video", "")
    return asked if asked in now.by_id else next(iter(queue.videos), None)


def listing(now: state.Tables, name: str, queue: Queue, chosen: str | None) -> None:
    """Draw the first of the queue, and a button for more, which holds for this queue alone."""
    kept = st.session_state.get(Key.QUEUE_SHOWN)
    shown = kept[1] if kept and kept[0] == name else PAGE
    for number, (video_id, (line, likeliest, share)) in enumerate(list(queue.videos.items())[:shown]):
        bar = (float(share), now.colours.get(likeliest, GREY)) if share else None
        parts.card(
            now.by_id[video_id],
            f"queue-{number}",
            (line,),
            chosen=video_id == chosen,
            on_open=_open,
            args=(video_id,),
            bar=bar,
        )
    if len(queue.videos) > shown:
        st.button(
            f"Show more ({len(queue.videos) - shown:,})", on_click=_more, args=(name, shown + PAGE), width="stretch"
        )


def about(now: state.Tables, video: Video, queue: Queue) -> None:
    """Title, player, what is known of the open video, and the way to its neighbours and to the next one."""
    parts.strong(video.title or video.id, "open")
    parts.muted(" · ".join(filter(None, [video.channel, parts.length(video), video.id])), "open")
    label = " + ".join(video.categories) or "no label"
    parts.tinted(f"label {label}", now.colours.get(video.category or "", GREY), "open-label")
    copies.name(video)
    parts.player(video)
    if video.description:
        with st.expander("What the uploader wrote"):
            st.text(video.description)
    ids = list(queue.videos)
    following = ids[(ids.index(video.id) + 1) % len(ids)] if video.id in ids else next(iter(ids), None)
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Next", on_click=_open, args=(following,), disabled=following in (None, video.id), shortcut="Right")
        parts.similar_button(video.id, "labels")


def retrain() -> None:
    """Where labels have changed since the last evaluation, the way to see what that changes."""
    found: Any = state.evaluation()
    new = state.tables().info.labels - (found[0].labels_seen if found else 0)
    if found is not None and new > 0:
        parts.notice(f"{how_many(new, 'entry', 'entries')} of the label history since the last evaluation.", "retrain")
        if st.button("Evaluate anew and see what changed"):
            st.switch_page("views/classifier.py")


def _open(video_id: str) -> None:
    st.query_params["video"] = video_id
    state.silence()


def _more(name: str, shown: int) -> None:
    st.session_state[Key.QUEUE_SHOWN] = (name, shown)
