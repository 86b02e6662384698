"""The confusions that exceed chance by most, and the surest mistakes in each of them."""

from collections.abc import Container
from dataclasses import dataclass

from analysis.evaluation import Evaluation, cell, top_confusions
from analysis.evidence_timeline import categories_of


@dataclass(frozen=True, slots=True)
class Confusion:
    """One category that is taken for another.

    Attributes
    ----------
    n
        Videos labelled as ``category`` and predicted as ``predicted``.
    times_chance
        As ``analysis.metrics.top_confusions`` has it.
    ids
        Some of these videos that are still there, those first of which the classifier was surest.
    removed
        How many of them have left the collection since.
    """

    category: str
    predicted: str
    n: int
    times_chance: float
    ids: tuple[str, ...]
    removed: int


def worst_confusions(
    evaluation: Evaluation, there: Container[str], confusions: int = 3, videos: int = 3
) -> tuple[Confusion, ...]:
    """The first ``confusions`` by excess over chance, each with up to ``videos`` of the videos that are ``there``.

    Fewer where there are fewer; none where nothing is confused.
    """
    table = top_confusions(evaluation.confusion, categories_of(evaluation)).head(confusions)
    found = []
    for row in table.to_dict("records"):
        category, predicted = str(row["category"]), str(row["predicted"])
        behind = [str(one) for one in cell(evaluation.predictions, category, predicted)["id"]]
        kept = [one for one in behind if one in there]
        counts = int(row["n"]), float(row["times_chance"])
        found.append(Confusion(category, predicted, *counts, tuple(kept[:videos]), len(behind) - len(kept)))
    return tuple(found)
