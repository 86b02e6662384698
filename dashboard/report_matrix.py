"""The confusion matrix of a report, as a table that is a picture, and the confusions by their excess over chance."""

from typing import Any

from analysis.evaluation import Evaluation, top_confusions
from analysis.evidence_timeline import categories_of
from dashboard.errors_matrix import COUNTS, counted, shown_categories, shown_cells

MOST_CONFUSIONS = 6


def matrix(evaluation: Evaluation) -> dict[str, Any]:
    """What the template needs of it, by name."""
    names, every = shown_categories(evaluation), categories_of(evaluation)
    cells = shown_cells(counted(evaluation, every, names), COUNTS)
    k = len(names)
    top = top_confusions(evaluation.confusion, every)
    return {
        "names": names,
        "rows": [(name, cells[at * k : (at + 1) * k]) for at, name in enumerate(names)],
        "n_categories": len(every),
        "confusions": top.head(MOST_CONFUSIONS).to_dict("records"),
        "more_confusions": max(len(top) - MOST_CONFUSIONS, 0),
        "n_wrong": int(evaluation.confusion.sum() - evaluation.confusion.trace()),
    }
