"""Neighbours that are not all alike: fewer copies of one kind of sound among the first."""

import pandas as pd
import streamlit as st

from analysis.diversity import diversified
from analysis.neighbours import Query
from dashboard import nearest, state
from quartzlens.records import Fingerprint

POOL = 5
LEAST_POOL = 50
HELP = (
    "Each next video is near what is searched with and unlike those before it (maximal marginal relevance). Without "
    "it the nearest come first, however alike they are."
)


def asked() -> bool:
    """Draw the switch; whether variety is asked for. It lives in the address."""
    return bool(st.toggle("Varied", key="varied", bind="query-params", help=HELP))


def neighbours(
    query: Query, k: int, within: frozenset[str] | None = None, *, encoder: Fingerprint | None = None
) -> pd.DataFrame:
    """The table of ``nearest.neighbours``, chosen from five times as many, in the order of choice."""
    used = encoder or state.fingerprint()
    pool = nearest.neighbours(query, max(POOL * k, LEAST_POOL), within, encoder=used)
    if pool.empty:
        return pool
    kept = state.collection().store.embeddings(used, list(pool["id"]))
    row_of = {video_id: row for row, video_id in enumerate(kept.ids)}
    vectors = kept.matrix[[row_of[video_id] for video_id in pool["id"]]]
    return pool.iloc[diversified(pool["similarity"].to_numpy(), vectors, k)].reset_index(drop=True)
