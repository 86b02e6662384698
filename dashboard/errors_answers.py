"""What a person says of a video's label, on its card: keep, another category, both, unsure; undo, and the history."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import streamlit as st

from analysis.evidence import Evidence
from analysis.label_words import LONGEST_NOTE, Spoken
from analysis.label_work import relabel, relabel_both, undo, unsure
from analysis.verdict import Kind
from dashboard import parts, person, said, state
from dashboard.state import Key
from dashboard.wording import plain
from quartzlens.errors import QuartzlensError
from quartzlens.records import Video

UNSURE_HELP = "Another person is to be asked; until then the list's label holds."
MOST_OFFERED = 9
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


def show(video: Video, asked: Asked) -> None:
    """Draw the answers, what holds now, and what was said before."""
    last = said.said().spoken.get(video.id)
    with st.container(key="errors-answers", gap="xsmall"):
        with st.container(horizontal=True, key="errors-answer-row", gap="xsmall"):
            _answers(video.id, asked)
        _now(video, last)
        said.note(last)
        if draft := _draft(video.id):
            parts.muted(f"Goes with your next answer: {draft}", "answer-draft")
    if problem := st.session_state.pop(Key.PROBLEM, ""):
        parts.failure(problem)
    said.history(video.id)


def _answers(video_id: str, asked: Asked) -> None:
    """Draw a button for each answer; the one that is suggested is dark."""
    store, off = state.collection().store, state.collection().read_only

    def answer(words: str, key: str, change: Callable[..., object], why: str = "") -> None:
        """One of them."""
        kind: Literal["primary", "secondary"] = "primary" if asked.likely == key else "secondary"
        told = READ_ONLY if off else why or None
        st.button(
            words,
            key=f"answer-{key}",
            shortcut=key,
            on_click=_answered,
            args=(video_id, change),
            disabled=off,
            help=told,
            type=kind,
        )

    label, offered = asked.label, asked.several or asked.others[:1]
    if label:
        answer(f"Keep {plain(label)}", "K", partial(relabel, store, video_id, label))
    for number, other in enumerate(offered[:MOST_OFFERED], 1):
        answer(plain(other), str(number), partial(relabel, store, video_id, other))
    whole = asked.several or ((label, *offered) if label else ())
    if len(whole) > 1:
        both = f"It is {' and '.join(map(plain, whole))}: out of training, kept to measure the timeline by."
        answer("Both" if len(whole) == 2 else "All", "B", partial(relabel_both, store, video_id, whole), both)
    answer("Unsure", "U", partial(unsure, store, video_id), UNSURE_HELP)
    with st.popover("Other", disabled=off):
        _other(video_id, list(asked.others))


def _other(video_id: str, others: list[str]) -> None:
    """Any category, also a new one."""
    keys = [f"answer-{kind}-{video_id}" for kind in ("other", "new")]

    def given(key: str) -> None:
        if name := st.session_state[key]:
            _answered(video_id, partial(relabel, state.collection().store, video_id, str(name)))

    st.selectbox("Another category", others, index=None, key=keys[0], on_change=given, args=(keys[0],))
    st.text_input("Or a new one", key=keys[1], on_change=given, args=(keys[1],))


def _now(video: Video, last: Spoken | None) -> None:
    """What holds now, and the way back for who spoke last."""
    with st.container(horizontal=True, key="errors-answer-now", vertical_alignment="center", gap="small"):
        with st.container(key="muted-answer", width="content"):
            st.text(said.holds(video, last))
        if last is not None and last.entry.person == person.current():
            back = partial(undo, state.collection().store, video.id, person=person.current())
            st.button("Undo", key="answer-undo", shortcut="Z", on_click=kept, args=(back,), type="tertiary")
        with st.popover("Note", type="tertiary", disabled=state.collection().read_only):
            why = "Why? It goes with your next answer."
            st.text_area("Note", key=_note_key(video.id), max_chars=LONGEST_NOTE, placeholder=why)


def _note_key(video_id: str) -> str:
    return f"answer-note-{video_id}"


def _draft(video_id: str) -> str:
    return str(st.session_state.get(_note_key(video_id), "")).strip()


def _answered(video_id: str, change: Callable[..., object]) -> None:
    """Keep an answer with who gives it and the note, which is used up by it."""
    kept(lambda: change(by=person.by(_draft(video_id))))
    if Key.PROBLEM not in st.session_state:
        st.session_state[_note_key(video_id)] = ""


def kept(change: Callable[[], object]) -> None:
    """Make a change of labels; what stands against it is told by the next drawing."""
    try:
        change()
    except QuartzlensError as error:
        st.session_state[Key.PROBLEM] = str(error)
