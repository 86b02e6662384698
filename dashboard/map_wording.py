"""What is said above the map: what it is of, how it was laid out, and how far it is to be trusted."""

import math
from collections.abc import Callable

import streamlit as st

from analysis.projection import FEWEST_FOR_UMAP, Layout, Projection
from dashboard import address
from dashboard.map_facts import CATEGORY, NO_LABEL, Facts
from quartzlens.figures import how_many

TRUST = (
    "Trustworthiness: 1 where all that lies near on the map is near in the embeddings, too; about 0.5 by chance "
    "(Venna and Kaski, 2001)."
)

NO_LABELS = "No video has a label yet: ingest a list that has a column of labels, and the map is coloured by category."
NO_EVALUATION = "Nothing was evaluated yet: then the map shows what the classifier has wrong, and how sure it was."


def heading() -> "st.delta_generator.DeltaGenerator":
    """Draw the title of the view; gives the place of the line below it."""
    with st.container(key="muted-heading", width="content"):
        st.title("Map", anchor=False)
        return st.empty()


def tell(place: "st.delta_generator.DeltaGenerator", projection: Projection, layout: Layout, *, judged: bool) -> None:
    """Draw the line below the title."""
    trusted = not math.isnan(projection.trustworthiness)
    place.text(below(projection, layout, judged=judged), help=TRUST if trusted else None)


def below(projection: Projection, layout: Layout, *, judged: bool) -> str:
    """What the map is of, in a line."""
    table = projection.table
    n, one = len(table), "fragment" if "start_seconds" in table else "video"
    of = f"a draw of {n:,} of {projection.of:,} {one}s" if projection.of > n else how_many(n, one)
    if n < FEWEST_FOR_UMAP:
        return f"{of}: too few for a map, side by side"
    words = [f"UMAP of {of}", *_trust(projection), how_many(layout.fitting(n).neighbours, "neighbour")]
    words += [f"seed {layout.seed}"]
    return " · ".join([*words, *(["ringed: wrong out of fold"] if judged else [])])


def _trust(projection: Projection) -> list[str]:
    if math.isnan(projection.trustworthiness):
        return []
    drawn = f" (of a draw of {projection.judged:,})" if projection.judged < len(projection.table) else ""
    return [f"trustworthiness {projection.trustworthiness:.2f}{drawn}"]


def placed(projection: Projection, on_anew: Callable[[], None]) -> None:
    """Say that points were placed since the map was laid out, and offer to lay all out again; else nothing."""
    if n := int(projection.table["placed"].sum()):
        one = "fragment" if "start_seconds" in projection.table else "video"
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="muted-map-placed"):
            st.text(f"{how_many(n, one)} placed among the others, which stayed where they were.")
            st.button("Draw anew", on_click=on_anew, type="tertiary")


def next_step(facts: Facts) -> None:
    """Say what would tell more than the map does now, and lead there; nothing where labels and an evaluation are."""
    if facts.judged:
        return
    labelled = bool((facts.columns[CATEGORY] != NO_LABEL).any())
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="muted-map-next"):
        if not labelled:
            st.text(NO_LABELS)
            return
        st.text(NO_EVALUATION)
        way = address.leading_to("classifier")
        st.page_link("views/classifier.py", label="Go to the classifier", query_params=way)
