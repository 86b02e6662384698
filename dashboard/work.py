"""Long work of the server's on a page: beginning it, and following it until it has ended."""

from collections.abc import Callable

import streamlit as st

from dashboard import children, parts
from dashboard.background import Background, How
from quartzlens.errors import QuartzlensError

EVERY_SECONDS = 0.5


def begin(command: str, *words: str, given: str = "") -> None:
    """Start ``quartzlens COMMAND WORDS...`` and draw the page anew; say so where that command is running already."""
    try:
        children.background(command).start(command, *words, given=given)
    except QuartzlensError as error:
        parts.failure(str(error))
    else:
        st.rerun()


@st.fragment(run_every=EVERY_SECONDS)
def follow(command: str, tell: Callable[[Background], None]) -> None:
    """Let ``tell`` draw how far a command is, again and again; the page is drawn anew when it has ended."""
    work = children.background(command)
    if work.how is not How.RUNNING:
        st.rerun(scope="app")
    tell(work)
