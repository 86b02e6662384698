"""What can be told without a sound: facts of files, judged under the same folds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.intervals import Resamples
from analysis.probes import PROBES, TOGETHER, facts_of, probe_report
from quartzlens.records import Media, Video

N, K = 120, 4


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """Four categories, alternating."""
    return np.arange(N) % K


@pytest.fixture(scope="module")
def facts() -> pd.DataFrame:
    """Facts that say nothing: random lengths and loudness, one codec, one rate, no position."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"v{i}" for i in range(N)],
            "source_seconds": rng.normal(300, 60, N),
            "clip_seconds": 60.0,
            "loudness_dbfs": rng.normal(-20, 3, N),
            "sample_rate_hz": 48000.0,
            "codec": "aac",
            "start_seconds": np.nan,
        }
    )


def report_of(facts: pd.DataFrame, y: np.ndarray) -> dict[str, dict]:
    """What each probe found, by its name; five folds, groups of two videos."""
    resamples = Resamples.of(np.array([f"channel {i // 8}, {i % 4}" for i in range(N)], dtype=object), draws=300)
    found = probe_report(facts, y, (np.arange(N) // 8) % 5, K, resamples)
    return {one["fact"]: one for one in found}


def test_what_says_nothing_is_no_better_than_the_majority(facts: pd.DataFrame, labels: np.ndarray) -> None:
    """Random numbers reach no more than chance, and no probe warns."""
    found = report_of(facts, labels)
    assert list(found) == [*PROBES, TOGETHER]
    assert not any(one["warning"] for one in found.values())
    assert found["loudness"]["sentence"].endswith("no more than chance explains.")
    assert found["duration"]["accuracy"]["value"] < 0.4
    assert found[TOGETHER]["sentence"].startswith(
        "Duration, loudness, codec, sample rate and clip position together tell"
    )


def test_a_codec_that_tells_the_category_is_warned_of(facts: pd.DataFrame, labels: np.ndarray) -> None:
    """Where each category has a codec of its own, the codec alone is always right, and so are all facts together."""
    told = facts.assign(codec=np.array(["aac", "opus", "mp3", "vorbis"])[labels])
    found = report_of(told, labels)
    for fact in ("codec", TOGETHER):
        assert found[fact]["accuracy"]["value"] == 1
        assert found[fact]["warning"]
        assert "alone tells the category of 100 %" in found["codec"]["sentence"]
        assert "instead of the sound" in found[fact]["sentence"]
    assert found["codec"]["majority"]["value"] == 0.25
    assert found["codec"]["difference"]["low"] > 0


def test_a_band_of_loudness_is_found(facts: pd.DataFrame, labels: np.ndarray) -> None:
    """A category between two others in loudness is told, which no sum of numbers could."""
    loud = np.array([-40.0, -30.0, -20.0, -10.0])[labels] + facts["loudness_dbfs"] / 100
    assert report_of(facts.assign(loudness_dbfs=loud), labels)["loudness"]["accuracy"]["value"] == 1


def test_a_fact_that_helps_a_little_is_said_calmly(facts: pd.DataFrame) -> None:
    """Better than the majority for sure, but by less than a tenth: said, without a warning."""
    y = np.where(np.arange(N) % 15 == 0, 1, 0)
    told = facts.assign(codec=np.where(y == 1, "opus", "aac"))
    found = report_of(told, y)["codec"]
    assert found["accuracy"]["value"] == 1
    assert not found["warning"]
    assert found["sentence"].endswith("more than chance, but not far above.")


def test_what_is_unknown_or_always_the_same_is_said(facts: pd.DataFrame, labels: np.ndarray) -> None:
    """No position is known and one rate is everywhere: neither can tell anything, and no figure is invented."""
    found = report_of(facts, labels)
    assert found["clip position"]["sentence"] == "Clip position: not known of any video, so nothing can be told by it."
    assert found["sample rate"]["sentence"] == "Sample rate: the same for all videos, so nothing can be told by it."
    for fact, known in (("clip position", 0), ("sample rate", N)):
        assert (found[fact]["accuracy"], found[fact]["difference"], found[fact]["n_known"]) == (None, None, known)


def test_whether_a_fact_is_known_can_tell_too(facts: pd.DataFrame, labels: np.ndarray) -> None:
    """A codec known of one category alone tells it: what is missing is a value of its own."""
    told = facts.assign(codec=np.where(labels == 0, None, "aac"), source_seconds=np.where(labels == 1, np.nan, 60.0))
    found = report_of(told, labels)
    assert found["codec"]["accuracy"]["value"] > 0.4
    assert found["duration"]["accuracy"]["value"] > 0.4
    assert found["duration"]["n_known"] == N


def test_facts_are_those_of_decoding_and_of_the_list() -> None:
    """Lengths, loudness, codec and rate come from decoding; the position from the first column that holds a number."""
    media = Media(300.0, 60.0, -20.0, "aac", 48000)
    videos = [
        Video("a", "", media=media, extra={"start": "12.5", "start_time": "soon"}),
        Video("b", "", media=replace(media, source_seconds=None), extra={"start": "inf"}),
        Video("c", ""),
    ]
    table = facts_of(videos)
    assert table["id"].tolist() == ["a", "b", "c"]
    assert table["codec"].tolist() == ["aac", "aac", None]
    assert table["start_seconds"].tolist()[0] == 12.5
    assert table["start_seconds"].isna().tolist() == [False, True, True]
    assert table["source_seconds"].isna().tolist() == [False, True, True]
    assert table["sample_rate_hz"].tolist()[:2] == [48000.0, 48000.0]
    assert facts_of([Video("c", "")])["start_seconds"].isna().all()
