"""Verdicts in words, from figures."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evidence_change import Change
from analysis.evidence_neighbours import BOTH, LABEL, NEITHER, NOBODY, PREDICTION, Vote
from analysis.evidence_parts import Parted
from analysis.verdict import (
    BOUNDARY_MARGIN,
    CHANGE_STRENGTH,
    LABEL_QUALITY,
    OUTLIER_PERCENTILE,
    PARTED_GAIN,
    Grounds,
    Kind,
    Thresholds,
    verdict,
)

PARTED = Parted((0.0, 20.0), "travel", 0.8, "food", 0.7, PARTED_GAIN)
CHANGED = Change(20.0, CHANGE_STRENGTH)
PLAIN = Grounds("food", "travel", 0.9, 0.9, Vote({"travel": 0.6, "food": 0.4}, 10, PREDICTION), 50.0, None, CHANGED)


@pytest.mark.parametrize(
    ("found", "kind", "reason"),
    [
        (
            replace(PLAIN, silent=True, quality=0.0, outlier=OUTLIER_PERCENTILE),
            Kind.SILENT,
            "the sound that was judged is",
        ),
        (replace(PLAIN, outlier=OUTLIER_PERCENTILE), Kind.UNKNOWN, "farther from its neighbours than"),
        (replace(PLAIN, parted=PARTED), Kind.TWO_CATEGORIES, "0:00 to 0:20 sound like travel (0.80)"),
        (replace(PLAIN, quality=LABEL_QUALITY - 0.001), Kind.LABEL_WRONG, "the quality of the label food is"),
        (replace(PLAIN, quality=0.0, vote=Vote({"food": 1.0}, 10, LABEL)), Kind.NO_REASON, "travel is 0.90"),
        (replace(PLAIN, margin=BOUNDARY_MARGIN - 0.01), Kind.BOUNDARY, "the two most probable categories are"),
        (PLAIN, Kind.NO_REASON, "travel is 0.90 before any other category"),
        (replace(PLAIN, predicted="food"), Kind.AS_LABELLED, "food is 0.90 before any other"),
        (replace(PLAIN, outlier=float("nan")), Kind.NO_REASON, "travel is 0.90"),
        (replace(PLAIN, parted=replace(PARTED, gain=PARTED_GAIN - 0.1)), Kind.NO_REASON, "travel is 0.90"),
        (replace(PLAIN, parted=PARTED, change=Change(20.0, CHANGE_STRENGTH - 0.1)), Kind.NO_REASON, "travel is 0.90"),
        (replace(PLAIN, parted=PARTED, change=None), Kind.NO_REASON, "travel is 0.90"),
    ],
)
def test_each_kind_has_its_first_reason(found, kind, reason):
    """A figure beyond its threshold gives its verdict, and the reason that decided comes first."""
    given_ = verdict(found)
    assert given_.kind is kind
    assert given_.reasons[0].startswith(reason)


@pytest.mark.parametrize(
    ("side", "said"),
    [
        (LABEL, "side with its label (travel 0.60)"),
        (PREDICTION, "side with the prediction (travel 0.60)"),
        (NEITHER, "side with neither label nor prediction (travel 0.60)"),
        (BOTH, "side with label and prediction (travel 0.60)"),
    ],
)
def test_the_neighbours_are_a_reason(side, said):
    """What the neighbours say is among the reasons, whichever side they take."""
    vote = Vote({"travel": 0.6, "food": 0.4}, 10, side)
    assert verdict(replace(PLAIN, vote=vote)).reasons[1] == f"its 10 nearest of other groups {said}"


def test_no_neighbours_are_said():
    """Where nobody votes, this is said in place of a vote."""
    assert verdict(replace(PLAIN, vote=Vote({}, 0, NOBODY))).reasons[1].startswith("it has no labelled neighbours")


def test_a_verdict_is_a_sentence():
    """The text has the kind first and ends with a full stop."""
    text = str(verdict(replace(PLAIN, parted=PARTED)))
    assert text == (
        "Two categories in one video: 0:00 to 0:20 sound like travel (0.80), the rest like food (0.70); "
        "the sound changes at 0:20."
    )


@given(
    margin=st.floats(0, 1),
    quality=st.floats(0, 1),
    outlier=st.floats(0, 100),
    gain=st.floats(-50, 50),
    same=st.booleans(),
)
def test_every_video_gets_exactly_one_verdict(margin, quality, outlier, gain, same):
    """Whatever the figures there is a verdict with reasons, and a label that was predicted never looks wrong."""
    predicted = "food" if same else "travel"
    found = Grounds("food", predicted, margin, quality, PLAIN.vote, outlier, replace(PARTED, gain=gain), CHANGED)
    given_ = verdict(found, Thresholds())
    assert given_.reasons
    if same:
        assert given_.kind not in {Kind.LABEL_WRONG, Kind.NO_REASON}
    else:
        assert given_.kind is not Kind.AS_LABELLED
