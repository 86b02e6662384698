"""Maps in files: kept by the state of the collection, whole or not at all, and grown without moving what is there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from analysis.projection import Layout
from analysis.projection_kept import cached_projection
from store.memory import MemoryStore
from tests.analysis.made_up_collections import fingerprint_of, result, row

PRINT = fingerprint_of(16)


class CountingStore(MemoryStore):
    """A store in memory that counts what is searched for."""

    queries = 0

    def search(self, fingerprint, queries, *args, **kwargs):
        """As any store's."""
        self.queries += len(queries)
        return super().search(fingerprint, queries, *args, **kwargs)


def counting(n: int = 12) -> CountingStore:
    """A store of ``n`` videos that counts."""
    store = CountingStore()
    store.add_rows("list.csv", [row(i + 1) for i in range(n)], [])
    store.commit([result(f"v{i + 1}", drawn(i + 1)) for i in range(n)])
    return store


def drawn(seed: int, fragments: int = 2) -> np.ndarray:
    """Fragments of a made-up video."""
    return np.random.default_rng(seed).random((fragments, 16))


def grow(store: MemoryStore, first: int, last: int) -> None:
    """Add the videos ``first`` to ``last``."""
    store.add_rows("more.csv", [row(i, source_list="more.csv") for i in range(first, last + 1)], [])
    store.commit([result(f"v{i}", drawn(i)) for i in range(first, last + 1)])


def places(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Where each video is."""
    return {row.id: (row.x, row.y) for row in table.itertuples()}


def test_a_kept_map_is_not_computed_again(tmp_path: Path):
    """The second call reads the file: the same map with the same figures, and no search."""
    store = counting()
    first = cached_projection(store, PRINT, tmp_path)
    assert store.queries == 12
    again = cached_projection(store, PRINT, tmp_path)
    assert again.table.equals(first.table)
    assert (again.of, again.judged, again.trustworthiness) == (first.of, first.judged, first.trustworthiness)
    assert store.queries == 12
    assert [path.suffix for path in tmp_path.iterdir()] == [".parquet"]


def test_a_map_can_be_asked_for_anew(tmp_path: Path):
    """Anew means computed, whatever is kept."""
    store = counting()
    cached_projection(store, PRINT, tmp_path)
    cached_projection(store, PRINT, tmp_path, anew=True)
    assert store.queries == 24


def test_other_settings_make_another_map(tmp_path: Path):
    """Seed, neighbours, distance and what the points are are each part of the file's name."""
    store = counting()
    for layout in (Layout(), Layout(seed=1), Layout(neighbours=5), Layout(min_dist=0.5)):
        cached_projection(store, PRINT, tmp_path, layout)
    cached_projection(store, PRINT, tmp_path, fragments=True)
    assert store.queries == 4 * 12 + 24
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize("fragments", [False, True])
def test_new_videos_are_placed_and_no_other_moves(tmp_path: Path, fragments: bool):
    """A few new videos are set among their neighbours, a removed one goes, and all others stay where they were."""
    store = counting(20)
    before = cached_projection(store, PRINT, tmp_path, fragments=fragments).table
    grow(store, 21, 22)
    store.remove(["v3"])
    store.queries = 0
    found = cached_projection(store, PRINT, tmp_path, fragments=fragments)
    after = found.table
    assert store.queries == (4 if fragments else 2)
    assert after["id"].nunique() == 21
    assert set(after.loc[after["placed"], "id"]) == {"v21", "v22"}
    stayed = before[before["id"] != "v3"].reset_index(drop=True)
    assert after[~after["placed"]].reset_index(drop=True).equals(stayed)
    assert after[["x", "y"]].to_numpy().min() >= stayed[["x", "y"]].to_numpy().min()
    assert found.of == len(after)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_removed_video_only_goes(tmp_path: Path):
    """Where videos are only removed, nothing is searched for and no other moves."""
    store = counting(20)
    before = places(cached_projection(store, PRINT, tmp_path).table)
    store.remove(["v3"])
    assert places(cached_projection(store, PRINT, tmp_path).table).items() == before.items() - {("v3", before["v3"])}
    assert store.queries == 20


def test_a_copy_lands_on_its_original(tmp_path: Path):
    """A new video with the embedding of another one is placed where that one is."""
    store = counting(20)
    before = places(cached_projection(store, PRINT, tmp_path).table)
    store.add_rows("more.csv", [row(21, source_list="more.csv")], [])
    store.commit([result("v21", drawn(7))])
    after = places(cached_projection(store, PRINT, tmp_path).table)
    assert np.allclose(after["v21"], before["v7"], atol=1e-3)


def test_a_video_that_was_embedded_anew_is_placed_anew(tmp_path: Path):
    """Another embedding is another place; one that was committed again as it was stays."""
    store = counting(20)
    before = places(cached_projection(store, PRINT, tmp_path).table)
    store.commit([result("v1", drawn(99)), result("v2", drawn(2))])
    table = cached_projection(store, PRINT, tmp_path).table
    assert table.loc[table["placed"], "id"].tolist() == ["v1"]
    after = places(table)
    assert {name for name in before if before[name] != after[name]} == {"v1"}


def test_fragments_of_one_video_may_change_in_part(tmp_path: Path):
    """A video of which one fragment is embedded anew keeps the place of the other."""
    store = counting(20)
    before = cached_projection(store, PRINT, tmp_path, fragments=True).table
    changed = drawn(1)
    changed[1] = drawn(99)[0]
    store.commit([result("v1", changed)])
    table = cached_projection(store, PRINT, tmp_path, fragments=True).table
    assert np.flatnonzero(table["placed"]).tolist() == [1]
    assert (table["x"] != before["x"]).sum() == 1


def test_many_new_videos_make_a_new_map(tmp_path: Path):
    """Where more than a quarter would have been placed, in one step or in several, all is laid out again."""
    store = counting(20)
    cached_projection(store, PRINT, tmp_path)
    for first, placed in ((21, 3), (24, 6), (27, 0)):
        grow(store, first, first + 2)
        assert cached_projection(store, PRINT, tmp_path).table["placed"].sum() == placed


def test_a_map_of_too_few_does_not_grow(tmp_path: Path):
    """Three videos in a row are no map to place a fourth in."""
    store = counting(3)
    cached_projection(store, PRINT, tmp_path)
    grow(store, 4, 4)
    assert not cached_projection(store, PRINT, tmp_path).table["placed"].any()


@pytest.mark.parametrize("damage", ["cut", "text", "columns", "facts"])
def test_a_damaged_map_is_computed_anew(tmp_path: Path, damage: str):
    """A file that was cut short or is something else is replaced by a good one."""
    store = counting()
    good = cached_projection(store, PRINT, tmp_path).table
    (path,) = tmp_path.iterdir()
    if damage == "columns":
        kept = pq.read_table(path)
        pq.write_table(kept.select(["id"]), path)
    elif damage == "facts":
        good.to_parquet(path)
    else:
        path.write_bytes(path.read_bytes()[:60] if damage == "cut" else b"not a table")
    assert cached_projection(store, PRINT, tmp_path).table.equals(good)
    assert store.queries == 24
    assert pd.read_parquet(path).equals(good)


def test_a_damaged_map_of_an_earlier_state_is_no_base(tmp_path: Path):
    """What cannot be read is not grown from, whatever its name is, and goes."""
    store = counting(20)
    cached_projection(store, PRINT, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"not a table")
    path.with_name(path.name.rpartition("-r")[0] + "-rx.parquet").write_bytes(b"neither")
    grow(store, 21, 21)
    assert not cached_projection(store, PRINT, tmp_path).table["placed"].any()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_costs_only_the_cache(tmp_path: Path):
    """Where no file can be kept there is a map all the same, and nothing is left lying about."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert len(cached_projection(counting(), PRINT, blocked).table) == 12
    assert list(tmp_path.iterdir()) == [blocked]


def test_an_empty_collection_has_an_empty_map(tmp_path: Path):
    """Nothing ingested yet: a table without rows."""
    assert cached_projection(MemoryStore(), PRINT, tmp_path).table.empty
