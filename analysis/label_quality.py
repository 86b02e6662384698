"""How likely each label is right, by models that never saw the video: confident learning (cleanlab).

Northcutt, Jiang, Chuang: Confident Learning, Estimating Uncertainty in Dataset Labels (JAIR 70, 2021).
"""

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.evaluation import Evaluation
from analysis.evidence_timeline import categories_of
from analysis.metrics import probability_columns

COLUMNS = ("id", "category", "suggested", "quality", "probability", "issue")


def label_quality(evaluation: Evaluation) -> dict[str, float]:
    """Quality of the label of each judged video: id -> 0 (surely wrong) .. 1 (surely right).

    cleanlab's self-confidence: the out-of-fold probability of the label. Of cleanlab's scores it finds labels that were
    flipped on purpose far better than the normalised margin (docs/results.md).
    """
    from cleanlab.rank import get_label_quality_scores

    y, probabilities = _judged(evaluation)
    scores = get_label_quality_scores(y, probabilities, method="self_confidence") if len(y) else []
    return dict(zip(map(str, evaluation.predictions["id"]), map(float, scores), strict=True))


def suggested_errors(evaluation: Evaluation) -> pd.DataFrame:
    """Rank all labels, the one that is most likely wrong first.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``category`` (the label), ``suggested`` (the most probable other category), ``quality`` (as
        ``label_quality``), ``probability`` (of the suggested one), ``issue``: whether cleanlab's
        ``find_label_issues`` takes it for one of the labels that are wrong, whose number it estimates from how often
        each category is surely taken for each other.
    """
    y, probabilities = _judged(evaluation)
    names = np.array(categories_of(evaluation), dtype=object)
    others = probabilities.copy()
    others[np.arange(len(y)), y] = -1.0
    best = others.argmax(axis=1)
    quality = list(label_quality(evaluation).values())
    columns = (
        evaluation.predictions["id"],
        names[y],
        names[best],
        quality,
        others.max(axis=1, initial=0.0),
        _issues(y, probabilities),
    )
    table = pd.DataFrame(dict(zip(COLUMNS, map(list, columns), strict=True)))
    return table.sort_values(["quality", "id"], kind="stable", ignore_index=True)


def _issues(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Labels that cleanlab takes for wrong: (n,) bool; none where a single category was left to judge."""
    from cleanlab.filter import find_label_issues

    if len(np.unique(y)) < 2:
        return np.zeros(len(y), dtype=bool)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "May not flag all label issues", UserWarning)  # a category of very few videos
        issues: NDArray[np.bool_] = find_label_issues(y, probabilities, n_jobs=1)
    return issues


def _judged(evaluation: Evaluation) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels as positions (n,), and probabilities (n, k) whose rows sum to 1."""
    position = {name: i for i, name in enumerate(categories_of(evaluation))}
    y = np.array([position[name] for name in evaluation.predictions["category"]], dtype=np.int64)
    columns = probability_columns(evaluation.predictions)
    probabilities: NDArray[np.float64] = evaluation.predictions[columns].to_numpy(dtype=np.float64, copy=True)
    probabilities /= np.maximum(probabilities.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return y, probabilities
