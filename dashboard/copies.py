"""Videos with the same sound: how many, which, whose labels differ, and whose sound a video shares."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analysis.copy_conflicts import conflicting_groups
from analysis.duplicates import copies_of, no_copies
from dashboard import address, once, parts, state
from dashboard.state import Key
from quartzlens.figures import how_many
from quartzlens.records import Fingerprint, Video
from store.collection import Collection

MOST_GROUPS = 20
UNSOUGHT = "Copies of the same sound were not looked for yet: an evaluation does, or quartzlens status --duplicates."


def known() -> pd.DataFrame:
    """Videos with the same sound: the table of ``analysis.duplicates.duplicate_groups``; none where not ``at_hand``."""
    now = state.tables()
    return _known(state.identity(), now.fingerprint, _revision(now), state.collection()) if at_hand() else no_copies()


@once.each_page
def at_hand() -> bool:
    """Whether copies are kept, or found quickly enough for a page that nobody opened for them."""
    from analysis.copies_kept import at_hand

    now = state.tables()
    if now.fingerprint is None:
        return True
    opened = state.collection()
    return at_hand(opened.store, now.fingerprint, opened.index_folder, len(now.embedded))


def _revision(now: state.Tables) -> int:
    return now.info.revision(now.fingerprint) if now.fingerprint else 0


@st.cache_resource(show_spinner="Looking for copies of the same sound", max_entries=2)
def _known(place: str, used: Fingerprint | None, revision: int, _opened: Collection) -> pd.DataFrame:  # noqa: ARG001
    from analysis.copies_kept import kept_copies

    return kept_copies(_opened.store, used, _opened.index_folder)


def others(video_id: str) -> list[Video]:
    """The other videos with the sound of one."""
    there = state.tables().by_id
    return [there[other] for other in copies_of(known(), video_id) if other in there]


def show(now: state.Tables) -> None:
    """Say how many videos are copies of others, and list them group by group; nothing where none are.

    Groups whose labels differ are said first, and listed first, without the others until those are asked for.
    """
    if not at_hand():
        parts.muted(UNSOUGHT, "unsought")
        return
    found = known()
    n = int(found["group"].nunique())
    if not n:
        return
    differ = conflicting_groups(found, {video_id: video.category for video_id, video in now.by_id.items()})
    with parts.panel("copies"):
        st.subheader("The same sound", anchor=False)
        st.text(
            f"{len(found):,} videos are copies of others ({how_many(n, 'group')}): evaluation keeps a group together."
        )
        if differ:
            are = "group of copies has" if len(differ) == 1 else "groups of copies have"
            with st.container(key="verdict-copies"):
                st.text(f"{len(differ):,} {are} different labels: one sound cannot teach two categories.")
        agree = [int(group) for group in found["group"].unique() if group not in set(differ)]
        with st.expander("Show them", expanded=bool(differ)):
            _groups(now, found, differ, agree)


def _groups(now: state.Tables, found: pd.DataFrame, differ: Sequence[int], agree: Sequence[int]) -> None:
    """Draw the groups that differ, and the others where none does or they were asked for."""
    order = [*differ, *agree]
    n, n_shown = len(order), min(len(order), MOST_GROUPS)
    folded = bool(differ) and len(differ) < n_shown and not st.session_state.get(Key.ALL_COPIES)
    for group in differ if folded else order[:n_shown]:
        for video_id in found.loc[found["group"] == group, "id"]:
            if video := now.by_id.get(str(video_id)):
                _card(video, group)
    if folded:
        label = f"Show all {how_many(n, 'group')}" if n == n_shown else f"Show {n_shown} of {how_many(n, 'group')}"
        st.button(label, on_click=_unfold, key="all-copies")
    elif n > n_shown:
        parts.muted(f"{how_many(n - n_shown, 'more group')}: quartzlens status --duplicates lists them.", "copies")


def _unfold() -> None:
    st.session_state[Key.ALL_COPIES] = True


def _card(video: Video, group: int) -> None:
    """A copy, which Labels plays and decides on."""
    lines = (video.channel or "", f"group {group} · {video.category or 'no label'}")
    if parts.card(video, f"copy-{video.id}", lines, opens=True):
        address.go("labels", video=video.id)


def name(video: Video) -> None:
    """Name the videos whose sound is that of this one, or say that none was looked for; nothing where none is."""
    if not at_hand():
        parts.muted(UNSOUGHT, "same-sound")
    elif same := others(video.id):
        parts.muted(f"The same sound as {', '.join(other.title or other.id for other in same)}", "same-sound")
