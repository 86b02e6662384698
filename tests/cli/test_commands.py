"""The command line as its users and their scripts see it, each command in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quartzlens.outcomes import Outcome
from quartzlens.records import Row
from store.collection import EncoderChoice, ingest_lock, open_collection
from tests.conftest import ROOT, quartzlens
from tests.pipeline.networks import SMALL, untrained_weights, write_nemo
from tests.pipeline.sounds import write_list, write_tone

COMMANDS = (
    "ingest", "repair", "status", "train", "evaluate", "explain", "similar", "find", "index", "reembed", "remove",
    "dashboard", "demo", "doctor", "encode", "predict", "export", "report", "runs",
)  # fmt: skip
CHECKPOINT_COMMANDS = ("list", "info", "get")
LABELS_COMMANDS = ("suggest", "next", "set", "undo", "history", "export")
RUNS_COMMANDS = ("compare", "remove")
HEAVY = ("numpy", "pandas", "torch", "nemo", "streamlit", "sklearn", "faiss", "av", "yt_dlp", "umap", "openvino")


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of 24 tones, one text file, one missing file and one bad row."""
    return write_list(tmp_path_factory.mktemp("tones"), 24)


@pytest.fixture(scope="session")
def collection(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tones, ingested by the command."""
    folder = tmp_path_factory.mktemp("collection") / "tones"
    done = quartzlens("ingest", tones, "-c", folder, "--json")
    assert done.returncode == 0, done.stderr
    return folder


def answer(*arguments: str | Path) -> object:
    """What a command prints as JSON."""
    done = quartzlens(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "command",
    [(one,) for one in COMMANDS]
    + [("checkpoint", one) for one in CHECKPOINT_COMMANDS]
    + [("labels", one) for one in LABELS_COMMANDS]
    + [("runs", one) for one in RUNS_COMMANDS],
)
def test_every_command_has_help_with_an_example(command: tuple[str, ...]) -> None:
    """``--help`` of each command answers and shows an example."""
    done = quartzlens(*command, "--help")
    assert done.returncode == 0
    assert "Example: " in done.stdout


def test_help_loads_nothing_heavy() -> None:
    """``--help`` stays quick because no numerical, media or web library is imported for it."""
    code = (
        "import sys; sys.argv = ['quartzlens', '--help']\n"
        "from quartzlens.cli import main\n"
        "try: main()\n"
        f"except SystemExit: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "Usage" in done.stdout
    assert done.stderr.strip() == "[]"


def test_packages_import_from_here_whatever_the_working_directory(tmp_path: Path) -> None:
    """The five packages with common names are this project's, also from another folder."""
    names = ["quartzlens", "pipeline", "store", "analysis", "dashboard"]
    code = f"import importlib; print([importlib.import_module(name).__file__ for name in {names!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.count(str(ROOT)) == 5


@pytest.mark.parametrize("command", ["status", "train", "evaluate", "dashboard"])
def test_a_folder_without_a_collection_is_one_clear_sentence(command: str, tmp_path: Path) -> None:
    """Exit code 1, the command that makes a collection, no traceback; --debug shows it."""
    done = quartzlens(command, "-c", tmp_path / "none")
    assert done.returncode == 1
    assert "quartzlens ingest" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in quartzlens("--debug", command, "-c", tmp_path / "none").stderr


@pytest.mark.parametrize("arguments", [("ingest",), ("ingest", "no-such-list.csv"), ("status", "--wrong"), ("encode",)])
def test_wrong_usage_ends_in_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """A missing argument, a missing list and an unknown flag are wrong usage, and make no collection."""
    done = quartzlens(*arguments, "-c", tmp_path / "new")
    assert done.returncode == 2, done.stderr
    assert not (tmp_path / "new").exists()


def test_an_unknown_checkpoint_makes_no_collection(tones: Path, tmp_path: Path) -> None:
    """A checkpoint that is not there is named before anything is written."""
    done = quartzlens("ingest", tones, "-c", tmp_path / "new", "--checkpoint", "nonsense")
    assert done.returncode == 1
    assert "checkpoint list" in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_status_adds_up(collection: Path) -> None:
    """27 rows, one of them bad, 26 videos: 24 ok, one undecodable, one missing, none pending."""
    told = answer("status", "-c", collection)
    assert isinstance(told, dict)
    survived = told.pop("survivorship")
    assert [one["in_use"] for one in told.pop("encoders")] == [True]
    assert told.pop("copies") == {"videos": 0, "groups": 0}
    assert (survived["kept"], survived["lost"], survived["pending"]) == (24, 2, 0)
    assert told == {
        "rows": 27,
        "bad_rows": 1,
        "videos": 26,
        "outcomes": {"ok": 24, "undecodable": 1, "missing_file": 1},
        "pending": 0,
        "silent": 0,
    }
    (bad,) = answer("status", "-c", collection, "--bad-rows")  # type: ignore[misc]
    assert bad["row"] == 27
    (listed,) = answer("status", "-c", collection, "--list", "undecodable")  # type: ignore[misc]
    assert set(listed) == {"id", "title", "category", "source", "outcome", "stage", "detail"}
    assert listed["source"].endswith("text.wav")
    assert (listed["title"], listed["category"], listed["stage"]) == ("Text", "low", "decode")
    assert "26 videos from 27 rows in lists, 1 of them unusable" in quartzlens("status", "-c", collection).stdout


@pytest.mark.slow
def test_a_second_ingest_computes_nothing_again(collection: Path, tones: Path) -> None:
    """Only the missing file is looked for again; the embeddings stay as they are, to the bit."""
    with open_collection(collection) as opened:
        before = opened.store.info().revisions
    done = quartzlens("ingest", tones, "-c", collection)
    assert done.returncode == 0
    assert "1 video to embed" in done.stderr
    with open_collection(collection) as opened:
        assert opened.store.info().revisions == before


@pytest.mark.slow
def test_similar_finds_a_video_by_its_own_file_and_by_id(collection: Path, tones: Path) -> None:
    """The file of a video finds that video first, at similarity 1, a second of it that fragment; by id not itself."""
    by_file = answer("similar", tones.parent / "007.wav", "-c", collection, "-k", "3")
    assert isinstance(by_file, list)
    assert [len(by_file), by_file[0]["title"], by_file[0]["category"]] == [3, "Tone 7", "high"]
    assert by_file[0]["similarity"] == pytest.approx(1.0, abs=1e-5)
    moment = answer("similar", tones.parent / "007.wav", "-c", collection, "-k", "1", "--fragments", "--at", "0.5")
    assert isinstance(moment, list)
    assert (moment[0]["id"], moment[0]["start_seconds"]) == (by_file[0]["id"], 0)
    by_id = answer("similar", by_file[0]["id"], "-c", collection)
    assert isinstance(by_id, list)
    assert len(by_id) == 10
    assert by_file[0]["id"] not in {row["id"] for row in by_id}


@pytest.mark.slow
@pytest.mark.parametrize(("query", "code"), [("-nowhere", 2), ("text.wav", 1)])
def test_similar_says_why_it_cannot(collection: Path, tones: Path, query: str, code: int) -> None:
    """An unknown id is wrong usage; a file without sound ends in its outcome."""
    source = str(tones.parent / query) if code == 1 else query
    done = quartzlens("similar", "-c", collection, "--", source)
    assert done.returncode == code
    assert ("undecodable" if code == 1 else "no id") in done.stderr


@pytest.mark.slow
def test_training_repeats_by_its_seed(collection: Path) -> None:
    """``train --seed 0`` twice gives the same metrics to the last digit, another seed another run."""
    first, second = (answer("train", "-c", collection, "--seed", "0") for _ in range(2))
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first.pop("run") != second.pop("run")
    assert first == second


@pytest.mark.slow
def test_evaluation_has_the_keys_that_scripts_rely_on(collection: Path) -> None:
    """n, categories, accuracy, macro precision and recall with values, and a confusion matrix that sums to n."""
    result = answer("evaluate", "-c", collection, "--folds", "3")
    assert isinstance(result, dict)
    assert result["n"] == 24
    assert result["categories"] == ["high", "low"]
    assert sum(map(sum, result["confusion"])) == 24
    assert all(0 <= result[key]["value"] <= 1 for key in ("accuracy", "precision_macro", "recall_macro"))


@pytest.mark.slow
def test_files_are_predicted_and_nothing_is_added(collection: Path, tones: Path, tmp_path: Path) -> None:
    """A new file, one without sound, a list of both: what has sound is predicted, and the collection is as before."""
    trained = answer("train", "-c", collection)
    assert isinstance(trained, dict)
    with open_collection(collection) as opened:
        before = opened.store.info(), opened.store.videos()
    new, silent = write_tone(tmp_path / "new.wav", 7), tones.parent / "text.wav"
    one = answer("predict", new, "--run", trained["run"], "-c", collection)
    assert isinstance(one, dict)
    (row,) = one["predictions"]
    assert row["predicted"] in {"low", "high"}
    assert row["probability"] == max(row["probabilities"].values())
    again = write_tone(tmp_path / "again.wav", 3)
    (tmp_path / "list.csv").write_text(
        f"path,title\n{silent},Text\n{new},=New\n,nothing\n{tones.parent / '003.wav'},Known\n{again},Again\n"
    )
    told = quartzlens("predict", tmp_path / "list.csv", "--run", trained["run"], "-c", collection, "--json")
    assert told.returncode == 0, told.stderr
    assert "1 row of" in told.stderr
    several = json.loads(told.stdout)
    assert [one["title"] for one in several["predictions"]] == ["=New", "Tone 3", "Again"]
    assert several["predictions"][0]["probabilities"] == pytest.approx(row["probabilities"], abs=1e-6)
    assert several["predictions"][1]["why"].startswith("the classifier learned from it")
    assert several["predictions"][2]["why"].startswith("the classifier learned from its sound")
    assert [one["outcome"] for one in several["failed"]] == ["undecodable"]
    done = quartzlens("predict", silent, "--run", trained["run"], "-c", collection)
    assert (done.returncode, "undecodable" in done.stderr) == (1, True)
    with open_collection(collection) as opened:
        assert (opened.store.info(), opened.store.videos()) == before


@pytest.mark.slow
def test_a_second_ingest_is_told_who_holds_the_collection(collection: Path, tones: Path) -> None:
    """While one process ingests, another is refused with the pid of the first."""
    with ingest_lock(collection):
        done = quartzlens("ingest", tones, "-c", collection)
    assert done.returncode == 1
    assert str(os.getpid()) in done.stderr


@pytest.mark.slow
def test_another_encoder_in_the_same_collection_is_refused(collection: Path, tones: Path) -> None:
    """Embeddings of two encoders never meet: the message names both choices."""
    done = quartzlens("ingest", tones, "-c", collection, "--clip-seconds", "30")
    assert done.returncode == 1
    assert "60" in done.stderr
    assert "30" in done.stderr


@pytest.mark.slow
def test_a_query_by_another_checkpoint_is_refused(tones: Path, tmp_path: Path) -> None:
    """A checkpoint file that was replaced after the ingest would give neighbours by chance: both are named instead."""
    mine = tmp_path / "mine.nemo"
    write_nemo(mine, SMALL)
    short = write_list(tmp_path / "short", 2)
    assert quartzlens("ingest", short, "-c", tmp_path / "c", "--checkpoint", mine).returncode == 0
    write_nemo(mine, SMALL, weights=untrained_weights(SMALL, seed=1))
    done = quartzlens("similar", tones.parent / "001.wav", "-c", tmp_path / "c")
    assert done.returncode == 1
    assert done.stderr.count("mine ") == 2


@pytest.mark.slow
def test_a_folder_of_the_users_own_survives_its_collection(tmp_path: Path) -> None:
    """Whatever a user's folder is called, an ingest into the same place deletes nothing of it."""
    own = write_tone(tmp_path / "incoming" / "precious.wav", 1)
    done = quartzlens("ingest", tmp_path, "-c", tmp_path)
    assert done.returncode == 0, done.stderr
    assert own.exists()
    assert list(tmp_path.glob(".incoming*")) == []


def test_the_demo_does_not_mix_with_other_videos(tmp_path: Path) -> None:
    """Generated videos never join a collection of the user's own."""
    with open_collection(tmp_path / "mine", create=EncoderChoice()) as opened:
        opened.store.add_rows("list", [Row("list", 1, "mine", "/mine.wav")], [])
    done = quartzlens("demo", "-c", tmp_path / "mine")
    assert done.returncode == 2
    assert "demo-collection" in done.stderr


def test_a_setting_of_the_wrong_kind_is_named(tmp_path: Path) -> None:
    """A word where a number belongs is wrong usage, with the variable's name."""
    done = quartzlens("status", "-c", tmp_path, env={**os.environ, "QUARTZLENS_PAUSE_SECONDS": "soon"})
    assert done.returncode == 2
    assert "QUARTZLENS_PAUSE_SECONDS is 'soon'" in done.stderr


@pytest.mark.slow
def test_ctrl_c_finishes_the_video_and_says_how_to_go_on(tmp_path: Path) -> None:
    """SIGINT in the middle: exit code 1, what was done is in, and the next run finishes the rest."""
    tones = write_list(tmp_path / "tones", 150)
    command = [
        sys.executable,
        "-m",
        "quartzlens",
        "ingest",
        str(tones),
        "-c",
        str(tmp_path / "collection"),
        "--progress",
        "json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=120)
    assert first["of"] == 152
    assert process.returncode == 1, errors
    with open_collection(tmp_path / "collection") as opened:
        kept = sum(video.outcome is Outcome.OK for video in opened.store.videos())
    assert 1 <= kept < 150
    assert json.loads(rest.splitlines()[-1])["summary"]["pending"] > 0


@pytest.mark.slow
def test_the_encoder_child_answers_every_request(collection: Path, tones: Path) -> None:
    """Good, bad and broken requests each get one answer, and none ends the child."""
    requests = [
        {"path": str(tones.parent / "003.wav")},
        {"path": str(tones.parent / "text.wav")},
        {"link": "file:///etc/passwd"},
        {},
    ]
    lines = "".join(json.dumps(request) + "\n" for request in requests) + "not json\n"
    done = quartzlens("encode", "--serve", "-c", collection, input=lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[0] == {"ready": True}
    assert [one["outcome"] for one in answers[1:]] == ["ok", "undecodable", "refused_link", "failed", "failed"]
    assert (answers[1]["dimension"], answers[1]["n_fragments"]) == (1024, 1)


def test_checkpoint_list_names_the_demo_and_nvidias() -> None:
    """The demo checkpoint is here; NVIDIA's ten are listed with their pages."""
    listed = answer("checkpoint", "list")
    assert isinstance(listed, list)
    assert [listed[0]["name"], listed[0]["here"], len(listed)] == ["demo", True, 12]
    assert all(one["page"].startswith("https://catalog.ngc.nvidia.com/") for one in listed[1:])


@pytest.mark.slow
def test_checkpoint_info_reads_what_is_there() -> None:
    """Dimension, labels and checksum of the demo checkpoint."""
    facts = answer("checkpoint", "info", "demo")
    assert isinstance(facts, dict)
    assert facts["dimension"] == 1024
    assert len(facts["labels"]) == 28
    assert re.fullmatch("[0-9a-f]{64}", facts["sha256"])


@pytest.mark.slow
def test_doctor_finds_everything_that_the_product_needs(tmp_path: Path) -> None:
    """Encoder, JavaScript runtime, ffmpeg and disk work from the installed packages alone."""
    findings = answer("doctor", "-c", tmp_path)
    assert isinstance(findings, list)
    assert {one["what"]: one["works"] for one in findings[:4]} == {
        "encoder": True,
        "JavaScript runtime": True,
        "ffmpeg for links": True,
        "disk": True,
    }


@pytest.mark.slow
def test_no_connection_leaves_this_machine(tmp_path: Path) -> None:
    """A whole ingest with the real encoder, and an evaluation, connect to nothing but loopback and local sockets."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        f"def hook(event, args):\n"
        f"    if event in ('socket.connect', 'socket.getaddrinfo'):\n"
        f"        with open({str(tmp_path / 'connections')!r}, 'a') as log: log.write(f'{{event}} {{args[1:]!r}}\\n')\n"
        "sys.addaudithook(hook)\n"
    )
    watched = {**os.environ, "PYTHONPATH": str(tmp_path)}
    tones = write_list(tmp_path / "a", 12)
    done = quartzlens("ingest", tones, "-c", tmp_path / "c", "--evaluate", env=watched)
    assert done.returncode == 0, done.stderr
    assert "evaluated out of fold" in done.stderr
    probe = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"
    subprocess.run([sys.executable, "-c", probe], env=watched, check=True)
    seen = (tmp_path / "connections").read_text().splitlines()
    assert any("127.0.0.1" in line for line in seen), "the hook sees connections"
    assert [line for line in seen if "127.0.0.1" not in line and "localhost" not in line and "'/" not in line] == []


def test_an_ingest_of_nothing_usable_says_what_to_do(tmp_path: Path) -> None:
    """Where no video came in, the end names the command that tells why, and says that nothing was evaluated."""
    (tmp_path / "list.csv").write_text("path,category\nnowhere.wav,food\n")
    done = quartzlens("ingest", tmp_path / "list.csv", "-c", tmp_path / "c", "--evaluate")
    assert done.returncode == 0, done.stderr
    assert f"`quartzlens status -c {tmp_path / 'c'}`" in done.stderr
    assert "not evaluated: no video is embedded" in done.stderr


@pytest.mark.slow
def test_the_library_entry_reads_tables(collection: Path) -> None:
    """``quartzlens.open`` gives pandas tables without the command line."""
    import quartzlens as library

    opened = library.open(str(collection))
    ids, matrix = opened.embeddings()
    assert matrix.shape == (24, 1024)
    assert len(opened.similar(ids[0], k=3)) == 3
    assert set(opened.videos()["category"].dropna()) == {"low", "high"}
