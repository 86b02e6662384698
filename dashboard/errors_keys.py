"""The keys of the Errors view, told in a popover: those of buttons, of ``timeline.js`` and of ``errors_matrix.js``."""

import streamlit as st

KEYS = {
    "→ and ←": "the next and the previous video of the list",
    "space or P": "play and pause; P from any button as well",
    "K": "keep the label",
    "1": "the other category on its button",
    "B, U, Z": "both, unsure, undo",
    "in the strip: → and ←": "a fragment on or back; Home and End go to the ends",
    "in a player: → and ←": "seek in its sound",
    "in the matrix: arrows, Enter": "move between cells, open one",
}


def show() -> None:
    """Draw the button that tells the keys."""
    with st.popover("Keys"):
        st.table({"key": list(KEYS), "what it does": list(KEYS.values())})
