"""``quartzlens runs``, ``predict`` and ``export``, each command in a process of its own."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import quartzlens as library
from analysis.classifier import train, training_run
from analysis.dataset import load_dataset
from analysis.evaluation import evaluate, evaluation_run
from quartzlens.cli import runs
from store.collection import EncoderChoice, open_collection
from tests.cli.in_process import command
from tests.cli.test_remove import at_a_terminal
from tests.conftest import ROOT, quartzlens
from tests.dashboard.conftest import evaluated
from tests.dashboard.made_up import FINGERPRINT, Wanted, embed_again, make_collection
from tests.store.things import axis, heard, ok, row, rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 videos of four categories, 4 of them without a label, with two evaluations and a training."""
    wanted = Wanted(videos=24, channels=8, media=False, extra={"Year": "2020", "note": "=1+1"})
    folder = make_collection(tmp_path_factory.mktemp("runs") / "c", wanted)
    with open_collection(folder) as collection:
        store = collection.store
        extra = [row(n, f"-new{n}", title=f"=New {n}", source_list="more") for n in range(1, 5)]
        store.add_rows("more", extra, [])
        known = store.embeddings(FINGERPRINT).matrix
        for one, vector in zip(extra, [*known[:3], -9 * known[3]], strict=True):
            held = store.fragments(FINGERPRINT, ["v000"])
            result = ok(one.video_id, vector, FINGERPRINT)
            embedded = replace(result.embedded, fragments=held.matrix, bounds=held.bounds)  # type: ignore[type-var]
            store.commit([replace(result, embedded=embedded)])
    evaluated(folder)
    with open_collection(folder) as collection:
        store = collection.store
        dataset = load_dataset(store, FINGERPRINT)
        judged = evaluate(dataset, store.fragments(FINGERPRINT), classifier="logistic", seed=1, folds=2)
        store.add_run(evaluation_run(judged, FINGERPRINT, 1, store.info().labels))
        run = training_run(train(dataset, classifier="logistic"), FINGERPRINT, 0, store.info().labels)
        coverage = [{"share": share, "threshold": share / 2, "n": 9, "accuracy": {"value": 1.8 - share}}
                    for share in (1.0, 0.9, 0.5)]  # fmt: skip
        store.add_run(replace(run, results={**run.results, "coverage": coverage}))
    return folder


def answer(*arguments: str | Path) -> object:
    """What a command prints as JSON."""
    done = quartzlens(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ids_in(folder: Path) -> list[str]:
    """Ids of the runs that are kept."""
    with open_collection(folder) as collection:
        return [run.id for run in collection.store.runs()]


def test_runs_are_listed_by_their_day_with_what_they_found(made: Path) -> None:
    """Oldest first, with kind, local time, classifier, accuracy, videos and encoder; JSON has the moment in UTC."""
    told = answer("runs", "-c", made)
    assert isinstance(told, list)
    assert [one["id"] for one in told] == ids_in(made)
    assert [one["kind"] for one in told] == ["evaluate", "evaluate", "train"]
    assert all(one["classifier"] == "logistic" and 0 <= one["accuracy"] <= 1 for one in told)
    assert all(str(FINGERPRINT.checkpoint_sha256[:8]) in one["encoder"] for one in told)
    assert (told[0]["n"], told[0]["created_at"][-6:]) == (24, "+00:00")
    env = {**os.environ, "TZ": "Asia/Tokyo"}
    shown = quartzlens("runs", "-c", made, env=env).stdout
    hour = (int(told[0]["created_at"][11:13]) + 9) % 24
    assert f" {hour:02}:{told[0]['created_at'][14:16]} " in shown
    assert all(one["id"] in shown for one in told)


def test_a_collection_without_runs_says_what_keeps_some(tmp_path: Path) -> None:
    """There is a sentence in place of an empty table, and an empty list for scripts."""
    open_collection(tmp_path, create=EncoderChoice()).__exit__()
    assert "`quartzlens evaluate`" in quartzlens("runs", "-c", tmp_path).stdout
    assert answer("runs", "-c", tmp_path) == []


def test_two_evaluations_are_compared(made: Path) -> None:
    """Metrics with intervals, who changed and what else differs; the collection may be named before or after."""
    first, second, training = ids_in(made)
    told = answer("runs", "compare", first, second, "-c", made)
    assert isinstance(told, dict)
    assert (told["first"], told["second"], told["n"]) == (first, second, 24)
    assert [one["metric"] for one in told["metrics"]][:2] == ["accuracy", "balanced_accuracy"]
    assert all(one["low"] <= one["difference"] <= one["high"] for one in told["metrics"])
    assert {one["metric"] for one in told["per_category"]} == {"precision", "recall", "f1"}
    gained = sum(one["change"] == "wrong to right" for one in told["changes"])
    accuracy = told["metrics"][0]
    assert accuracy["difference"] * 24 == pytest.approx(2 * gained - len(told["changes"]), abs=1e-9)
    assert told["notes"][-2] == "seed: 0, then 1."
    assert told["notes"][-1].startswith("Their folds differ")
    done = quartzlens("runs", "-c", made, "compare", first, second)
    assert done.returncode == 0, done.stderr
    assert f"{gained} from wrong to right" in done.stdout
    assert "B less A" in done.stdout
    assert "F1 of a category" in done.stdout
    for one in told["per_category"]:
        assert one["category"] in done.stdout
    done = quartzlens("runs", "compare", first, training, "-c", made)
    assert (done.returncode, "is a train run" in done.stderr) == (2, True)
    done = quartzlens("runs", "compare", first, "nowhere", "-c", made)
    assert (done.returncode, f"there are {training}, {second}, {first}" in done.stderr) == (2, True)


def test_many_categories_are_compared_in_json_alone(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of hundreds of them is not read: how many there are is said instead."""
    monkeypatch.setattr(runs, "_MOST_SHOWN", 1)
    shown = command("runs", "compare", *ids_in(made)[:2], "-c", made).out
    assert "categories: --json lists precision, recall and F1 of each." in shown
    assert "F1 of a category" not in shown


def test_runs_are_removed_with_their_files(made: Path, tmp_path: Path) -> None:
    """Asked at a terminal, told to add --yes where there is none; an unknown id removes nothing."""
    folder = tmp_path / "c"
    subprocess.run(["cp", "-r", made, folder], check=True)
    first, second, training = ids_in(folder)
    done = quartzlens("runs", "remove", first, "-c", folder, stdin=subprocess.DEVNULL)
    assert (done.returncode, "add --yes" in done.stderr) == (2, True)
    done = quartzlens("runs", "remove", first, "nowhere", "-c", folder, "--yes")
    assert (done.returncode, "Nothing was removed" in done.stderr) == (2, True)
    code, shown = at_a_terminal(b"n\n", "runs", "remove", first, "-c", folder)
    assert (code, first in shown, len(ids_in(folder))) == (1, True, 3)
    code, shown = at_a_terminal(b"y\n", "runs", "remove", first, "-c", folder)
    assert (code, "Remove 1 run for good?" in shown, ids_in(folder)) == (0, True, [second, training])
    done = quartzlens("runs", "remove", second, second, "-c", folder, "--yes")
    assert done.stdout == f"Removed 1 run from {folder}.\n"
    assert [path.name for path in (folder / "runs").iterdir()] == ids_in(folder) == [training]


def test_unlabelled_videos_are_predicted_with_what_not_to_trust(made: Path, tmp_path: Path) -> None:
    """--all are the four without a label; the one unlike all others is not trusted, JSON and file say the same."""
    run, out = ids_in(made)[-1], tmp_path / "predicted.csv"
    told = answer("predict", "--all", "--run", run, "-c", made, "--accuracy", "0.8", "--out", out)
    assert isinstance(told, dict)
    found = told["predictions"]
    assert [one["id"] for one in found] == [f"-new{n}" for n in range(1, 5)]
    assert all(sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5) for one in found)
    assert all(one["predicted"] == max(one["probabilities"], key=one["probabilities"].get) for one in found)
    assert (found[3]["trusted"], found[3]["outlier"]) == (False, 100.0)
    assert "unlike" in found[3]["why"]
    assert told["untrusted_share"] == sum(not one["trusted"] for one in found) / 4
    assert (told["trust"]["threshold"], told["trust"]["share"], told["failed"]) == (0.5, 1.0, [])
    table = pd.read_csv(out)
    assert table["id"].tolist() == [f"'-new{n}" for n in range(1, 5)]
    assert table["title"][0] == "'=New 1"
    assert table["probability"].tolist() == pytest.approx([one["probability"] for one in found])
    shown = quartzlens("predict", "--all", "--run", run, "-c", made).stdout
    assert "Not to be trusted:" in shown
    assert told["trust"]["sentence"] in shown


def test_a_video_of_the_collection_is_predicted_by_its_id(made: Path) -> None:
    """Nothing is decoded for it, and that the classifier learned from it is said."""
    told = answer("predict", "v001", "--run", ids_in(made)[-1], "-c", made)
    assert isinstance(told, dict)
    (one,) = told["predictions"]
    assert (one["id"], one["trusted"]) == ("v001", False)
    assert "the classifier learned from it" in one["why"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "takes a SOURCE, or --all"),
        (("v001", "--all"), 2, "takes a SOURCE, or --all"),
        (("--all", "--out", "x.xlsx"), 2, ".csv or .parquet"),
        (("--all", "--out", "nowhere/x.csv"), 2, "There is no folder nowhere"),
        (("nowhere.mp4",), 2, "no list, folder or file"),
        (("https://www.youtube.com/playlist?list=PLxxxxxxxxxxxxxxxx",), 2, "ingest it, then predict with --all"),
    ],
)
def test_what_cannot_be_predicted_is_said(made: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    """Wrong usage is told before anything is computed."""
    done = quartzlens("predict", *arguments, "--run", ids_in(made)[-1], "-c", made)
    assert done.returncode == code
    assert said in done.stderr


def test_a_run_that_cannot_predict_is_named(made: Path, tmp_path: Path) -> None:
    """An unknown run, one without a model, and one of another encoder, with both encoders named."""
    done = quartzlens("predict", "--all", "--run", "nowhere", "-c", made)
    assert (done.returncode, "No run is called 'nowhere'" in done.stderr) == (2, True)
    subprocess.run(["cp", "-r", made, tmp_path / "c"], check=True)
    embed_again(tmp_path / "c")
    done = quartzlens("predict", "--all", "--run", ids_in(made)[-1], "-c", tmp_path / "c")
    assert done.returncode == 1
    assert f"({FINGERPRINT.key})" in done.stderr
    assert len(re.findall(r"\([0-9a-f]{16}\)", done.stderr)) == 2


@pytest.mark.parametrize("what", ["videos", "labels", "predictions", "errors", "evidence", "embeddings", "fragments"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_everything_can_be_exported(made: Path, tmp_path: Path, what: str, suffix: str) -> None:
    """As Parquet and as CSV with the rows that the notebook's tables have; nothing is left beside the file."""
    out = tmp_path / f"{what}.{suffix}"
    done = quartzlens("export", "--what", what, out, "-c", made)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(out) if suffix == "csv" else pq.read_table(out).to_pandas()
    opened = library.open(str(made))
    expected = {
        "videos": opened.videos, "labels": opened.labels, "predictions": opened.predictions, "errors": opened.errors,
        "evidence": opened.errors,
        "embeddings": lambda: opened.embeddings()[0], "fragments": lambda: opened.fragments()[0],
    }[what]()  # fmt: skip
    assert len(table) == len(expected) > 0
    assert done.stdout == f"{len(table):,} row{'s' if len(table) > 1 else ''} of {what} in {out}.\n"
    assert list(tmp_path.iterdir()) == [out]
    if what == "videos":
        assert {"description", "Year", "note"} < set(opened.videos().columns) == set(table.columns)
        assert table["note"][0] == ("'=1+1" if suffix == "csv" else "=1+1")
    if what == "embeddings":
        vectors = table.iloc[:, 1:].to_numpy(np.float32) if suffix == "csv" else np.stack(table["embedding"])
        assert (vectors == opened.embeddings()[1]).all()


def test_vectors_as_numpy_arrays(made: Path, tmp_path: Path) -> None:
    """.npz holds ids and vectors, and loads without pickle; a table without vectors is refused in it."""
    for what in ("embeddings", "fragments"):
        assert quartzlens("export", "--what", what, tmp_path / f"{what}.npz", "-c", made).returncode == 0
    opened = library.open(str(made))
    with np.load(tmp_path / "embeddings.npz", allow_pickle=False) as kept:
        assert kept["id"].tolist() == opened.embeddings()[0]
        assert (kept["embedding"] == opened.embeddings()[1]).all()
    table, vectors = opened.fragments(["v002"])
    with np.load(tmp_path / "fragments.npz", allow_pickle=False) as kept:
        own = kept["id"] == "v002"
        assert (kept["embedding"][own] == vectors).all()
        assert kept["start_seconds"][own].tolist() == table["start_seconds"].tolist()
    done = quartzlens("export", tmp_path / "videos.npz", "-c", made)
    assert (done.returncode, ".csv or .parquet" in done.stderr) == (2, True)


def test_a_file_is_written_over_with_yes_alone(made: Path, tmp_path: Path) -> None:
    """What is there stays until somebody says yes; a folder and an unknown table are wrong usage."""
    out = tmp_path / "v.csv"
    out.write_text("mine")
    done = quartzlens("export", out, "-c", made)
    assert (done.returncode, "add --yes" in done.stderr, out.read_text()) == (2, True, "mine")
    assert quartzlens("export", out, "-c", made, "--yes").returncode == 0
    assert out.read_text().startswith("id,title,")
    (tmp_path / "folder.csv").mkdir()
    for arguments, said in (
        ((tmp_path / "folder.csv",), "is a folder"),
        (("--what", "x", tmp_path / "x.csv"), "--what 'x' is not known"),
        (("--run", "x", tmp_path / "x.csv"), "--run chooses an evaluation"),
    ):
        done = quartzlens("export", *arguments, "-c", made)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_words_that_come_late_are_exported_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first block of fragments has no words and a later one has, both are in the file."""
    from analysis import exports
    from quartzlens.cli.writing import write_blocks
    from tests.store.things import FINGERPRINT as SMALL

    monkeypatch.setattr(exports, "BLOCK_VIDEOS", 1)
    with open_collection(tmp_path / "c", create=EncoderChoice()) as collection:
        collection.store.add_rows("list", rows("a", "b"), [])
        collection.store.commit([ok("a", axis(0)), heard("b", "=soup", "")])
        for suffix in ("csv", "parquet"):
            blocks = exports.fragment_blocks(collection.store, SMALL)
            assert write_blocks(tmp_path / f"f.{suffix}", blocks) == 4  # type: ignore[arg-type]
    assert pq.read_table(tmp_path / "f.parquet")["words"].to_pylist() == [None, None, "=soup", ""]
    assert pd.read_csv(tmp_path / "f.csv", keep_default_na=False)["words"].tolist() == ["", "", "'=soup", ""]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """Where the file cannot be written the error says so and what was there is untouched."""
    from quartzlens.cli.writing import write_table
    from quartzlens.errors import QuartzlensError

    out = tmp_path / "t.csv"
    out.write_text("mine")
    (tmp_path / ".t.csv.partial").mkdir()
    with pytest.raises(QuartzlensError, match="cannot be written"):
        write_table(out, pd.DataFrame({"id": ["a"]}))
    assert out.read_text() == "mine"


def test_the_examples_of_the_page_hold(made: Path, tmp_path: Path) -> None:
    """What docs/runs.md shows of a notebook is what a notebook shows."""
    (tmp_path / "demo-collection").symlink_to(made)
    code = f"import doctest; print(doctest.testfile({str(ROOT / 'docs' / 'runs.md')!r}, module_relative=False))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "TestResults(failed=0, attempted=9)\n"


def test_notebooks_have_tables_and_arrays(made: Path) -> None:
    """Runs, predictions of the latest or a named evaluation, errors among them, neighbours, fragments with vectors."""
    opened = library.open(str(made))
    first, second, _ = ids_in(made)
    assert opened.runs()["id"].tolist() == ids_in(made)
    predictions = opened.predictions()
    assert (predictions["fold"].nunique(), opened.predictions(first)["fold"].nunique()) == (2, 2)
    wrong = predictions[predictions["category"] != predictions["predicted"]]
    assert set(opened.errors()["id"]) == set(wrong["id"])
    assert set(opened.neighbours(3, ["v001"])["rank"]) == {1, 2, 3}
    table, vectors = opened.fragments()
    assert len(table) == len(vectors) == 28 * 6
    assert second == opened.runs()["id"][1]
