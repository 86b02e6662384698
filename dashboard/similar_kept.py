"""Adding what Similar found to the working set of this browser."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import streamlit as st

from quartzlens.figures import how_many

_MODULE = "dashboard.working_set"


def offer(ids: list[str]) -> None:
    """Draw the button that adds these videos; nothing where there are none, or no view that has a working set."""
    if ids and find_spec(_MODULE) is not None:
        label = f"Add {how_many(len(ids), 'video')} to the working set"
        st.button(label, on_click=_add, args=(ids,), key="add-to-working-set", type="tertiary")


def _add(ids: list[str]) -> None:
    working_set: Any = import_module(_MODULE)
    working_set.keep((working_set.current() or frozenset()) | set(ids))
