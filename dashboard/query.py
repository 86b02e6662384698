"""What Similar searches with: a video of the collection, a file, a recording, a link, or words."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from analysis import neighbours as similarity
from analysis.evidence_parts import clock
from dashboard import address, children, gone, parts, pick_video, state
from dashboard.child import Answer, upload_as_file
from dashboard.state import Key
from dashboard.wording import meaning, with_id
from quartzlens.errors import QuartzlensError
from quartzlens.records import Fingerprint

WAIT = "Listening: the first use loads the encoder, which takes up to half a minute"
BEFORE = "Another file or link comes first."
WAYS = ("In the collection", "Upload a file", "Paste a link", "Record", "Title or words")
_NOTHING_YET = {
    WAYS[1]: "Give a file: its neighbours appear here.",
    WAYS[2]: "Give a link: the neighbours of what it leads to appear here.",
    WAYS[3]: "Record a few seconds: their neighbours appear here.",
    WAYS[4]: "Give words: the titles and the seconds that hold them appear here.",
}
_UPLOAD, _LINK = "upload_answer", "link_answer"
_STOPPED = Answer("", "Stopped before its turn came: give it once more to search with it.", "", None)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A video's id, or the embedding (d,) of something from outside, or the problem that it had, as a sentence.

    ``at_seconds`` is a second of the video, whose fragment is searched with in place of the whole; ``token`` tells
    files of the same name apart; ``encoder`` is the fingerprint that the embedding is by. ``words`` are looked for in
    titles and in what was heard; there is nothing else then.
    """

    name: str
    video_id: str | None = None
    at_seconds: float | None = None
    embedding: NDArray[np.float32] | None = None
    problem: str = ""
    token: str = ""
    encoder: Fingerprint | None = None
    words: str = ""

    @property
    def key(self) -> similarity.Query | None:
        """What the store is searched with; None where there is nothing to search with."""
        if self.video_id is not None and self.at_seconds is not None:
            return similarity.Moment(self.video_id, self.at_seconds)
        return self.video_id if self.video_id is not None else self.embedding


def way() -> str:
    """Choose what to search with; the address names it where it is another than its words or its video tell."""
    told = WAYS[-1] if st.query_params.get("words") else WAYS[0]
    if Key.WAY not in st.session_state:  # the first time, and where the choice is lost on the way to another view
        instead = f"There is no way to search that is called {{}}. It begins with “{told}” instead."
        st.session_state[Key.WAY] = gone.asked("way", WAYS, instead) or told
    chosen = st.segmented_control("What to search with", WAYS, required=True, key=Key.WAY) or told
    if chosen == told:
        st.query_params.pop("way", None)
    else:
        address.put("way", chosen)
    return chosen


def of_collection(now: state.Tables) -> Query:
    """Pick a video by id or title; the address names it."""
    kept = pick_video.listed(now)
    titles = zip(kept["id"].astype(str), kept["title"].astype(str), strict=True)
    names = {video_id: with_id(title, video_id) for video_id, title in titles}
    instead = "The first of the collection is searched with instead: choose another."
    why = "The video {} has no embedding." if st.query_params.get("video") in now.by_id else gone.VIDEO
    asked = gone.asked("video", names, f"{why} {instead}")
    at = list(names).index(asked) if asked else 0
    chosen = st.selectbox(
        "Video: type a part of a title or an id",
        list(names),
        index=at,
        format_func=names.__getitem__,
        on_change=_forget_moment,
    )
    address.put("video", chosen)
    return Query(names[chosen], video_id=chosen, at_seconds=_moment(chosen))


def open_moment(video_id: str, start_seconds: float) -> None:
    """Put a moment into the address: it is searched with next."""
    address.put("video", video_id)
    address.put("at", f"{start_seconds:g}")


def open_found(video_id: str, start_seconds: float | None) -> None:
    """Search next with a video that words found, or with the seconds that it was found for."""
    st.session_state[Key.WAY] = WAYS[0]
    st.session_state["words"] = ""
    _forget_moment()
    if start_seconds is None:
        address.put("video", video_id)
    else:
        open_moment(video_id, start_seconds)


def _moment(video_id: str) -> float | None:
    """Pick a fragment of the video by its seconds, or the whole; the address names where it begins."""
    bounds = state.collection().store.fragments(state.fingerprint(), [video_id]).bounds
    names = {f"{start:g}": f"{clock(start)} to {clock(end)}" for start, end in bounds.tolist()}
    asked = gone.asked(
        "at", names, "No fragment of this video begins at {} s. The whole of it is searched with instead."
    )
    options = ["", *names]
    chosen = st.selectbox(
        "Search with",
        options,
        index=options.index(asked or ""),
        format_func=lambda start: names.get(start, "the whole video"),
    )
    if chosen:
        address.put("at", chosen)
        return float(chosen)
    _forget_moment()
    return None


def _forget_moment() -> None:
    st.query_params.pop("at", None)


def nothing_yet() -> str:
    """What is to be done, by the way that was chosen, before there is something to search with."""
    return _NOTHING_YET.get(st.session_state.get(Key.WAY, ""), "Choose a video: its neighbours appear here.")


def of_upload() -> Query | None:
    """Embed an uploaded file: its bytes lie in a temporary file outside of the collection only while that takes."""
    return _embedded(st.file_uploader("A video or audio file", help="It is not kept."))


def of_microphone() -> Query | None:
    """Embed what this browser records, as an upload."""
    return _embedded(st.audio_input("Record a few seconds", sample_rate=16000, help="It is not kept."), "the recording")


def of_words() -> Query | None:
    """Words to look for; the address names them."""
    saying = st.text_input(
        "Words of a title, or that were said", key="words", bind="query-params", placeholder="soup", max_chars=200
    ).strip()
    return Query(saying, words=saying) if saying else None


def _embedded(upload: UploadedFile | None, called: str = "") -> Query | None:
    if upload is None:
        return None
    kept, encoder = st.session_state.get(_UPLOAD), state.fingerprint()
    if kept is None or kept[:2] != (upload.file_id, encoder):
        with st.spinner(WAIT), upload_as_file(upload.name, upload.getbuffer()) as path:
            asked = _asked({"path": str(path)}, encoder, _UPLOAD, upload.file_id)
            st.session_state[_UPLOAD] = kept = (upload.file_id, encoder, asked)
    if kept[2].embedding is not None and not called:
        st.audio(upload, format=parts.mime(Path(upload.name)), alt="Audio of the file")
    return replace(_query(called or upload.name, encoder, kept[2]), token=upload.file_id)


def of_link() -> Query | None:
    """Embed what a link leads to; ingest's guard of links holds here as well."""
    with st.form("link", border=False):
        link = st.text_input("Link", placeholder="https://").strip()
        asked = st.form_submit_button("Search", type="primary")
    kept, encoder = st.session_state.get(_LINK), state.fingerprint()
    due = link if asked else ""
    if not due and kept and (kept[1] != encoder or kept[2] is None):
        due = kept[0]
    if due:
        st.session_state[_LINK] = (due, encoder, None)  # asked again where this drawing is broken off
        with st.spinner(WAIT):
            st.session_state[_LINK] = kept = (due, encoder, _asked({"link": due}, encoder, _LINK, due))
    return _query(*kept) if kept else None


def _asked(request: dict[str, str], encoder: Fingerprint, key: str, token: str) -> Answer:
    """The encoder's answer; that it died is told as one too, so that it is not asked again by a mere redraw.

    ``token`` names the request, and ``key`` is where its answer is kept in the session.
    """
    place = st.empty()
    waits = _another_first(place, key, (token, encoder, _STOPPED))
    try:
        return children.encoder_child().ask(request, encoder.key, waits=partial(next, waits), begins=place.empty)
    except QuartzlensError as error:
        return Answer("", str(error), "", None)


def _another_first(place: DeltaGenerator, key: str, stopped: tuple[str, Fingerprint, Answer]) -> Iterator[None]:
    """Say it, again and again: where Stop was clicked, the drawing is broken off by that."""
    with place.container(key="notice-before", gap="small"):
        said = st.empty()
        st.button("Stop", key="query-stop", on_click=_stop, args=(key, stopped))
    while True:
        said.text(BEFORE)
        yield


def _stop(key: str, stopped: tuple[str, Fingerprint, Answer]) -> None:
    st.session_state[key] = stopped


def _query(name: str, encoder: Fingerprint, answer: Answer) -> Query:
    if answer.embedding is not None:
        return Query(answer.title or name, embedding=answer.embedding, encoder=encoder)
    if not answer.outcome:
        return Query(name, problem=answer.detail)
    detail = f" ({answer.detail})" if answer.detail else ""
    return Query(name, problem=f"{name} cannot be searched with: {meaning(answer.outcome)}{detail}.")
