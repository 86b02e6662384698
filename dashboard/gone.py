"""What an address names and is not there any more: told in a sentence, never replaced without a word."""

from collections.abc import Container, Sequence

import streamlit as st

from dashboard.state import Key

VIDEO = "The video {} is not in the collection any more."


def asked(name: str, there: Container[str], sentence: str) -> str | None:
    """What the address names, where it is there; what is gone leaves the address, and ``sentence`` is told.

    Parameters
    ----------
    name
        Of the parameter.
    there
        What it may name.
    sentence
        What is shown in its place, and what to do next (our words); ``{}`` stands for what is gone.
    """
    value = st.query_params.get(name)
    if value is None or value in there:
        return value
    st.query_params.pop(name, None)
    tell(sentence.replace("{}", value))
    return None


def chosen(name: str, there: Container[str], sentence: str) -> None:
    """As ``asked``, for what a widget that is about to be drawn reads from the address: Streamlit takes it out."""
    value = st.query_params.get(name)
    if value is not None and value not in there:
        tell(sentence.replace("{}", value))


def tell(sentence: str) -> None:
    """Tell a sentence until it is put away or another view is opened."""
    st.session_state.setdefault(Key.GONE, {}).setdefault(sentence, True)


def show() -> None:
    """Draw what was told and was not put away."""
    told = [sentence for sentence, stays in st.session_state.get(Key.GONE, {}).items() if stays]
    if told:
        with st.container(horizontal=True, key="notice-gone", vertical_alignment="center"):
            with st.container(gap="xsmall"):
                for sentence in told:
                    st.text(sentence)
            st.button("Close", key="gone-close", on_click=_put_away, args=(told,), type="tertiary")


def _put_away(told: Sequence[str]) -> None:
    st.session_state[Key.GONE].update(dict.fromkeys(told, False))
