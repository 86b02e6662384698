"""Which videos a box offers: all of them, or of very many those that hold what is typed."""

import pandas as pd
import streamlit as st

from dashboard import parts, state
from dashboard.state import Key

MOST_LISTED = 2_000
"""Each click sends all that a box offers to the browser: of more videos than these it offers only some."""


def listed(now: state.Tables) -> pd.DataFrame:
    """Rows of the embedded videos that a box offers, that of the address among them; draws what narrows them."""
    kept = now.videos[now.videos["id"].map(now.embedded.__contains__).astype(bool)]
    if len(kept) <= MOST_LISTED:
        return kept
    text = st.text_input(
        "Find a video", key=Key.PICK_TEXT, placeholder="a part of its title or id", max_chars=200
    ).strip()
    found = kept[holding(kept, text)] if text else kept
    shown, asked = found.head(MOST_LISTED), kept[kept["id"] == st.query_params.get("video", "")]
    if len(found) > MOST_LISTED:
        parts.muted(f"The first {MOST_LISTED:,} of {len(found):,} are offered.", "pick")
    if found.empty:
        parts.muted("No title or id holds this text.", "pick")
    rows = pd.concat([shown, asked]) if len(asked) else shown
    return kept.head(1) if rows.empty else rows.drop_duplicates("id")


def holding(videos: pd.DataFrame, text: str) -> pd.Series:
    """(n,) whether title or id hold a text, in whatever case."""
    wanted = text.casefold()
    titles, ids = (videos[name].astype(str).str.casefold() for name in ("title", "id"))
    return titles.str.contains(wanted, regex=False) | ids.str.contains(wanted, regex=False)
