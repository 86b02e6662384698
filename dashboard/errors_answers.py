"""What a person says of a video's label, on its card: keep, another category, both, unsure; undo, and the history."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import pandas as pd
import streamlit as st

from analysis.evidence import Evidence
from analysis.label_work import HISTORY_COLUMNS, UNSURE, label_history, relabel, relabel_both, undo, unsure
from analysis.verdict import Kind
from dashboard import parts, state
from dashboard.state import Key
from dashboard.wording import plain
from quartzlens.errors import QuartzlensError
from quartzlens.records import LabelSource, Video
from store.collection import Collection

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
    history = _histories(state.stamp(), state.collection()).get(video.id, pd.DataFrame(columns=list(HISTORY_COLUMNS)))
    said = history[history["source"] == LabelSource.PERSON.value]
    with st.container(key="errors-answers", gap="xsmall"):
        with st.container(horizontal=True, key="errors-answer-row", gap="xsmall"):
            _answers(video.id, asked)
        _now(video, said)
    if problem := st.session_state.pop(Key.PROBLEM, ""):
        parts.failure(problem)
    if len(history):
        with st.expander("Label history"):
            st.dataframe(history.drop(columns="id"), hide_index=True)


def _answers(video_id: str, asked: Asked) -> None:
    """Draw a button for each answer; the one that is suggested is dark."""
    store, off = state.collection().store, state.collection().read_only

    def answer(words: str, key: str, change: Callable[[], object], why: str = "") -> None:
        """One of them."""
        kind: Literal["primary", "secondary"] = "primary" if asked.likely == key else "secondary"
        told = READ_ONLY if off else why or None
        st.button(
            words, key=f"answer-{key}", shortcut=key, on_click=_kept, args=(change,), disabled=off, help=told, type=kind
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
            _kept(partial(relabel, state.collection().store, video_id, str(name)))

    st.selectbox("Another category", others, index=None, key=keys[0], on_change=given, args=(keys[0],))
    st.text_input("Or a new one", key=keys[1], on_change=given, args=(keys[1],))


def _now(video: Video, said: pd.DataFrame) -> None:
    """What holds now, and the way back where a person said it."""
    last = said.iloc[-1] if len(said) else None
    now = " + ".join(video.categories) or "none"
    if last is None or (last["category"] is None and last["origin"] != UNSURE):
        words = f"Label of the list: {now}"
    elif last["origin"] == UNSURE:
        words = f"A person was unsure: another is to be asked. Label until then: {now}"
    else:
        words = f"A person's label: {now}. Evaluate anew to see its effect."
    with st.container(horizontal=True, key="errors-answer-now", vertical_alignment="center", gap="small"):
        with st.container(key="muted-answer", width="content"):
            st.text(words)
        if last is not None:
            back = partial(undo, state.collection().store, video.id)
            st.button("Undo", key="answer-undo", shortcut="Z", on_click=_kept, args=(back,), type="tertiary")


def _kept(change: Callable[[], object]) -> None:
    """Make a change of a label; what stands against it is told by the next drawing."""
    try:
        change()
    except QuartzlensError as error:
        st.session_state[Key.PROBLEM] = str(error)


@st.cache_resource(show_spinner=False, max_entries=2)
def _histories(now: state.Stamp, _opened: Collection) -> Mapping[str, pd.DataFrame]:  # noqa: ARG001 (the cache's key)
    table = label_history(_opened.store)
    own = table.groupby("id", sort=False).indices
    return {str(video_id): table.iloc[rows].reset_index(drop=True) for video_id, rows in own.items()}
