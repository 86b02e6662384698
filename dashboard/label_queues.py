"""The queues of videos that wait for a person's word."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd
import streamlit as st

from analysis.label_next import next_to_label, waits
from analysis.label_quality import suggested_errors
from analysis.label_words import Spoken
from dashboard import address, copies, gone, parts, person, said, state, working_set
from dashboard.errors_answers import Asked
from dashboard.state import Key
from dashboard.style import GREY
from quartzlens.errors import NotEnoughDataError
from quartzlens.figures import how_many
from quartzlens.records import Video

PAGE = 12
HIDDEN = "No video of the working set waits here: clear the working set to see all."
_TEACHING = 24
"""So many are chosen at once, and as many changes of labels or embeddings come before others are chosen."""


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
        """The question of a video, by its label (or the several that lists give it) and what is likeliest.

        Of one that was answered and is still open it is what was asked: a key pressed twice says the same twice.
        """
        held: tuple[str, Asked] | None = st.session_state.get(Key.QUESTION)
        if held is not None and held[0] == video_id:
            return held[1]
        label, given = now.by_id[video_id].category or "", now.by_id[video_id].categories
        _, likeliest, _ = self.videos.get(video_id, ("", "", 0.0))
        names = list(now.colours)
        if len(given) > 1:
            return Asked("", tuple(name for name in names if name not in given), "", given)
        others = sorted((name for name in names if name != label), key=lambda name: name != likeliest)
        suggested = "1" if likeliest and likeliest != label else "K" if label else ""
        return Asked(label, tuple(others), suggested)


def _look_wrong() -> Queue:
    found, nothing = state.evaluation(), "Evaluate first: it takes a classifier to doubt a label."
    if found is None:
        return Queue(MappingProxyType({}), nothing)
    table = _suggestions(state.identity(), found[0].id)
    table = table[table["issue"]]
    now = state.tables()
    table = table[~table["id"].isin(said.decided()) & now.there(table["id"])]
    table = table[[not now.by_id[video_id].silent for video_id in table["id"]]]
    rows = {
        row["id"]: (f"labelled {row['category']}, sounds like {row['suggested']}", row["suggested"], row["probability"])
        for row in table.to_dict("records")
    }
    return Queue(rows, "No label looks wrong that a person has not looked at.")


@st.cache_resource(show_spinner=False, max_entries=4)
def _suggestions(place: str, run_id: str) -> pd.DataFrame:  # noqa: ARG001
    found = state.evaluation(run_id)
    if found is None:
        raise NotEnoughDataError("This evaluation is gone: evaluate again.")
    return suggested_errors(found[1])


def _teach_most() -> Queue:
    now, within, known = state.tables(), working_set.current(), said.decided()
    left = {one for one in now.embedded if (within is None or one in within) and waits(now.by_id[one], known)}
    rows: dict[str, tuple[str, str, float]] = {}
    for moment in (_about_now(now), state.stamp()):  # exactly now where all that were chosen are answered by now
        if left and not rows:
            table = _teaching(moment, within, copies.at_hand())
            rows = {
                row["id"]: (f"may be {row['predicted']}", row["predicted"], row["probability"])
                for row in table[table["id"].isin(left)].to_dict("records")
            }
    return Queue(rows, "Every embedded video that can be heard has its label.")


def _about_now(now: state.Tables) -> state.Stamp:
    """What moves with some changes of labels or embeddings: to learn anew after each takes long."""
    used = state.fingerprint()
    return state.identity(), used, now.info.revision(used) // _TEACHING, now.info.labels // _TEACHING


@st.cache_resource(show_spinner="Looking for the videos whose label would teach most", max_entries=2)
def _teaching(
    moment: state.Stamp,  # noqa: ARG001 (the cache's key)
    within: frozenset[str] | None,
    sought: bool,  # noqa: ARG001 (copies that were found since are left out)
) -> pd.DataFrame:
    store, used = state.collection().store, state.fingerprint()
    return next_to_label(store, used, _TEACHING, copies=copies.known(), within=within)


def _unsure() -> Queue:
    there = state.tables().by_id
    own, spoken = person.current(), said.said().spoken
    waits = [one for one in said.asked_again(own) if one in there]
    rows = {video_id: (_who_was_unsure(spoken.get(video_id)), "", 0.0) for video_id in waits}
    return Queue(rows, "Nobody else was unsure of a video." if own else "Nobody was unsure of a video.")


def _who_was_unsure(last: Spoken | None) -> str:
    word = last.holds if last else None
    who = (word.person if word else "") or "another person"
    return f"{who} was unsure" + (f": {' '.join(word.note.split())}" if word and word.note else "")


def _several() -> Queue:
    known = said.of_several()
    rows = {
        video.id: (" or ".join(video.categories), video.categories[0], 0.0)
        for video in state.tables().by_id.values()
        if len(video.categories) > 1 and video.id not in known
    }
    return Queue(rows, "No video has several categories that a person has not decided on.")


def _working_set() -> Queue:
    held, there = working_set.current(), state.tables().by_id
    nothing = (
        "There is no working set: drag over the map, add what Similar found, or take a cell of Errors."
        if held is None
        else "No video of the working set is in the collection any more."
    )
    return Queue({one: (there[one].channel or "", "", 0.0) for one in there if one in (held or ())}, nothing)


QUEUES: Mapping[str, Callable[[], Queue]] = {
    "Look wrong": _look_wrong,
    "Would teach most": _teach_most,
    "Asked again": _unsure,
    "Several categories": _several,
    working_set.NAME: _working_set,
}
WHY = {
    "Look wrong": "Models that never heard the video doubt its label, the most doubted first; the bar is the "
    "probability of what it sounds like. Listen before you change one.",
    "Would teach most": "The classifier is least sure of these, and they sound unlike one another.",
    "Asked again": "Somebody listened and could not tell. You may.",
    "Several categories": "The list gives several categories: they stay out of training until a person decides.",
    working_set.NAME: "Listen to some, then give all of them one answer, or each its own.",
}


def waiting(now: state.Tables, name: str) -> Queue:
    """The queue of a name, of the videos that there are; too few labels to learn from are a queue that says so."""
    try:
        queue = QUEUES[name]()
        held = working_set.current()
        inside = {one: told for one, told in queue.videos.items() if one in now.by_id and (held is None or one in held)}
        hidden = HIDDEN if queue.videos and not inside and held is not None else queue.nothing
        return Queue(inside, hidden)
    except NotEnoughDataError as error:
        return Queue(MappingProxyType({}), str(error))


def heading(name: str, n: int) -> None:
    """What the queue is, and how long."""
    st.subheader(f"{name}: {how_many(n, 'video')}", anchor=False)
    parts.muted(WHY[name], "queue-why")


def opened(now: state.Tables, queue: Queue) -> str | None:
    """The video that is open: that of the address, else the first."""
    asked = gone.asked("video", now.by_id, gone.VIDEO + " The first of the queue is open instead.")
    return asked or next(iter(queue.videos), None)


def listing(now: state.Tables, name: str, queue: Queue, chosen: str | None) -> None:
    """Draw the first of the queue, or that none waits any more, and a button for more, which holds for it alone."""
    if chosen is not None and not queue.videos:
        parts.muted(queue.nothing, "queue-empty")
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
    label = f"label {' + '.join(video.categories)}" if video.categories else "no label"
    parts.tinted(label, now.colours.get(video.category or "", GREY), "open-label")
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


def hold(video_id: str, asked: Asked) -> None:
    """Keep a video that was answered open with its question, as one that was clicked, also where it left the queue."""
    address.put("video", video_id)
    st.session_state[Key.QUESTION] = (video_id, asked)


def _open(video_id: str) -> None:
    address.put("video", video_id)
    st.session_state.pop(Key.QUESTION, None)
    state.silence()


def _more(name: str, shown: int) -> None:
    st.session_state[Key.QUEUE_SHOWN] = (name, shown)
