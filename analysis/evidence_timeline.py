"""The seconds of one video: what each of them sounds like, and which misled the classifier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.evaluation import Evaluation
from analysis.evidence_parts import Parted, Stretch, best_parted, clock
from analysis.metrics import probability_names
from quartzlens.errors import UnknownVideoError


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """How one video was judged, second by second, by the model that never saw it or its group.

    Attributes
    ----------
    probabilities
        Category -> probability (0..1) of the whole video, in the order of the categories.
    fragments
        Rows of the evaluation's fragments table of this video, in order of time.
    misleading
        Stretches of seconds whose fragments have the predicted category as their most probable one; none where
        prediction and label agree. Of equal probabilities the first category counts.
    sentence
        The same in plain words, such as "0:20 to 0:45 sound like travel (0.75), the rest like food (0.79)." Numbers
        that go with seconds are means over the fragments there, weighted by their length; the others are those of
        ``probabilities``. Times are whole seconds, cut off.
    parted
        The two categories that the video is best divided into; None where it is too short to be divided.
    """

    video_id: str
    category: str
    predicted: str
    probabilities: dict[str, float]
    fragments: pd.DataFrame
    misleading: list[Stretch]
    sentence: str
    parted: Parted | None


def timeline(evaluation: Evaluation, video_id: str) -> Timeline:
    """Read one video's probabilities, whole and by fragment.

    Raises
    ------
    UnknownVideoError
        The evaluation did not judge a video of that id.
    """
    found = evaluation.predictions[evaluation.predictions["id"] == video_id]
    if found.empty:
        raise UnknownVideoError(
            f"This evaluation did not judge a video '{video_id}': no video has that id, or it had no label or no "
            "embedding, or came later. Check the id, or evaluate again."
        )
    row = found.iloc[0]
    category, predicted = str(row["category"]), str(row["predicted"])
    categories = categories_of(evaluation)
    names = dict(zip(categories, probability_names(categories), strict=True))
    own = evaluation.fragments[evaluation.fragments["id"] == video_id]
    own = own.sort_values("start_seconds", kind="stable", ignore_index=True)
    whole = {name: float(row[column]) for name, column in names.items()}
    heard = _Heard(own, own[list(names.values())].to_numpy(dtype=np.float64).reshape(-1, len(categories)), categories)
    sentence = _agreed(heard, predicted, whole) if category == predicted else _misled(heard, category, predicted, whole)
    misleading = heard.stretches(heard.led_by(predicted)) if category != predicted else []
    bounds = own[["start_seconds", "end_seconds"]].to_numpy(dtype=np.float64)
    parted = best_parted(heard.shares, bounds, categories)
    return Timeline(video_id, category, predicted, whole, own, misleading, sentence, parted)


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """Fragments in order of time with their probabilities (f, k)."""

    fragments: pd.DataFrame
    shares: NDArray[np.float64]
    categories: list[str]

    def led_by(self, category: str) -> NDArray[np.bool_]:
        """Fragments whose most probable category this is: (f,) bool."""
        led: NDArray[np.bool_] = self.shares.argmax(axis=1) == self.categories.index(category)
        return led

    def seconds(self) -> NDArray[np.float64]:
        """Length of each fragment: (f,)."""
        length = (self.fragments["end_seconds"] - self.fragments["start_seconds"]).to_numpy(dtype=np.float64)
        seconds: NDArray[np.float64] = np.maximum(length, np.finfo(np.float64).tiny)
        return seconds

    def mean(self, category: str, chosen: NDArray[np.bool_]) -> float:
        """Mean probability over the chosen fragments, weighted by their length."""
        column = self.shares[:, self.categories.index(category)]
        return float(np.average(column[chosen], weights=self.seconds()[chosen]))

    def stretches(self, chosen: NDArray[np.bool_]) -> list[Stretch]:
        """Join chosen fragments that follow each other."""
        return _stretches(self.fragments, chosen)


def categories_of(evaluation: Evaluation) -> list[str]:
    """Names of the categories that an evaluation told apart, in the order of its probabilities."""
    names = evaluation.metrics["categories"]
    return [str(name) for name in names] if isinstance(names, list) else []


def _stretches(fragments: pd.DataFrame, chosen: NDArray[np.bool_]) -> list[Stretch]:
    """Join chosen fragments of which each begins where the one before ends."""
    stretches: list[Stretch] = []
    bounds = zip(fragments["start_seconds"], fragments["end_seconds"], chosen, strict=True)
    for start, end, mark in bounds:
        if mark and stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], float(end))
        elif mark:
            stretches.append((float(start), float(end)))
    return stretches


def _agreed(heard: _Heard, predicted: str, whole: dict[str, float]) -> str:
    """What the whole video sounds like, and the stretches that another category leads."""
    others = [(name, heard.led_by(name)) for name in heard.categories if name != predicted]
    parts = [f"{_times(heard, led)} sound most like {name}" for name, led in others if led.any()]
    though = f", though {_listed(parts)}" if parts else ""
    return f"As a whole it sounds like {predicted} ({whole[predicted]:.2f}){though}."


def _misled(heard: _Heard, category: str, predicted: str, whole: dict[str, float]) -> str:
    """Which seconds the predicted category leads, and what leads the rest."""
    misled = heard.led_by(predicted)
    if not misled.any():
        return (
            f"No stretch alone sounds most like {predicted}; over the whole video it is nearest to {predicted} "
            f"({whole[predicted]:.2f}), before {category} ({whole[category]:.2f})."
        )
    share = heard.mean(predicted, misled)
    if misled.all():
        label = heard.mean(category, misled)
        return f"All of it sounds most like {predicted} ({share:.2f}), its label {category} has {label:.2f}."
    return f"{_times(heard, misled)} sound like {predicted} ({share:.2f}), the rest {_rest(heard, ~misled)}."


def _rest(heard: _Heard, rest: NDArray[np.bool_]) -> str:
    """The category that leads all of the rest, or more than half of its seconds; else that none does."""
    seconds = heard.seconds() * rest
    led = [float((seconds * heard.led_by(name)).sum() / seconds.sum()) for name in heard.categories]
    first = heard.categories[int(np.argmax(led))]
    if not (rest & ~heard.led_by(first)).any():
        return f"like {first} ({heard.mean(first, rest):.2f})"
    return f"mostly like {first} ({heard.mean(first, rest):.2f})" if max(led) > 0.5 else "like no single category"


def _times(heard: _Heard, chosen: NDArray[np.bool_]) -> str:
    return _listed([f"{clock(start)} to {clock(end)}" for start, end in heard.stretches(chosen)])


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
