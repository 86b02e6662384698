"""One sound at a time: when a player of the page starts, the others pause. Static: no stranger's text enters it."""

import streamlit as st

_SCRIPT = """
export default function () {
  const pauseOthers = (event) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  };
  document.addEventListener("play", pauseOthers, true);
  return () => document.removeEventListener("play", pauseOthers, true);
}
"""


def mount() -> None:
    """Put the listener on the page; it shows nothing."""
    st.components.v2.component("one_sound", html="<span></span>", js=_SCRIPT)(key="one-sound")
