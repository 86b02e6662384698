"""Searches of the open collection, with what they need kept between the clicks of all browsers."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from analysis.neighbours import Query, neighbours_of, pair_similarities
from dashboard import state
from quartzlens.records import Fingerprint
from store.collection import Collection


def neighbours(
    query: Query,
    k: int,
    within: frozenset[str] | None = None,
    *,
    leave_out_channel: str | None = None,
    leave_out: tuple[str, ...] = (),
    encoder: Fingerprint | None = None,
) -> pd.DataFrame:
    """Nearest videos: the table of ``analysis.neighbours.neighbours_of``.

    ``encoder`` is the one that an embedding is by; the collection's present one where it is left out.
    """
    used = encoder or state.fingerprint()
    pairs = _pairs(*_of(used), state.collection())
    return neighbours_of(
        state.collection().store,
        used,
        query,
        k,
        within,
        leave_out_channel=leave_out_channel,
        leave_out=leave_out,
        pairs=pairs,
    )


def _of(used: Fingerprint) -> tuple[str, Fingerprint, int]:
    """What the embeddings of an encoder are cached by."""
    return str(state.folder()), used, state.tables().info.revisions.get(used.key, 0)


@st.cache_resource(show_spinner=False, max_entries=2)
def _pairs(place: str, used: Fingerprint, revision: int, _opened: Collection) -> NDArray[np.float32]:  # noqa: ARG001
    return pair_similarities(_opened.store, used)
