"""What was said of labels up to now, read once for all browsers until something is said anew."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from analysis import label_work
from analysis.label_words import UNSURE, Spoken, spoken
from dashboard import parts, person, state
from quartzlens.records import Video
from store.collection import Collection

_NAMES = {"given_at": "when (UTC)", "source": "given by", "origin": "from", "undo": "takes back"}
_NO_ROWS = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """The label history of all videos (``analysis.label_work.label_history``), and what persons said of each.

    ``rows`` are those of each video in it: a table for each would take a hundred thousand of them half a minute.
    """

    table: pd.DataFrame
    rows: Mapping[str, NDArray[np.intp]]
    spoken: Mapping[str, Spoken]

    def history(self, video_id: str) -> pd.DataFrame:
        """The label history of one video; without rows where it has none."""
        return self.table.iloc[self.rows.get(video_id, _NO_ROWS)].reset_index(drop=True)


def said() -> Said:
    """What was said up to now."""
    return _said(state.stamp(), state.collection())


@st.cache_resource(show_spinner=False, max_entries=2)
def _said(now: state.Stamp, _opened: Collection) -> Said:  # noqa: ARG001 (the stamp is the cache's key)
    table = label_work.label_history(_opened.store)
    own = table.groupby("id", sort=False).indices
    rows = {str(video_id): np.asarray(places, dtype=np.intp) for video_id, places in own.items()}
    return Said(table, rows, spoken(_opened.store.labels()))


def decided() -> frozenset[str]:
    """As ``analysis.label_work.decided``."""
    return _decided(state.stamp(), state.collection())


@st.cache_resource(show_spinner=False, max_entries=2)
def _decided(now: state.Stamp, _opened: Collection) -> frozenset[str]:  # noqa: ARG001
    return label_work.decided(_opened.store)


def of_several() -> Mapping[str, tuple[str, ...]]:
    """As ``analysis.label_work.of_several``."""
    return _of_several(state.stamp(), state.collection())


@st.cache_resource(show_spinner=False, max_entries=2)
def _of_several(now: state.Stamp, _opened: Collection) -> Mapping[str, tuple[str, ...]]:  # noqa: ARG001
    return label_work.of_several(_opened.store)


def asked_again(by: str) -> tuple[str, ...]:
    """As ``analysis.label_work.asked_again``, for the person ``by``."""
    return _asked_again(state.stamp(), by, state.collection())


@st.cache_resource(show_spinner=False, max_entries=8)
def _asked_again(now: state.Stamp, by: str, _opened: Collection) -> tuple[str, ...]:  # noqa: ARG001
    return label_work.asked_again(_opened.store, by)


def holds(video: Video, last: Spoken | None) -> str:
    """What holds of a video's label now, and who said so."""
    now, word = " + ".join(video.categories) or "none", last.holds if last else None
    if word is not None and word.origin == UNSURE:
        return f"{person.named(word.person)} was unsure: another is to be asked. Label until then: {now}"
    if word is None or word.category is None:
        return f"Label of the list: {now}"
    return f"{person.named(word.person)}'s label: {now}. Evaluate anew to see its effect."


def note(last: Spoken | None) -> None:
    """Draw the note beside the word that holds; nothing where there is none."""
    if last and last.holds and last.holds.note:
        parts.muted(f"Note: {last.holds.note}", "answer-note")


def history(video_id: str) -> None:
    """Draw a video's label history, folded; nothing where there is none."""
    table = said().history(video_id)
    if len(table):
        with st.expander("Label history"):
            st.dataframe(shown(table).drop(columns="id"), hide_index=True)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """A label history under the names that people read; columns that are empty throughout are left out."""
    empty = [name for name in ("person", "note") if not table[name].any()] + ([] if table["undo"].any() else ["undo"])
    marked = table.assign(
        given_at=[f"{one[:10]} {one[11:16]}" for one in table["given_at"]],
        undo=["yes" if one else "" for one in table["undo"]],
    )
    return marked.drop(columns=empty).rename(columns=_NAMES)
