"""The categories of a collection: how many videos each has, and what is not of one."""

import streamlit as st

from dashboard import charts, parts, said, state
from dashboard.style import GREY


def show(now: state.Tables) -> None:
    """Draw a bar a category, the same as a table, and what has none or several."""
    st.subheader("Categories", anchor=False)
    counts = now.videos["category"].dropna().value_counts()
    if len(counts):
        table = counts.rename_axis("category").rename("value").reset_index()
        st.altair_chart(charts.bars(table.assign(shown=table["value"].map("{:,}".format)), now.colours), theme=None)
        parts.as_table("categories", {"Videos of each category": table.rename(columns={"value": "videos"})})
        _grey(now)
    several = {video.id for video in now.by_id.values() if len(video.categories) > 1}
    without = int(now.videos["category"].isna().sum()) - len(several)
    undecided = len(several - said.of_several().keys())
    for n, words in ((without, "without a label"), (undecided, "with several: decide in Labels")):
        if n:
            parts.muted(f"{n:,} {words}", words.split()[0])


def _grey(now: state.Tables) -> None:
    """Say what grey stands for; nothing where every category has a colour."""
    if n := list(now.colours.values()).count(GREY):
        parts.muted(f"Grey in every view: the {n:,} beyond the twenty most frequent.", "grey")
