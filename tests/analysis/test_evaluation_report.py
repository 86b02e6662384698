"""What an evaluation says beside its metrics: groups, repeats, notes, and baselines with their tests."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.dataset import SEVERAL_LABELS, SINGLE_GROUP, Dataset, load_dataset
from analysis.evaluation import evaluate
from analysis.evaluation_report import beside, groups_report, left_out_sentences, notes, report
from analysis.intervals import Resamples
from analysis.judging import deals_of, judge, reader_of
from tests.analysis.made_up_collections import fingerprint_of, labelled_store
from tests.analysis.test_judging import logistic

PRINT = fingerprint_of(16)
STORE = labelled_store(channels=4, per_channel=2, apart=0.7)
DATA = load_dataset(STORE, PRINT)


def without(*left_out: tuple[str | None, str]) -> Dataset:
    """The data set with these categories and reasons left out."""
    rows = [(f"w{n}", category, reason) for n, (category, reason) in enumerate(left_out)]
    return replace(DATA, left_out=pd.DataFrame(rows, columns=["id", "category", "reason"], dtype=object))


def test_the_report_has_all_parts_as_json() -> None:
    """Metrics, folds, groups, repeats, chosen weights, calibration, coverage and notes, and nothing that JSON lacks."""
    deals = deals_of(DATA, 4, 0, 2)
    judged = judge(logistic, DATA, deals, reader_of(STORE.fragments(PRINT)))
    judged = replace(judged, chosen=("none", "sampling", "none"))
    told: Any = report(DATA, judged, deals, 5, Resamples.of(DATA.groups))
    assert json.loads(json.dumps(told)) == told
    assert (told["n"], told["folds"], told["groups"]["n"], told["copies"]["groups"]) == (24, 4, 12, 0)
    assert told["repeats"] == {
        "n": 2, "accuracies": list(judged.right), "spread": pytest.approx(abs(np.subtract(*judged.right)) / 2**0.5),
    }  # fmt: skip
    assert told["class_weights_chosen"] == {"none": 2, "sampling": 1}
    assert told["calibration"]["error"] == told["calibration_error"]
    assert [one["share"] for one in told["coverage"]][:2] == [1.0, 0.95]
    assert told["coverage"][0]["accuracy"] == told["accuracy"]
    assert len(told["notes"]) == 1


def test_each_baseline_has_its_metrics_and_the_test() -> None:
    """A baseline that is the classifier itself differs in nothing; one that is always wrong loses what it has."""
    right = np.eye(3, dtype=np.float32)[DATA.y]
    wrong = np.eye(3, dtype=np.float32)[(DATA.y + 1) % 3]
    told: Any = beside(DATA, right, {"same": right, "wrong": wrong}, Resamples.of(DATA.groups))
    assert list(told) == ["same", "wrong"]
    assert (told["same"]["accuracy"]["value"], told["wrong"]["accuracy"]["value"]) == (1.0, 0.0)
    assert told["same"]["compared"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert (told["wrong"]["compared"]["only_first"], told["wrong"]["compared"]["mcnemar_p"]) == (24, 2 * 0.5**24)


def test_groups_are_counted_the_largest_first() -> None:
    """The five largest by name, what they are made of, and that there are few."""
    told: Any = groups_report(DATA, Resamples.of(DATA.groups))
    assert (told["by"], told["n"], len(told["largest"])) == ("channel", 12, 5)
    assert told["largest"][0] == {"group": "channel food channel 0", "videos": 2}
    assert told["warning"] == "12 groups only: below 30, intervals are rough and often too narrow."


def grouped(n: int, groups: str, channels: str = "", by: str = "channel") -> Any:
    """The report of groups of n videos, whose names of groups and of channels have the video's number put in."""
    names = [[name.format(n=number, half=number // 2) for number in range(n)] for name in (groups, channels or groups)]
    group, channel = (np.array(one, dtype=object) for one in names)
    ids = tuple(str(number) for number in range(n))
    return groups_report(
        replace(DATA, ids=ids, groups=group, channels=channel, grouped_by=by), Resamples.of(group, draws=20)
    )


def test_groups_that_are_many_are_no_warning_and_videos_alone_are_one() -> None:
    """Of thirty groups nothing is said; where nothing ties videos together, that is said before all else."""
    many = grouped(40, "channel {n}")
    assert (many["alone"], many["parted"], many["warning"]) == (0, 0, None)
    unknown = grouped(40, "video {n}", by="video")
    assert (unknown["alone"], unknown["parted"]) == (40, 0)
    said = "No channel or recording is known, so each video stands for itself: figures may be too good."
    assert unknown["warning"] == said
    asked = grouped(24, "video {n}", "channel {half}", "video")
    assert asked["parted"] == 12
    assert asked["warning"].startswith("Channels are parted, as was asked for, so each video stands for itself")
    assert asked["warning"].endswith("24 groups only: below 30, intervals are rough and often too narrow.")


def test_what_is_not_kept_together_is_counted() -> None:
    """Videos without a channel among some with one, and channels that another column parts: figures may be too good."""
    groups = np.array([f"video v{n}" for n in range(1, 25)], dtype=object)
    groups[:4] = DATA.groups[:4]
    few: Any = groups_report(replace(DATA, groups=groups, channels=groups), Resamples.of(groups))
    assert (few["by"], few["alone"], few["parted"]) == ("channel", 20, 0)
    assert few["warning"].startswith(
        "No channel is known of 20 of 24 videos, so each of these stands for itself: figures may be too good. 22 groups"
    )
    either = replace(DATA, groups=groups, channels=groups, grouped_by="channel and recording")
    assert "No channel or recording is known of 20 of" in str(groups_report(either, Resamples.of(groups))["warning"])
    camera = grouped(40, "camera {n}", "channel {half}", "camera")
    assert (camera["alone"], camera["parted"]) == (0, 20)
    said = "Groups by camera part 20 channels or recordings, as was asked for"
    assert camera["warning"] == f"{said}: figures may be too good."
    both = grouped(40, "video {n}", "channel {half}", "camera")["warning"]
    unknown = "no camera is known of 40 of 40 videos, so each of these stands for itself"
    assert both == f"{said}; {unknown}: figures may be too good."


def test_fewer_folds_are_explained_by_the_categories_that_force_them() -> None:
    """Those with as many groups as folds are named; enough folds, and published ones, need no word."""
    four = deals_of(DATA, 4, 0, 1)
    assert notes(DATA, four, 4) == []
    published = replace(DATA, folds=np.arange(24) // 2 % 2)
    assert notes(published, deals_of(published, 5, 0, 1), 5) == []
    assert notes(published, deals_of(published, 5, 0, 3), 5) == [
        "Published folds are the same in all repeats: only seeds make a difference between them."
    ]
    (all_of_them,) = notes(DATA, four, 5)
    assert all_of_them == (
        "4 folds instead of 5: 'food', 'history', 'travel' have 4 groups each (channels, or what takes their place)."
    )
    groups = DATA.groups.copy()
    groups[groups == "channel food channel 0"] = "channel food channel 1"
    fewer = replace(DATA, groups=groups)
    (one,) = notes(fewer, deals_of(fewer, 5, 0, 1), 5)
    assert one.startswith("3 folds instead of 5: 'food' has 3 groups")


def test_categories_that_a_model_never_knew_are_named() -> None:
    """All of a category in one published fold, or in one fold of one repeat: it was judged without being learned."""
    one = np.where(DATA.y == 0, 0, np.arange(24) // 2 % 2)
    (said,) = notes(replace(DATA, folds=one), [(one, 0)], 5)
    assert said == (
        "'food' lies in one fold alone: the model that judged it there had learned without it, so it was bound to be "
        "wrong."
    )
    several = np.where(DATA.y == 2, 1, np.where(DATA.y == 0, 0, np.arange(24) % 3))
    (said,) = notes(DATA, [*deals_of(DATA, 4, 0, 1), (several, 1)], 4)
    assert said == (
        "'food', 'travel' lie in one fold each in at least one repeat: the models that judged them there had learned "
        "without them, so they were bound to be wrong."
    )


def test_videos_that_wait_for_a_person_and_categories_alone_are_sentences() -> None:
    """One and several have their own grammar; many categories are named in part, and other reasons are no sentence."""
    one, alone = left_out_sentences(without(("food + travel", SEVERAL_LABELS), ("b", SINGLE_GROUP), (None, "no label")))
    assert one.startswith("1 video has several categories in the list and stays out of training until a person decides")
    assert alone.startswith("'b' is left out: with a single group there is nothing to judge by another. A group is a")
    two, more = left_out_sentences(
        without(*[("a + b", SEVERAL_LABELS)] * 2, *[(name, SINGLE_GROUP) for name in "gfedcbaab"])
    )
    assert two.startswith("2 videos have several categories in the list and stay out of training")
    assert more.startswith("'a', 'b', 'c', 'd', 'e' and 2 more are left out: with a single group each there is")
    assert left_out_sentences(without()) == []
    (long,) = left_out_sentences(without(("x" * 1000, SINGLE_GROUP)))
    assert long.startswith(f"'{'x' * 59}…' is left out")


def test_notes_are_those_of_the_evaluation() -> None:
    """What an evaluation tells under ``notes`` are these sentences, folds first."""
    dataset = without(("food + travel", SEVERAL_LABELS))
    told: Any = evaluate(dataset, STORE.fragments(PRINT), classifier="logistic").metrics["notes"]
    assert told == notes(dataset, deals_of(dataset, 5, 0, 1), 5)
    assert [one.split(" ", 2)[1] for one in told] == ["folds", "video"]
