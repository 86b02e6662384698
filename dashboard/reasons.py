"""The verdict on a judged video, with its reasons."""

import streamlit as st

from analysis.evaluation import Evaluation
from analysis.evidence import Evidence, evidence
from analysis.evidence_background import Background
from dashboard import copies, parts, state
from quartzlens.records import Fingerprint
from store.collection import Collection


def known(video_id: str, run_id: str, evaluation: Evaluation) -> Evidence:
    """All evidence of a video that the evaluation of a run judged."""
    return evidence(evaluation, video_id, state.collection().store, state.fingerprint(), shared(run_id, evaluation))


def shared(run_id: str, evaluation: Evaluation) -> Background:
    """What all evidence of an evaluation shares, kept between the clicks of all browsers."""
    used, now, sought = state.fingerprint(), state.tables(), copies.at_hand()
    return _background(*state.of_embeddings(used), now.info.rows, run_id, sought, state.collection(), evaluation)


def show(found: Evidence) -> None:
    """Draw what is to be thought of a video, and why."""
    with st.container(key="verdict-sentence", gap="xsmall"):
        parts.strong(str(found.verdict.kind).capitalize(), "verdict-kind")
        st.text(found.timeline.sentence)
        for number, reason in enumerate(found.verdict.reasons):
            parts.muted(reason, f"verdict-reason-{number}")


@st.cache_resource(show_spinner=False, max_entries=2)
def _background(
    place: str,  # noqa: ARG001 (what it is kept by)
    used: Fingerprint,
    revision: int,  # noqa: ARG001
    rows: int,  # noqa: ARG001 (a list read again can tell other channels)
    run_id: str,  # noqa: ARG001
    sought: bool,  # noqa: ARG001 (copies that were found since make other groups)
    _opened: Collection,
    _evaluation: Evaluation,
) -> Background:
    from analysis.evidence_background import background

    return background(_opened.store, used, _evaluation, copies.known(), tuple(state.tables().by_id.values()))
