"""What a person says of a video's label, on its card: keep, another category, both, unsure; undo, and the history."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import streamlit as st

from analysis.evidence import Evidence
from analysis.label_words import LONGEST_NOTE, By, Spoken
from analysis.label_work import relabel, relabel_both, undo, unsure
from analysis.verdict import Kind
from dashboard import parts, person, said, state
from dashboard.state import Key
from dashboard.wording import plain
from quartzlens.errors import QuartzlensError
from quartzlens.records import Video
from store.labels import several

UNSURE_HELP = "Another person is to be asked; until then the list's label holds."
MOST_OFFERED = 9
_LOCK = threading.Lock()
"""One answer at a time: Streamlit begins with a second press of a key while the first is still being kept."""
READ_ONLY = "This collection is read-only, so no label can be kept: copy it to a folder of yours."


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a video before a person answers.

    Attributes
    ----------
    label
        The label in question; empty where it has none.
    others
        The other categories, the likeliest first.
    likely
        Key of the answer that is suggested (K, 1, B); empty where none is.
    several
        The categories that lists give it where they give more than one: it has no label then.
    """

    label: str
    others: tuple[str, ...]
    likely: str
    several: tuple[str, ...] = ()


def asked_of(found: Evidence) -> Asked:
    """The question that the evidence of one judged video asks."""
    label, shares = found.timeline.category, found.timeline.probabilities
    others = sorted(shares, key=lambda name: (name != found.timeline.predicted, -shares[name]))
    others.remove(label)
    likely = {Kind.LABEL_WRONG: "1", Kind.TWO_CATEGORIES: "B"}.get(found.verdict.kind, "K")
    return Asked(label, tuple(others), likely)


def show(video: Video, asked: Asked, then: Callable[[], object] = lambda: None) -> None:
    """Draw the answers, what holds now, and what was said before; ``then`` is called after each answer and undo."""
    last = said.said().spoken.get(video.id)
    with st.container(key="errors-answers", gap="xsmall"):
        with st.container(horizontal=True, key="errors-answer-row", gap="xsmall"):
            _answers(video.id, asked, then)
        _now(video, last, then)
        said.note(last)
        if draft := _draft(video.id):
            parts.muted(f"Goes with your next answer: {draft}", "answer-draft")
    if problem := st.session_state.pop(Key.PROBLEM, ""):
        parts.failure(problem)
    said.history(video.id)


def _answers(video_id: str, asked: Asked, then: Callable[[], object]) -> None:
    """Draw a button for each answer; the one that is suggested is dark. A late click finds no other video's button."""
    off = state.collection().read_only

    def answer(words: str, key: str, names: tuple[str, ...], why: str = "") -> None:
        """One of them: what it says of the video's categories, of none that it cannot be told."""
        kind: Literal["primary", "secondary"] = "primary" if asked.likely == key else "secondary"
        told = READ_ONLY if off else why or None
        st.button(
            words,
            key=f"answer-{key}-{video_id}",
            shortcut=key,
            on_click=_answered,
            args=(video_id, names, then),
            disabled=off,
            help=told,
            type=kind,
        )

    label, offered = asked.label, asked.several or asked.others[:1]
    if label:
        answer(f"Keep {plain(label)}", "K", (label,))
    for number, other in enumerate(offered[:MOST_OFFERED], 1):
        answer(plain(other), str(number), (other,))
    whole = asked.several or ((label, *offered) if label else ())
    if len(whole) > 1:
        both = f"It is {' and '.join(map(plain, whole))}: out of training, kept to measure the timeline by."
        answer("Both" if len(whole) == 2 else "All", "B", whole, both)
    answer("Unsure", "U", (), UNSURE_HELP)
    with st.popover("Other", disabled=off):
        _other(video_id, list(asked.others), then)


def _other(video_id: str, others: list[str], then: Callable[[], object]) -> None:
    """Any category, also a new one; both boxes are empty after an answer, so that the same can be given again."""
    keys = [f"answer-{kind}-{video_id}" for kind in ("other", "new")]

    def given(key: str) -> None:
        if name := st.session_state[key]:
            _answered(video_id, (str(name),), then)
            if Key.PROBLEM not in st.session_state:
                st.session_state[keys[0]], st.session_state[keys[1]] = None, ""

    st.selectbox("Another category", others, index=None, key=keys[0], on_change=given, args=(keys[0],))
    st.text_input("Or a new one", key=keys[1], on_change=given, args=(keys[1],))


def _now(video: Video, last: Spoken | None, then: Callable[[], object]) -> None:
    """What holds now, and the way back for who spoke last."""
    with st.container(horizontal=True, key="errors-answer-now", vertical_alignment="center", gap="small"):
        with st.container(key="muted-answer", width="content"):
            st.text(said.holds(video, last))
        if last is not None and last.entry.person == person.current():
            back = partial(undo, state.collection().store, video.id, person=person.current())
            key = f"answer-undo-{video.id}"
            st.button("Undo", key=key, shortcut="Z", on_click=kept, args=(back, then), type="tertiary")
        with st.popover("Note", type="tertiary", disabled=state.collection().read_only):
            why = "Why? It goes with your next answer."
            st.text_area("Note", key=_note_key(video.id), max_chars=LONGEST_NOTE, placeholder=why)


def _note_key(video_id: str) -> str:
    return f"answer-note-{video_id}"


def _draft(video_id: str) -> str:
    return str(st.session_state.get(_note_key(video_id), "")).strip()


def _answered(video_id: str, names: tuple[str, ...], then: Callable[[], object]) -> None:
    """Keep an answer with who gives it and the note, which is used up by it; one that is given twice is kept once.

    The session is asked for nothing while it is being kept: where another click has come, that would break it off.
    """
    kept(partial(_keep_once, video_id, names, person.current(), _draft(video_id)))
    if Key.PROBLEM not in st.session_state:
        st.session_state[_note_key(video_id)] = ""
    then()


def _keep_once(video_id: str, names: tuple[str, ...], who: str, note: str) -> None:
    by = By(who, note)
    with _LOCK:
        if not _holds_already(video_id, names, by):
            _give(video_id, names, by)


def _holds_already(video_id: str, names: tuple[str, ...], by: By) -> bool:
    """Whether one's own last word on a video says this, so that Undo takes back what a doubled key has said."""
    last = said.said().spoken.get(video_id)
    if last is None or last.entry is not last.holds or last.entry.person != by.person:
        return False
    return last.entry.category == (several(names) or None) and by.note in {"", last.entry.note}


def _give(video_id: str, names: tuple[str, ...], by: By) -> None:
    store = state.collection().store
    if not names:
        unsure(store, video_id, by=by)
    elif len(names) == 1:
        relabel(store, video_id, names[0], by=by)
    else:
        relabel_both(store, video_id, names, by=by)


def kept(change: Callable[[], object], then: Callable[[], object] = lambda: None) -> None:
    """Make a change of labels; what stands against it is told by the next drawing. ``then`` is called in any case."""
    try:
        change()
    except QuartzlensError as error:
        st.session_state[Key.PROBLEM] = str(error)
    then()
