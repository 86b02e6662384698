"""What a result is shown beside: majority, neighbours, regression, text, and both together."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.baselines import MajorityClassifier, TextClassifier, baselines, fused, texts_of
from quartzlens.records import Video

Y = np.array([0, 1, 1] * 8)
X = (np.eye(3, 4)[Y] + 0.01 * np.random.default_rng(0).normal(size=(24, 4))).astype(np.float32)
GROUPS = np.array([f"g{i // 3}" for i in range(24)], dtype=object)
DEALS = [(np.arange(24) // 3 % 4, 0), (np.arange(24) // 6, 1)]
TEXTS = np.array([("soup and bread", "walk along the coast")[c] for c in Y], dtype=object)


def test_all_baselines_are_judged_under_the_same_folds():
    """Each has rows that sum to 1; text joins where there are texts, and what is known is taken over as it is."""
    steps = []
    known = np.full((24, 2), 0.5, np.float32)
    found = baselines(X, Y, GROUPS, DEALS, 2, TEXTS, known={"knn": known}, on_step=steps.append)
    assert list(found) == steps == ["majority", "knn", "logistic", "text"]
    assert found["knn"] is known
    for P in found.values():
        np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-5)
    assert (found["text"].argmax(axis=1) == Y).all()
    assert (found["majority"].argmax(axis=1) == 1).all()
    assert "text" not in baselines(X, Y, GROUPS, DEALS, 2, None, known={})


def test_texts_without_a_word_get_what_is_known_before_reading():
    """No word in the training part: the shares of the categories; a word never seen: the same for all such texts."""
    blind = TextClassifier().fit(np.array(["", "!", "?"], dtype=object), np.array([0, 1, 1]))
    np.testing.assert_allclose(blind.predict_proba(np.array(["soup"], dtype=object)), [[1 / 3, 2 / 3]])
    model = TextClassifier().fit(TEXTS, Y)
    unknown = model.predict_proba(np.array(["", "zzz"], dtype=object))
    np.testing.assert_allclose(unknown[0], unknown[1])
    np.testing.assert_allclose(MajorityClassifier().fit(X, Y).predict_proba(X[:1]), [[1 / 3, 2 / 3]])


def test_texts_are_title_and_description_where_they_differ():
    """Videos that all say the same say nothing."""
    assert texts_of([Video("a", ""), Video("b", "")]) is None
    texts = texts_of([Video("a", "", title="Soup", description="with bread"), Video("b", "")])
    assert texts is not None
    assert texts.tolist() == ["Soup\nwith bread", ""]


def test_the_name_of_a_file_is_no_title() -> None:
    """A folder whose files are named by their category gives no text to read; what somebody wrote beside is read."""
    rain, wind = (Video(name, f"/sounds/{name}.wav", title=name) for name in ("rain-01.a", "wind-01"))
    assert texts_of([rain, wind]) is None
    described = replace(wind, description="at night")
    link = Video("x", "https://a.example/storm.mp4", title="A storm")
    texts = texts_of([rain, described, replace(rain, title="Rain at last"), link])
    assert texts is not None
    assert texts.tolist() == ["", "at night", "Rain at last", "A storm"]


@pytest.mark.parametrize(
    "source",
    [
        "https://a.example/clips/food 001.v2.mp3",
        "https://a.example/clips/food%20001.v2.mp3",
        "http://a.example/clips/food%20001.v2.mp3?key=a/b.c#t=3",
        "https://a.example/food%20001.v2/",
        "https://a.example/food%20001%2Ev2.mp3",
    ],
)
def test_the_name_of_a_linked_file_is_no_title(source: str) -> None:
    """A site that tells no title has the link's last part given for one, which is not read either."""
    named = Video("x", source, title="food 001.v2")
    told = replace(named, title="Food, and how it is made")
    texts = texts_of([named, told])
    assert texts is not None
    assert texts.tolist() == ["", "Food, and how it is made"]


def test_the_name_of_a_file_with_its_ending_is_no_title() -> None:
    """A list that repeats the names of its files as titles gives no text to read."""
    paths = ("/sounds/rain%201.wav", "https://a.example/wind-01.wav")
    assert texts_of([Video(path, path, title=path.rpartition("/")[2]) for path in paths]) is None


def test_late_fusion_is_the_mean_of_both():
    """The sum rule."""
    np.testing.assert_allclose(fused(np.float32([[1, 0]]), np.float32([[0.5, 0.5]])), [[0.75, 0.25]])
