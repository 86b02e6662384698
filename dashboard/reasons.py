"""The verdict on a judged video, with its reasons."""

import streamlit as st

from analysis.evaluation import Evaluation
from analysis.evidence import Evidence, evidence
from analysis.evidence_background import Background
from dashboard import parts, state
from quartzlens.records import Fingerprint
from store.collection import Collection


def known(video_id: str, evaluation: Evaluation) -> Evidence:
    """All evidence of a video that the evaluation judged; what is of the whole collection is kept between clicks."""
    used, now = state.fingerprint(), state.tables()
    shared = _background(str(state.folder()), used, now.info.revisions.get(used.key, 0), now.info.rows, evaluation)
    return evidence(evaluation, video_id, state.collection().store, used, shared)


def show(found: Evidence) -> None:
    """Draw what is to be thought of a video, and why."""
    with st.container(key="verdict-sentence", gap="xsmall"):
        parts.strong(str(found.verdict.kind).capitalize(), "verdict-kind")
        st.text(found.timeline.sentence)
        for number, reason in enumerate(found.verdict.reasons):
            parts.muted(reason, f"verdict-reason-{number}")


def _background(place: str, used: Fingerprint, revision: int, rows: int, evaluation: Evaluation) -> Background:
    found = state.evaluation()
    run_id = found[0].id if found and found[1] is evaluation else str(id(evaluation))
    return _kept_background(place, used, revision, rows, run_id, state.collection(), evaluation)


@st.cache_resource(show_spinner=False, max_entries=2)
def _kept_background(
    place: str,  # noqa: ARG001 (what it is kept by)
    used: Fingerprint,
    revision: int,  # noqa: ARG001
    rows: int,  # noqa: ARG001 (a list read again can tell other channels)
    run_id: str,  # noqa: ARG001
    _opened: Collection,
    _evaluation: Evaluation,
) -> Background:
    from analysis.evidence_background import background

    return background(_opened.store, used, _evaluation, state.copies())
