"""What is in the collection, what was lost and why, and what embedded it."""

import streamlit as st

from analysis.tables import PENDING
from dashboard import (
    categories_panel,
    copies,
    health_panel,
    ingest_panel,
    lost,
    next_step,
    parts,
    sound,
    state,
    survived,
)
from dashboard.wording import better_checkpoint, encoder_words, meaning
from quartzlens.records import Fingerprint


def show() -> None:
    """Draw the view."""
    now = state.tables()
    parts.heading("Overview", str(state.folder()))
    if now.videos.empty:
        parts.start_here("The collection is empty.")
        ingest_panel.show(inviting=True)
        return
    _counts(now)
    next_step.show(now)
    ingest_panel.show()
    _notices(now)
    left, right = st.columns([3, 2])
    with left, parts.panel("outcomes"):
        rows = [(name, n, meaning(name)) for name, n in now.outcomes.most_common()]
        parts.table("What happened to the videos", ["outcome", "videos", "what it means"], rows)
        survived.show(now)
    with left:
        health_panel.show(now)
    with right:
        copies.show(now)
        with parts.panel("categories"):
            categories_panel.show(now)
        if now.fingerprint:
            with parts.panel("encoder"):
                _encoder(now.fingerprint)
    lost.show(now)


def _counts(now: state.Tables) -> None:
    n_bad, videos = len(now.info.bad_rows), {"videos": len(now.videos), "kept": now.kept, "lost": now.lost}
    numbers = {"rows in lists": now.info.rows + n_bad, **videos, "pending": now.outcomes[PENDING]}
    with parts.panel("counts"), st.container(horizontal=True, gap="large"):
        for name, number in numbers.items():
            parts.figure(f"{number:,}", name, name)
        if n_bad:
            parts.figure(f"{n_bad:,}", "of the rows unusable", "unusable")
    if now.fingerprint and len(now.embedded) < now.kept:
        text = f"{len(now.embedded):,} of the {now.kept:,} kept are embedded by {encoder_words(now.fingerprint)}."
        parts.notice(f"{text} Ingest their lists again to embed the others.", "embedded")


def _notices(now: state.Tables) -> None:
    if any(video.extra.get("generated") == "yes" for video in now.by_id.values()):
        parts.notice("These are generated videos: made-up speech, sounds, titles and channels.", "generated")
    if state.collection().encoder.checkpoint == "demo":
        text = "Embedded by the demo checkpoint, trained on generated speech. NVIDIA's gives better embeddings:"
        parts.notice(text, "demo", better_checkpoint())
    sound.notice(now)


def _encoder(encoder: Fingerprint) -> None:
    heard = f"{encoder.start_seconds:g} to {encoder.start_seconds + encoder.clip_seconds:g} s of each video"
    facts = {"encoder": encoder_words(encoder), "fingerprint": encoder.key, "dimension": encoder.dimension}
    parts.table("Encoder", ["", "value"], [(name, str(fact)) for name, fact in {**facts, "heard": heard}.items()])


if __name__ == "__main__":
    show()
