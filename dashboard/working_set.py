"""The working set: videos that a person has put together in one view (a box on the map) to look at in all of them.

It is one browser session's own, and stands in the address, so that a copied one brings it along: up to fifty ids each
by itself (``set``), more as bits (``kept``, see ``set_name``), of too many a key that only this session knows. A view
that respects it needs two lines::

    working_set.chip(now.by_id)
    frame = working_set.narrowed(frame)  # any table with a column of ids; unchanged where there is no working set
"""

from collections.abc import Container, Iterable, Sequence

import pandas as pd
import streamlit as st

from dashboard import address, once, set_name, state
from dashboard.address import IDS, KEPT
from dashboard.state import Key
from quartzlens.figures import how_many

MOST_IN_ADDRESS = 50
NAME = "Working set"
_LOST = "The working set of this address was too large for it, or videos were removed since: select it again."


def current() -> frozenset[str] | None:
    """Ids of the working set; None where there is none. What the address names goes before what the session holds."""
    asked = frozenset(st.query_params.get_all(IDS))
    if asked:
        _hold(asked)
        return asked
    held: frozenset[str] | None = st.session_state.get(Key.WORKING_SET) or _asked()
    if held:
        _write(held)
    return held or None


def keep(ids: Iterable[str]) -> None:
    """Make these the working set; of none at all there is no working set afterwards."""
    held = frozenset(ids)
    _hold(held)
    _write(held)


def clear() -> None:
    """Have no working set any more."""
    keep(())


def lost() -> bool:
    """Whether the address speaks of a working set of another session's that it does not tell, or not any more."""
    asked, held = st.query_params.get(KEPT), st.session_state.get(Key.WORKING_SET)
    return asked is not None and not held


def narrowed(frame: pd.DataFrame, column: str = "id") -> pd.DataFrame:
    """Rows of a table whose video is in the working set; the table itself where there is none."""
    held = current()
    return frame if held is None else frame[inside(frame[column], held)]


def among(ids: frozenset[str] | None) -> frozenset[str] | None:
    """Those of these videos that are in the working set; None stands for all videos, on both sides."""
    held = current()
    return ids if held is None else held if ids is None else held & ids


def answer_button(ids: Sequence[str], key: str) -> None:
    """A button that makes these the working set and leads to one answer for all; nothing where there are none."""
    if ids and st.button("Answer for all of these", key=f"answer-all-{key}", help="They become the working set."):
        keep(ids)
        address.go("labels", queue=NAME)


def inside(ids: pd.Series, held: frozenset[str]) -> pd.Series:
    """(n,) whether each id is in a working set: one by one, as pandas takes minutes for a million of a million."""
    return pd.Series((one in held for one in ids.to_numpy()), ids.index, dtype=bool)


def gone_words(held: frozenset[str], known: Container[str] | None) -> str:
    """How many of a working set are not among the collection's videos, as the end of a sentence; else nothing."""
    n = 0 if known is None else sum(one not in known for one in held)
    return f", {n:,} of them not in the collection any more" if n else ""


def chip(known: Container[str] | None = None) -> None:
    """Draw how many videos the working set holds, with a button that clears it; nothing where there is none.

    ``known`` are the collection's: what is gone of the set is told.
    """
    held = current()
    if held is None and not lost():
        return
    with st.container(
        horizontal=True, gap="small", vertical_alignment="center", key="muted-working-set", width="content"
    ):
        if held is None:
            st.text(_LOST)
        else:
            st.text(f"working set: {how_many(len(held), 'video')}{gone_words(held, known)}")
        st.button("Clear", key="clear-working-set", on_click=clear, type="tertiary", help="Clear the working set")


@once.each_page
def _asked() -> frozenset[str] | None:
    """Those that the bits in the address stand for; None where there are none, or not of this collection."""
    name = st.query_params.get(KEPT, "")
    found = set_name.read(name, _known()) if name else None
    if found is not None:
        _hold(found)
    return found


def _hold(held: frozenset[str]) -> None:
    """Let the session hold these, and the name of as many as make the address too long one by one."""
    st.session_state[Key.WORKING_SET] = held or None
    st.session_state[Key.WORKING_SET_NAME] = set_name.named(held, _known()) if len(held) > MOST_IN_ADDRESS else None


def _known() -> list[str]:
    """Ids of the collection's videos in the order in which they came: those that come later come after them."""
    return list(state.tables().videos["id"]) if state.exists() else []


def _write(held: frozenset[str]) -> None:
    """Name the working set in the address."""
    name = st.session_state.get(Key.WORKING_SET_NAME)
    address.put(IDS, *(sorted(held) if held and name is None else []))
    address.put(KEPT, *([name] if name is not None else []))
