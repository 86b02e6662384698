"""What every result is shown beside: guesses that need no network, under the same folds."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Self
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from analysis.classifier import make_classifier
from analysis.out_of_fold import out_of_fold
from quartzlens.records import Video

MAJORITY, KNN, LOGISTIC, TEXT, FUSION = "majority", "knn", "logistic", "text", "audio+text"
_MOST_TERMS = 20_000

Floats = NDArray[np.float32]


class MajorityClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Gives every video the shares of the categories in the training part, so always predicts the most frequent."""

    def fit(self, X: Any, y: NDArray[np.int64]) -> Self:
        """Count the categories; what the videos sound like is not looked at."""
        del X
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The shares, for each: (n, k)."""
        return np.tile(self.shares_, (len(X), 1))


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Logistic regression on TF-IDF of words and pairs of words (scikit-learn's); texts (n,) take the place of X.

    At most 20,000 terms, the most frequent ones. Texts without a word get what is known before reading; where the
    training part has none at all, all do.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: NDArray[np.object_], y: NDArray[np.int64]) -> Self:
        """Learn terms, their weights and the regression from these texts alone."""
        self.terms_ = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=_MOST_TERMS)
        words = self.terms_.build_analyzer()
        self.model_: Any = MajorityClassifier().fit(X, y)
        if any(words(text) for text in X):
            # The weakest penalty that texts of a few words bear well; it is the same for all lists, never tuned.
            regression = LogisticRegression(C=10.0, max_iter=1000, random_state=self.seed)
            self.model_ = regression.fit(self.terms_.fit_transform(X), y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: NDArray[np.object_]) -> NDArray[np.float64]:
        """Probability of each of ``classes_``: (n,) texts -> (n, k)."""
        blind = isinstance(self.model_, MajorityClassifier)
        said: NDArray[np.float64] = self.model_.predict_proba(X if blind else self.terms_.transform(X))
        return said


def texts_of(videos: Sequence[Video]) -> NDArray[np.object_] | None:
    """Title and description of each video, (n,) str; None where no two differ, so that nothing can be told.

    The name of a file, local or at the end of a link, which stands for a title that nobody gave, is not read: nobody
    wrote it to say what is heard, and it often holds the category.
    """
    texts = np.array([f"{_written_title(video)}\n{video.description}".strip() for video in videos], dtype=object)
    return texts if len(set(texts)) > 1 else None


def _written_title(video: Video) -> str:
    """The title; empty where it is the name of the file, with or without its ending, that the source leads to."""
    file = PurePosixPath(video.source if video.source.startswith("/") else re.split("[?#]", video.source)[0])
    return "" if unquote(video.title) in map(unquote, (file.stem, file.name)) else video.title


def fused(audio: Floats, text: Floats) -> Floats:
    """Late fusion: the mean of both classifiers' probabilities, (n, k) each.

    The sum rule of Kittler et al. (1998), "On combining classifiers": of the rules without anything to fit, the one
    that bears errors of either classifier best.
    """
    both: Floats = ((audio + text) / 2).astype(np.float32)
    return both


def baselines(
    X: Floats,
    y: NDArray[np.int64],
    groups: NDArray[np.object_],
    deals: Sequence[tuple[NDArray[np.int64], int]],
    n_categories: int,
    texts: NDArray[np.object_] | None,
    *,
    known: Mapping[str, Floats],
    on_step: Callable[[str], None] = lambda _: None,
) -> dict[str, Floats]:
    """Judge every video by each baseline, out of fold: name -> (n, k) float32.

    Majority, nearest neighbours and logistic regression, and text where there are ``texts``.

    Parameters
    ----------
    deals
        Folds (n,) and seed of each repeat; probabilities are the means over them.
    known
        What was computed already, by name: it is taken over.
    on_step
        Told the name of each baseline before it begins.
    """
    makers: dict[str, Callable[[int], Any]] = {
        MAJORITY: lambda _: MajorityClassifier(),
        KNN: lambda seed: make_classifier("knn", n_categories, seed),
        LOGISTIC: lambda seed: make_classifier("logistic", n_categories, seed),
    }
    if texts is not None:
        makers[TEXT] = TextClassifier
    found: dict[str, Floats] = {}
    for name, maker in makers.items():
        on_step(name)
        data: Any = texts if name == TEXT else X
        found[name] = known[name] if name in known else _mean(maker, data, y, groups, deals, n_categories)
    return found


def _mean(
    maker: Callable[[int], Any],
    X: Any,
    y: NDArray[np.int64],
    groups: NDArray[np.object_],
    deals: Sequence[tuple[NDArray[np.int64], int]],
    n_categories: int,
) -> Floats:
    total = np.zeros((len(y), n_categories), dtype=np.float32)
    for fold_of, seed in deals:
        total += out_of_fold(lambda seed=seed: maker(seed), X, y, groups, fold_of, n_categories)[0]  # type: ignore[misc]
    return total / np.float32(len(deals))
