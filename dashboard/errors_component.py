"""Parts of the page that are plain JavaScript: files of this folder, without a build step, served with the page."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

_HERE = Path(__file__).parent


def component(name: str) -> ComponentRenderer:
    """Register a part of the page by its files ``NAME.js`` and ``NAME.css``; no text of a stranger is in either.

    It draws itself into an element of the class ``NAME``.
    """
    script = "\n".join(_read(f"{one}.js") for one in ("errors_common", name))
    return st.components.v2.component(name, html=f'<div class="{name}"></div>', css=_read(f"{name}.css"), js=script)


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
