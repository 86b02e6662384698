"""The map: seeded, told as it goes, and there for any size; how far it is to be trusted."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from umap.umap_ import compute_membership_strengths, smooth_knn_dist

from analysis import projected_points
from analysis.projected_points import known_neighbours, points_of
from analysis.projection import Layout, project, trustworthiness
from store.memory import MemoryStore
from tests.analysis.made_up_collections import filled_store, fingerprint_of, labelled_store, result, row

PRINT = fingerprint_of(16)


def random_store(n: int, dimension: int = 4, fragments: int = 2) -> MemoryStore:
    """Videos whose embeddings are drawn by their number."""
    rows = [row(i + 1) for i in range(n)]
    drawn = {r.video_id: np.random.default_rng(r.number).random((fragments, dimension)) for r in rows}
    return filled_store(rows, [result(video_id, matrix) for video_id, matrix in drawn.items()])


def test_the_same_seed_gives_the_same_map_and_near_videos_lie_near():
    """A map repeats to the last digit, and categories that are far apart stay apart in the plane."""
    store = labelled_store(apart=6.0)
    first = project(store, PRINT, Layout(seed=1)).table
    assert first.equals(project(store, PRINT, Layout(seed=1)).table)
    assert not first.equals(project(store, PRINT, Layout(seed=2)).table)
    assert list(first.columns) == ["id", "x", "y", "digest", "placed"]
    assert first["id"].tolist() == [video.id for video in store.videos()]
    plane = first[["x", "y"]].to_numpy()
    category = np.array([video.category for video in store.videos()])
    distance = np.linalg.norm(plane[:, None] - plane[None, :], axis=2) + np.diag(np.full(len(plane), np.inf))
    assert (category[distance.argmin(axis=1)] == category).mean() == 1.0


def test_what_umap_compiles_is_kept_for_the_next_process():
    """Else every server would compile for four seconds before its first map."""
    project(random_store(5), fingerprint_of(4))
    for function in (smooth_knn_dist, compute_membership_strengths):
        assert list(Path(function.stats.cache_path).glob(f"*{function.__name__}*.nbc"))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 16, 17, 33])
def test_any_size_of_collection_has_a_map(n):
    """Below four videos they stand on a line; every size gives finite places, one for each video."""
    found = project(random_store(n), fingerprint_of(4))
    table = found.table
    assert table["id"].tolist() == [f"v{i + 1}" for i in range(n)]
    assert np.isfinite(table[["x", "y"]].to_numpy(dtype=float)).all()
    assert found.of == found.judged == n
    assert np.isnan(found.trustworthiness) == (n < 3)
    if n < 4:
        assert table["x"].tolist() == list(range(n))


@pytest.mark.parametrize("n", [6, 40])
def test_equal_embeddings_have_a_map(n):
    """A collection of copies has no distances at all, and still a map."""
    rows = [row(i + 1) for i in range(n)]
    store = filled_store(rows, [result(r.video_id, np.ones((2, 4))) for r in rows])
    assert np.isfinite(project(store, fingerprint_of(4)).table[["x", "y"]].to_numpy(dtype=float)).all()


def test_fragments_are_points_with_their_seconds():
    """The map of fragments has a row for each of them, in the order of videos and time, and near ones lie near."""
    table = project(labelled_store(apart=6.0), PRINT, fragments=True).table
    assert list(table.columns) == ["id", "start_seconds", "end_seconds", "x", "y", "digest", "placed"]
    assert table["id"].tolist() == [f"v{i + 1}" for i in range(60) for _ in range(3)]
    assert table["start_seconds"].tolist() == [0.0, 5.0, 10.0] * 60
    plane = table[["x", "y"]].to_numpy()
    distance = np.linalg.norm(plane[:, None] - plane[None, :], axis=2) + np.diag(np.full(len(plane), np.inf))
    category = np.repeat(np.arange(3), 60)
    assert (category[distance.argmin(axis=1)] == category).mean() > 0.98


@pytest.mark.parametrize("fragments", [False, True])
def test_a_large_collection_is_laid_out_as_a_draw(monkeypatch: pytest.MonkeyPatch, fragments: bool):
    """Above the most points that are laid out, a fixed draw of videos stands for all, and neighbours are among it."""
    monkeypatch.setattr(projected_points, "MOST_VIDEOS", 10)
    monkeypatch.setattr(projected_points, "MOST_FRAGMENTS", 20)
    store = random_store(30)
    points = points_of(store, fingerprint_of(4), fragments=fragments)
    assert points.of == (60 if fragments else 30)
    assert points.names["id"].nunique() == 10
    assert points.names.equals(points_of(store, fingerprint_of(4), fragments=fragments).names)
    indices, distances = known_neighbours(store, fingerprint_of(4), points, 4)
    assert (indices[:, 0] == np.arange(len(indices))).all()
    unit = points.matrix / np.linalg.norm(points.matrix, axis=1, keepdims=True)
    exact = np.sort(1.0 - unit @ unit.T, axis=1)[:, :4]
    assert np.allclose(distances, exact, atol=1e-5)


def test_progress_is_told_from_beginning_to_end():
    """What a map takes is told in shares that never go back, with what is being done."""
    told: list[tuple[float, str]] = []
    project(random_store(40), fingerprint_of(4), tell=lambda share, doing: told.append((share, doing)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert list(dict.fromkeys(doing for _, doing in told)) == ["finding neighbours", "loading UMAP", "laying out"]


def test_points_may_be_kept_apart():
    """A larger distance between points spreads a map: the nearest pairs lie farther apart."""
    store = random_store(60)
    near, far = (project(store, fingerprint_of(4), Layout(min_dist=d)).table[["x", "y"]] for d in (0.0, 0.9))
    assert _nearest(near.to_numpy()) < _nearest(far.to_numpy())


def _nearest(plane: np.ndarray) -> float:
    distance = np.linalg.norm(plane[:, None] - plane[None, :], axis=2) + np.diag(np.full(len(plane), np.inf))
    return float(np.median(distance.min(axis=1)))


@given(st.integers(0, 10_000), st.integers(1, 200))
def test_a_layout_never_asks_for_more_neighbours_than_there_are(n: int, neighbours: int):
    """The neighbours that count are fewer than the points, at least one, and never more than were asked for."""
    fitting = Layout(neighbours).fitting(n).neighbours
    assert 1 <= fitting <= neighbours
    assert fitting < max(n, 2)


@settings(deadline=None, max_examples=25)
@given(arrays(np.float32, st.tuples(st.integers(3, 40), st.just(2)), elements=st.floats(0.125, 8, width=16)))
def test_trust_is_a_share(matrix: np.ndarray):
    """Whatever the embeddings and the plane, the figure lies between 0 and 1 and is of all points."""
    value, n = trustworthiness(matrix, matrix[::-1].copy(), 15)
    assert n == len(matrix)
    assert 0.0 <= value <= 1.0


def test_a_faithful_plane_is_trusted_and_a_shuffled_one_is_not():
    """Places in the order of the embeddings' angles get 1; the same places dealt at random about a half."""
    angle = np.linspace(0.1, 1.4, 200)
    matrix = np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
    plane = np.column_stack([angle, np.zeros(200)]).astype(np.float32)
    shuffled = plane[np.random.default_rng(0).permutation(200)]
    assert trustworthiness(matrix, plane, 10)[0] > 0.99
    assert trustworthiness(matrix, shuffled, 10)[0] < 0.6


def test_trust_of_many_points_is_that_of_a_fixed_draw():
    """Above the most that are judged the figure is of a draw, and the same each time."""
    matrix = np.random.default_rng(0).random((90, 3)).astype(np.float32)
    first = trustworthiness(matrix, matrix[:, :2], 5, most=50)
    assert first == trustworthiness(matrix, matrix[:, :2], 5, most=50)
    assert first[1] == 50
