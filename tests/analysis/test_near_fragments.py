"""Nearest fragments: which, where they begin, what was heard in them, and how unusual their nearness is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.near_fragments import COLUMNS, fragment_pair_similarities, fragments_near
from analysis.neighbours import Moment
from quartzlens.errors import UnknownVideoError, UsageError
from quartzlens.records import Words
from tests.analysis.made_up_collections import filled_store, fingerprint_of, labelled_store, result, row

PRINT = fingerprint_of(16)
PLANE = fingerprint_of(2)
LABELLED = labelled_store(channels=3, per_channel=2)
PAIRS = fragment_pair_similarities(LABELLED, PRINT)


def turned(*degrees):
    """A store with a video for each tuple of angles, a fragment for each angle."""
    rows = [row(n + 1, "food", f"c{n}") for n in range(len(degrees))]
    pieces = [[(np.cos(np.radians(d)), np.sin(np.radians(d))) for d in angles] for angles in degrees]
    return filled_store(rows, [result(r.video_id, one) for r, one in zip(rows, pieces, strict=True)])


def found(table):
    """Video and first second of each row."""
    return list(zip(table["id"], table["start_seconds"], strict=True))


def test_the_fragments_nearest_to_a_moment_come_first_with_what_a_person_reads():
    """Their order is that of the angles; each has its video, its seconds, and no words where nobody listened."""
    table = fragments_near(turned((0, 90), (80, 10), (30,)), PLANE, Moment("v1", 7.5), 3)
    assert list(table.columns) == list(COLUMNS)
    assert found(table) == [("v2", 0.0), ("v3", 0.0), ("v2", 5.0)]
    assert table["end_seconds"].tolist() == [5.0, 5.0, 10.0]
    assert table.loc[0, ["title", "category", "channel"]].tolist() == ["title of v2", "food", "c1"]
    assert table["heard"].tolist() == [None] * 3
    assert table["thumbnail_file"].tolist() == [None] * 3
    assert table["probability"].isna().all()
    np.testing.assert_allclose(table["similarity"], np.cos(np.radians([10, 60, 80])), atol=1e-3)
    assert fragments_near(turned((0, 90), (80, 10)), PLANE, Moment("v1", 0.0), 1)["start_seconds"].tolist() == [5.0]


def test_words_and_pictures_come_with_a_fragment():
    """What was heard in it and how surely, and the name of its video's picture."""
    plain = result("v2", [[1.0, 0.0], [0.0, 1.0]])
    words = (Words("train station", 0.25), Words("", 0.5))
    told = replace(
        plain, embedded=replace(plain.embedded, words=words), media=replace(plain.media, thumbnail_file="v2.jpg")
    )
    store = filled_store([row(1), row(2)], [result("v1", [[1.0, 0.0]]), told])
    table = fragments_near(store, PLANE, "v1", 9)
    assert table["heard"].tolist() == ["train station", ""]
    assert table["probability"].tolist() == [0.25, 0.5]
    assert table["thumbnail_file"].tolist() == ["v2.jpg", "v2.jpg"]


def test_an_embedding_finds_fragments_of_every_video():
    """It has no video of its own, so none is left out but those that are named."""
    store = turned((0, 5), (1,), (2,))
    vector = np.array([1.0, 0.0], dtype=np.float32)
    assert found(fragments_near(store, PLANE, vector, 9)) == [("v1", 0.0), ("v2", 0.0), ("v3", 0.0), ("v1", 5.0)]
    assert found(fragments_near(store, PLANE, vector, 2, leave_out=["v1"])) == [("v2", 0.0), ("v3", 0.0)]
    assert found(fragments_near(store, PLANE, vector, 9, ["v3", "v99"])) == [("v3", 0.0)]
    assert fragments_near(store, PLANE, vector, 9, []).empty


@given(st.data())
def test_the_nearest_fragments_of_those_that_match_are_exact(data):
    """Whatever ids are allowed and left out, the k nearest fragments of the rest are found, never fewer."""
    ids = [f"v{n}" for n in range(1, 19)]
    within = data.draw(st.none() | st.sets(st.sampled_from(ids)))
    left, k = data.draw(st.sets(st.sampled_from(ids), max_size=5)), data.draw(st.integers(1, 60))
    fragments, query = LABELLED.fragments(PRINT), LABELLED.embeddings(PRINT, ["v7"]).matrix[0]
    scores = fragments.matrix @ query / np.linalg.norm(fragments.matrix, axis=1)
    wanted = [
        (fragments.ids[i], float(fragments.bounds[i, 0]))
        for i in np.argsort(-scores, kind="stable")
        if fragments.ids[i] not in {*left, "v7"} and (within is None or fragments.ids[i] in within)
    ]
    table = fragments_near(LABELLED, PRINT, "v7", k, within, leave_out=left, pairs=PAIRS)
    assert found(table) == wanted[:k]


def test_percentiles_compare_with_pairs_of_fragments_of_different_videos():
    """Of three such pairs the nearest has two below it; fragments of one video are no pair."""
    store = turned((0, 0, 0), (10,), (90,))
    assert len(fragment_pair_similarities(store, PLANE)) == 3
    np.testing.assert_allclose(fragments_near(store, PLANE, "v1", 2)["percentile"], [200 / 3, 0], atol=0.01)
    assert np.isnan(fragments_near(turned((0, 1)), PLANE, np.ones(2, np.float32), 1)["percentile"][0])


def test_a_large_collection_is_judged_by_a_fixed_draw_of_fragments():
    """Above 500 videos one fragment each of the same 500 is compared, and not always the first of a video."""
    random = np.random.default_rng(5)
    rows = [row(n) for n in range(1, 521)]
    store = filled_store(rows, [result(r.video_id, [[1.0, 0.0, 0.0], random.normal(size=3)]) for r in rows])
    drawn = fragment_pair_similarities(store, fingerprint_of(3))
    assert len(drawn) == 500 * 499 // 2
    np.testing.assert_array_equal(drawn, fragment_pair_similarities(store, fingerprint_of(3)))
    same = float((drawn > 0.99999).mean())
    assert 0.2 < same < 0.3  # of two random fragments a quarter of the pairs are both the first one


def test_what_cannot_be_searched_with_is_said():
    """An unknown id, a second beyond the end, and no fragments at all that are asked for."""
    store = turned((0,), (1,))
    with pytest.raises(UnknownVideoError, match="No video 'v9'"):
        fragments_near(store, PLANE, "v9", 1)
    with pytest.raises(UsageError, match="Second 6 is in none"):
        fragments_near(store, PLANE, Moment("v1", 6.0), 1)
    with pytest.raises(UsageError, match="at least 1"):
        fragments_near(store, PLANE, "v1", 0)
