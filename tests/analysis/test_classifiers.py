"""Neighbours, linear heads, weights of categories, and estimators of others, behind one interface."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from analysis.class_weights import ChosenWeights
from analysis.classifier import CLASSIFIERS, classifier_name, fit_classifier, make_classifier, probabilities, weights_of
from analysis.knn import KnnClassifier
from analysis.linear import LinearClassifier, temperature
from analysis.weights import probabilities_of
from quartzlens.errors import UsageError


def drawn(sizes=(30, 30), apart=2.0, dimension=8, seed=0):
    """Categories of these sizes around centres, two videos a group."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(sizes)), sizes)
    X = rng.normal(size=(len(y), dimension)) + apart * np.eye(len(sizes), dimension)[y]
    groups = np.array([f"g{c}-{i // 2}" for c, n in enumerate(sizes) for i in range(n)], dtype=object)
    return X.astype(np.float32), y, groups


@pytest.mark.parametrize("weight", ["none", "balanced", "sampling"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_gives_probabilities_by_every_weight(name, weight):
    """Rows sum to 1 and well separated categories are told apart, with zero vectors among what is asked."""
    X, y, groups = drawn((20, 12), apart=6.0)
    model = fit_classifier(make_classifier(name, 2, 0, class_weight=weight), X, y, groups)
    P = probabilities(model, np.vstack([X, np.zeros((1, 8), np.float32)]), 2)
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-5)
    assert (P[:-1].argmax(axis=1) == y).mean() > 0.9


def test_neighbours_are_exact():
    """The votes are those of scikit-learn's exact search, weighted by 1 / distance, with one vote for the shares."""
    X, y, _ = drawn((25, 15))
    asked = drawn(seed=1)[0]
    plain = KNeighborsClassifier(10, metric="cosine", weights="distance", algorithm="brute").fit(X, y)
    expected = (10 * plain.predict_proba(asked) + np.array([25, 15]) / 40) / 11
    model = KnnClassifier().fit(X, y)
    np.testing.assert_allclose(model.predict_proba(asked), expected, atol=1e-4)
    assert model.predict(asked).tolist() == expected.argmax(axis=1).tolist()


def test_more_neighbours_than_videos_are_all_of_them():
    """With few videos all vote; a vector of zeros is near to none, and gets the shares of the categories."""
    X, y, _ = drawn((3, 1))
    P = KnnClassifier(k=50).fit(X, y).predict_proba(np.zeros((2, 8), np.float32))
    np.testing.assert_allclose(P, [[0.75, 0.25]] * 2)


def test_the_temperature_undoes_what_logits_were_multiplied_by():
    """Logits that say the truth about their videos, times three, have the temperature three."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20000, 3))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = (shares.cumsum(axis=1) < rng.random((20000, 1))).sum(axis=1)
    assert temperature(3 * logits, y) == pytest.approx(3, rel=0.05)


def test_the_linear_head_is_logistic_regression_with_another_certainty():
    """It predicts as logistic regression does, and is less sure where that has learned by heart."""
    X, y, groups = drawn((40, 40), apart=1.0, dimension=60)
    asked = drawn((200, 200), apart=1.0, dimension=60, seed=5)[0]
    linear, plain = LinearClassifier().fit(X, y, groups), make_classifier("logistic", 2, 0).fit(X, y)
    assert linear.temperature_ > 1
    assert linear.predict(asked).tolist() == plain.predict(asked).tolist()
    assert linear.predict_proba(asked).max(axis=1).mean() < plain.predict_proba(asked).max(axis=1).mean()


def test_a_category_without_a_group_to_spare_leaves_the_temperature_at_one():
    """With one group of a category nothing can be spared; groups default to one a video."""
    X, y, _ = drawn((6, 6))
    groups = np.array([*"abcdef", *"gggggg"], dtype=object)
    assert LinearClassifier().fit(X, y, groups).temperature_ == 1.0
    assert LinearClassifier().fit(X, y).temperature_ != 1.0


@pytest.mark.parametrize("weight", ["none", "balanced", "sampling", "auto"])
@pytest.mark.parametrize("name", ["original", "logistic", "linear"])
def test_weights_that_are_kept_say_what_the_classifier_says(name, weight):
    """What is kept of a fitted classifier gives its probabilities without it; of neighbours there are no weights."""
    X, y, groups = drawn((10, 8))
    model = fit_classifier(make_classifier(name, 2, 0, class_weight=weight), X, y, groups)
    kept = weights_of(model)
    assert kept is not None
    np.testing.assert_allclose(probabilities_of(kept, X), model.predict_proba(X), atol=1e-5)
    assert weights_of(make_classifier("knn", 2, 0).fit(X, y)) is None
    assert weights_of(GaussianNB().fit(X, y)) is None


@pytest.mark.parametrize("weight", ["balanced", "sampling"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_weights_of_categories_favour_the_small_one(name, weight):
    """The small of two overlapping categories is predicted more often than without weights."""
    X, y, groups = drawn((90, 10), apart=0.8)
    asked = drawn((200, 200), apart=0.8, seed=3)[0]
    counts = []
    for way in ("none", weight):
        model = fit_classifier(make_classifier(name, 2, 0, class_weight=way), X, y, groups)
        counts.append(int(probabilities(model, asked, 2).argmax(axis=1).sum()))
    assert counts[0] < counts[1]


def test_auto_chooses_by_the_macro_f1_inside_of_what_it_learns_from():
    """Where weights help, they are chosen; where a category has one group, the first way is taken untried."""
    X, y, groups = drawn((150, 16), apart=1.2)
    model = fit_classifier(make_classifier("logistic", 2, 0, class_weight="auto"), X, y, groups)
    assert isinstance(model, ChosenWeights)
    assert model.chosen_ in {"balanced", "sampling"}
    groups[y == 1] = "one"
    assert fit_classifier(make_classifier("logistic", 2, 0, class_weight="auto"), X, y, groups).chosen_ == "none"


def test_an_estimator_of_others_is_cloned():
    """Any scikit-learn classifier is taken; what is fitted is a clone, weighted where it can be."""
    X, y, groups = drawn()
    given = LogisticRegression(C=3.0)
    model = fit_classifier(make_classifier(given, 2, 0, class_weight="balanced"), X, y, groups)
    assert (model.C, model.class_weight) == (3.0, "balanced")
    assert not hasattr(given, "coef_")
    assert classifier_name(given) == "LogisticRegression(C=3.0)"
    chosen = fit_classifier(make_classifier(GaussianNB(), 2, 0, class_weight="auto"), X, y, groups)
    assert chosen.chosen_ in {"none", "sampling"}


@pytest.mark.parametrize(
    ("classifier", "weight", "said"),
    [
        ("forest", "none", "no classifier 'forest'; there are: original, logistic, knn, linear"),
        ("knn", "heavy", "no class weight 'heavy'; there are: none, balanced, sampling, auto"),
        (RidgeClassifier(), "none", "gives no probabilities.*CalibratedClassifierCV"),
        (GaussianNB(), "balanced", "has no class_weight: choose sampling"),
        (3, "none", "3 is no scikit-learn estimator"),
        (GaussianNB, "none", r"GaussianNB is a class: give an estimator of it, such as GaussianNB\(\)"),
        (GaussianNB, "auto", "GaussianNB is a class"),
    ],
)
def test_what_cannot_be_judged_is_said(classifier, weight, said):
    """A classifier that is none, gives no probabilities, or cannot be weighted, is a wrong usage in a sentence."""
    with pytest.raises(UsageError, match=said):
        make_classifier(classifier, 2, 0, class_weight=weight)


def test_an_estimator_without_a_seed_takes_the_evaluations():
    """The same seed gives the same probabilities, another one others, also inside of a pipeline; its own seed stays."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 2
    forest = make_pipeline(StandardScaler(), RandomForestClassifier(5))

    def told(seed, estimator=forest):
        return make_classifier(estimator, 2, seed).fit(X, y).predict_proba(X).tolist()

    assert told(1) == told(1) != told(2)
    own = RandomForestClassifier(5, random_state=7)
    assert told(1, own) == told(2, own)
    assert own.get_params()["random_state"] == 7
    assert forest.get_params()["randomforestclassifier__random_state"] is None
