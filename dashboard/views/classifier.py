"""Train the classifier, watch it learn, and see what it is worth on channels that it never heard."""

import streamlit as st

from dashboard import parts, scores, state, training


def show() -> None:
    """Draw the view."""
    now = state.tables()
    parts.heading("Classifier", "Every video is judged by a model that learned from other channels only")
    if not now.embedded:
        parts.start_here("Nothing is embedded yet.")
        return
    left, right = st.columns([1, 2.2])
    with left:
        with parts.panel("settings"):
            name, seed, asked = _settings()
        with parts.panel("loss"):
            st.subheader("Loss", anchor=False)
            if asked:
                training.train_and_evaluate(name, seed)
                st.rerun()
            training.last_loss()
    with right:
        found = state.evaluation()
        if found is None:
            before = scores.other_encoder(now) or "There is no evaluation yet."
            parts.notice(f"{before} Train and evaluate: it takes from seconds to a minute.", "none")
        else:
            with parts.panel("scores"):
                scores.show(*found)
        with parts.panel("runs"):
            scores.runs(now)


def _settings() -> tuple[str, int, bool]:
    st.subheader("Settings", anchor=False)
    names = {"original": "the original network", "logistic": "logistic regression"}
    name = st.selectbox("Classifier", list(names), format_func=names.__getitem__)
    seed = st.number_input("Seed", min_value=0, max_value=2**31 - 1, value=0, step=1)
    return name, int(seed), st.button("Train and evaluate", type="primary", width="stretch")


if __name__ == "__main__":
    show()
