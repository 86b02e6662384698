"""The map: seeded, cached by the state of the collection, and there for any size."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.projection import cached_projection, project
from store.memory import MemoryStore
from tests.analysis.made_up_collections import filled_store, fingerprint_of, labelled_store, result, row

PRINT = fingerprint_of(16)


class CountingStore(MemoryStore):
    """A store in memory that counts searches."""

    searches = 0

    def search(self, *args, **kwargs):
        """As any store's."""
        self.searches += 1
        return super().search(*args, **kwargs)


def counting(n: int = 12) -> CountingStore:
    """A store of ``n`` videos that counts."""
    store = CountingStore()
    rows = [row(i + 1) for i in range(n)]
    store.add_rows("list.csv", rows, [])
    store.commit([result(r.video_id, np.random.default_rng(r.number).random((2, 16))) for r in rows])
    return store


def test_the_same_seed_gives_the_same_map_and_near_videos_lie_near():
    """A map repeats to the last digit, and categories that are far apart stay apart in the plane."""
    store = labelled_store(apart=6.0)
    first = project(store, PRINT, seed=1)
    assert first.equals(project(store, PRINT, seed=1))
    assert not first.equals(project(store, PRINT, seed=2))
    assert list(first.columns) == ["id", "x", "y"]
    assert first["id"].tolist() == [video.id for video in store.videos()]
    plane = first[["x", "y"]].to_numpy()
    category = np.array([video.category for video in store.videos()])
    distance = np.linalg.norm(plane[:, None] - plane[None, :], axis=2) + np.diag(np.full(len(plane), np.inf))
    assert (category[distance.argmin(axis=1)] == category).mean() == 1.0


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 16, 17, 33])
def test_any_size_of_collection_has_a_map(n):
    """Below four videos they stand on a line; every size gives finite places, one for each video."""
    rows = [row(i + 1) for i in range(n)]
    store = filled_store(rows, [result(r.video_id, np.random.default_rng(r.number).random((2, 4))) for r in rows])
    table = project(store, fingerprint_of(4))
    assert table["id"].tolist() == [r.video_id for r in rows]
    assert np.isfinite(table[["x", "y"]].to_numpy(dtype=float)).all()
    if n < 4:
        assert table["x"].tolist() == list(range(n))


@pytest.mark.parametrize("n", [6, 40])
def test_equal_embeddings_have_a_map(n):
    """A collection of copies has no distances at all, and still a map."""
    rows = [row(i + 1) for i in range(n)]
    table = project(filled_store(rows, [result(r.video_id, np.ones((2, 4))) for r in rows]), fingerprint_of(4))
    assert np.isfinite(table[["x", "y"]].to_numpy(dtype=float)).all()


def test_a_kept_map_is_not_computed_again(tmp_path: Path):
    """The second call reads the file: the same table, and no search."""
    store = counting()
    first = cached_projection(store, PRINT, tmp_path)
    assert store.searches == 1
    assert cached_projection(store, PRINT, tmp_path).equals(first)
    assert store.searches == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".parquet"]


def test_a_new_embedding_or_other_settings_make_a_new_map(tmp_path: Path):
    """Seed, neighbours and revision are part of the key; files of earlier revisions go."""
    store = counting()
    cached_projection(store, PRINT, tmp_path)
    cached_projection(store, PRINT, tmp_path, seed=1)
    cached_projection(store, PRINT, tmp_path, n_neighbours=5)
    assert store.searches == 3
    assert len(list(tmp_path.iterdir())) == 3
    store.commit([result("v1", np.ones((2, 16)))])
    cached_projection(store, PRINT, tmp_path)
    assert store.searches == 4
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", ["cut", "text", "columns"])
def test_a_damaged_map_is_computed_anew(tmp_path: Path, damage: str):
    """A file that was cut short or is something else is replaced by a good one."""
    store = counting()
    good = cached_projection(store, PRINT, tmp_path)
    (path,) = tmp_path.iterdir()
    if damage == "columns":
        pd.DataFrame({"id": ["v1"]}).to_parquet(path)
    else:
        path.write_bytes(path.read_bytes()[:60] if damage == "cut" else b"not a table")
    assert cached_projection(store, PRINT, tmp_path).equals(good)
    assert store.searches == 2
    assert pd.read_parquet(path).equals(good)


def test_a_folder_that_cannot_be_written_costs_only_the_cache(tmp_path: Path):
    """Where no file can be kept there is a map all the same, and nothing is left lying about."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    table = cached_projection(counting(), PRINT, blocked)
    assert len(table) == 12
    assert list(tmp_path.iterdir()) == [blocked]


def test_an_empty_collection_has_an_empty_map(tmp_path: Path):
    """Nothing ingested yet: a table without rows."""
    assert cached_projection(MemoryStore(), PRINT, tmp_path).empty
