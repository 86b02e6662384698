"""Why a video was judged as it was, in seconds and in words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evaluation import Evaluation
from analysis.evidence_timeline import timeline
from quartzlens.errors import UnknownVideoError

WHOLE = "over the whole video it is nearest to"
NONE = f"No stretch alone sounds most like travel; {WHOLE} travel (0.60), before food (0.40)."


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
    found = timeline(judged("food", "travel", [0.2] * 4 + [0.7, 0.8, 0.75, 0.7, 0.8] + [0.22] * 3), "v")
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
        ([0.8, 0.6], [(0.0, 10.0)], "All of it sounds most like travel (0.70), its label food has 0.30."),
        ([0.4, 0.5], [], NONE),
        ([], [], NONE),
    ],
)
def test_stretches_of_every_shape_are_said_plainly(travel, stretches, start):
    """Two, three, all or no stretches, or no fragments at all: each has its sentence."""
    found = timeline(judged("food", "travel", travel), "v")
    assert found.misleading == stretches
    assert found.sentence.startswith(start)


def test_a_video_that_was_judged_rightly_was_not_misled():
    """Where prediction and label agree no seconds are accused."""
    found = timeline(judged("travel", "travel", [0.9, 0.1]), "v")
    assert found.misleading == []
    assert found.sentence == "As a whole it sounds like travel (0.60), though 0:05 to 0:10 sound most like food."


def test_a_video_that_was_not_judged_is_said():
    """An unlabelled or later video has no evidence in this evaluation."""
    with pytest.raises(UnknownVideoError, match="did not judge a video 'x'"):
        timeline(judged("food", "travel", [0.9]), "x")


NAMES = ["food", "history", "news", "travel"]


def heard(label, predicted, shares, ends=None) -> Evaluation:
    """One video ``v`` whose fragments have these probabilities of the first categories of ``NAMES``."""
    shares = np.array(shares, dtype=np.float64)
    names = NAMES[: shares.shape[1]]
    ends = 5.0 * np.arange(1, len(shares) + 1) if ends is None else np.array(ends)
    start = np.concatenate([[0.0], ends[:-1]])
    columns = dict(zip(names, shares.T, strict=True))
    fragments = pd.DataFrame({"id": ["v"] * len(shares), "start_seconds": start, "end_seconds": ends, **columns})
    whole = {name: [float(value)] for name, value in zip(names, shares.mean(axis=0), strict=True)}
    predictions = pd.DataFrame({"id": ["v"], "category": [label], "predicted": [predicted], "fold": [0], **whole})
    return Evaluation(predictions, fragments, np.zeros((len(names), len(names))), {"categories": names})


F, H, N = [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]


@pytest.mark.parametrize(
    ("shares", "sentence"),
    [
        ([H, F, F], "0:00 to 0:05 sound like history (0.80), the rest like food (0.80)."),
        ([H, N, N], "0:00 to 0:05 sound like history (0.80), the rest like news (0.80)."),
        ([H, N, F], "0:00 to 0:05 sound like history (0.80), the rest like no single category."),
        ([H, F, F, N], "0:00 to 0:05 sound like history (0.80), the rest mostly like food (0.57)."),
        (
            [[0.5, 0.4, 0.1], [0.1, 0.4, 0.5]],
            f"No stretch alone sounds most like history; {WHOLE} history (0.40), before food (0.30).",
        ),
        ([H, H], "All of it sounds most like history (0.80), its label food has 0.10."),
        ([[*H, 0.0], [0.1, 0.3, 0.2, 0.4]], "0:00 to 0:05 sound like history (0.80), the rest like travel (0.40)."),
    ],
)
def test_among_several_categories_only_what_leads_is_named(shares, sentence):
    """A stretch sounds like what is most probable there, be it the prediction, the label or a third category."""
    assert timeline(heard("food", "history", shares), "v").sentence == sentence


def test_short_fragments_weigh_by_their_length_and_times_stay_within_the_video():
    """A last fragment of 1 s counts a fifth of one of 5 s, and 59.98 s is not a minute."""
    shares = [[0.0, 0.9, 0.1], [0.2, 0.6, 0.2], F]
    found = timeline(heard("food", "history", shares, [5.0, 6.0, 59.98]), "v")
    assert found.sentence == "0:00 to 0:06 sound like history (0.85), the rest like food (0.80)."
    found = timeline(heard("food", "history", [F, H], [55.0, 59.98]), "v")
    assert found.sentence.startswith("0:55 to 0:59 sound like history")


def test_seconds_of_which_nothing_is_known_part_a_stretch():
    """Where a fragment is missing, the seconds before and after it are two stretches."""
    judged = heard("food", "history", [H, H, H, F])
    gap = replace(judged, fragments=judged.fragments.drop(index=1))
    assert timeline(judged, "v").misleading == [(0.0, 15.0)]
    assert timeline(gap, "v").misleading == [(0.0, 5.0), (10.0, 15.0)]


def test_a_rightly_judged_video_names_each_stretch_that_sounds_otherwise():
    """Every other leading category is named with its seconds; none where there is none."""
    found = timeline(heard("food", "food", [F, H, F, N]), "v")
    assert found.sentence == (
        "As a whole it sounds like food (0.45), though 0:05 to 0:10 sound most like history and "
        "0:15 to 0:20 sound most like news."
    )
    assert timeline(heard("food", "food", [F, F]), "v").sentence == "As a whole it sounds like food (0.80)."


@given(st.integers(2, 4).flatmap(lambda k: st.lists(st.lists(st.floats(0.01, 1), min_size=k, max_size=k), min_size=1)))
def test_what_is_said_to_sound_like_the_prediction_is_led_by_it(weights):
    """Whatever the probabilities, each named second has the prediction as its most probable category, and no other."""
    shares = np.array(weights) / np.sum(weights, axis=1, keepdims=True)
    found = timeline(heard("food", "history", shares), "v")
    led = shares.argmax(axis=1) == 1
    inside = [any(a <= 5 * i < b for a, b in found.misleading) for i in range(len(shares))]
    assert inside == led.tolist()
    times = [f"{int(a) // 60}:{int(a) % 60:02d} to {int(b) // 60}:{int(b) % 60:02d}" for a, b in found.misleading]
    named = found.sentence.split(" sound like history")[0] if " sound like history" in found.sentence else ""
    assert named.replace(" and ", ", ") == (", ".join(times) if led.any() and not led.all() else "")
    assert found.sentence.startswith("No stretch") == (not led.any())
    assert found.sentence.startswith("All of it") == bool(led.all())
