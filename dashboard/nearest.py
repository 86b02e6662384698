"""Searches of the open collection, with what they need kept between the clicks of all browsers."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from analysis.matching import matching as ids_matching
from analysis.near_fragments import fragment_pair_similarities, fragments_near
from analysis.neighbours import Query, neighbours_of, pair_similarities, percentile
from analysis.where import Where, parse
from dashboard import state
from quartzlens.records import Fingerprint
from store.collection import Collection


def neighbours(
    query: Query,
    k: int,
    within: frozenset[str] | None = None,
    *,
    encoder: Fingerprint | None = None,
) -> pd.DataFrame:
    """Nearest videos: the table of ``analysis.neighbours.neighbours_of``.

    ``encoder`` is the one that an embedding is by; the collection's present one where it is left out.
    """
    used = encoder or state.fingerprint()
    pairs = _pairs(*state.of_embeddings(used), state.collection())
    return neighbours_of(
        state.collection().store,
        used,
        query,
        k,
        within,
        pairs=pairs,
    )


def fragments(
    query: Query, k: int, within: frozenset[str] | None = None, *, encoder: Fingerprint | None = None
) -> pd.DataFrame:
    """Nearest fragments: the table of ``analysis.near_fragments.fragments_near``; ``encoder`` as above."""
    used = encoder or state.fingerprint()
    pairs = _fragment_pairs(*state.of_embeddings(used), state.collection())
    return fragments_near(state.collection().store, used, query, k, within, pairs=pairs)


def fragment_percentile(similarity: float) -> float:
    """Share of pairs of fragments of different videos, 0..100, that are less similar; NaN where there is no pair."""
    return percentile(_fragment_pairs(*state.of_embeddings(state.fingerprint()), state.collection()), similarity)


def matching(where: Where) -> frozenset[str]:
    """Ids of the videos that conditions are true of now; raises as ``analysis.matching.matching`` does."""
    return _matching(state.stamp(), str(where), state.collection(), state.fingerprint(), state.tables())


@st.cache_resource(show_spinner=False, max_entries=16)
def _matching(
    now: state.Stamp,  # noqa: ARG001 (the stamp is the cache's key, with the conditions)
    text: str,
    _opened: Collection,
    _used: Fingerprint,
    _tables: state.Tables,
) -> frozenset[str]:
    return ids_matching(_opened.store, parse(text), _used, videos=_tables.by_id.values())


@st.cache_resource(show_spinner=False, max_entries=2)
def _pairs(place: str, used: Fingerprint, revision: int, _opened: Collection) -> NDArray[np.float32]:  # noqa: ARG001
    return pair_similarities(_opened.store, used)


@st.cache_resource(show_spinner=False, max_entries=2)
def _fragment_pairs(place: str, used: Fingerprint, revision: int, _opened: Collection) -> NDArray[np.float32]:  # noqa: ARG001
    return fragment_pair_similarities(_opened.store, used)
