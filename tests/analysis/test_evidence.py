"""The evidence of one video: everything without its own group, and by models that never saw it."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.cells import Rank, ranked
from analysis.dataset import load_dataset
from analysis.evaluation import evaluate
from analysis.evidence import background, evidence
from analysis.evidence_background import K, kth_distances
from analysis.evidence_neighbours import BOTH, LABEL, NEITHER, NOBODY, PREDICTION
from analysis.run_folds import joined
from analysis.splits import numbered
from analysis.verdict import Kind
from quartzlens.errors import UnknownVideoError
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Label, LabelSource, Result
from store.vectors import normalised
from tests.analysis.made_up_collections import WHEN, filled_store, fingerprint_of, labelled_store, result, row

FINGERPRINT = fingerprint_of(16)


def judged(store):
    """A store's evaluation by logistic regression."""
    return evaluate(load_dataset(store, FINGERPRINT), store.fragments(FINGERPRINT), classifier="logistic", folds=3)


@pytest.fixture(scope="module")
def made():
    """Three categories far apart, one label of which is wrong, with its evaluation and background."""
    store = labelled_store()
    store.add_labels([Label("v1", "travel", LabelSource.PERSON, "", WHEN)])
    evaluation = judged(store)
    return store, evaluation, background(store, FINGERPRINT, evaluation)


def test_a_wrong_label_is_called_so(made):
    """A food video labelled travel: neighbours side with the prediction, its quality is low, the label looks wrong."""
    store, evaluation, known = made
    found = evidence(evaluation, "v1", store, FINGERPRINT, known)
    assert (found.timeline.category, found.timeline.predicted) == ("travel", "food")
    assert found.vote.sides_with == PREDICTION
    assert found.vote.neighbours == K
    assert sum(found.vote.shares.values()) == pytest.approx(1)
    assert found.label_quality < 0.1
    assert found.label_quality == min(known.quality.values())
    assert found.verdict.kind is Kind.LABEL_WRONG


def test_nothing_of_the_own_group_has_a_say(made):
    """Neither the vote nor the neighbours hold a video of the own channel, though these are among the nearest."""
    store, evaluation, known = made
    channel = {video.id: video.channel for video in store.videos()}
    for video_id in ("v1", "v21", "v60"):
        found = evidence(evaluation, video_id, store, FINGERPRINT, known)
        assert channel[video_id] not in set(found.nearest["id"].map(channel))
        assert video_id not in set(found.nearest["id"])
        sides = {LABEL, PREDICTION} if found.timeline.category != found.timeline.predicted else {BOTH}
        assert set(found.nearest["side"]) == sides


def test_neighbours_are_exact(made):
    """The nearest of a category are those that a plain computation of cosines finds, in its order."""
    store, evaluation, known = made
    found = evidence(evaluation, "v21", store, FINGERPRINT, known)
    matrix = store.embeddings(FINGERPRINT).matrix.astype(np.float64)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    cosine = unit @ unit[20]
    others = [i for i in range(len(unit)) if known.categories[i] == "history" and known.apart(20)[i]]
    best = sorted(others, key=lambda i: -cosine[i])[:3]
    assert found.nearest["id"].tolist() == [known.ids[i] for i in best]
    assert found.nearest["similarity"].tolist() == pytest.approx(cosine[best].tolist(), abs=1e-5)


def test_pairs_of_fragments_are_the_best_of_each_neighbour(made):
    """Every neighbour has one pair, the most similar of all its fragments with all of the video's, best first."""
    store, evaluation, known = made
    found = evidence(evaluation, "v1", store, FINGERPRINT, known)
    assert set(found.pairs["id"]) == set(found.nearest["id"])
    assert found.pairs["similarity"].is_monotonic_decreasing
    first = found.pairs.iloc[0]
    parts = store.fragments(FINGERPRINT, ["v1", first["id"]])
    about = parts.matrix / np.linalg.norm(parts.matrix, axis=1, keepdims=True)
    own = np.array(parts.ids) == "v1"
    cosine = about[own] @ about[~own].T
    a, b = np.unravel_index(cosine.argmax(), cosine.shape)
    assert first["similarity"] == pytest.approx(cosine.max(), abs=1e-5)
    assert (first["start_seconds"], first["other_start_seconds"]) == (5.0 * a, 5.0 * b)
    assert first["other_end_seconds"] == first["other_start_seconds"] + 5


def test_a_stranger_is_farther_than_all():
    """A video far from everything has the highest outlier score, and is said to look like nothing known."""
    store = labelled_store()
    store.add_rows("strange.csv", [row(900, "food", "someone else", source_list="strange.csv")], [])
    strange = np.random.default_rng(5).normal(size=(3, 16)) * 0.1 - 8.0
    store.commit([result("v900", strange)])
    evaluation = judged(store)
    found = evidence(evaluation, "v900", store, FINGERPRINT)
    assert found.outlier > 95
    assert found.verdict.kind is Kind.UNKNOWN
    assert evidence(evaluation, "v2", store, FINGERPRINT).outlier < found.outlier


def test_silence_is_said_before_anything_is_judged_by_it():
    """Of a video without sound the verdict is that there is nothing to hear, whatever it was taken for."""
    store = labelled_store()
    silent = result("v1", store.fragments(FINGERPRINT, ["v1"]).matrix)
    assert silent.media is not None
    store.commit([replace(silent, media=replace(silent.media, silent=True))])
    evaluation = judged(store)
    assert evidence(evaluation, "v1", store, FINGERPRINT).verdict.kind is Kind.SILENT
    assert evidence(evaluation, "v2", store, FINGERPRINT).verdict.kind is not Kind.SILENT


def test_copies_are_named_and_have_no_say():
    """The same sound under another channel's id is named as a duplicate and is not among the neighbours."""
    store = labelled_store(fragments=6)
    copied = store.fragments(FINGERPRINT, ["v1"]).matrix
    store.add_rows("copies.csv", [row(901, "history", "a copier", source_list="copies.csv")], [])
    store.commit([result("v901", copied)])
    evaluation = judged(store)
    copies = pd.DataFrame({"group": [1, 1], "id": ["v1", "v901"]})
    known = background(store, FINGERPRINT, evaluation, copies)
    assert (background(store, FINGERPRINT, evaluation, copies, store.videos()).groups == known.groups).all()
    found = evidence(evaluation, "v901", store, FINGERPRINT, known)
    assert found.duplicates == ("v1",)
    assert "v1" not in set(found.nearest["id"])


def filmed(channels=12):
    """Two categories; videos of one of three cameras are nearly alike, whatever their channel: one of 12 has one."""
    rng = np.random.default_rng(0)
    centres, rows, results = rng.normal(size=(3, 16)), [], []
    for number in range(1, 49):
        category, camera = "food" if number % 2 else "travel", number % 3
        rows.append(row(number, category, f"channel {number % channels}", {"camera": f"camera {camera}"}))
        results.append(result(f"v{number}", 8.0 + 3.0 * centres[camera] + 0.1 * rng.normal(size=(3, 16))))
    return filled_store(rows, results)


def test_what_the_run_kept_together_has_no_say():
    """Under ``group_by`` neither vote nor neighbours nor nearness take a video of the own value of that column."""
    store = filmed()
    camera = {video.id: video.extra["camera"] for video in store.videos()}
    by = {name: load_dataset(store, FINGERPRINT, group_by=name) for name in ("channel", "camera")}
    runs = {
        name: evaluate(data, store.fragments(FINGERPRINT), classifier="logistic", folds=3) for name, data in by.items()
    }
    known = {name: background(store, FINGERPRINT, judged) for name, judged in runs.items()}
    found = {name: evidence(judged, "v1", store, FINGERPRINT, known[name]) for name, judged in runs.items()}
    assert set(found["channel"].nearest["id"].map(camera)) == {camera["v1"]}
    assert camera["v1"] not in set(found["camera"].nearest["id"].map(camera))
    assert found["camera"].nearest["similarity"].max() < found["channel"].nearest["similarity"].min()
    assert known["camera"].distances.min() > known["channel"].distances.max()
    values = {
        name: ranked(runs[name], runs["channel"].predictions.head(1), Rank.NEARNESS, known[name])["value"][0]
        for name in known
    }
    assert values["camera"] < values["channel"]


def test_channels_of_today_and_groups_of_the_run_count_both():
    """Who shares the channel or the run's camera has no say; who shares one with such a video alone has."""
    store = filmed()
    judged_ = evaluate(
        load_dataset(store, FINGERPRINT, group_by="camera"), store.fragments(FINGERPRINT), classifier="logistic"
    )
    more = [row(100, None, "channel 1", source_list="more.csv"), row(101, None, "new", source_list="more.csv")]
    store.add_rows("more.csv", more, [])
    store.commit([result(f"v{number}", np.random.default_rng(number).normal(size=(3, 16))) for number in (100, 101)])
    known = background(store, FINGERPRINT, judged_)
    apart = dict(zip(known.ids, known.apart(known.row_of["v1"]).tolist(), strict=True))
    assert not apart["v1"]
    assert not apart["v4"]  # by camera
    assert not apart["v100"]  # by channel, which was not judged
    assert apart["v2"]
    assert apart["v101"]
    older = background(store, FINGERPRINT, replace(judged_, folds=pd.DataFrame()))
    assert older.apart(older.row_of["v1"])[older.row_of["v4"]]
    nothing = filled_store([], [])
    assert background(nothing, FINGERPRINT, judged_).ids == ()


def test_a_column_that_crosses_channels_leaves_others_a_say():
    """Where each channel has videos of every camera, those of other channels and cameras are asked, and no others."""
    store = filmed(channels=8)
    by_camera = load_dataset(store, FINGERPRINT, group_by="camera")
    judged_ = evaluate(by_camera, store.fragments(FINGERPRINT), classifier="logistic", folds=3)
    known, own = background(store, FINGERPRINT, judged_), store.videos(["v1"])[0]
    of_others = {
        video.id
        for video in store.videos()
        if video.channel != own.channel and video.extra["camera"] != own.extra["camera"]
    }
    assert {known.ids[row] for row in np.flatnonzero(known.apart(known.row_of["v1"]))} == of_others
    found = evidence(judged_, "v1", store, FINGERPRINT, known)
    assert (found.vote.neighbours, len(of_others)) == (K, 28)
    assert set(found.nearest["id"]) <= of_others
    assert len(known.distances) == 48


def test_long_names_of_groups_take_no_more_room_than_they_are(monkeypatch):
    """One name of a million letters among 2,000 videos is not written out 2,000 times."""
    names = np.array(["x" * 1_000_000, *(f"g{n}" for n in range(1, 2000))], dtype=object)
    unit = normalised(np.random.default_rng(0).normal(size=(2000, 4)).astype(np.float32))
    tracemalloc.start()
    try:
        assert len(kth_distances(unit, numbered(names)[1][:, None])) == 2000
        assert len(set(joined(names, names))) == 2000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000_000


def test_a_video_that_is_no_longer_embedded_has_less_evidence(made):
    """What needs an embedding is empty, not an error; the seconds and the verdict are there."""
    _, evaluation, _ = made
    gone = labelled_store()
    gone.remove(["v1"])
    found = evidence(evaluation, "v1", gone, FINGERPRINT, background(gone, FINGERPRINT, evaluation))
    assert (found.vote.sides_with, found.vote.neighbours, found.vote.shares) == (NOBODY, 0, {})
    assert np.isnan(found.outlier)
    assert found.nearest.empty
    assert found.pairs.empty
    assert found.verdict.kind is Kind.LABEL_WRONG


def test_an_unknown_video_is_said(made):
    """A video that was not judged has no evidence."""
    store, evaluation, known = made
    with pytest.raises(UnknownVideoError, match="did not judge a video 'x'"):
        evidence(evaluation, "x", store, FINGERPRINT, known)


def test_a_label_that_nobody_near_has_sides_with_neither():
    """Neighbours of a third category side with neither label nor prediction; neighbours for the label, with it."""
    store = labelled_store()
    evaluation = judged(store)
    table = evaluation.predictions
    table.loc[table["id"] == "v2", ["category", "predicted"]] = ["history", "travel"]
    table.loc[table["id"] == "v3", ["category", "predicted"]] = ["food", "travel"]
    known = background(store, FINGERPRINT, evaluation)
    assert evidence(evaluation, "v2", store, FINGERPRINT, known).vote.sides_with == NEITHER
    assert evidence(evaluation, "v3", store, FINGERPRINT, known).vote.sides_with == LABEL
    assert evidence(evaluation, "v6", store, FINGERPRINT, known).vote.sides_with == BOTH


def test_a_single_group_has_no_neighbours():
    """Where every other video is of the own group nobody votes and nothing is far or near."""
    store = labelled_store()
    evaluation = judged(store)
    alone = filled_store(
        [row(n, "food", "one channel") for n in (1, 2)], [result(f"v{n}", np.ones((2, 16)) * n) for n in (1, 2)]
    )
    found = evidence(evaluation, "v1", alone, FINGERPRINT)
    assert found.vote.sides_with == NOBODY
    assert np.isnan(found.outlier)
    assert found.nearest.empty


def test_neighbours_on_the_other_side_do_not_vote(made):
    """A single neighbour that points the other way is no help: nobody votes."""
    _, evaluation, _ = made
    pair = filled_store(
        [row(1, "food", "a"), row(21, "food", "b")], [result("v1", np.ones((2, 16))), result("v21", -np.ones((2, 16)))]
    )
    found = evidence(evaluation, "v1", pair, FINGERPRINT)
    assert found.vote.sides_with == NOBODY
    assert found.vote.neighbours == 1


def test_distances_to_neighbours_agree_with_a_plain_computation(monkeypatch):
    """The distribution that an outlier is measured by is exact, whatever the block size; own groups do not count."""
    rng = np.random.default_rng(3)
    unit = normalised(rng.normal(size=(60, 8)).astype(np.float32))
    groups = np.column_stack([np.arange(60) // 3, np.arange(60) % 20])
    expected = []
    for i in range(60):
        others = np.sort(1 - (unit @ unit[i])[(groups != groups[i]).all(axis=1)])
        expected.append(others[K - 1])
    monkeypatch.setattr("analysis.evidence_background._ROWS_AT_ONCE", 7)
    assert kth_distances(unit, groups).tolist() == pytest.approx(sorted(expected), abs=1e-5)
    monkeypatch.setattr("analysis.evidence_background.SAMPLE_VIDEOS", 20)
    drawn = kth_distances(unit, groups)
    assert len(drawn) == 20
    assert set(np.round(drawn, 4)) <= set(np.round(np.array(expected), 4))


def test_nothing_at_all_has_no_distances():
    """No videos, or none of another group, give an empty distribution."""
    assert kth_distances(np.zeros((0, 4), dtype=np.float32), np.zeros((0, 2), dtype=np.int64)).tolist() == []
    same = normalised(np.ones((3, 4), dtype=np.float32))
    assert kth_distances(same, np.zeros((3, 2), dtype=np.int64)).tolist() == []


def test_the_directions_of_many_videos_are_those_of_a_draw(made, monkeypatch):
    """Beyond a number of videos a fixed draw stands for all, the same at each call."""
    store, evaluation, known = made
    monkeypatch.setattr("analysis.evidence_background.SAMPLE_FRAGMENTS_OF", 30)
    drawn = [background(store, FINGERPRINT, evaluation).directions for _ in range(2)]
    assert drawn[0].tolist() == drawn[1].tolist()
    assert drawn[0].tolist() != known.directions.tolist()


def test_embeddings_without_fragments_have_evidence_without_seconds(made):
    """A store that keeps no fragments gives neighbours and a verdict, no pairs and no change."""
    _, evaluation, _ = made
    whole = labelled_store(fragments=1)
    for video_id in whole.embeddings(FINGERPRINT).ids:
        (video,) = whole.videos([video_id])
        nothing = np.zeros((0, 16), np.float32), np.zeros((0, 2), np.float32)
        embedded = Embedded(FINGERPRINT, whole.embeddings(FINGERPRINT, [video_id]).matrix[0], *nothing)
        whole.commit([Result(video_id, Outcome.OK, Stage.STORE, WHEN, media=video.media, embedded=embedded)])
    found = evidence(evaluation, "v1", whole, FINGERPRINT)
    assert found.pairs.empty
    assert found.change is None
    assert len(found.nearest) == 6
