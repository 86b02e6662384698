"""One answer for all videos of the working set: chosen, confirmed with what it does, taken back in one go."""

from collections.abc import Sequence

import streamlit as st

from analysis.label_bulk import Answer, Kind, answer_all, answered, last_bulk, undo_bulk
from analysis.label_words import LONGEST_NOTE, UNSURE, shown_category
from dashboard import errors_answers, parts, person, state
from dashboard.state import Key
from quartzlens.errors import QuartzlensError
from quartzlens.figures import how_many
from quartzlens.records import Label, Video
from store.collection import Collection

KINDS = {Kind.KEEP: "Keep", Kind.CATEGORY: "Another category", Kind.BOTH: "Several", Kind.UNSURE: "Unsure"}
MOST_SHOWN = 5
_MOVED = "the label changed, or the video was removed, while the question was open. Look again."


def show(videos: Sequence[Video]) -> None:
    """Draw the choice of an answer for these videos where there are any, and the way back from the last one."""
    held, problem = _held(state.stamp(), person.current(), state.collection()), st.session_state.pop(Key.PROBLEM, "")
    if not (videos or held or problem):
        return
    with parts.panel("bulk") if videos else st.container():
        if videos:
            _choice(videos)
        if problem:
            parts.failure(problem)
        _last(held)


def _choice(videos: Sequence[Video]) -> None:
    off = state.collection().read_only
    with st.container(horizontal=True, key="bulk", gap="small", vertical_alignment="bottom"):
        kind = st.segmented_control(
            "One answer for all",
            list(KINDS),
            default=Kind.CATEGORY,
            required=True,
            format_func=KINDS.__getitem__,
            key="bulk-kind",
            disabled=off,
        )
        answer = _answer(kind or Kind.CATEGORY)
        note = st.text_input("Note (optional)", key=Key.BULK_NOTE, max_chars=LONGEST_NOTE, width=200, disabled=off)
        words = f"Answer for {how_many(len(videos), 'video')}"
        if st.button(words, type="primary", disabled=off or answer is None or not videos) and answer is not None:
            _confirm(videos, answer, note)
    if off:
        parts.muted(errors_answers.READ_ONLY, "bulk-off")


def _answer(kind: Kind) -> Answer | None:
    """The answer that is chosen; None before it is whole."""
    if kind not in {Kind.CATEGORY, Kind.BOTH}:
        return Answer(kind)
    there = list(state.tables().colours)
    if kind is Kind.CATEGORY:
        chosen = st.selectbox("Category", there, index=None, key="bulk-one", accept_new_options=True, width=180)
        names = [chosen] if chosen else []
    else:
        names = list(st.multiselect("Categories", there, key="bulk-several", accept_new_options=True, width=260))
    try:
        return Answer(kind, tuple(names)) if len(names) > (kind is Kind.BOTH) else None
    except QuartzlensError as error:
        parts.failure(str(error))
        return None


@st.dialog("One answer for many videos")
def _confirm(videos: Sequence[Video], answer: Answer, note: str) -> None:
    """Say what the answer does to how many, show a few of them, and ask."""
    of = {word.video_id for word in answered(videos, answer)}
    told = [video for video in videos if video.id in of]
    st.text(f"{_words(answer)} for {how_many(len(told), 'video')}, by {person.current() or 'a person without a name'}.")
    for video in told[:MOST_SHOWN]:
        parts.card(video, f"bulk-{video.id}", (f"now {' + '.join(video.categories) or 'no label'}",))
    if len(told) > MOST_SHOWN:
        parts.muted(f"and {len(told) - MOST_SHOWN:,} more", "bulk-more")
    if left := len(videos) - len(told):
        parts.muted(f"{how_many(left, 'video')} without a single label to keep: left out.", "bulk-left-out")
    if note.strip():
        parts.muted(f"Note: {note.strip()}", "bulk-note")
    with st.container(horizontal=True, gap="small"):
        yes = f"Yes, for {how_many(len(told), 'video')}"
        sure = st.button(yes, type="primary", disabled=not told, on_click=_give, args=(told, answer, note))
        if st.button("Cancel") or sure:
            st.rerun()


def _give(told: Sequence[Video], answer: Answer, note: str) -> None:
    """Keep the answer for the videos as they were shown, and leave word of those that are others by now."""
    try:
        given = answer_all(state.collection().store, told, answer, by=person.by(note))
    except QuartzlensError as error:
        st.session_state[Key.PROBLEM] = str(error)
        return
    st.session_state[Key.BULK_NOTE] = ""
    if left := len(told) - len(given):
        st.session_state[Key.PROBLEM] = f"{how_many(left, 'video')} left out: {_MOVED}"


def _words(answer: Answer) -> str:
    """An answer in words."""
    return " + ".join(answer.categories) or KINDS[answer.kind]


def _last(held: Sequence[Label]) -> None:
    """What still holds of one's own last answer for many, with the way back; nothing where nothing does."""
    if held:
        first = held[0]
        when = f"{first.given_at[:10]} {first.given_at[11:16]} UTC"
        with st.container(horizontal=True, key="notice-bulk", gap="small", vertical_alignment="center"):
            st.text(f"Your last answer for many: {_said(held)}, for {how_many(len(held), 'video')} ({when}).")
            st.button("Undo all of it", key="bulk-undo", on_click=_undo, args=(first.bulk,))


def _said(held: Sequence[Label]) -> str:
    """What the labels of one answer say: only of Keep do they differ."""
    names = {"Unsure" if label.origin == UNSURE else str(shown_category(label)) for label in held}
    return names.pop() if len(names) == 1 else KINDS[Kind.KEEP]


def _undo(bulk: str) -> None:
    errors_answers.kept(lambda: undo_bulk(state.collection().store, bulk, person=person.current()))


@st.cache_resource(show_spinner=False, max_entries=8)
def _held(now: state.Stamp, name: str, _opened: Collection) -> tuple[Label, ...]:  # noqa: ARG001 (the cache's key)
    return last_bulk(_opened.store, name)
