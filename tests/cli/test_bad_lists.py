"""Lists as strangers write them, from the command line: every answer is text that a terminal bears, and strict JSON."""

import json
import sys
import unicodedata
from pathlib import Path

import pytest

from quartzlens.cli import main
from store.collection import open_collection
from tests.dashboard.conftest import evaluated
from tests.dashboard.made_up import Wanted, make_collection
from tests.store.things import row

ODD = (
    " ",
    "id",
    "predicted",
    "title",
    "🎸🎸",
    "العربية",
    "\u202ertl\u202c",
    "x" * 3000,
    "a\nb\x1b[31m\x07",
    "=1+1",
    "[red]nan[/red]",
)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Categories with odd names, one video of two of them, and two evaluations."""
    folder = tmp_path_factory.mktemp("odd") / "c"
    wanted = Wanted(categories=ODD, videos=6 * len(ODD), channels=3 * len(ODD), media=False)
    make_collection(folder, wanted)
    with open_collection(folder) as collection:
        collection.store.add_rows("more", [row(1, "v000", label="title", source_list="more")], [])
    return evaluated(evaluated(folder))


@pytest.fixture
def answer(monkeypatch, capsys):
    """What a command says on standard output, and its exit status with what it says on standard error."""

    def ask(*arguments):
        monkeypatch.setattr(sys, "argv", ["quartzlens", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
        said = capsys.readouterr()
        return said.out, status, said.err

    return ask


def strict(text):
    """JSON without NaN and infinity, which the standard does not have."""

    def refuse(word):
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


def commands(folder):
    """Everything that shows categories."""
    with open_collection(folder) as collection:
        first, second = (run.id for run in collection.store.runs()[:2])
    return (
        ("evaluate", "--classifier", "logistic"),
        ("explain", "v001"),
        ("labels", "suggest", "--all"),
        ("labels", "next"),
        ("labels", "history", "v001"),
        ("runs", "compare", first, second),
        ("runs",),
    )


def test_odd_names_of_categories_are_strict_json(odd, answer):
    """Every command's --json parses without NaN, and names the categories as the list does."""
    for command in commands(odd):
        said, status, error = answer(*command, "-c", odd, "--json")
        assert status == 0, error
        value = strict(said)
        if command[0] == "evaluate":
            assert value["categories"] == sorted(ODD)
            assert {"category": f"{ODD[0]} + title", "n": 1} == {
                name: one[name]
                for one in value["left_out"]
                if "+" in str(one["category"])
                for name in ("category", "n")
            }


def test_odd_names_of_categories_do_not_reach_the_terminal_as_orders(odd, answer):
    """No control or direction character of a name is printed, and no markup of it is obeyed."""
    for command in commands(odd):
        said, status, error = answer(*command, "-c", odd)
        assert status == 0, error
        wild = {letter for letter in said if unicodedata.category(letter) in {"Cc", "Cf"} and letter not in "\n\u200d"}
        assert not wild, command
    assert "[red]nan[/red]" in answer("explain", "v001", "-c", odd)[0]


@pytest.mark.parametrize("what", ["videos", "labels", "predictions", "errors", "evidence"])
def test_odd_names_of_categories_are_exported(odd, answer, tmp_path, what):
    """Each table is written to either format."""
    for ending in ("csv", "parquet"):
        _, status, error = answer("export", "--what", what, tmp_path / f"{what}.{ending}", "-c", odd)
        assert status == 0, error
    assert answer("labels", "export", tmp_path / "list.csv", "-c", odd)[1] == 0


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(labelled=False, videos=8, media=False), "none has them (11 videos; 11 left out: no label)"),
        (Wanted(categories=("food",), videos=8, media=False), "only 'food' has them (11 videos; 3 left out: no label)"),
        (Wanted(videos=8, channels=1, media=False), "only"),
    ],
    ids=["no label", "one category", "one channel"],
)
def test_too_little_to_judge_is_one_sentence_and_exit_1(answer, tmp_path, wanted, said):
    """Evaluate and train say what is there and what to do, without a traceback, and keep no run."""
    folder = make_collection(tmp_path / "c", wanted)
    for command in ("evaluate", "train"):
        out, status, error = answer(command, "-c", folder)
        assert (out, status) == ("", 1)
        assert "Label more videos, or ingest videos of more channels." in error
        assert said in error or said == "only"
        assert "Traceback" not in error
    assert answer("runs", "-c", folder)[0].startswith("No run is kept yet")
