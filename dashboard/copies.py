"""Videos with the same sound: how many there are, which they are, and whose sound a video shares."""

import streamlit as st

from analysis.duplicates import copies_of
from dashboard import parts, state
from quartzlens.figures import how_many
from quartzlens.records import Video

MOST_GROUPS = 20


def others(video_id: str) -> list[Video]:
    """The other videos with the sound of one."""
    known = state.tables().by_id
    return [known[other] for other in copies_of(state.copies(), video_id) if other in known]


def show(now: state.Tables) -> None:
    """Say how many videos are copies of others, and list them group by group; nothing where none are."""
    found = state.copies()
    n = int(found["group"].nunique())
    if not n:
        return
    with parts.panel("copies"):
        st.subheader("The same sound", anchor=False)
        st.text(
            f"{len(found):,} videos are copies of others ({how_many(n, 'group')}): evaluation keeps a group together."
        )
        with st.expander("Show them"):
            for row in found[found["group"] <= MOST_GROUPS].to_dict("records"):
                if video := now.by_id.get(str(row["id"])):
                    lines = (video.channel or "", f"group {row['group']} · {video.category or 'no label'}")
                    parts.card(video, f"copy-{video.id}", lines)
            if n > MOST_GROUPS:
                parts.muted(
                    f"{how_many(n - MOST_GROUPS, 'more group')}: quartzlens status --duplicates lists them.", "copies"
                )


def name(video: Video) -> None:
    """Name the videos whose sound is that of this one; nothing where there are none."""
    same = others(video.id)
    if same:
        parts.muted(f"The same sound as {', '.join(other.title or other.id for other in same)}", "same-sound")
