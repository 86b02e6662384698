"""The dashboard's entry: the frame around the views. ``streamlit run dashboard/app.py -- -c DIR``."""

import sys
from contextlib import nullcontext
from pathlib import Path

import streamlit as st

if str(Path(__file__).resolve().parent.parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dashboard import address, entrance, gone, ingest_panel, map_steps, once, one_sound, parts, person, state, style
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
    st.switch_page(VIEWS["overview"], query_params=address.everything())


ALIAS = st.Page(_home, title="Overview", url_path="overview", visibility="hidden")


def sidebar() -> "st.delta_generator.DeltaGenerator":
    """Name and size of the collection, the views, and at the bottom what everything rests on; gives the views' place.

    They are drawn once more when the view is: only then is all in the address that was chosen in it.
    """
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
        links = st.empty()
        ways(links)
        if now:
            _foot(now)
    return links


def ways(place: "st.delta_generator.DeltaGenerator") -> None:
    """Draw the ways to the views, each with all that was chosen in it."""
    with place.container():
        for name, page in VIEWS.items():
            st.page_link(page, width="stretch", query_params=address.leading_to(name))


def _foot(now: state.Tables) -> None:
    with st.container(key="sidefoot", gap="small"):
        person.field()
        encoder = now.fingerprint
        with st.container(key="muted-encoder", gap=None):
            st.text("Encoder")
        st.text(encoder_words(encoder) if encoder else "none yet")
        with st.container(key="muted-store", gap=None):
            st.text("Store")
        if now.embedded:
            well = search_words(index_facts(state.collection(), encoder) if encoder else ())
            parts.tinted(f"open: {len(now.embedded):,} embeddings, {well}", style.OWN_COLOURS["history"], "store")
        else:
            st.text("no embeddings yet")
        lost = f"{now.lost:,} of {len(now.videos):,} lost: see why" if now.lost else "nothing lost"
        st.page_link(VIEWS["overview"], label=lost, query_params=address.leading_to("overview"))


def _take_back(page: st.Page) -> None:
    """Give a view that the browser's Back led to its own choices back, before a widget is made from the address."""
    now = address.everything()
    if (own := address.returned(now, page.title.lower())) != now:
        st.switch_page(page, query_params=own)


def main() -> None:
    """Draw the frame and the chosen view; what goes wrong becomes a sentence, never a traceback."""
    st.set_page_config(page_title="quartzlens", layout="wide", initial_sidebar_state=215)
    style.apply()
    page = st.navigation([*VIEWS.values(), ALIAS], position="hidden")
    if not entrance.let_in():
        return
    entrance.remember()
    _take_back(page)
    state.arrive(page.title)
    one_sound.mount()
    map_steps.finish()
    links = sidebar()
    if not state.exists():
        parts.heading(page.title)
        parts.start_here("There is no collection here yet.")
        if page == VIEWS["overview"]:
            ingest_panel.show(inviting=True)
        return
    told = st.container()
    try:
        page.run()
        with told:
            gone.show()
        ways(links)
    except NotEnoughDataError as error:
        parts.notice(str(error), "not-enough")
    except QuartzlensError as error:
        parts.failure(str(error))


with once.page() if state.exists() else nullcontext():  # a collection may come to be while a page without one is drawn
    main()
