"""Why a video was judged as it was, in seconds and in words."""

import numpy as np
import pandas as pd
import pytest

from analysis.evaluation import Evaluation
from analysis.evidence import evidence
from quartzlens.errors import UnknownVideoError


def judged(label: str, predicted: str, travel_by_fragment, food=0.4, travel=0.6) -> Evaluation:
    """One video ``v`` among others, whose 5 s fragments have these probabilities of travel (the rest is food)."""
    travel_by_fragment = np.array(travel_by_fragment, dtype=np.float32)
    start = np.arange(len(travel_by_fragment)) * 5.0
    predictions = pd.DataFrame(
        {
            "id": ["w", "v"],
            "category": ["food", label],
            "predicted": ["food", predicted],
            "fold": [0, 1],
            "food": [0.9, food],
            "travel": [0.1, travel],
        }
    )
    own = {"start_seconds": start, "end_seconds": start + 5, "food": 1 - travel_by_fragment}
    fragments = pd.DataFrame({"id": ["v"] * len(start), **own, "travel": travel_by_fragment})
    other = pd.DataFrame({"id": ["w"], "start_seconds": [0.0], "end_seconds": [5.0], "food": [0.1], "travel": [0.9]})
    fragments = pd.concat([other, fragments.iloc[::-1]], ignore_index=True)
    return Evaluation(predictions, fragments, np.array([[1, 1], [0, 0]]), {"categories": ["food", "travel"]})


def test_the_seconds_that_misled_are_found_and_said():
    """A food video whose seconds 20 to 45 sound like travel: exactly this stretch, with both means."""
    found = evidence(judged("food", "travel", [0.2] * 4 + [0.7, 0.8, 0.75, 0.7, 0.8] + [0.22] * 3), "v")
    assert found.misleading == [(20.0, 45.0)]
    assert found.sentence == "0:20 to 0:45 sound like travel (0.75), the rest like food (0.79)."
    assert found.probabilities == {"food": 0.4, "travel": 0.6}
    assert found.fragments["start_seconds"].is_monotonic_increasing
    assert set(found.fragments["id"]) == {"v"}
    assert (found.video_id, found.category, found.predicted) == ("v", "food", "travel")


@pytest.mark.parametrize(
    ("travel", "stretches", "start"),
    [
        ([0.9, 0.1, 0.9], [(0.0, 5.0), (10.0, 15.0)], "0:00 to 0:05 and 0:10 to 0:15 sound like"),
        ([0.9, 0.1, 0.9, 0.1, 0.9], [(0.0, 5.0), (10.0, 15.0), (20.0, 25.0)], "0:00 to 0:05, 0:10 to 0:15 and 0:20"),
        ([0.8, 0.6], [(0.0, 10.0)], "All of it sounds more like travel (0.70) than food (0.30)."),
        ([0.4, 0.5], [], "No part of it sounds more like travel than food; as a whole it does (0.60 to 0.40)."),
        ([], [], "No part of it sounds more like travel than food; as a whole it does (0.60 to 0.40)."),
    ],
)
def test_stretches_of_every_shape_are_said_plainly(travel, stretches, start):
    """Two, three, all or no stretches, or no fragments at all: each has its sentence."""
    found = evidence(judged("food", "travel", travel), "v")
    assert found.misleading == stretches
    assert found.sentence.startswith(start)


def test_a_video_that_was_judged_rightly_was_not_misled():
    """Where prediction and label agree no seconds are accused."""
    found = evidence(judged("travel", "travel", [0.9, 0.1]), "v")
    assert found.misleading == []
    assert found.sentence == "The whole video sounds like travel (0.60), as its label says."


def test_a_video_that_was_not_judged_is_said():
    """An unlabelled or later video has no evidence in this evaluation."""
    with pytest.raises(UnknownVideoError, match="did not judge a video 'x'"):
        evidence(judged("food", "travel", [0.9]), "x")
