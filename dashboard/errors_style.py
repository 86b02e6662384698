"""The static style sheet of the Errors view. No text of a stranger ever enters it."""

from pathlib import Path

import streamlit as st

_SHEET = Path(__file__).with_name("errors.css")


def apply() -> None:
    """Put the view's style sheet on the page."""
    st.html(f"<style>{_SHEET.read_text(encoding='utf-8')}</style>")
