"""Similar and the working set of this browser: searching in it alone, and adding to it what was found."""

from collections.abc import Iterable

import streamlit as st

from dashboard import address, state, working_set
from dashboard.state import Key
from quartzlens.figures import how_many

HELP = "Off: all videos are searched, and what is found can be added to the working set."


def choose(now: state.Tables) -> None:
    """Draw what the working set is, and whether it alone is searched; nothing where there is none."""
    if working_set.current() is None:
        working_set.chip()
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="similar-set"):
        working_set.chip(now.by_id)
        st.session_state.setdefault(Key.SEARCH_SET, st.query_params.get("in") != "all")
        alone_ = st.toggle("Search in it alone", key=Key.SEARCH_SET, help=HELP)
    if alone_:
        st.query_params.pop("in", None)
    else:
        address.put("in", "all")


def alone() -> bool:
    """Whether the working set, where there is one, is all that is searched."""
    return bool(st.session_state.get(Key.SEARCH_SET, True))


def offer(ids: Iterable[str]) -> None:
    """Draw the button that adds those of these videos that are not in it yet; nothing where there are none."""
    new = frozenset(ids) - (working_set.current() or frozenset())
    if new:
        label = f"Add {how_many(len(new), 'video')} to the working set"
        st.button(label, on_click=_add, args=(new,), key="add-to-working-set", type="tertiary")


def _add(ids: frozenset[str]) -> None:
    """Add them; the next search is of all videos, so that more can be found."""
    st.session_state[Key.SEARCH_SET] = False
    working_set.keep((working_set.current() or frozenset()) | ids)
