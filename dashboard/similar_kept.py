"""Adding what Similar found to the working set of this browser."""

import streamlit as st

from dashboard import working_set
from quartzlens.figures import how_many


def offer(ids: list[str]) -> None:
    """Draw the button that adds these videos; nothing where there are none."""
    if ids:
        label = f"Add {how_many(len(ids), 'video')} to the working set"
        st.button(label, on_click=_add, args=(ids,), key="add-to-working-set", type="tertiary")


def _add(ids: list[str]) -> None:
    working_set.keep((working_set.current() or frozenset()) | set(ids))
