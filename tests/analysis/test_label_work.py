"""Labels that look wrong, that are given, taken back and compared, and the videos to label next."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.dataset import load_dataset
from analysis.evaluation import Evaluation, evaluate
from analysis.label_next import margins, next_to_label, spread_choice
from analysis.label_quality import label_quality, suggested_errors
from analysis.label_work import (
    asked_again,
    changes,
    decided,
    label_history,
    labelled_list,
    of_several,
    relabel,
    relabel_both,
    undo,
    unsure,
)
from quartzlens.errors import UnknownVideoError, UsageError
from quartzlens.records import Label, LabelSource
from store.memory import MemoryStore
from tests.analysis.made_up_collections import WHEN, filled_store, fingerprint_of, labelled_store, result, row

FINGERPRINT = fingerprint_of(16)
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def judged(store: MemoryStore) -> Evaluation:
    """A store's evaluation by logistic regression."""
    return evaluate(load_dataset(store, FINGERPRINT), store.fragments(FINGERPRINT), classifier="logistic", folds=3)


def evaluation_of(shares: list[list[float]], labels: list[str]) -> Evaluation:
    """An evaluation with these probabilities of food, history and travel."""
    names = ["food", "history", "travel"][: len(shares[0]) if shares else 3]
    table = pd.DataFrame(np.array(shares, dtype=np.float32).reshape(len(shares), len(names)), columns=names)
    best = [names[int(np.argmax(row))] for row in shares]
    ids = [f"v{i}" for i in range(len(shares))]
    start = pd.DataFrame({"id": ids, "category": labels, "predicted": best, "fold": [0] * len(ids)})
    return Evaluation(pd.concat([start, table], axis=1), pd.DataFrame(), np.zeros((0, 0)), {"categories": names})


def test_flipped_labels_come_first():
    """Three labels flipped on purpose among sixty are the first three suggested, each with its true category."""
    store = labelled_store()
    flips = {"v2": "history", "v30": "travel", "v55": "food"}
    store.add_labels([Label(one, other, LabelSource.PERSON, "", WHEN) for one, other in flips.items()])
    table = suggested_errors(judged(store))
    assert set(table["id"][:3]) == set(flips)
    assert table["issue"][:3].all()
    assert dict(zip(table["id"][:3], table["suggested"][:3], strict=True)) == {
        "v2": "food",
        "v30": "history",
        "v55": "travel",
    }
    assert table["quality"].is_monotonic_increasing


def test_quality_is_the_probability_of_the_label():
    """A label that models give 0.8 has quality 0.8, one that they give 0.2 has 0.2."""
    found = label_quality(evaluation_of([[0.8, 0.2], [0.8, 0.2]], ["food", "history"]))
    assert found == {"v0": pytest.approx(0.8), "v1": pytest.approx(0.2)}


def test_nothing_judged_has_no_quality():
    """An evaluation of no videos gives empty answers."""
    assert label_quality(evaluation_of([], [])) == {}
    assert suggested_errors(evaluation_of([], [])).empty


@given(
    st.lists(st.tuples(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.integers(0, 2)), min_size=3, max_size=30)
)
def test_every_label_is_ranked_once(videos):
    """Whatever the probabilities, zeros among them, each video is ranked once, and never its own label suggested."""
    shares = [(np.array(weights) + 1e-6).tolist() for weights, _ in videos]
    shares = [(np.array(one) / sum(one)).tolist() for one in shares]
    labels = [["food", "history", "travel"][label] for _, label in videos]
    table = suggested_errors(evaluation_of(shares, labels))
    assert sorted(table["id"]) == sorted(f"v{i}" for i in range(len(videos)))
    assert not (table["category"] == table["suggested"]).any()
    assert table["quality"].between(0, 1).all()


def test_a_persons_label_wins_and_history_keeps_both():
    """Relabelling adds to the history; the list's label is still in it."""
    store = labelled_store()
    label = relabel(store, "v1", " travel ", NOON)
    assert (label.category, label.given_at) == ("travel", "2026-11-29T12:00:00+00:00")
    assert store.videos(["v1"])[0].category == "travel"
    table = label_history(store, "v1")
    assert table["category"].tolist() == ["food", "travel"]
    assert table["source"].tolist() == ["csv", "person"]
    assert decided(store) == {"v1"}
    assert len(label_history(store)) == 61


def test_undo_goes_back_a_step_and_again_forward():
    """The word before holds again, or the list's label; undone twice, the last word is back."""
    store = labelled_store()
    relabel(store, "v1", "travel")
    relabel(store, "v1", "history")
    for category in ("travel", "history"):
        undo(store, "v1")
        assert store.videos(["v1"])[0].category == category
    relabel(store, "v2", "travel")
    undo(store, "v2", NOON)
    assert store.videos(["v2"])[0].category == "food"
    assert decided(store) == {"v1"}
    assert label_history(store, "v2")["category"].tolist() == ["food", "travel", None]


def test_what_cannot_be_labelled_is_said():
    """An unknown video, a category that is no name, and an undo of nothing each have their message."""
    store = labelled_store()
    for act in (lambda: relabel(store, "x", "food"), lambda: undo(store, "x"), lambda: label_history(store, "x")):
        with pytest.raises(UnknownVideoError, match="No video 'x'"):
            act()
    for name in ("", "  ", "two\nlines", "x" * 201):
        with pytest.raises(UsageError, match="A category is a name of one line"):
            relabel(store, "v1", name)
    with pytest.raises(UsageError, match="nothing to undo"):
        undo(store, "v1")


def test_the_list_has_old_and_new_labels():
    """Each video is there with the lists' label and the one that holds; changes are marked and dated."""
    store = filled_store([row(1, "food"), row(2, "food"), row(3)], [])
    store.add_rows("more.csv", [row(2, "travel", source_list="more.csv")], [])
    relabel(store, "v1", "travel", NOON)
    relabel(store, "v3", "food", NOON)
    undo(store, "v3", NOON)
    table = labelled_list(store)
    assert table["id"].tolist() == ["v1", "v2", "v3"]
    assert table["old_category"].tolist() == ["food", "food + travel", None]
    assert table["category"].tolist() == ["travel", "food + travel", None]
    assert table["changed"].tolist() == [True, False, False]
    assert table["given_at"].tolist() == ["2026-11-29T12:00:00+00:00", None, None]


def test_two_evaluations_are_compared_video_by_video():
    """Right to wrong and back, new and gone videos, and changed labels are each told."""
    before = evaluation_of([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]], ["food", "history", "food", "history"])
    after = evaluation_of([[0.1, 0.9], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]], ["food", "food", "food", "history"])
    after.predictions.loc[2, "id"] = "v9"
    table = changes(before, after).set_index("id")
    assert table["change"].to_dict() == {
        "v0": "right to wrong",
        "v1": "wrong to right",
        "v9": "new",
        "v3": "still wrong",
        "v2": "gone",
    }
    assert table["label_changed"].to_dict() == {"v0": False, "v1": True, "v9": False, "v3": False, "v2": False}
    assert (table.loc["v1", "old_category"], table.loc["v1", "category"]) == ("history", "food")
    assert changes(before, before)["change"].tolist() == ["still right", "still wrong", "still right", "still wrong"]


def unlabelled_store() -> MemoryStore:
    """Labelled videos of three categories, and two clusters between them without labels: ten and three alike."""
    store = labelled_store(dimension=16)
    matrix = store.embeddings(FINGERPRINT).matrix
    centres = [matrix[20 * i : 20 * i + 20].mean(axis=0) for i in range(3)]
    middles = [(centres[0] + centres[1]) / 2] * 10 + [(centres[1] + centres[2]) / 2] * 3
    rng = np.random.default_rng(1)
    rows = [row(500 + i, None, f"new {i}", source_list="new.csv") for i in range(len(middles))]
    store.add_rows("new.csv", rows, [])
    store.commit([result(f"v{500 + i}", one + 0.05 * rng.normal(size=(2, 16))) for i, one in enumerate(middles)])
    return store


def test_what_to_label_next_is_not_ten_of_one_cluster():
    """Of two clusters of uncertain videos, ten and three, the first two to label are one of each."""
    table = next_to_label(unlabelled_store(), FINGERPRINT, 2)
    assert sorted(int(one[1:]) >= 510 for one in table["id"]) == [False, True]
    assert table["uncertainty"].between(0, 1).all()
    assert table["claimed"].isna().all()


def test_of_chosen_videos_alone_some_are_to_be_labelled():
    """Where ids are given only open videos among them are chosen; ids that are not there are nothing."""
    store = unlabelled_store()
    table = next_to_label(store, FINGERPRINT, 24, within=["v501", "v511", "v1", "nowhere"])
    assert sorted(table["id"]) == ["v501", "v511"]
    assert next_to_label(store, FINGERPRINT, 24, within=["v1"]).empty


def test_all_that_have_no_label_come_at_last():
    """Asked for more than there are, every unlabelled video comes once."""
    table = next_to_label(unlabelled_store(), FINGERPRINT, 100)
    assert sorted(table["id"]) == sorted(f"v{500 + i}" for i in range(13))


def test_several_labels_are_a_reason_to_be_asked():
    """A video that lists disagree on is to be labelled, and says what they claim."""
    store = labelled_store()
    store.add_rows("other.csv", [row(1, "travel", source_list="other.csv")], [])
    table = next_to_label(store, FINGERPRINT, 5)
    assert table[["id", "claimed"]].to_numpy().tolist() == [["v1", "food + travel"]]


def test_what_is_unknown_of_a_video_to_label_is_none():
    """Beside videos that have a channel and claims, one without has None for each, no number."""
    store = unlabelled_store()
    store.add_rows("new.csv", [row(512, None, None, source_list="new.csv")], [])
    store.add_rows("other.csv", [row(1, "travel", source_list="other.csv")], [])
    table = next_to_label(store, FINGERPRINT, 100).set_index("id")
    assert table.loc["v512", "channel"] is table.loc["v512", "claimed"] is None
    assert (table.loc["v511", "channel"], table.loc["v1", "claimed"]) == ("new 11", "food + travel")
    assert table.dtypes.astype(str).tolist() == ["object"] * 4 + ["float64"] * 2
    nothing = next_to_label(labelled_store(), FINGERPRINT, 5).set_index("id")
    assert nothing.dtypes.tolist() == table.dtypes.tolist()


def test_nothing_is_left_to_label():
    """Where every video has its label the table is empty; less than one video is refused."""
    assert next_to_label(labelled_store(), FINGERPRINT, 5).empty
    with pytest.raises(UsageError, match="at least 1"):
        next_to_label(labelled_store(), FINGERPRINT, 0)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1), st.floats(-1, 1)), max_size=12),
    st.integers(1, 15),
)
def test_a_choice_has_no_video_twice(videos, n):
    """Whatever is uncertain, min(n, m) different videos are chosen, the most uncertain first."""
    points = np.array([(a, b) for _, a, b in videos], dtype=np.float32).reshape(-1, 2)
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    uncertainty = np.array([one for one, _, _ in videos], dtype=np.float64)
    chosen = spread_choice(uncertainty, points, n)
    assert len(chosen) == len(set(chosen)) == min(n, len(videos))
    if chosen:
        assert uncertainty[chosen[0]] == uncertainty.max()


def test_margins_are_those_of_the_first_two():
    """The margin is the difference of the two largest probabilities."""
    assert margins(np.array([[0.2, 0.5, 0.3]], dtype=np.float32)).tolist() == pytest.approx([0.2])


def test_both_is_an_answer():
    """A video that a person calls of two categories has both, trains nothing and is asked for no more; undo ends it."""
    store = labelled_store()
    relabel_both(store, "v1", ["travel ", "food", "food"], NOON)
    (video,) = store.videos(["v1"])
    assert video.categories == ("food", "travel")
    assert of_several(store) == {"v1": ("food", "travel")}
    assert "v1" in decided(store)
    assert "v1" not in load_dataset(store, FINGERPRINT).ids
    assert "v1" not in set(next_to_label(store, FINGERPRINT, 100)["id"])
    assert label_history(store, "v1")["category"].tolist()[-1] == "food + travel"
    undo(store, "v1")
    assert store.videos(["v1"])[0].categories == ("food",)
    assert of_several(store) == {}


@pytest.mark.parametrize("names", [[], ["food"], ["food", " food"], ["food", "two\nlines"]])
def test_both_are_two(names):
    """Of fewer than two different names, or of one that is no name, nothing is kept."""
    store = labelled_store()
    with pytest.raises(UsageError):
        relabel_both(store, "v1", names)
    assert not decided(store)


def test_who_is_unsure_leaves_it_to_another():
    """An unsure person's word takes back what was said before, lasts in the history, and ends with an answer."""
    store = labelled_store()
    relabel(store, "v2", "history", NOON)
    for video_id in ("v2", "v1"):
        unsure(store, video_id, NOON)
    assert asked_again(store) == ("v2", "v1")
    assert store.videos(["v2"])[0].categories == ("food",)
    assert not decided(store)
    assert label_history(store, "v2")[["origin", "category"]].to_numpy().tolist()[-1] == ["unsure", None]
    undo(store, "v2")
    assert store.videos(["v2"])[0].categories == ("history",)
    assert asked_again(store) == ("v1",)
    undo(store, "v2")
    assert asked_again(store) == ("v1", "v2")
    relabel(store, "v1", "food")
    assert asked_again(store) == ("v2",)
    with pytest.raises(UnknownVideoError):
        unsure(store, "nobody")
