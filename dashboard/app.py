"""The dashboard's entry: the frame around the views. ``streamlit run dashboard/app.py -- -c DIR``."""

import sys
from pathlib import Path

import streamlit as st

if str(Path(__file__).resolve().parent.parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dashboard import entrance, ingest_panel, one_sound, parts, state, style
from dashboard.wording import encoder_words, search_words
from quartzlens.errors import NotEnoughDataError, QuartzlensError
from quartzlens.figures import how_many
from store.indexing import index_facts

VIEWS = {
    "overview": st.Page("views/overview.py", title="Overview", url_path="home", default=True),
    **{
        name: st.Page(f"views/{name}.py", title=name.capitalize(), url_path=name)
        for name in ("map", "classifier", "errors", "labels", "similar")
    },
}


def _home() -> None:
    """Lead from /overview to /, which is the address of the first view, with all that the address holds."""
    st.switch_page(VIEWS["overview"], query_params=st.query_params.to_dict())


ALIAS = st.Page(_home, title="Overview", url_path="overview", visibility="hidden")


def sidebar() -> None:
    """Name and size of the collection, the views, and at the bottom what everything rests on."""
    try:
        now = state.tables()
    except QuartzlensError:
        now = None
    with st.sidebar:
        with st.container(key="strong-name", gap=None):
            st.text("quartzlens")
        parts.muted(
            f"{state.folder().name} · {how_many(now.kept, 'video')}" if now else state.folder().name, "collection"
        )
        for page in VIEWS.values():
            st.page_link(page, width="stretch")
        if now:
            _foot(now)


def _foot(now: state.Tables) -> None:
    with st.container(key="sidefoot", gap="small"):
        encoder = now.fingerprint
        with st.container(key="muted-encoder", gap=None):
            st.text("Encoder")
        st.text(encoder_words(encoder) if encoder else "none yet")
        with st.container(key="muted-store", gap=None):
            st.text("Store")
        if now.embedded:
            well = search_words(index_facts(state.collection(), encoder) if encoder else ())
            parts.tinted(f"open: {len(now.embedded):,} embeddings, {well}", "#009E73", "store")
        else:
            st.text("no embeddings yet")
        lost = f"{now.lost:,} of {len(now.videos):,} lost: see why" if now.lost else "nothing lost"
        st.page_link(VIEWS["overview"], label=lost)


def main() -> None:
    """Draw the frame and the chosen view; what goes wrong becomes a sentence, never a traceback."""
    st.set_page_config(page_title="quartzlens", layout="wide", initial_sidebar_state=215)
    style.apply()
    page = st.navigation([*VIEWS.values(), ALIAS], position="hidden")
    if not entrance.let_in():
        return
    entrance.remember()
    state.arrive(page.title)
    one_sound.mount()
    sidebar()
    if not state.exists():
        parts.heading(page.title)
        parts.start_here("There is no collection here yet.")
        if page == VIEWS["overview"]:
            ingest_panel.show(inviting=True)
        return
    try:
        page.run()
    except NotEnoughDataError as error:
        parts.notice(str(error), "not-enough")
    except QuartzlensError as error:
        parts.failure(str(error))


main()
