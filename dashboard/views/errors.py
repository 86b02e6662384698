"""Which categories are confused, which videos are behind a cell, and what misled the classifier in one of them."""

import streamlit as st

from analysis.cells import Rank, behind, ranked
from analysis.evidence_timeline import categories_of
from dashboard import (
    address,
    asked_run,
    cells,
    errors_beside,
    errors_matrix,
    evidence_card,
    parts,
    reasons,
    scores,
    state,
    style,
    working_set,
)


def show() -> None:
    """Draw the view."""
    now, found = state.tables(), asked_run.asked(state.tables())
    style.sheet("errors.css")
    if found is None:
        _nothing_yet(now)
        return
    run, evaluation = found
    address.put("run", run.id)
    before = state.evaluation(run.id, before=1)
    with st.container(horizontal=True, key="errors-head", vertical_alignment="bottom"):
        with st.container(gap="small"):
            parts.heading("Errors", scores.line(run, evaluation))
        what = errors_matrix.choose(before is not None)
    asked_run.newer(run.id)
    cell = cells.chosen_cell(evaluation)
    working_set.chip(now.by_id)
    judged = working_set.narrowed(behind(evaluation.predictions, *cell))
    there = now.there(judged["id"])
    beside = st.container()
    with st.container(key="errors-grid"):
        errors_matrix.show(evaluation, before[1] if before else None, cell, what)
        with parts.panel("cell", height=820 if there.sum() > 8 else None):
            by = cells.head(cell, int(there.sum()))
            known = reasons.shared(run.id, evaluation) if by is Rank.NEARNESS else None
            table = ranked(evaluation, judged[there], by, known)
            ids = [str(video_id) for video_id in table["id"]]
            video_id = cells.chosen_video(ids, now.by_id)
            cells.listing(cell, table, by, now.by_id, video_id)
            cells.removed([str(one) for one in judged["id"][~there]])
        with st.container(key="errors-chance"):
            scores.beyond_chance(evaluation, categories_of(evaluation))
        with parts.panel("evidence"):
            if video_id is None:
                parts.muted("Choose a cell that holds videos.", "evidence")
                return
            evidence_card.show(now.by_id[video_id], run.id, evaluation, now.colours, evidence_card.Place(cell, ids))
    with beside:
        errors_beside.show(now.by_id[video_id], evaluation, now.colours)


def _nothing_yet(now: state.Tables) -> None:
    parts.heading("Errors")
    if not now.embedded:
        parts.start_here("Nothing is embedded yet.")
        return
    with parts.panel("none"):
        st.text("Errors are those of a classifier, and none was evaluated on these embeddings yet.")
        if before := scores.other_encoder(now):
            st.text(f"{before} Evaluate anew.")
        if st.button("Go to the classifier", type="primary"):
            address.go("classifier")


if __name__ == "__main__":
    show()
