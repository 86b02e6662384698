"""Videos without any sound are embedded all the same; the command line says which they are."""

from pathlib import Path

import numpy as np
import pytest

from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Media, Result, Row
from store.collection import EncoderChoice, open_collection
from tests.cli.in_process import answer, command

PRINT = Fingerprint("ab" * 32, "{}", 0.0, 60.0, "mean", "f32", 8, "demo")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Two categories of two channels each, of which one video is silent, and a video to come."""
    random = np.random.default_rng(0)
    with open_collection(tmp_path / "c", create=EncoderChoice()) as collection:
        rows = [Row("l", n + 1, f"v{n}", "s", channel=f"{n // 2}", label="low" if n < 4 else "high") for n in range(8)]
        more = [Row("l", 9, "later", "s"), Row("l", 10, "unknown", "s"), Row("l", 11, "mute", "s")]
        collection.store.add_rows("l", [*rows, *more], [])
        for row in [*rows, *more[1:]]:
            fragments = (8.0 * (row.label == "low") + random.normal(size=(2, 8))).astype(np.float32)
            bounds = np.array([[0.0, 5.0], [5.0, 10.0]], dtype=np.float32)
            silent = row.video_id in {"v5", "mute"}
            media = Media(10.0, 10.0, -200.0 if silent else -20.0, "aac", 48000, silent=silent)
            embedded = Embedded(PRINT, fragments.mean(axis=0), fragments, bounds)
            now = "2026-01-01T00:00:00+00:00"
            collection.store.commit(
                [Result(row.video_id, Outcome.OK, Stage.STORE, now, media=media, embedded=embedded)]
            )
    return tmp_path / "c"


def test_status_counts_and_lists_what_is_silent(made: Path) -> None:
    """The summary has their number beside the outcomes, of which silence is none, and the list has their ids."""
    told = answer("status", "-c", made)
    assert (told["outcomes"], told["pending"], told["silent"]) == ({"ok": 10}, 1, 2)
    assert "\n2 videos are silent (below -80 dBFS): --list silent lists them." in command("status", "-c", made).out
    listed = answer("status", "-c", made, "--list", "silent")
    assert [(one["id"], one["outcome"]) for one in listed] == [("v5", "ok"), ("mute", "ok")]
    assert len(answer("status", "-c", made, "--list", "ok")) == 10


def test_the_evidence_of_a_silent_video_is_that_there_is_none(made: Path) -> None:
    """Whatever it was taken for, ``explain`` says first that there is nothing to hear."""
    answer("evaluate", "-c", made, "--classifier", "logistic", "--folds", "2", "--report", "brief")
    assert "Nothing to hear: the sound that was judged is silent" in command("explain", "v5", "-c", made).out
    assert answer("explain", "v4", "-c", made)["verdict"]["kind"] != "nothing to hear"


def test_nobody_is_asked_for_the_label_of_silence(made: Path) -> None:
    """It is neither suggested nor asked for, and no prediction of it is trusted."""
    answer("evaluate", "-c", made, "--classifier", "logistic", "--folds", "2", "--report", "brief")
    assert [one["id"] for one in answer("labels", "next", "-c", made)] == ["unknown"]
    suggested = [one["id"] for one in answer("labels", "suggest", "-c", made, "--all")]
    assert sorted(suggested) == [f"v{n}" for n in range(8) if n != 5]
    why = {one["id"]: one["why"] for one in answer("predict", "--all", "-c", made)["predictions"]}
    assert "nothing to hear" in why["mute"]
    assert "nothing to hear" not in why["unknown"]
