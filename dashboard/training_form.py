"""What a person chooses before an evaluation."""

import streamlit as st

from dashboard import state
from dashboard.training import Asked
from quartzlens.records import Run

_CLASSIFIERS = {
    "original": "the original network",
    "logistic": "logistic regression",
    "linear": "linear, with a temperature",
    "knn": "nearest neighbours",
}
_WEIGHTS = {
    "none": "left as they are",
    "balanced": "errors of small ones weigh more",
    "sampling": "small ones drawn more often",
    "auto": "chosen inside each fold",
}
_REPORTS = {"brief": "figures alone", "usual": "with leaks and depths", "full": "all, slow"}
_TOGETHER = {"": "channels, recordings, copies", "video": "nothing: each video for itself"}
_MOST_VALUES = 0.9
_MEANT = {"video", "channel", "recording"}  # these words mean something else to --group-by


def form(now: state.Tables, last: Run | None, *, running: bool) -> Asked:
    """Draw the choices, which rest while one is running; ``last`` is the newest evaluation."""
    classifier = st.selectbox("Classifier", _CLASSIFIERS, format_func=_CLASSIFIERS.__getitem__, disabled=running)
    report = st.selectbox(
        "Report",
        _REPORTS,
        index=1,
        format_func=_REPORTS.__getitem__,
        disabled=running,
        help="All: besides, the same under a random split, the best block, and what more videos would bring.",
    )
    with st.expander("More settings"):
        group_by = st.selectbox(
            "Kept together",
            [*_TOGETHER, *_columns(now)],
            format_func=lambda name: _TOGETHER.get(name, name),
            disabled=running,
            help="What no two folds may share, so that no video is judged by a model that has heard the like of it.",
        )
        weight = st.selectbox("Unequal categories", _WEIGHTS, format_func=_WEIGHTS.__getitem__, disabled=running)
        folds = st.number_input("Folds", 2, 50, 5, disabled=running)
        repeats = st.number_input("Repeats", 1, 100, 1, disabled=running, help="So often anew; the mean counts.")
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, disabled=running)
    after = _after(last, int(folds), int(repeats), running=running)
    return Asked(classifier, weight, group_by, int(folds), int(repeats), int(seed), report, after)


def _after(last: Run | None, folds: int, repeats: int, *, running: bool) -> bool:
    """Whether the folds of the last evaluation are kept; nothing to choose where they cannot be."""
    fits = last is not None and last.settings.get("folds_asked") == folds and repeats == 1
    if not fits or last is None or last.settings.get("repeats") != 1:
        return False
    return st.checkbox(
        "By the folds of the last evaluation",
        value=True,
        disabled=running,
        help="What differs from it then is what changed since: labels or settings, not how videos were dealt.",
    )


def _columns(now: state.Tables) -> list[str]:
    """Columns of the lists that several videos share a value of."""
    values: dict[str, list[str]] = {}
    for video in now.by_id.values():
        for name, value in video.extra.items():
            if value.strip():
                values.setdefault(name, []).append(value)
    shared = {name for name, given in values.items() if 1 < len(set(given)) < _MOST_VALUES * len(given)}
    return sorted(shared - _MEANT)
