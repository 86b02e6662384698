"""``quartzlens evaluate``: its options, what it says, and evaluations made again."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from analysis import duplicates, network
from analysis.classifier import load_model
from analysis.evaluation_tables import NAMES
from analysis.runs import read_table
from quartzlens.cli import evaluate_text
from quartzlens.cli.evaluate_text import sentences
from quartzlens.records import Label, LabelSource, Row, Run
from store.collection import open_collection
from tests.cli.in_process import answer, command
from tests.cli.to_evaluate import OLDER, PRINT, make_to_evaluate
from tests.conftest import ROOT, quartzlens
from tests.store.test_local import shared_folder, without_the_right_to_write

__all__ = ["shared_folder"]
module = import_module("quartzlens.cli.evaluate")
BRIEF = ("--classifier", "logistic", "--report", "brief")
MORE = Row("more", 1, "more", "/videos/more.mp4")


@pytest.fixture(scope="module", autouse=True)
def short_trainings() -> Iterator[None]:
    """What these tests state does not hang on how long the network learns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "MAX_EPOCHS", 10)
        patch.setattr(network, "EPOCHS_WITHOUT_VALIDATION", 10)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up collection, without embeddings by mean3008; nobody changes its videos or labels."""
    return make_to_evaluate(tmp_path_factory.mktemp("evaluate") / "c")


@pytest.fixture(scope="module")
def evaluated(made: Path) -> dict[str, Any]:
    """What a brief evaluation of it prints."""
    told: dict[str, Any] = answer("evaluate", "-c", made, *BRIEF)
    return told


def run_of(folder: Path, run_id: str) -> Run:
    """A run that the collection keeps."""
    with open_collection(folder) as collection:
        return collection.store.runs(run_id)[0]


def runs_in(folder: Path) -> int:
    """How many runs it keeps."""
    with open_collection(folder) as collection:
        return len(collection.store.runs())


def test_repeats_are_dealt_anew_and_told(made: Path) -> None:
    """Each repeat has its accuracy, their deviation is said, and every deal of folds is kept."""
    told = answer("evaluate", "-c", made, *BRIEF, "--repeats", "3")
    assert (told["repeats"]["n"], len(told["repeats"]["accuracies"]), told["settings"]["repeats"]) == (3, 3, 3)
    assert told["repeats"]["spread"] == pytest.approx(np.std(told["repeats"]["accuracies"], ddof=1))
    folds = read_table(run_of(made, told["run"]), "folds.parquet")
    assert [name for name in folds if name.startswith("fold_")] == ["fold_1", "fold_2", "fold_3"]
    assert not folds["fold_1"].equals(folds["fold_2"])
    each = ", ".join(f"{accuracy:.3f}" for accuracy in told["repeats"]["accuracies"])
    said = f"accuracy of each of 3 repeats: {each} (standard deviation {told['repeats']['spread']:.3f})"
    assert said in list(sentences(told))


def test_class_weights_are_chosen_inside_the_folds(made: Path, evaluated: dict[str, Any]) -> None:
    """With auto the choice of every fold is counted and said; otherwise there is none to tell."""
    told = answer("evaluate", "-c", made, *BRIEF, "--class-weight", "auto")
    chosen = told["class_weights_chosen"]
    assert sum(chosen.values()) == told["folds"]
    assert (told["settings"]["class_weight"], evaluated["class_weights_chosen"]) == ("auto", {})
    said = "class weights chosen inside the folds: " + ", ".join(f"{name} {n} times" for name, n in chosen.items())
    assert said in list(sentences(told))


def test_groups_are_made_by_what_is_asked_for(made: Path, evaluated: dict[str, Any]) -> None:
    """No two folds share a value of the column, whatever its spelling; spaces alone are no column."""
    told = answer("evaluate", "-c", made, *BRIEF, "--group-by", " Camera ")
    assert (told["groups"]["by"], told["settings"]["group_by"]) == ("camera", "camera")
    folds = read_table(run_of(made, told["run"]), "folds.parquet")
    assert folds.groupby("group")["fold_1"].nunique().max() == 1
    assert {name.split()[0] for name in folds["group"]} == {"camera"}
    assert answer("evaluate", "-c", made, *BRIEF, "--group-by", " ")["groups"] == evaluated["groups"]
    alone = answer("evaluate", "-c", made, *BRIEF, "--group-by", "video")["groups"]
    assert "each video stands for itself" in alone["warning"]


def test_published_folds_are_taken_as_they_are(made: Path) -> None:
    """Folds of a column are as many as it has, with no note that there are fewer; a rerun has them too."""
    told = answer("evaluate", "-c", made, *BRIEF, "--fold-column", "part")
    assert told["folds"] == 4
    assert not any("instead of" in note for note in told["notes"])
    assert told["copies"]["parted"] == 1
    assert answer("evaluate", "-c", made, "--rerun", told["run"])["rerun"]["same"]


@pytest.fixture(scope="module")
def full(made: Path) -> tuple[str, list[str]]:
    """What the full report of two repeats prints, and what progress it tells."""
    with pytest.MonkeyPatch.context() as patch:
        heard = listening(patch)
        shown = command("evaluate", "-c", made, "--classifier", "logistic", "--report", "full", "--repeats", "2").out
    return shown, heard


def listening(patch: pytest.MonkeyPatch) -> list[str]:
    """What progress is told from now on, where it is shown at all."""
    heard: list[str] = []

    @contextmanager
    def line(*, shown: bool = True) -> Iterator[Callable[[str], None]]:
        yield heard.append if shown else lambda _: None

    patch.setattr(module, "quiet_line", line)
    return heard


def test_progress_names_what_goes_on(full: tuple[str, list[str]]) -> None:
    """Copies, reading, each fold of each repeat, every baseline, and each part of the report."""
    folds = [f"{n} of 6 folds are judged" for n in range(1, 7)]
    baselines = ["majority", "knn", "logistic", "text"]
    parts = ["leaks", "random split", "depths", "learning curve"]
    assert full[1] == ["looking for copies", "reading the embeddings", *folds, *baselines, "metrics", "model", *parts]


def test_a_long_search_for_copies_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tenth of it once, in order."""
    monkeypatch.setattr(duplicates, "ANCHORS_AT_ONCE", 2)
    heard = listening(monkeypatch)
    command("evaluate", "-c", make_to_evaluate(tmp_path / "c"), *BRIEF)
    tenths = [f"looking for copies, {n}0 % done" for n in range(1, 10)]
    assert heard[:11] == ["looking for copies", *tenths, "reading the embeddings"]


def test_a_program_hears_no_progress(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json nothing is told besides the document."""
    heard = listening(monkeypatch)
    done = command("evaluate", "-c", made, *BRIEF, "--json")
    assert (done.code, done.err, heard) == (0, "", [])


def test_the_full_report_says_it_all(full: tuple[str, list[str]]) -> None:
    """Random split, chosen depth, learning curve, probes that warn: each in a sentence beneath the tables."""
    shown = full[0]
    for said in (
        "A random split would show", "Of 1 group of copies 0 are parted", "have their nearest neighbour in it",
        "warning: Duration alone tells the category of 100 % of the videos", "by mean and deviation",
        "training videos accuracy went from", "2 videos are copies of one another (1 group)",
    ):  # fmt: skip
        assert said in shown, said
    assert any("with deviation" in line and "work" in line for line in shown.splitlines())
    assert [line.split()[1] for line in shown.splitlines() if line.startswith(("│ C", "│ B"))] == ["C1", "B1", "C2"]


def test_the_text_has_baselines_warnings_and_what_was_left_out(made: Path, evaluated: dict[str, Any]) -> None:
    """Baselines are rows with difference and p, small ones as <0.001; few groups and several categories are said."""
    shown = command("evaluate", "-c", made, *BRIEF).out
    assert shown.startswith(f"accuracy {evaluated['accuracy']['value']:.3f}, 95 % interval ")
    assert "3 folds of 11 groups by channel (evaluate-" in shown
    rows = {line.split("│")[1].strip(): line for line in shown.splitlines() if line.startswith("│")}
    assert set(NAMES.values()) <= rows.keys()
    assert evaluated["baselines"]["majority"]["compared"]["mcnemar_p"] < 0.001
    assert rows["always the largest category"].split("│")[-2].strip() == "<0.001"
    for said in (
        "warning: 11 groups only: below 30, intervals are rough",
        "3 folds instead of 5: 'food' has 3 groups",
        "1 video has several categories in the list and stays out of training until a person decides",
        "'alone' is left out: with a single group",
        "calibration error ",
        "answering only for the surest 80 % (from a probability of ",
        "left out: 1 x no category, no label",
    ):
        assert said in shown, said


def test_what_strangers_called_their_categories_stays_text(made: Path, tmp_path: Path) -> None:
    """A category with a terminal's escape sequence in it is shown without, in sentences as in tables."""
    folder = tmp_path / "c"
    copytree(made, folder)
    hostile = "\x1b[31mred\n"
    with open_collection(folder) as collection:
        labels = [Label(f"v{n}", hostile, LabelSource.PERSON, "", "2026-11-24T10:00:00+00:00") for n in range(1, 13)]
        collection.store.add_labels(labels)
    shown = command("evaluate", "-c", folder, *BRIEF).out
    assert "\x1b" not in shown
    assert "[31mred" in shown


def test_confusions_that_chance_explains_are_no_sentence() -> None:
    """At most three are named, none of which is 1.0 times chance or of which chance would give none."""
    cells = [
        {"category": "a", "predicted": "b", "n": 5, "times_chance": times} for times in (2.0, 1.04, 1.06, 9.0, None)
    ]
    assert list(evaluate_text._confusions({"top_confusions": cells})) == [
        "a taken for b: 5 videos, 2.0 times chance", "a taken for b: 5 videos, 1.1 times chance",
    ]  # fmt: skip
    assert list(evaluate_text._confusions({"top_confusions": cells[-1:]})) == []


def test_facts_that_are_not_known_are_not_said_to_tell_nothing(evaluated: dict[str, Any]) -> None:
    """Whether facts tell little, or nothing is known of them, is not the same sentence."""
    leaks: dict[str, Any] = {"random_split": None, "copies": {"sentence": "c"}, "same_channel": {"sentence": "s"}}
    probe = {"warning": False, "sentence": "p", "accuracy": None}
    said = list(evaluate_text._leaks({**leaks, "probes": [probe]}))
    assert said[2].endswith("are not known, or the same for all videos, so nothing can be told by them.")
    said = list(evaluate_text._leaks({**leaks, "probes": [probe, {**probe, "accuracy": evaluated["accuracy"]}]}))
    assert said[2].endswith("tell hardly more than chance (--json has each).")


def test_the_originals_protocol_stands_beside_the_believable_figure(tmp_path: Path) -> None:
    """On the embeddings by mean3008 that are stored, with no word on standard error; the sentence has both figures."""
    folder = make_to_evaluate(tmp_path / "c", older=True)
    done = command("evaluate", "-c", folder, "--preset", "original", "--folds", "2", "--report", "brief", "--json")
    told = json.loads(done.out)
    assert done.err == ""
    assert run_of(folder, told["run"]).fingerprint_key == OLDER.key
    assert (told["original_protocol"]["pooling"], told["settings"]["preset"]) == ("mean3008", "original")
    assert told["original_protocol"]["parts"] == {"train": 29, "test": 8}
    assert told["original_protocol"]["sentence"] in list(sentences(told))
    assert answer("evaluate", "-c", folder, "--rerun", told["run"])["rerun"]["same"]
    assert answer("evaluate", "-c", folder, *BRIEF)["settings"]["encoder"] == str(PRINT)


def test_without_mean3008_the_collections_pooling_stands_for_it(made: Path) -> None:
    """That, and the command that makes it, are said on standard error; the figures name the pooling."""
    done = command("evaluate", "-c", made, "--preset", "original", "--folds", "2", "--report", "brief", "--json")
    assert "no embedding by mean3008 is stored, so mean stands for it" in done.err
    assert "`quartzlens reembed --pooling mean3008`" in done.err
    told = json.loads(done.out)
    assert told["original_protocol"]["pooling"] == "mean"
    assert "(one random stratified split, pooling mean)" in told["original_protocol"]["sentence"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--classifier", "svm"), "--classifier 'svm' is not known; there are: original, logistic, knn, linear."),
        (("--class-weight", "x"), "--class-weight 'x' is not known; there are: none, balanced, sampling, auto."),
        (("--report", "long"), "--report 'long' is not known; there are: brief, usual, full."),
        (("--preset", "mine"), "--preset 'mine' is not known; there are: original."),
        (("--preset", "original", "--classifier", "knn"), "--preset original is the original network's"),
        (("--after", "last", "--repeats", "2"), "--after takes the folds of a single deal from its run"),
        (("--after", "last", "--fold-column", "part"), "leave --fold-column, --repeats away"),
        (("--repeats", "0"), "Invalid value for '--repeats'"),
        (("--folds", "1"), "Invalid value for '--folds'"),
        (("--rerun", "x", "--classifier", "original", "--seed", "0"), "leave --classifier, --seed away"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_any_work(
    made: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    """Unknown values, and options that exclude each other, end in 2 before the collection is opened."""
    opened: list[object] = []
    monkeypatch.setattr(module, "open_existing", opened.append)
    done = command("evaluate", "-c", made, *arguments)
    assert (done.code, said in done.err) == (2, True), done.err
    assert opened == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--group-by", "studio"), "Group by channel, recording, video or one of the list's columns: camera, part"),
        (("--fold-column", "split"), "No labelled video has a value in column 'split'"),
    ],
)
def test_columns_that_are_not_there_are_named(made: Path, arguments: tuple[str, str], said: str) -> None:
    """They end in 2, and no run is kept."""
    before = runs_in(made)
    done = command("evaluate", "-c", made, *BRIEF, *arguments)
    assert (done.code, said in done.err, runs_in(made)) == (2, True, before), done.err


def test_a_run_made_again_has_the_same_figures(made: Path, evaluated: dict[str, Any]) -> None:
    """Its document has all figures of the first and says that they are the same; no run is added."""
    before = runs_in(made)
    again = answer("evaluate", "-c", made, "--rerun", evaluated["run"])
    assert {name: value for name, value in evaluated.items() if name in again} | {"rerun": again["rerun"]} == again
    said = (
        f"Run {evaluated['run']} made again: every figure that is made again is the same. "
        "Not made again, so not compared: model."
    )
    assert again["rerun"] == {
        "of": evaluated["run"], "same": True, "differing": [], "not_made": ["model"], "sentence": said,
    }  # fmt: skip
    shown = command("evaluate", "-c", made, "--rerun", evaluated["run"]).out
    assert f"({evaluated['run']} made again)" in shown
    assert shown.endswith(f"{said}\n")
    assert runs_in(made) == before


def test_another_process_makes_the_same_figures(made: Path, evaluated: dict[str, Any]) -> None:
    """What a run says does not hang on what was computed before it, in the real command either."""
    done = quartzlens("evaluate", "-c", made, "--rerun", evaluated["run"], "--json")
    assert json.loads(done.stdout)["rerun"]["same"], done.stderr


def test_after_a_relabelling_a_rerun_has_the_figures_of_its_day(made: Path, tmp_path: Path) -> None:
    """Labels of today change the next evaluation, and not the one that is made again."""
    folder = tmp_path / "c"
    copytree(made, folder)
    first = answer("evaluate", "-c", folder, *BRIEF)
    for video_id in ("v1", "v4", "several"):
        assert command("labels", "set", video_id, "travel", "-c", folder).code == 0
    assert answer("evaluate", "-c", folder, "--rerun", first["run"])["rerun"]["same"]
    now = answer("evaluate", "-c", folder, *BRIEF)
    assert (first["n"], now["n"], now["confusion"] != first["confusion"]) == (37, 38, True)


def test_what_is_taken_over_from_the_run_before_changes_no_figure(made: Path, evaluated: dict[str, Any]) -> None:
    """The same command again, which trains nothing for its folds, prints the same document but for the run's id."""
    again = answer("evaluate", "-c", made, *BRIEF)
    assert {**again, "run": evaluated["run"]} == evaluated


def test_the_folds_of_a_run_are_dealt_again_after_a_relabelling(made: Path, tmp_path: Path) -> None:
    """With --after every video stays in its fold; where one is new, that new folds were dealt is said."""
    folder = tmp_path / "c"
    copytree(made, folder)
    first = answer("evaluate", "-c", folder, *BRIEF, "--seed", "3")
    assert command("labels", "set", "v5", "travel", "-c", folder).code == 0
    last = first["run"]
    for after in ("last", first["run"]):
        then = answer("evaluate", "-c", folder, *BRIEF, "--after", after)
        folds = [read_table(run_of(folder, one["run"]), "folds.parquet")["fold_1"] for one in (first, then)]
        assert folds[0].tolist() == folds[1].tolist()
        assert (then["n"], then["settings"]["after"]) == (first["n"], last if after == "last" else after)
        last = then["run"]
    assert command("labels", "set", "several", "food", "-c", folder).code == 0
    (said,) = [note for note in answer("evaluate", "-c", folder, *BRIEF, "--after", "last")["notes"] if "dealt" in note]
    assert said.startswith("The folds of the run before could not be taken over")
    done = command("evaluate", "-c", folder, *BRIEF, "--after", "nowhere")
    assert (done.code, "nowhere" in done.err, first["run"] in done.err) == (2, True, True)


def test_chosen_videos_alone_are_evaluated(made: Path, tmp_path: Path) -> None:
    """--only takes ids, one a line; what holds none, or is no text, is told; the run says how many were chosen."""
    folder, ids = tmp_path / "c", tmp_path / "ids"
    copytree(made, folder)
    ids.write_text("\n".join(f" v{n}" for n in range(0, 40, 2)) + "\r\n\n", encoding="utf-8-sig")
    told = answer("evaluate", "-c", folder, *BRIEF, "--only", ids)
    assert told["settings"]["only"] == 20
    assert "2 chosen ids are no videos of the collection: 'v0', 'v38'." in told["notes"]
    assert 8 < told["n"] <= 20
    judged = read_table(run_of(folder, told["run"]), "predictions.parquet")["id"]
    assert set(judged) <= {f"v{n}" for n in range(0, 40, 2)}
    assert any(one["reason"].startswith("not among") for one in told["left_out"])
    assert answer("evaluate", "-c", folder, "--rerun", told["run"])["rerun"]["same"]
    for content, complaint in ((b" \n", "names no video"), (b"\xff\xff", "is no text in UTF-8")):
        ids.write_bytes(content)
        done = command("evaluate", "-c", folder, *BRIEF, "--only", ids)
        assert (done.code, complaint in done.err) == (2, True)
    done = command("evaluate", "-c", folder, *BRIEF, "--only", tmp_path / "nowhere")
    assert (done.code, "cannot be read" in done.err) == (2, True)


def test_ids_of_an_exported_table_choose_videos(tmp_path: Path) -> None:
    """A column of ``export``'s CSV is read with its head and its apostrophes; unknown ids alone are a wrong usage."""
    folder, exported, ids = make_to_evaluate(tmp_path / "c"), tmp_path / "videos.csv", tmp_path / "ids"
    with open_collection(folder) as collection:
        row = replace(MORE, video_id="-x1", source="/videos/x.mp4")
        collection.store.add_rows("more", [row], [])
    assert command("export", "--what", "videos", exported, "-c", folder).code == 0
    column = [line.split(",")[0] for line in exported.read_text(encoding="utf-8").splitlines()]
    assert (column[0], column[-1]) == ("id", "'-x1")
    ids.write_text("\n".join(column), encoding="utf-8")
    told = answer("evaluate", "-c", folder, *BRIEF, "--only", ids)
    assert told["settings"]["only"] == len(column) - 1
    assert not any("chosen" in note for note in told["notes"])
    ids.write_text("id\nV1\nv1,food", encoding="utf-8")
    done = command("evaluate", "-c", folder, *BRIEF, "--only", ids)
    assert (done.code, "none of the chosen videos: V1, v1,food." in done.err) == (2, True)
    ids.write_text("id\n", encoding="utf-8")
    done = command("evaluate", "-c", folder, *BRIEF, "--only", ids)
    assert (done.code, "names no video" in done.err) == (2, True)


def test_the_documents_example_of_another_classifier_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An estimator that splits what it learns from is judged, sizes that it refuses are said, and its run is kept."""
    folder = make_to_evaluate(tmp_path / "my-videos")
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "evaluation.md").read_text("utf-8"), re.DOTALL)
    exec(example, {})
    assert re.search(
        r"training videos, so th\w+ sizes? \w+ left out \(.*members in each class\)", capsys.readouterr().out
    )
    (run,) = answer("runs", "-c", folder)
    assert run["classifier"] == "CalibratedClassifierCV(ensemble=False, estimator=SVC())"


def test_a_program_follows_an_evaluation_line_by_line(made: Path) -> None:
    """With --progress json each fold, step and epoch is a document of its own, and the last has the run's id."""
    done = command("evaluate", "-c", made, "--report", "brief", "--folds", "2", "--seed", "9", "--progress", "json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line for line in lines if "done" in line] == [{"done": 1, "of": 2}, {"done": 2, "of": 2}]
    assert [line["step"] for line in lines if "step" in line][-2:] == ["metrics", "model"]
    assert len([line for line in lines if "epoch" in line]) == 30
    assert run_of(made, lines[-1]["run"]).seed == 9


def test_runs_that_cannot_be_made_again_end_in_2(made: Path, evaluated: dict[str, Any], tmp_path: Path) -> None:
    """An unknown one, a training, one older than kept folds, and one of which a video was removed, each with why."""
    folder = tmp_path / "c"
    copytree(made, folder)
    run = run_of(folder, evaluated["run"])
    kept = {name: content for name, content in run.files.items() if name != "folds.parquet"}
    with open_collection(folder) as collection:
        collection.store.add_run(replace(run, id="evaluate-older", files=kept))
    training = answer("train", "-c", folder)["run"]
    assert command("remove", "-c", folder, "--yes", "v7").code == 0
    for run_id, said in (
        ("nowhere", "No run is called 'nowhere'"),
        (training, f"Run {training} is a train run: evaluations alone are made again"),
        ("evaluate-older", "is older than kept folds, so it cannot be made again: evaluate anew"),
        (run.id, f"Run {run.id} judged 1 video that is gone"),
    ):
        done = command("evaluate", "-c", folder, "--rerun", run_id)
        assert (done.code, said in done.err) == (2, True), done.err


def test_damaged_folds_end_in_1_with_what_to_do(made: Path, evaluated: dict[str, Any], tmp_path: Path) -> None:
    """The file and the run are named."""
    folder = tmp_path / "c"
    copytree(made, folder)
    (file,) = (folder / "runs" / evaluated["run"]).glob("folds*")
    file.write_bytes(b"PAR1nonsensePAR1")
    done = command("evaluate", "-c", folder, "--rerun", evaluated["run"])
    assert done.code == 1
    assert "folds.parquet" in done.err
    assert evaluated["run"] in done.err


def test_a_read_only_collection_keeps_no_run_and_can_make_one_again(
    made: Path, evaluated: dict[str, Any], shared_folder: Path
) -> None:
    """It is refused before any work, with what to do; a rerun writes nothing, so it works."""
    folder = shared_folder / "c"
    copytree(made, folder)
    with without_the_right_to_write(folder):
        done = command("evaluate", "-c", folder, *BRIEF)
        assert (done.code, "is read-only, so no run can be kept: copy it" in done.err) == (1, True), done.err
        assert answer("evaluate", "-c", folder, "--rerun", evaluated["run"])["rerun"]["same"]


def test_an_evaluation_keeps_a_model_of_all_videos_that_predict_takes(made: Path, evaluated: dict[str, Any]) -> None:
    """``predict --all`` takes its categories, and trusts from the probability that its coverage table tells."""
    run = run_of(made, evaluated["run"])
    assert load_model(run).categories == ("food", "history", "travel")
    predicted = answer("predict", "--all", "--run", run.id, "-c", made, "--accuracy", "0.95")
    enough = [row for row in evaluated["coverage"] if row["accuracy"]["value"] >= 0.95]
    assert predicted["trust"]["threshold"] == max(enough, key=lambda row: row["share"])["threshold"] > 0
    assert "on the run was right" in predicted["trust"]["sentence"]
    (one,) = predicted["predictions"]
    assert one["id"] == "v37"
    assert ("not sure enough" in one["why"]) == (one["probability"] < predicted["trust"]["threshold"])
    learned = answer("predict", "v1", "--run", run.id, "-c", made)["predictions"][0]["why"]
    assert "the classifier learned from it" in learned
    neighbours = answer("evaluate", "-c", made, "--classifier", "knn", "--report", "brief")["run"]
    done = command("predict", "--all", "--run", neighbours, "-c", made)
    assert (done.code, f"Run {neighbours} (evaluate) has kept no model" in done.err) == (1, True)
    done = command("predict", "--all", "-c", made)  # where none is named, the latest evaluation is asked
    assert (done.code, f"Run {neighbours} (evaluate), the latest, has kept no model" in done.err) == (1, True)
    latest = answer("evaluate", "-c", made, *BRIEF)["run"]
    assert answer("predict", "v1", "-c", made)["run"] == latest
    assert f"By the classifier of {latest}." in command("predict", "v1", "-c", made).out


def test_a_collection_too_small_for_the_preset_is_evaluated_all_the_same(tmp_path: Path) -> None:
    """Where one split of the preset cannot be made, that is said beside the believable figure, which is kept."""
    folder = make_to_evaluate(tmp_path / "c")
    with open_collection(folder) as collection:
        collection.store.remove(["copy", "v10", "v22", "v34", *(f"v{n}" for n in range(1, 37) if n % 3 != 1)])
    done = command("evaluate", "-c", folder, "--preset", "original", "--report", "brief")
    assert done.code == 0
    assert "Leave --preset away, or add videos." in done.out
    assert runs_in(folder) == 1
