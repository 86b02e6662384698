"""What the points of the map can be coloured and sized by: facts of the embedded videos, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from analysis.columns import Columns
from analysis.evaluation import Evaluation, probability_columns
from dashboard import state

NOT_JUDGED = "not judged"
NO_LABEL = "no label"
UNKNOWN = "unknown"
CATEGORY, PREDICTION, VERDICT, CONFIDENCE, CHANNEL = "category", "prediction", "right or wrong", "confidence", "channel"
OF_AN_EVALUATION = (PREDICTION, VERDICT, CONFIDENCE)
_OWN = ("length", "loudness", "silent")
_NOT_SHOWN = {"id", "title", "description", "source", "outcome", "prediction", "fold", "right", CATEGORY, CHANNEL}


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Facts of the embedded videos: shared by all browsers, never changed.

    Attributes
    ----------
    titles
        Title of each video (its id where it has none), by id.
    columns
        A column for each name that a person may choose, by id: float64 where all that is known are numbers (NaN:
        unknown), else text. Names and texts may be strangers'.
    judged
        Whether there is an evaluation.
    colours
        Colour of each category, the same in every view.
    """

    titles: pd.Series
    columns: pd.DataFrame
    judged: bool
    colours: Mapping[str, str]

    @property
    def numbers(self) -> list[str]:
        """Names of the columns that hold numbers."""
        return list(self.columns.select_dtypes("float64").columns)

    def of(self, video_id: str) -> Mapping[str, Any]:
        """All that is known of one video; without an evaluation it is not judged."""
        known = self.columns.loc[video_id].to_dict()
        return {PREDICTION: NOT_JUDGED, VERDICT: NOT_JUDGED, **{str(name): value for name, value in known.items()}}


def facts(now: state.Tables) -> Facts:
    """The facts of the collection as it is now."""
    found = state.evaluation()
    return _facts(now.stamp, found[0].id if found else "", now, found[1] if found else None)


@st.cache_resource(show_spinner=False, max_entries=2)
def _facts(stamp: state.Stamp, run_id: str, _now: state.Tables, _judged: Evaluation | None) -> Facts:  # noqa: ARG001
    videos = [video for video in _now.by_id.values() if video.id in _now.embedded]
    index = pd.Index([video.id for video in videos], dtype="str")
    known = {
        CATEGORY: pd.Series([video.category or NO_LABEL for video in videos], index, dtype="str"),
        **(_judgements(index, _judged) if _judged else {}),
        CHANNEL: pd.Series([video.channel or UNKNOWN for video in videos], index, dtype="str"),
    }
    if _judged:
        known[VERDICT] = _verdict(known[CATEGORY], known[PREDICTION])
    columns = Columns(state.collection().store, state.fingerprint(), videos=videos)
    names = [*_OWN, *(name for name in columns.names if name not in {*_NOT_SHOWN, *_OWN})]
    for name in names:
        if (column := _column(columns.named(name).cells, index)) is not None:
            known[f"list.{name}" if name in OF_AN_EVALUATION else name] = column
    titles = pd.Series([video.title or video.id for video in videos], index, dtype="str")
    return Facts(titles, pd.DataFrame(known, index=index), _judged is not None, _now.colours)


def _judgements(index: pd.Index, judged: Evaluation) -> dict[str, pd.Series]:
    table = judged.predictions.set_index("id")
    sure = table[probability_columns(judged.predictions)].max(axis=1)
    return {
        PREDICTION: table["predicted"].astype("str").reindex(index).fillna(NOT_JUDGED),
        VERDICT: pd.Series(NOT_JUDGED, index, dtype="str"),
        CONFIDENCE: sure.astype("float64").reindex(index),
    }


def _verdict(category: pd.Series, prediction: pd.Series) -> pd.Series:
    right = (category == prediction).map({True: "right", False: "wrong"}).astype("str")
    return right.mask(prediction == NOT_JUDGED, NOT_JUDGED)


def _column(cells: Sequence[object], index: pd.Index) -> pd.Series | None:
    """A column as numbers where all that is known are numbers, else as text; None where nothing is known."""
    texts = pd.Series(["" if cell is None else _text(cell) for cell in cells], index, dtype="str")
    known = texts[texts != ""]
    if known.empty:
        return None
    numbers = pd.to_numeric(known, errors="coerce").astype("float64")
    finite = numbers.where(numbers.abs() != float("inf"))
    return texts.replace("", UNKNOWN) if finite.isna().any() else finite.reindex(index)


def _text(cell: object) -> str:
    return ("yes" if cell else "no") if isinstance(cell, bool) else str(cell).strip()
