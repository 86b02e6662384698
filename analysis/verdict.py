"""A verdict on one judged video, in words, with its reasons.

The thresholds were chosen on the demo collection by ``python -m benchmarks.verdicts``, which also tells how good the
verdicts are on channels that had no part in the choice (docs/results.md).
"""

from dataclasses import dataclass
from enum import StrEnum

from analysis.evidence_change import Change
from analysis.evidence_neighbours import LABEL, NEITHER, NOBODY, PREDICTION, Vote
from analysis.evidence_parts import Parted, clock

CHANGE_STRENGTH = 3.0
PARTED_GAIN = 0.5
LABEL_QUALITY = 0.1
OUTLIER_PERCENTILE = 94.0
BOUNDARY_MARGIN = 0.3
_SILENT = "the sound that was judged is silent, so that label and prediction are of nothing"


class Kind(StrEnum):
    """What is to be thought of a video and its judgement."""

    SILENT = "nothing to hear"
    LABEL_WRONG = "label looks wrong"
    TWO_CATEGORIES = "two categories in one video"
    UNKNOWN = "looks like nothing known"
    BOUNDARY = "near the boundary"
    NO_REASON = "classifier wrong for no visible reason"
    AS_LABELLED = "judged as labelled"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A kind, and why, in sentences without a full stop; the first reason decided."""

    kind: Kind
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{str(self.kind).capitalize()}: {'; '.join(self.reasons)}."


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which values a verdict is given.

    Attributes
    ----------
    change
        Two categories: how strongly the sound must change (``analysis.evidence_change.Change.strength``) at least,
    gain
        and what dividing the video must gain (``analysis.evidence_parts.Parted.gain``) at least.
    quality
        The label looks wrong: its quality (``analysis.label_quality``) is below this, and the neighbours do not side
        with it.
    outlier
        Nothing known: so many percent of the videos are nearer to their neighbours, or more.
    margin
        Near the boundary: the two most probable categories are less apart.
    """

    change: float = CHANGE_STRENGTH
    gain: float = PARTED_GAIN
    quality: float = LABEL_QUALITY
    outlier: float = OUTLIER_PERCENTILE
    margin: float = BOUNDARY_MARGIN


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a verdict is based on: label, prediction, figures of ``analysis.evidence.Evidence``, ``Media.silent``."""

    category: str
    predicted: str
    margin: float
    quality: float
    vote: Vote
    outlier: float
    parted: Parted | None
    change: Change | None
    silent: bool = False


def verdict(found: Grounds, thresholds: Thresholds | None = None) -> Verdict:
    """Give the first verdict that holds: nothing to hear, nothing known, two categories, label, boundary, no reason.

    A video that is judged as labelled can be unlike all others, or hold two categories, all the same; its label is
    never said to look wrong.
    """
    limits = thresholds or Thresholds()
    wrong = found.category != found.predicted
    if found.silent:
        return Verdict(Kind.SILENT, (_SILENT,))
    if found.outlier >= limits.outlier:
        return Verdict(Kind.UNKNOWN, (_far(found), *_sides(found)))
    if _divided(found, limits):
        return Verdict(Kind.TWO_CATEGORIES, (str(found.parted), _changed(found)))
    if wrong and found.quality < limits.quality and found.vote.sides_with != LABEL:
        return Verdict(Kind.LABEL_WRONG, (_doubted(found), *_sides(found)))
    if found.margin < limits.margin:
        return Verdict(Kind.BOUNDARY, (f"the two most probable categories are {found.margin:.2f} apart",))
    return Verdict(Kind.NO_REASON if wrong else Kind.AS_LABELLED, (_ahead(found), *_sides(found)))


def _divided(found: Grounds, limits: Thresholds) -> bool:
    parted, change = found.parted, found.change
    if parted is None or change is None:
        return False
    return change.strength >= limits.change and parted.gain >= limits.gain


def _changed(found: Grounds) -> str:
    return f"the sound changes at {clock(found.change.at_seconds)}" if found.change else ""


def _far(found: Grounds) -> str:
    return f"farther from its neighbours than {found.outlier:.0f} % of the videos"


def _doubted(found: Grounds) -> str:
    return f"the quality of the label {found.category} is {found.quality:.2f} of 1"


def _ahead(found: Grounds) -> str:
    return f"{found.predicted} is {found.margin:.2f} before any other category"


def _sides(found: Grounds) -> tuple[str, ...]:
    """What the neighbours of other groups say."""
    vote = found.vote
    if vote.sides_with == NOBODY:
        return ("it has no labelled neighbours of other groups",)
    first, share = next(iter(vote.shares.items()))
    whom = {LABEL: "its label", PREDICTION: "the prediction", NEITHER: "neither label nor prediction"}
    said = f"its {vote.neighbours} nearest of other groups"
    side = whom.get(vote.sides_with, "label and prediction")
    return (f"{said} side with {side} ({first} {share:.2f})",)
