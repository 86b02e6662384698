"""Which categories are confused, which videos are behind a cell, and what misled the classifier in one of them."""

from functools import partial

import streamlit as st

from analysis.evaluation import Evaluation, cell, confusion_table
from dashboard import cells, charts, evidence_card, parts, scores, state
from dashboard.state import Key


def show() -> None:
    """Draw the view."""
    now, found = state.tables(), state.evaluation()
    if found is None:
        _nothing_yet(now)
        return
    run, evaluation = found
    metrics = evaluation.metrics
    settings = f"{metrics['classifier']} · {scores.folds(run)}"
    parts.heading("Errors", f"{run.id} · {settings} · accuracy {scores.value(metrics, 'accuracy'):.3f}")
    chosen = cells.chosen_cell(evaluation)
    judged = [str(video_id) for video_id in cell(evaluation.predictions, *chosen)["id"]]
    ids = [video_id for video_id in judged if video_id in now.by_id]
    video_id = cells.chosen_video(ids)
    left, middle, right = st.columns([1.05, 1, 1.45])
    with left:
        _matrix(evaluation, chosen)
    with middle, parts.panel("cell", height=820 if len(ids) > 8 else None):
        cells.listing(chosen, ids, evaluation, now.by_id, video_id)
        cells.removed([video_id for video_id in judged if video_id not in now.by_id])
    with right, parts.panel("evidence"):
        if video_id is None:
            parts.muted("Choose a cell that holds videos.", "evidence")
            return
        steps = partial(cells.steps, chosen, ids, video_id)
        evidence_card.show(now.by_id[video_id], evaluation, now.colours, steps)


def _nothing_yet(now: state.Tables) -> None:
    parts.heading("Errors")
    if not now.embedded:
        parts.start_here("Nothing is embedded yet.")
        return
    with parts.panel("none"):
        st.text("Errors are those of a classifier, and none was evaluated on these embeddings yet.")
        if before := scores.other_encoder(now):
            st.text(f"{before} Train and evaluate anew.")
        if st.button("Go to the classifier", type="primary"):
            st.switch_page("views/classifier.py")


def _matrix(evaluation: Evaluation, chosen: cells.Cell) -> None:
    names = cells.categories_of(evaluation)
    with parts.panel("matrix"):
        st.subheader("Which categories are confused", anchor=False)
        chart = charts.matrix(confusion_table(evaluation.predictions, names), names, chosen)
        st.altair_chart(chart, key=Key.MATRIX_CHART, on_select=cells.clicked, selection_mode=["cell"], theme=None)
        parts.muted("rows: label · columns: predicted · click a cell", "matrix")
    scores.beyond_chance(evaluation, names)


if __name__ == "__main__":
    show()
