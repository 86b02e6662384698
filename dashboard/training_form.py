"""What a person chooses before an evaluation."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from dashboard import gone, state, working_set
from dashboard.training import Asked
from quartzlens.figures import how_many
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
_SET = "set"
_TOGETHER = {"": "channels, recordings, copies", "video": "nothing: each video for itself"}
_DEALT = {"": "dealt anew"}
_ALL = "All: besides, the same under a random split, the best block, and what more videos would bring."
_GROUPS = "What no two folds may share, so that no video is judged by a model that has heard the like of it."
_NO_GROUPS = "{} is no column any more: channels, recordings and copies are kept together instead."
_PUBLISHED = "A column of the list that says which fold a video is in, as published data sets have one."
_NO_FOLDS = "{} is no column any more: folds are dealt anew instead."
_NO_SET = "The choice of videos “{}” of this address is not there: all are evaluated. Choose anew."
_ONLY = (
    "Of these alone it learns, and these alone are judged, in Errors and on the Map as well until the next evaluation."
)
_MOST_VALUES = 0.9
_FOLDS = 5
_MEANT = {"video", "channel", "recording"}  # these words mean something else to --group-by


def choose(report: str) -> str:
    """What is to be done where an evaluation was made with less than a report, as the beginning of a sentence.

    >>> choose("full")
    'Choose the report “all, slow” and evaluate'
    """
    return f"Choose the report “{_REPORTS[report]}” and evaluate"


def form(now: state.Tables, last: Run | None, *, running: bool) -> Asked:
    """Draw the choices, which rest while one is running; ``last`` is the newest evaluation."""
    only = _videos(running=running)
    classifier = _choice("Classifier", _CLASSIFIERS, "classifier", running=running)
    report = _choice("Report", _REPORTS, "report", running=running, usual="usual", tip=_ALL)
    with st.expander("More settings"):
        columns = _columns(now.stamp, now)
        group_by = _column("Kept together", _TOGETHER, columns, "together", _NO_GROUPS, _GROUPS, running=running)
        weight = _choice("Unequal categories", _WEIGHTS, "weights", running=running)
        fold_column = _column("Folds of", _DEALT, columns, "published", _NO_FOLDS, _PUBLISHED, running=running)
        folds, repeats, seed = _numbers(running=running, dealt=not fold_column)
    after = not fold_column and _after(last, folds, repeats, running=running)
    return Asked(classifier, weight, group_by, folds, repeats, seed, report, after, only, fold_column)


def _choice(
    label: str, words: Mapping[str, str], key: str, *, running: bool, usual: str = "", tip: str | None = None
) -> str:
    """Draw one choice by its words; the address names it by ``key``."""
    return st.selectbox(
        label,
        words,
        index=list(words).index(usual) if usual else 0,
        format_func=words.__getitem__,
        disabled=running,
        key=key,
        bind="query-params",
        help=tip,
    )


def _column(
    label: str, words: Mapping[str, str], columns: Sequence[str], key: str, lost: str, tip: str, *, running: bool
) -> str:
    """Draw the choice of a column of the lists, or of what has ``words``; ``lost`` tells of one that is gone."""
    words = {**words, **{name: name for name in columns}}
    gone.chosen(key, set(words.values()), lost)
    return _choice(label, words, key, running=running, tip=tip)


def _videos(*, running: bool) -> frozenset[str] | None:
    """Which videos to learn from and judge: there is a choice where there is a working set. None stands for all."""
    held = working_set.current()
    words = {"all": "all", _SET: "the working set"} if held is not None else {"all": "all"}
    gone.chosen("data", words.values(), _NO_SET)
    if held is None:
        return None
    tip = f"The working set holds {how_many(len(held), 'video')}. {_ONLY}"
    return held if _choice("Videos", words, "data", running=running, tip=tip) == _SET else None


def _numbers(*, running: bool, dealt: bool) -> tuple[int, int, int]:
    """Folds, repeats and the seed; published folds are not ``dealt``, so they are not counted."""
    number = partial(st.number_input, bind="query-params")
    folds = number("Folds", 2, 50, _FOLDS, disabled=running or not dealt, key="folds")
    repeats = number("Repeats", 1, 100, 1, disabled=running, key="repeats", help="So often anew; the mean counts.")
    seed = number("Seed", 0, 2**31 - 1, 0, disabled=running, key="training-seed")
    return int(folds) if dealt else _FOLDS, int(repeats), int(seed)


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


@st.cache_resource(show_spinner=False, max_entries=4)
def _columns(stamp: state.Stamp, _now: state.Tables) -> list[str]:  # noqa: ARG001 (the stamp is the cache's key)
    """Columns of the lists that several videos share a value of."""
    values: dict[str, list[str]] = {}
    for video in _now.by_id.values():
        for name, value in video.extra.items():
            if value.strip():
                values.setdefault(name, []).append(value)
    shared = {name for name, given in values.items() if 1 < len(set(given)) < _MOST_VALUES * len(given)}
    return sorted(shared - _MEANT)
