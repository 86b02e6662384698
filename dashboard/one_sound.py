"""Players of the page: when one starts, the others pause, and one that has the focus keeps the arrow keys to seek by.

Static: no stranger's text enters it.
"""

import streamlit as st

_SCRIPT = """
export default function () {
  const pauseOthers = (event) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  };
  // Streamlit listens at the document: below it, so that the player's own listeners have had the key before.
  const keepArrows = (event) => {
    if (event.key.startsWith("Arrow") && event.target.matches?.("audio")) event.stopPropagation();
  };
  document.addEventListener("play", pauseOthers, true);
  document.body.addEventListener("keydown", keepArrows);
  return () => {
    document.removeEventListener("play", pauseOthers, true);
    document.body.removeEventListener("keydown", keepArrows);
  };
}
"""


def mount() -> None:
    """Put the listeners on the page; they show nothing."""
    st.components.v2.component("one_sound", html="<span></span>", js=_SCRIPT)(key="one-sound")
