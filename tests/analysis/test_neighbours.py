"""Nearest videos, and how unusual their nearness is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.neighbours import Moment, fragment_at, neighbours_of, pair_similarities, percentile
from quartzlens.errors import UnknownVideoError, UsageError
from tests.analysis.made_up_collections import filled_store, fingerprint_of, labelled_store, result, row

PRINT = fingerprint_of(16)
PLANE = fingerprint_of(2)
LABELLED = labelled_store(channels=4)
PAIRS = pair_similarities(LABELLED, PRINT)


def turned(*degrees: float):
    """A store of unit vectors in the plane at these angles."""
    rows = [row(n + 1, "even" if n % 2 == 0 else "odd", f"c{n // 2}") for n in range(len(degrees))]
    points = [(np.cos(np.radians(d)), np.sin(np.radians(d))) for d in degrees]
    return filled_store(rows, [result(r.video_id, [point]) for r, point in zip(rows, points, strict=True)])


def test_neighbours_come_nearest_first_with_what_a_person_reads():
    """The order is that of the angles, the similarity their cosine, and the query is not among them."""
    table = neighbours_of(turned(0, 50, 10, 30), PLANE, "v1", 3)
    assert list(table.columns) == ["id", "title", "category", "channel", "similarity", "percentile"]
    assert table["id"].tolist() == ["v3", "v4", "v2"]
    np.testing.assert_allclose(table["similarity"], np.cos(np.radians([10, 30, 50])), atol=1e-6)
    assert table.loc[0, ["title", "category", "channel"]].tolist() == ["title of v3", "even", "c1"]


def test_a_copy_of_the_query_is_a_neighbour_and_the_query_is_not():
    """Equal embeddings do not confuse who asks with who is found."""
    store = turned(0, 0, 0, 40)
    for video_id in ("v1", "v2", "v3"):
        found = neighbours_of(store, PLANE, video_id, 2)
        assert set(found["id"]) == {"v1", "v2", "v3"} - {video_id}


def test_an_embedding_finds_the_video_that_it_came_from_first():
    """A new embedding has no id, so its own video is found at similarity 1."""
    store = labelled_store()
    table = neighbours_of(store, PRINT, store.embeddings(PRINT, ["v7"]).matrix[0], 1)
    assert table["id"].tolist() == ["v7"]
    assert table["similarity"][0] == pytest.approx(1.0, abs=1e-5)


def labelled(store, category):
    """Ids of the videos of a category."""
    return {video.id for video in store.videos() if video.category == category}


def test_filters_by_id_and_channel_hold_together():
    """Only the ids asked for, none of the channel left out, and as many as there are."""
    store = turned(0, 5, 10, 15, 20, 25)
    odd, even = labelled(store, "odd"), labelled(store, "even")
    assert neighbours_of(store, PLANE, "v1", 9, odd)["id"].tolist() == ["v2", "v4", "v6"]
    assert neighbours_of(store, PLANE, "v1", 9, leave_out_channel="c0")["id"].tolist() == ["v3", "v4", "v5", "v6"]
    assert neighbours_of(store, PLANE, "v1", 1, odd, leave_out_channel="c0")["id"].tolist() == ["v4"]
    assert neighbours_of(store, PLANE, "v1", 1, even)["id"].tolist() == ["v3"]
    assert neighbours_of(store, PLANE, "v1", 3, ()).empty
    assert neighbours_of(store, PLANE, "v1", 9, odd, leave_out=("v2", "v3"))["id"].tolist() == ["v4", "v6"]


@given(st.data())
def test_the_nearest_of_those_that_match_are_exact(data):
    """Whatever ids are allowed and left out, the k nearest of the rest are found, and never fewer than there are."""
    ids = [f"v{n}" for n in range(1, 41)]
    within = data.draw(st.none() | st.sets(st.sampled_from([*ids, "v99"])))
    left, k = data.draw(st.sets(st.sampled_from(ids), max_size=9)), data.draw(st.integers(1, 50))
    embeddings = LABELLED.embeddings(PRINT)
    unit = embeddings.matrix / np.linalg.norm(embeddings.matrix, axis=1, keepdims=True)
    order = [embeddings.ids[i] for i in np.argsort(-(unit @ unit[embeddings.ids.index("v7")]), kind="stable")]
    wanted = [one for one in order if one not in {*left, "v7"} and (within is None or one in within)]
    assert neighbours_of(LABELLED, PRINT, "v7", k, within, leave_out=left, pairs=PAIRS)["id"].tolist() == wanted[:k]


def test_a_moment_is_searched_with_by_its_fragment():
    """A second finds what is near the fragment that it is in, of two the later, and never its own video."""
    parts = {"v1": [[1.0, 0.0], [0.0, 1.0]], "v2": [[1.0, 0.1]], "v3": [[0.1, 1.0]]}
    store = filled_store([row(1), row(2), row(3)], [result(name, pieces) for name, pieces in parts.items()])
    nearest = {at: neighbours_of(store, PLANE, Moment("v1", at), 9)["id"].tolist() for at in (0.0, 4.9, 5.0, 10.0)}
    assert nearest == {0.0: ["v2", "v3"], 4.9: ["v2", "v3"], 5.0: ["v3", "v2"], 10.0: ["v3", "v2"]}
    with pytest.raises(UsageError, match="Second 10.5 is in none of the video's fragments: 0:00 to 0:10 was heard"):
        neighbours_of(store, PLANE, Moment("v1", 10.5), 1)
    with pytest.raises(UnknownVideoError, match="No video 'v9'"):
        neighbours_of(store, PLANE, Moment("v9", 0.0), 1)
    with pytest.raises(UsageError, match="it has no fragments"):
        fragment_at(store.fragments(PLANE, ["v9"]), 0.0)


def test_unlabelled_neighbours_have_no_category_and_no_channel():
    """Missing is None, not a word."""
    store = filled_store([row(1), row(2)], [result("v1", [[1.0, 0.0]]), result("v2", [[1.0, 0.1]])])
    assert neighbours_of(store, PLANE, "v1", 1).loc[0, ["category", "channel"]].tolist() == [None, None]


def test_an_id_without_an_embedding_and_no_neighbours_at_all_are_said():
    """Each is one clear error."""
    with pytest.raises(UnknownVideoError, match="No video 'v99'"):
        neighbours_of(turned(0, 1), PLANE, "v99", 1)
    with pytest.raises(UsageError, match="at least 1"):
        neighbours_of(turned(0, 1), PLANE, "v1", 0)


def test_percentile_says_how_many_pairs_are_less_near():
    """Of six pairs the nearest has five below it: 83.3 % are less similar."""
    table = neighbours_of(turned(0, 10, 40, 90), PLANE, "v1", 3)
    np.testing.assert_allclose(table["percentile"], [100 * 5 / 6, 100 * 3 / 6, 0], atol=0.01)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1), st.floats(-1, 1), st.floats(-1, 1))
def test_a_nearer_video_never_has_a_lower_percentile(pairs, one, other):
    """The percentile grows with the similarity and stays within 0 and 100."""
    ranked = np.sort(np.array(pairs, dtype=np.float32))
    low, high = sorted((one, other))
    assert 0 <= percentile(ranked, low) <= percentile(ranked, high) <= 100


def test_without_pairs_there_is_no_percentile():
    """One video alone has nothing to compare with."""
    assert np.isnan(percentile(pair_similarities(turned(0), PLANE), 0.5))


def test_a_large_collection_is_judged_by_a_fixed_draw_of_its_pairs():
    """Above 500 videos the same 500 are compared each time, and their pairs stand for all."""
    rows = [row(n) for n in range(1, 521)]
    random = np.random.default_rng(5)
    store = filled_store(rows, [result(r.video_id, random.normal(size=(1, 4))) for r in rows])
    drawn = pair_similarities(store, fingerprint_of(4))
    assert len(drawn) == 500 * 499 // 2
    np.testing.assert_array_equal(drawn, pair_similarities(store, fingerprint_of(4)))
    assert abs(np.median(drawn)) < 0.05
    given_pairs = neighbours_of(store, fingerprint_of(4), "v1", 3, pairs=drawn)
    assert given_pairs.equals(neighbours_of(store, fingerprint_of(4), "v1", 3))


def test_a_zero_embedding_is_like_nothing():
    """Digital silence may pool to zeros: its similarities are 0, not NaN."""
    store = filled_store([row(1), row(2)], [result("v1", [[0.0, 0.0]]), result("v2", [[1.0, 0.0]])])
    assert pair_similarities(store, PLANE).tolist() == [0.0]


def test_leaving_out_the_channel_leaves_out_the_recording_of_the_query_too():
    """Another channel's take of the query's recording is not found; without the filter, or by embedding, it is."""
    rows = [row(n, "food", f"c{n}", {"source_id": "r1"} if n in (1, 2) else {}) for n in range(1, 5)]
    store = filled_store(rows, [result(r.video_id, [[1.0, 0.1 * r.number]]) for r in rows])
    assert set(neighbours_of(store, PLANE, "v1", 9, leave_out_channel="c1")["id"]) == {"v3", "v4"}
    assert set(neighbours_of(store, PLANE, "v3", 9, leave_out_channel="c3")["id"]) == {"v1", "v2", "v4"}
    assert set(neighbours_of(store, PLANE, "v1", 9, labelled(store, "food"))["id"]) == {"v2", "v3", "v4"}
    vector = store.embeddings(PLANE, ["v1"]).matrix[0]
    assert set(neighbours_of(store, PLANE, vector, 9, leave_out_channel="c1")["id"]) == {"v2", "v3", "v4"}


def test_what_is_left_out_by_id_is_not_found():
    """Copies of the query, named by their ids, make room for the next nearest."""
    store = turned(0, 1, 2, 30)
    assert neighbours_of(store, PLANE, "v1", 2, leave_out=("v2", "v3"))["id"].tolist() == ["v4"]
    assert neighbours_of(store, PLANE, "v1", 1, leave_out=("v2",))["id"].tolist() == ["v3"]
