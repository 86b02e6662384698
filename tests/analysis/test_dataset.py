"""What a classifier learns from, and what is left out of it."""

import numpy as np
import pytest

from analysis.dataset import NO_EMBEDDING, NO_LABEL, NOT_CHOSEN, SEVERAL_LABELS, SINGLE_GROUP, load_dataset
from quartzlens.errors import NotEnoughDataError, UsageError
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Label, LabelSource, Result
from tests.analysis.made_up_collections import WHEN, filled_store, fingerprint_of, labelled_store, result, row

PLANE = fingerprint_of(4)


def some(number: int) -> np.ndarray:
    """Two fragment embeddings of their own."""
    return np.random.default_rng(number).random((2, 4))


def store_of(rows, without=()):
    """A store whose rows all have an embedding, but for the ids in ``without``."""
    return filled_store(rows, [result(r.video_id, some(r.number)) for r in rows if r.video_id not in without])


def two_by_two(extra=lambda number: {}):
    """Two categories with two channels of two videos each."""
    return [row(n, "food" if n <= 4 else "travel", f"c{(n + 1) // 2}", extra(n)) for n in range(1, 9)]


def test_a_data_set_holds_labels_embeddings_and_groups_in_the_order_of_the_store():
    """Rows of X, y and groups belong to the ids beside them."""
    store = store_of(two_by_two())
    data = load_dataset(store, PLANE)
    assert data.ids == tuple(f"v{n}" for n in range(1, 9))
    assert data.categories == ("food", "travel")
    assert data.y.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert data.groups.tolist() == [f"channel c{(n + 1) // 2}" for n in range(1, 9)]
    assert data.X.dtype == np.float32
    np.testing.assert_array_equal(data.X, store.embeddings(PLANE).matrix)
    assert data.folds is None
    assert data.left_out.empty


def test_every_video_that_is_left_out_is_named_with_its_reason():
    """No label, labels that disagree, no embedding, a category with one channel: each is told, nothing else is lost."""
    rows = [*two_by_two(), row(9), row(10, "food"), row(11, "food"), row(12, "food", "c9")]
    rows += [row(13, "alone", "c10"), row(14, "alone", "c10")]
    store = store_of(rows, without=("v11", "v12"))
    store.commit([Result("v12", Outcome.UNDECODABLE, Stage.DECODE, WHEN)])
    store.add_labels([Label("v10", "travel", LabelSource.IMPORT, "x", WHEN)])
    data = load_dataset(store, PLANE)
    assert data.ids == tuple(f"v{n}" for n in range(1, 9))
    assert data.categories == ("food", "travel")
    assert data.left_out.to_numpy().tolist() == [
        ["v9", None, NO_LABEL],
        ["v10", "food + travel", SEVERAL_LABELS],
        ["v11", "food", f"{NO_EMBEDDING}: pending"],
        ["v12", "food", f"{NO_EMBEDDING}: undecodable"],
        ["v13", "alone", SINGLE_GROUP],
        ["v14", "alone", SINGLE_GROUP],
    ]


def test_of_chosen_videos_alone_is_learned():
    """Others are left out, whatever they are, and unknown ids are told; who was chosen keeps its own reasons."""
    store = labelled_store()
    store.add_rows("more", [row(90, None, source_list="more")], [])
    chosen = [video.id for video in store.videos()][:32]
    data = load_dataset(store, fingerprint_of(16), within=[*chosen, "v90", "nowhere"])
    assert data.ids == tuple(chosen)
    assert data.unknown == ("nowhere",)
    reasons = dict(zip(data.left_out["id"], data.left_out["reason"], strict=True))
    assert reasons.pop("v90") == NO_LABEL
    assert set(reasons.values()) == {NOT_CHOSEN}
    assert len(reasons) == 28


def test_chosen_ids_that_no_video_has_are_said():
    """Where none is known it is a wrong usage that names five; where too few are left, they are counted."""
    store = labelled_store()
    with pytest.raises(UsageError, match=r"none of the chosen videos: V1\. Ids"):
        load_dataset(store, fingerprint_of(16), within=["V1", "V1"])
    with pytest.raises(UsageError, match=r"none of the chosen videos: a, b, c, d, e, \.\.\.\. Ids"):
        load_dataset(store, fingerprint_of(16), within="fedcba")
    with pytest.raises(NotEnoughDataError, match="; 2 chosen ids are not in the collection"):
        load_dataset(store, fingerprint_of(16), within=["a", "b", store.videos()[0].id])
    with pytest.raises(NotEnoughDataError, match="were chosen\\)"):
        load_dataset(store, fingerprint_of(16), within=[])


def test_takes_of_one_recording_are_one_group_through_any_chain():
    """Channels that share a recording become one group: neither can be held out alone."""
    takes = {1: "r1", 3: "r1", 5: "r2", 8: "r9"}
    data = load_dataset(store_of([*two_by_two(lambda n: {"source_id": takes.get(n, "")}), row(9, "food", "c8")]), PLANE)
    assert data.groups.tolist() == ["channel c1"] * 4 + ["channel c3"] * 2 + ["channel c4"] * 2 + ["channel c8"]


def test_videos_without_a_channel_stand_alone():
    """Without a channel or a recording each video is its own group, so two of them are enough to be judged."""
    data = load_dataset(store_of([row(n, "food" if n < 3 else "travel") for n in range(1, 5)]), PLANE)
    assert data.groups.tolist() == ["video v1", "video v2", "video v3", "video v4"]


def test_too_little_to_learn_from_is_said_with_counts():
    """One category with two channels is not enough; the message says what is there and what to do."""
    rows = [row(1, "food", "a"), row(2, "food", "b"), row(3, "travel", "c"), row(4)]
    with pytest.raises(
        NotEnoughDataError, match=r"only 'food' has them \(4 videos; .*single channel.*Label more videos"
    ):
        load_dataset(store_of(rows), PLANE)
    with pytest.raises(NotEnoughDataError, match=r"none has them \(0 videos\)"):
        load_dataset(store_of([]), PLANE)


@pytest.mark.parametrize(
    ("names", "expected"), [(("1", "2"), [1, 1, 2, 2]), (("b", "a"), [1, 1, 0, 0]), (("1", " x "), [0, 0, 1, 1])]
)
def test_published_folds_are_taken_from_their_column(names, expected):
    """Whole numbers stay what they are, other names are numbered in sorted order."""
    rows = two_by_two(lambda n: {"part": names[(n - 1) // 2 % 2]})
    folds = load_dataset(store_of(rows), PLANE, fold_column="part").folds
    assert folds is not None
    assert folds.tolist() == expected * 2


def test_a_group_in_two_published_folds_is_refused_by_name():
    """A published split that parts a channel would judge a model on what it has learned."""
    rows = two_by_two(lambda n: {"part": str(n % 2)})
    with pytest.raises(UsageError, match=r"channel c1 is in fold 1 and in fold 0 of column 'part'"):
        load_dataset(store_of(rows), PLANE, fold_column="part")


def test_a_channel_in_two_published_folds_is_refused_whatever_groups_are_made_by():
    """A column that takes the place of channels does not make them unknown: only asking for single videos does."""
    store = store_of(two_by_two(lambda n: {"part": str(n % 2), "camera": f"k{n % 2}"}))
    with pytest.raises(UsageError, match=r"channel c1 is in fold 1 and in fold 0 of column 'part'"):
        load_dataset(store, PLANE, fold_column="part", group_by="camera")
    across = store_of(two_by_two(lambda n: {"part": str((n + 1) // 2 % 2), "camera": f"k{n % 2}"}))
    with pytest.raises(UsageError, match=r"camera k1 is in fold 1 and in fold 0 of column 'part'"):
        load_dataset(across, PLANE, fold_column="part", group_by="camera")
    folds = load_dataset(store, PLANE, fold_column="part", group_by="video").folds
    assert folds is not None
    assert folds.tolist() == [1, 0] * 4


@pytest.mark.parametrize("same", ["1", "one"])
def test_one_published_fold_is_no_split(same):
    """A column with a single value cannot hold anything out, even where it is written in two ways."""
    rows = two_by_two(lambda n: {"part": "01" if same == "1" and n > 4 else same})
    with pytest.raises(UsageError, match="at least two folds"):
        load_dataset(store_of(rows), PLANE, fold_column="part")


def test_a_fold_column_that_nobody_has_is_a_wrong_usage():
    """A mistyped column is said, rather than that there is too little data."""
    with pytest.raises(UsageError, match="column 'fould'"):
        load_dataset(store_of(two_by_two()), PLANE, fold_column="fould")


def test_videos_without_a_published_fold_are_left_out():
    """A video that the published split does not know is named, not put anywhere."""
    rows = [*two_by_two(lambda n: {"part": str((n + 1) // 2 % 2)}), row(9, "food", "c9")]
    data = load_dataset(store_of(rows), PLANE, fold_column="part")
    assert data.left_out.to_numpy().tolist() == [["v9", "food", "no value in column part"]]


def test_embeddings_of_another_encoder_do_not_count():
    """Videos that only another encoder has embedded are left out, and the message says that it is the encoder."""
    with pytest.raises(NotEnoughDataError, match="8 left out: no embedding by this encoder"):
        load_dataset(store_of(two_by_two()), fingerprint_of(5))


def test_odd_category_names_are_only_names():
    """Markup, other scripts and the empty name go through untouched."""
    names = ("<b>food</b>", "путешествия", "")
    assert load_dataset(labelled_store(names, channels=2, per_channel=1), fingerprint_of(16)).categories == tuple(
        sorted(names)
    )


def test_a_chain_of_ties_holds_through_videos_that_are_left_out():
    """An unlabelled video ties its channel to the recording of another: these stay together."""
    rows = two_by_two(lambda n: {"source_id": "r1"} if n == 1 else {})
    data = load_dataset(store_of([*rows, row(9, "food", "c8"), row(10, None, "c2", {"source_id": "r1"})]), PLANE)
    assert data.groups.tolist()[:4] == ["channel c1"] * 4
    assert "v10" in set(data.left_out["id"])


def test_published_folds_that_leave_one_category_to_learn_from_are_refused():
    """A split with travel in one fold only names that fold and says what to do."""
    rows = two_by_two(lambda n: {"part": "1" if n <= 2 else "2"})
    with pytest.raises(UsageError, match=r"Without fold 2 of column 'part' a single category .*leave the column away"):
        load_dataset(store_of(rows), PLANE, fold_column="part")


def test_groups_are_made_by_a_column_where_one_is_named():
    """The data set says what its groups are made of, and a column without values is refused with those there are."""
    rows = [row(n, "food" if n % 2 else "travel", f"c{n // 2}", {"tour": f"t{n // 4}"}) for n in range(16)]
    store = filled_store(rows, [result(r.video_id, np.random.default_rng(r.number).random((2, 4))) for r in rows])
    assert load_dataset(store, fingerprint_of(4)).grouped_by == "channel"
    by_tour = load_dataset(store, fingerprint_of(4), group_by="tour")
    assert (by_tour.grouped_by, len(set(by_tour.groups))) == ("tour", 4)
    assert len(set(load_dataset(store, fingerprint_of(4), group_by="video").groups)) == 16
    with pytest.raises(UsageError, match=r"column 'place'.*list's columns: tour\."):
        load_dataset(store, fingerprint_of(4), group_by="place")
    nobody = filled_store(
        [row(n, "ab"[n % 2]) for n in range(6)], [result(f"v{n}", np.array([[n, 1, n * n, 1]])) for n in range(6)]
    )
    found = load_dataset(nobody, fingerprint_of(4))
    assert found.grouped_by == "video"
    assert [video.id for video in found.videos] == list(found.ids)
