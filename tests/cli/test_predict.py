"""What ``quartzlens predict`` trusts, by what its classifier learned from."""

from pathlib import Path

import numpy as np
import pytest

from analysis import copies_kept
from analysis.same_embeddings import SAME
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Result
from store.base import Store
from store.collection import open_collection
from store.vectors import normalised
from tests.cli.in_process import answer, command
from tests.cli.to_evaluate import COPY, PRINT, make_to_evaluate

SOUND = "the classifier learned from its sound"
BRIEF = ("--classifier", "logistic", "--report", "brief")


def encoded_otherwise(store: Store, video_id: str, of: str) -> None:
    """Give a video the sound of another as another encoding has it."""
    (video,), sound = store.videos([video_id]), store.fragments(PRINT, [of])
    noise = 0.15 * np.random.default_rng(0).normal(size=sound.matrix.shape)
    fragments = (sound.matrix + noise).astype(np.float32)
    embedded = Embedded(PRINT, fragments.mean(axis=0), fragments, sound.bounds)
    now = "2026-11-24T10:00:00+00:00"
    store.commit([Result(video_id, Outcome.OK, Stage.STORE, now, media=video.media, embedded=embedded)])


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The made-up collection, in which ``copy`` has the sound of ``v1`` but not its embedding."""
    folder = make_to_evaluate(tmp_path / "c")
    with open_collection(folder) as opened:
        encoded_otherwise(opened.store, "copy", COPY)
        one, other = normalised(opened.store.embeddings(PRINT, [COPY, "copy"]).matrix)
        assert one @ other < SAME
    return folder


def test_a_copy_of_what_was_learned_from_is_not_trusted(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its fragments it is known; of very many videos only where copies are kept already, else that is said."""
    (tmp_path / "ids.txt").write_text("\n".join(f"v{n}" for n in range(1, 37)), encoding="utf-8")
    run = answer("evaluate", "-c", made, *BRIEF, "--only", tmp_path / "ids.txt")["run"]
    asked = ("predict", "copy", "--run", run, "-c", made)
    (row,) = answer(*asked)["predictions"]
    assert (SOUND in row["why"], row["trusted"]) == (True, False)
    monkeypatch.setattr(copies_kept, "MOST_LIVE", 10)
    assert SOUND in answer(*asked)["predictions"][0]["why"]
    for kept in (made / "index").glob("copies-*"):
        kept.unlink()
    done = command(*asked)
    assert "Copies among so many videos were not looked for" in done.err
    assert SOUND not in done.out


def test_after_an_evaluation_by_neighbours_a_run_with_a_model_is_named(made: Path) -> None:
    """Neighbours keep no model: the latest evaluation that does is named, without any a training, else what to do."""
    neighbours = answer("evaluate", "-c", made, "--classifier", "knn", "--report", "brief")["run"]
    assert "evaluate with another classifier" in command("predict", "--all", "-c", made).err
    trained = answer("train", "-c", made)["run"]
    done = command("predict", "--all", "-c", made)
    assert (done.code, f"Run {neighbours} (evaluate), the latest, has kept no model" in done.err) == (1, True)
    assert done.err.strip().endswith(f"--run {trained}.")
    judged = answer("evaluate", "-c", made, *BRIEF)["run"]
    answer("evaluate", "-c", made, "--classifier", "knn", "--report", "brief")
    assert command("predict", "--all", "-c", made).err.strip().endswith(f"--run {judged}.")


def test_a_category_that_the_run_left_out_is_named(made: Path) -> None:
    """A classifier gives it one of those that it knows, which is nothing to trust."""
    answer("evaluate", "-c", made, *BRIEF)
    found = answer("predict", "alone", "-c", made)
    assert found["unlearned"] == ["alone"]
    (one,) = found["predictions"]
    assert (one["trusted"], one["why"].split(", ")[0]) == (False, "its label 'alone' was never learned")
    assert (
        "It never learned 'alone': videos of that are given another category."
        in command("predict", "--all", "-c", made).out
    )
