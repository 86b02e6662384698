"""Videos with the same sound: how many, which, whose labels differ, and whose sound a video shares."""

import pandas as pd
import streamlit as st

from analysis.copy_conflicts import conflicting_groups
from analysis.duplicates import copies_of, no_copies
from dashboard import once, parts, state
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

    Groups whose labels differ are said first, and listed first.
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
        with st.expander("Show them", expanded=bool(differ)):
            _groups(now, found, [*differ, *(group for group in found["group"].unique() if group not in set(differ))])
            if n > MOST_GROUPS:
                parts.muted(
                    f"{how_many(n - MOST_GROUPS, 'more group')}: quartzlens status --duplicates lists them.", "copies"
                )


def _groups(now: state.Tables, found: pd.DataFrame, order: list[int]) -> None:
    for group in order[:MOST_GROUPS]:
        for video_id in found.loc[found["group"] == group, "id"]:
            if video := now.by_id.get(str(video_id)):
                lines = (video.channel or "", f"group {group} · {video.category or 'no label'}")
                parts.card(video, f"copy-{video.id}", lines)


def name(video: Video) -> None:
    """Name the videos whose sound is that of this one, or say that none was looked for; nothing where none is."""
    if not at_hand():
        parts.muted(UNSOUGHT, "same-sound")
    elif same := others(video.id):
        parts.muted(f"The same sound as {', '.join(other.title or other.id for other in same)}", "same-sound")
