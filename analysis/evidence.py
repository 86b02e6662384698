"""Why a video was judged as it was: its probabilities, and the seconds that misled the classifier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.evaluation import Evaluation
from analysis.metrics import probability_names
from quartzlens.errors import UnknownVideoError

Stretch = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What speaks for and against the judgement of one video, by the model that never saw it or its group.

    Attributes
    ----------
    probabilities
        Category -> probability (0..1) of the whole video, in the order of the categories.
    fragments
        Rows of the evaluation's fragments table of this video, in order of time.
    misleading
        Stretches of seconds whose probability of the predicted category exceeds that of the label; none where they
        agree.
    sentence
        The same in plain words, such as "0:20 to 0:45 sound like travel (0.75), the rest like food (0.79)."
    """

    video_id: str
    category: str
    predicted: str
    probabilities: dict[str, float]
    fragments: pd.DataFrame
    misleading: list[Stretch]
    sentence: str


def evidence(evaluation: Evaluation, video_id: str) -> Evidence:
    """Gather the evidence for one video of an evaluation.

    Raises
    ------
    UnknownVideoError
        The evaluation did not judge a video of that id.
    """
    found = evaluation.predictions[evaluation.predictions["id"] == video_id]
    if found.empty:
        raise UnknownVideoError(
            f"This evaluation did not judge a video '{video_id}': it had no label, no embedding, "
            "or came later. Evaluate again."
        )
    row = found.iloc[0]
    category, predicted = str(row["category"]), str(row["predicted"])
    categories = _categories(evaluation)
    names = dict(zip(categories, probability_names(categories), strict=True))
    own = evaluation.fragments[evaluation.fragments["id"] == video_id]
    own = own.sort_values("start_seconds", kind="stable", ignore_index=True)
    label_says = own[names[category]].to_numpy(dtype=np.float64)
    other_says = own[names[predicted]].to_numpy(dtype=np.float64)
    misled = other_says > label_says
    whole = {name: float(row[column]) for name, column in names.items()}
    sentence = _sentence(own, misled, label_says, other_says, category, predicted, whole)
    return Evidence(video_id, category, predicted, whole, own, _stretches(own, misled), sentence)


def _categories(evaluation: Evaluation) -> list[str]:
    per_category = evaluation.metrics["categories"]
    return [str(name) for name in per_category] if isinstance(per_category, list) else []


def _stretches(fragments: pd.DataFrame, chosen: NDArray[np.bool_]) -> list[Stretch]:
    """Join chosen fragments that follow each other."""
    stretches: list[Stretch] = []
    bounds = zip(fragments["start_seconds"], fragments["end_seconds"], chosen, strict=True)
    before = False
    for start, end, mark in bounds:
        if mark and before:
            stretches[-1] = (stretches[-1][0], float(end))
        elif mark:
            stretches.append((float(start), float(end)))
        before = bool(mark)
    return stretches


def _sentence(
    fragments: pd.DataFrame,
    misled: NDArray[np.bool_],
    label_says: NDArray[np.float64],
    other_says: NDArray[np.float64],
    category: str,
    predicted: str,
    whole: dict[str, float],
) -> str:
    """One plain sentence; numbers are mean probabilities over the seconds that it speaks of."""
    if category == predicted:
        return f"The whole video sounds like {category} ({whole[category]:.2f}), as its label says."
    if not misled.any():
        return (
            f"No part of it sounds more like {predicted} than {category}; as a whole it does "
            f"({whole[predicted]:.2f} to {whole[category]:.2f})."
        )
    if misled.all():
        other, label = other_says.mean(), label_says.mean()
        return f"All of it sounds more like {predicted} ({other:.2f}) than {category} ({label:.2f})."
    where = _listed([f"{_clock(a)} to {_clock(b)}" for a, b in _stretches(fragments, misled)])
    rest = label_says[~misled].mean()
    return f"{where} sound like {predicted} ({other_says[misled].mean():.2f}), the rest like {category} ({rest:.2f})."


def _clock(seconds: float) -> str:
    """Minutes and seconds.

    >>> _clock(75.2)
    '1:15'
    """
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
