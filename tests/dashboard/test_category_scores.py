"""The picture of how well each category is told, and the table beside it."""

import json

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from dashboard.category_scores import FIGURES, MOST_DRAWN, drawn, figures
from tests.dashboard.test_views import specs


def scores(n: int) -> pd.DataFrame:
    """Figures of n categories, the first of which was never predicted."""
    shares = {f"{name}{end}": np.linspace(0.9, 0.1, n) for name in ("precision", "recall", "f1") for end in PARTS}
    table = pd.DataFrame({"category": [f"c{at}" for at in range(n)], "n": range(n), **shares})
    table.loc[0, ["precision", "precision_low", "precision_high"]] = np.nan
    return table


PARTS = ("", "_low", "_high")


def test_each_figure_that_is_known_is_drawn() -> None:
    """Precision and recall of each category in its order; what was never predicted has a recall alone."""
    found = drawn(scores(3))
    assert found["category"].tolist() == ["c0", "c1", "c1", "c2", "c2"]
    assert found["figure"].tolist() == [FIGURES["recall"], *FIGURES.values(), *FIGURES.values()]
    assert found["value"].tolist() == [0.9, 0.5, 0.5, 0.1, 0.1]


def test_the_table_has_every_figure_of_every_category() -> None:
    """With intervals where there are some, and without a column for what the run does not know."""
    table = figures(scores(30))
    assert (len(table), table["f1, 95 %"][29], table["precision, 95 %"][0]) == (30, "0.10 to 0.10", "")
    older = scores(2).assign(f1=np.nan, recall_low=np.nan, recall_high=np.nan)
    assert list(figures(older)) == ["category", "videos", "precision", "precision, 95 %", "recall"]


def test_of_many_categories_the_worst_are_drawn() -> None:
    """Of thirty the twenty with the lowest F1, and that is said; of twenty all without a word."""

    def page(n: int) -> None:
        from dashboard import category_scores
        from tests.dashboard.test_category_scores import scores

        category_scores.draw(scores(n))

    for n, said in ((MOST_DRAWN, False), (30, True)):
        test = AppTest.from_function(page, kwargs={"n": n}).run()
        assert not test.exception
        (spec,) = specs(test)
        encoding = json.loads(spec)["layer"][0]["encoding"]
        assert encoding["color"]["scale"]["domain"] == encoding["yOffset"]["sort"] == list(FIGURES.values())
        names = encoding["y"]["sort"]
        assert names == ([f"c{at}" for at in range(29, 9, -1)] if said else [f"c{at}" for at in range(MOST_DRAWN)])
        assert any("lowest f1" in text.value for text in test.text) == said
