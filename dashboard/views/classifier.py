"""Evaluate a classifier, watch it learn, and see how far its figures can be believed."""

import streamlit as st

from dashboard import (
    asked_run,
    children,
    comparing,
    depth_embed,
    depth_view,
    doubts,
    gone,
    parts,
    scores,
    state,
    sureness,
    training,
    training_form,
)
from dashboard.background import How

SECTIONS = ("Figures", "How sure", "Leaks", "Depth", "More videos", "Runs")


def show() -> None:
    """Draw the view."""
    now = state.tables()
    parts.heading("Classifier", "Every video is judged by a model that did not learn from it")
    if not now.embedded:
        parts.start_here("Nothing is embedded yet.")
        return
    found = asked_run.shown(now)
    scores.of_the_working_set(found)
    left, right = st.columns([1, 2.4])
    with left:
        with parts.panel("settings"):
            _settings(now)
        with parts.panel("loss"):
            training.show()
    with right:
        gone.chosen("section", SECTIONS, "There is no section {}. The figures are shown instead.")
        section = st.segmented_control(
            "Show",
            SECTIONS,
            default=SECTIONS[0],
            required=True,
            key="section",
            bind="query-params",
            label_visibility="collapsed",
        )
        _section(now, section or SECTIONS[0], found)


def _section(now: state.Tables, section: str, found: asked_run.Judged | None) -> None:
    if section == "Runs":
        comparing.show(now)
    elif found is None:
        before = scores.other_encoder(now) or "There is no evaluation yet."
        parts.notice(f"{before} Evaluate: it takes from seconds to a minute.", "none")
        if section == "Depth" and depth_embed.there(now):
            with parts.panel("depth"):
                depth_embed.show(now)
    else:
        with parts.panel(section.split(maxsplit=1)[0].lower()):
            draw = {"Figures": scores.show, "How sure": sureness.show, "Leaks": doubts.show, "Depth": depth_view.show}
            draw.get(section, sureness.show_learning)(*found)


def _settings(now: state.Tables) -> None:
    st.subheader("Settings", anchor=False)
    running = children.background("evaluate").how is How.RUNNING
    asked = training_form.form(now, training.last_evaluation(now), running=running)
    if st.button("Evaluate", type="primary", width="stretch", disabled=running):
        training.start(asked)


if __name__ == "__main__":
    show()
