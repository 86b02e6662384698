"""The demo collection: what its recipe says it is."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.checkpoint import demo_path
from recipes.demo.plan import make_plan
from recipes.demo.scenes import SCENES

DEMO = demo_path().parent


@pytest.fixture(scope="module")
def videos() -> pd.DataFrame:
    """The list that the package carries."""
    return pd.read_csv(DEMO / "videos.csv")


def test_the_list_is_what_the_recipe_plans(videos: pd.DataFrame) -> None:
    """Titles and categories of the packaged list are those of the plan of seed 0, made anew."""
    plan = make_plan(0)
    assert plan == make_plan(0)
    assert list(videos["title"]) == [one.title for one in plan]
    assert list(videos["category"]) == [one.category for one in plan]


def test_it_is_as_large_and_as_mixed_as_promised(videos: pd.DataFrame) -> None:
    """Four categories of 25 or more, several channels each, a sixth mixed, at most 12 MB, all marked as generated."""
    counts = Counter(videos["category"])
    channels = defaultdict(set)
    for row in videos.itertuples():
        channels[row.category].add(row.channel)
    assert set(counts) == {"food", "travel", "history", "art_music"}
    assert min(counts.values()) >= 25
    assert min(map(len, channels.values())) >= 4
    assert 0.14 < (videos["mixed"] == "yes").mean() < 0.2
    assert set(videos["generated"]) == {"yes"}
    assert sum(path.stat().st_size for path in (DEMO / "videos").iterdir()) <= 12_000_000
    assert {Path(name).suffix for name in videos["path"]} == {".mp4", ".webm"}


def test_the_true_seconds_of_mixed_videos_are_kept(videos: pd.DataFrame) -> None:
    """The stretches of a mixed video follow each other without gap, in two or more categories, its label among them."""
    segments = pd.read_csv(DEMO / "segments.csv")
    mixed = videos[videos["mixed"] == "yes"].set_index("path")["category"]
    assert set(segments["path"]) == set(mixed.index)
    for path, parts in segments.groupby("path"):
        assert parts["start_s"].iloc[0] == 0
        assert np.allclose(parts["start_s"].iloc[1:], parts["end_s"].iloc[:-1])
        assert mixed[path] in set(parts["category"])
        assert parts["category"].nunique() >= 2


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_scene_is_sound_that_repeats_by_its_seed(name: str) -> None:
    """Same seed, same sound; another seed, another sound; never silent, never clipped."""
    first, again, other = (SCENES[name](np.random.default_rng(seed), 2.0) for seed in (1, 1, 2))
    assert first.dtype == np.float32
    assert first.shape == (32000,)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 0.01 < np.abs(first).max() <= 1.0
