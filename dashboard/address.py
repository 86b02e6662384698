"""The address of a page: what a view has chosen stays in it while another view is looked at.

A view's own choices stand under their own names (``colour=channel``) while it is open, and behind its name while
another one is (``map.colour=channel``). So they survive every way through the views, a reload in any of them, and a
copied link. The working set is every view's.
"""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.state import Key

IDS, KEPT = "set", "kept"
SHARED = (IDS, KEPT)
Address = Mapping[str, Sequence[str]]


def carried(address: Address, here: str, there: str) -> dict[str, list[str]]:
    """The address of the view ``there`` for somebody who is in the view ``here`` at this address.

    >>> carried({"colour": ["channel"], "set": ["a", "b"], "errors.run": ["r1"]}, "map", "errors")
    {'map.colour': ['channel'], 'set': ['a', 'b'], 'run': ['r1']}
    """
    if here == there:
        return {name: list(values) for name, values in address.items()}
    mine, others = f"{there}.", {}
    for name, values in address.items():
        kept = name if name in SHARED or "." in name else f"{here}.{name}"
        others[kept.removeprefix(mine)] = list(values)
    return others


def returned(address: Address, here: str) -> dict[str, list[str]]:
    """The address of the view ``here`` for somebody whom the browser's Back led to one on the way out of it.

    Streamlit leaves such ones in the browser's history: the next view's address at this one's place. There the view's
    own choices stand behind its name, and what stands under its own name is the next view's. Others stay as they are.

    >>> returned({"map.size": ["year"], "set": ["a"], "video": ["b"], "errors.run": ["r1"]}, "map")
    {'size': ['year'], 'set': ['a'], 'errors.run': ['r1']}
    """
    mine = f"{here}."
    out = any(name.startswith(mine) for name in address)
    return {
        name.removeprefix(mine): list(values)
        for name, values in address.items()
        if not out or name in SHARED or "." in name
    }


def everything() -> dict[str, list[str]]:
    """The address as it is now, of a name that stands in it several times each value."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def put(name: str, *values: str) -> None:
    """Put a choice of the view into the address, where it is not there as it is; without values it goes out of it.

    Streamlit tells the browser the whole address at each writing, as it was when the page began to be drawn: one that
    changes nothing would take back what somebody chose in a widget meanwhile.
    """
    if st.query_params.get_all(name) == list(values):
        return
    if values:
        st.query_params[name] = values
    else:
        del st.query_params[name]


def leading_to(there: str, **own: str) -> dict[str, list[str]]:
    """The address of a view from where this browser is; with ``own`` that view begins with these and nothing else."""
    found = carried(everything(), str(st.session_state.get(Key.VIEW, "")).lower(), there)
    if not own:
        return found
    kept = {name: values for name, values in found.items() if name in SHARED or "." in name}
    return {**kept, **{name: [value] for name, value in own.items()}}


def go(there: str, **own: str) -> None:
    """Open a view, with all that is chosen in the others."""
    st.switch_page(f"views/{there}.py", query_params=leading_to(there, **own))
