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
        collection.store.add_rows("l", [*rows, Row("l", 9, "later", "s")], [])
        for row in rows:
            fragments = (8.0 * (row.label == "low") + random.normal(size=(2, 8))).astype(np.float32)
            bounds = np.array([[0.0, 5.0], [5.0, 10.0]], dtype=np.float32)
            silent = row.video_id == "v5"
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
    assert (told["outcomes"], told["pending"], told["silent"]) == ({"ok": 8}, 1, 1)
    assert "1 video of them without any sound: --list silent lists them." in command("status", "-c", made).out
    (listed,) = answer("status", "-c", made, "--list", "silent")
    assert (listed["id"], listed["outcome"]) == ("v5", "ok")
    assert {one["id"] for one in answer("status", "-c", made, "--list", "ok")} == {f"v{n}" for n in range(8)}


def test_the_evidence_of_a_silent_video_is_that_there_is_none(made: Path) -> None:
    """Whatever it was taken for, ``explain`` says first that there is nothing to hear."""
    answer("evaluate", "-c", made, "--classifier", "logistic", "--folds", "2", "--report", "brief")
    assert "Nothing to hear: the sound that was judged is silent" in command("explain", "v5", "-c", made).out
    assert answer("explain", "v4", "-c", made)["verdict"]["kind"] != "nothing to hear"
