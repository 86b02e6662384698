"""The main job on real recordings, by the commands of the README."""

import json
from pathlib import Path

import pytest

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


def test_the_published_folds_of_esc10_are_kept(data: Path, tmp_path: Path) -> None:
    """400 clips, every one judged by a classifier that saw the other four published folds; well above chance (0.1)."""
    result = evaluated(data / "esc10" / "esc10.csv", tmp_path / "c", "--fold-column", "fold")
    assert (result["n"], result["folds"], len(result["categories"])) == (400, 5, 10)  # type: ignore[arg-type]
    assert result["accuracy"]["value"] > 0.3  # type: ignore[index]
