"""The main job on real recordings, by the commands of the README."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.dataset import load_dataset
from analysis.depth_choice import depths_of
from analysis.duplicates import no_copies
from store.collection import current_fingerprint, open_collection
from tests.conftest import quartzlens

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


def evaluated(source: Path, folder: Path, *more: str) -> dict[str, object]:
    """Ingest a list, evaluate it, and return what evaluate prints."""
    done = quartzlens("ingest", source, "-c", folder)
    assert done.returncode == 0, done.stderr
    answer = quartzlens("evaluate", "-c", folder, "--json", *more)
    assert answer.returncode == 0, answer.stderr
    result = json.loads(answer.stdout)
    assert isinstance(result, dict)
    return result


def test_real_videos_of_13_containers_end_in_an_evaluation(data: Path, tmp_path: Path) -> None:
    """All 43 files are in; the category with one channel is named and left out; only the first minute is heard."""
    result = evaluated(data / "videos" / "videos.csv", tmp_path / "c")
    assert result["n"] == 36
    assert result["categories"] == ["animals", "music", "nature", "speech_en"]
    assert [one["category"] for one in result["left_out"]] == ["mixed"]  # type: ignore[attr-defined]
    assert result["accuracy"]["value"] > 0.5  # type: ignore[index]
    with open_collection(tmp_path / "c") as collection:
        fingerprint = current_fingerprint(collection)
        assert fingerprint is not None
        assert collection.store.fragments(fingerprint).bounds.max() <= 60.01
        assert len(collection.store.embeddings(fingerprint).ids) == 43
        playable = [video.media.media_file for video in collection.store.videos() if video.media]
    assert len(playable) == 43
    assert all(name and (tmp_path / "c" / "media" / name).stat().st_size > 1000 for name in playable)


@pytest.fixture(scope="module")
def esc10(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A collection of ESC-10, and what its evaluation by the published folds printed."""
    folder = tmp_path_factory.mktemp("esc10") / "c"
    return folder, evaluated(data / "esc10" / "esc10.csv", folder, "--fold-column", "fold")


def test_the_published_folds_of_esc10_are_kept(esc10: tuple[Path, dict[str, object]]) -> None:
    """400 clips, every one judged by a classifier that saw the other four published folds; well above chance (0.1)."""
    _, result = esc10
    assert (result["n"], result["folds"], len(result["categories"])) == (400, 5, 10)  # type: ignore[arg-type]
    assert result["accuracy"]["value"] > 0.3  # type: ignore[index]


def test_sounds_of_esc10_are_told_best_by_an_early_block(esc10: tuple[Path, dict[str, object]]) -> None:
    """The checkpoint learned speech: of its blocks one before B4 is chosen, for sure better than the last."""
    with open_collection(esc10[0]) as collection:
        fingerprint = current_fingerprint(collection)
        assert fingerprint is not None
        dataset = load_dataset(collection.store, fingerprint, "fold", no_copies())
        assert dataset.folds is not None
        found: dict[str, Any] = depths_of(collection.store, fingerprint, dataset, dataset.folds, nested=True)
    assert [one["block"] for one in found["depths"][::2]] == ["C1", "B1", "B2", "B3", "B4", "B5", "C2", "C3"]
    assert found["depths_missing"] == ""
    assert found["depth_choice"]["block"] in {"B1", "B2", "B3"}
    assert found["depth_choice"]["gain"]["difference"]["low"] > 0
