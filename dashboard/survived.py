"""Who survived, as a picture: how much of each category was kept, and how surely that is known."""

import pandas as pd
import streamlit as st

from analysis.survivorship import Survival, Survivorship, survivorship
from dashboard import charts, parts, state
from quartzlens.figures import percent

NAMELESS = "no category"


def show(now: state.Tables) -> None:
    """Draw a sentence and a bar a category; nothing where nothing was lost."""
    if not now.lost:
        return
    found = _survivorship(now.stamp, now)
    st.subheader("Kept of each category", anchor=False)
    with st.container(key="verdict-survivorship" if found.comparison and found.comparison.differs else "survivorship"):
        st.text(found.sentence)
    table = kept_table(found)
    if len(table):
        st.altair_chart(charts.kept(table, now.colours), theme=None)
        parts.muted("Bar: share kept of the videos tried. Line: its 95 % interval.", "survivorship")
        parts.as_table("survivorship", {"Kept of each category": table.drop(columns="percent")})


@st.cache_resource(show_spinner=False, max_entries=4)
def _survivorship(stamp: state.Stamp, _now: state.Tables) -> Survivorship:  # noqa: ARG001 (the stamp is the cache's key)
    return survivorship(tuple(_now.by_id.values()))


def kept_table(found: Survivorship) -> pd.DataFrame:
    """What ``charts.kept`` draws: one row a category of which a video was tried; those of no category come last."""
    rows = [
        (one.name or NAMELESS, one.kept_share, *one.interval, percent(one.kept_share), _counts(one), one.pending)
        for one in found.categories
        if one.kept_share is not None and one.interval is not None
    ]
    return pd.DataFrame(rows, columns=["category", "share", "low", "high", "percent", "counts", "pending"])


def _counts(one: Survival) -> str:
    return f"{one.kept:,} kept, {one.n_lost:,} lost"
