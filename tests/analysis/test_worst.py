"""The worst confusions of an evaluation."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.evaluation import Evaluation
from analysis.worst import worst_confusions

NAMES = ["cats", "dogs", "eels"]
COUNTS = np.array([[5, 4, 1], [2, 8, 0], [0, 3, 7]])


@pytest.fixture
def evaluation() -> Evaluation:
    """A made-up evaluation whose confusion matrix is ``COUNTS``, each later video surer than the one before."""
    rows = []
    for (label, predicted), n in np.ndenumerate(COUNTS):
        for _ in range(n):
            shares = np.full(3, 0.1, dtype=np.float32)
            shares[predicted] = 0.5 + len(rows) / 100
            rows.append((f"v{len(rows)}", NAMES[label], NAMES[predicted], 0, *shares))
    table = pd.DataFrame(rows, columns=["id", "category", "predicted", "fold", *NAMES])
    return Evaluation(table, pd.DataFrame(), COUNTS, {"categories": list[object](NAMES)})  # type: ignore[dict-item]


def test_the_most_beyond_chance_come_first_with_their_surest_videos(evaluation: Evaluation) -> None:
    """Two of each: those of which the classifier was surest, of all that are there."""
    found = worst_confusions(evaluation, set(evaluation.predictions["id"]), 2, 2)
    assert [(one.category, one.predicted, one.n, one.removed) for one in found] == [
        ("cats", "dogs", 4, 0),
        ("eels", "dogs", 3, 0),
    ]
    assert found[0].ids == ("v8", "v7")
    assert found[0].times_chance == pytest.approx(4 / 2.5)


def test_videos_that_left_are_counted_and_not_shown(evaluation: Evaluation) -> None:
    """The count is the run's; the ids are of what is there now, which may be nothing."""
    assert worst_confusions(evaluation, {"v5"}, 1)[0].ids == ("v5",)
    assert worst_confusions(evaluation, {"v5"}, 1)[0].removed == 3
    assert worst_confusions(evaluation, (), 1)[0].ids == ()


def test_where_nothing_is_confused_there_is_none(evaluation: Evaluation) -> None:
    """A matrix with nothing off its diagonal has no worst confusion."""
    assert worst_confusions(replace(evaluation, confusion=np.diag([5, 8, 7])), ()) == ()
