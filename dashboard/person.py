"""Who answers: a name that one browser session has, and that a proxy may have told."""

import streamlit as st

from analysis.label_words import LONGEST_PERSON, By, person_name
from dashboard import entrance, parts, state
from dashboard.state import Key
from quartzlens.errors import UsageError

HELP = (
    "The label history keeps it beside your answers. What you are unsure of is asked of others, and nobody but you "
    "takes your answers back. Who gives no name is one person with all others who give none."
)


def field() -> None:
    """Draw the field for the name; nothing where no label can be kept."""
    if state.collection().read_only:
        return
    if Key.PERSON not in st.session_state:  # the first time, and where a field is lost on the way to another view
        st.session_state[Key.PERSON] = st.session_state.setdefault(Key.PERSON_KEPT, entrance.told_person())
    name = st.text_input("You answer as", key=Key.PERSON, max_chars=LONGEST_PERSON, placeholder="your name", help=HELP)
    st.session_state[Key.PERSON_KEPT] = name
    if current() != name.strip():
        parts.muted("That is no name of one line: your answers have none.", "no-name")


def current() -> str:
    """The name of who answers; empty where none was given, or none that is one."""
    try:
        return person_name(st.session_state.get(Key.PERSON, st.session_state.get(Key.PERSON_KEPT, "")))
    except UsageError:
        return ""


def by(note: str = "") -> By:
    """Who answers, with a note; raises UsageError where it is too long."""
    return By(current(), note)


def named(person: str) -> str:
    """Who said something, at the beginning of a sentence.

    >>> named("Ana"), named("")
    ('Ana', 'A person')
    """
    return person or "A person"
