"""``quartzlens ingest --dry-run`` as its users and their scripts see it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from store.collection import EncoderChoice, open_collection
from tests.conftest import quartzlens

HOSTILE = (
    "link,title,category,channel\n"
    'dQw4w9WgXcQ,"[red]a\x1b[31m\u202eb",[bold]food,[/]\n'
    'dQw4w9WgXcQ,"[red]a\x1b[31m\u202eb",travel,Two\n'
    "\x1b]0;title\x07,c,travel,Two\n"
    "JLZlCZ0,d,,Two\n"
    ",e,travel,Two\n"
)


def watched(folder: Path) -> dict[str, str]:
    """An environment in which every connection and lookup of a name is written to ``folder/connections``."""
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        "def hook(event, args):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'):\n"
        f"        with open({str(folder / 'connections')!r}, 'a') as log: log.write(f'{{event}} {{args[1:]!r}}\\n')\n"
        "sys.addaudithook(hook)\n"
    )
    return {**os.environ, "PYTHONPATH": str(folder)}


def hostile_list(folder: Path) -> Path:
    """A list with markup and control characters wherever strangers write."""
    path = folder / "hostile.csv"
    path.write_text(HOSTILE, encoding="utf-8")
    return path


def surveyed(*arguments: str | Path) -> dict[str, Any]:
    """What the command prints as JSON."""
    done = quartzlens("ingest", *arguments, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert isinstance(result, dict)
    return result


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_json_has_the_keys_that_scripts_rely_on(tmp_path: Path) -> None:
    """The counts under the keys of their definitions, and what they count, texts as the list has them."""
    path = hostile_list(tmp_path)
    found = surveyed(path)
    assert list(found) == [
        *(
            "lists",
            "rows",
            "bad_rows",
            "playlists",
            "usable_rows",
            "videos",
            "channels",
            "repeated_ids",
            "repeated_titles",
        ),
        *("ids_under_several_categories", "damaged_ids", "categories", "rows_without_category", "largest_channels"),
        *("rows_without_channel", "repeated_id_examples", "repeated_title_examples", "conflicts", "damage", "unusable"),
        *("ingest", "definitions"),
    ]
    assert [found[key] for key in found["definitions"]] == [5, 1, 0, 4, 3, 2, 1, 1, 1, 2]
    assert found["categories"][0] == {"category": "travel", "rows": 2, "share": 0.5}
    assert found["largest_channels"][0] == {"channel": "Two", "rows": 3}
    rows = [{"list": str(path), "row": number} for number in (1, 2)]
    assert found["repeated_title_examples"] == [{"title": "[red]a\x1b[31m\u202eb", "rows": 2, "first_rows": rows}]
    (conflict,) = found["conflicts"]
    assert conflict["categories"] == {"[bold]food": 1, "travel": 1}
    assert (conflict["id"], conflict["rows"], conflict["first_rows"], conflict["damage"]) == (
        "dQw4w9WgXcQ",
        2,
        rows,
        None,
    )
    assert set(found["damage"]) == {"ids", "rows_by_length", "kinds", "stripped", "expected_incomplete_share"}
    assert found["damage"]["kinds"]["incomplete"]["examples"][0]["id"] == "JLZlCZ0"
    assert found["damage"]["stripped"] == []
    assert found["unusable"] == [{"list": str(path), "row": 5, "problem": "no path and no link: link is empty"}]
    assert (found["ingest"]["links"], found["ingest"]["files"]) == (1, 0)


def test_text_shows_strangers_words_as_they_are(tmp_path: Path) -> None:
    """Markup is printed, control characters are not, and every kind of finding is there."""
    done = quartzlens("ingest", hostile_list(tmp_path), "--dry-run", env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    assert "[bold]food" in done.stdout
    assert "[red]a\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}b" in done.stdout
    assert all(character.isprintable() or character == "\n" for character in done.stdout)
    for words in (
        *("rows beyond the first of each id", "Categories: 2", "Channels: 2", "Ids in several rows: 1"),
        *("Titles in several rows: 1", "Ids under several categories: 1", "Rows with a damaged id: 2"),
        *(
            "JLZlCZ0 (row 4)",
            "the ids themselves do not show",
            "Reasons why rows cannot be used: 1",
            "would try 1 video ",
        ),
    ):
        assert words in done.stdout


def test_no_connection_is_made_and_no_collection(tmp_path: Path) -> None:
    """Neither with -c nor without is anything made or asked for; the hook that says so sees connections."""
    environment = watched(tmp_path) | {"QUARTZLENS_COLLECTION": str(tmp_path / "default")}
    path = hostile_list(tmp_path)
    for more in ((), ("-c", tmp_path / "new"), ("--json",)):
        done = quartzlens("ingest", path, "--dry-run", *more, env=environment)
        assert done.returncode == 0, done.stderr
    assert {one.name for one in tmp_path.iterdir()} - {"__pycache__"} == {"hostile.csv", "sitecustomize.py"}
    probe = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"
    subprocess.run([sys.executable, "-c", probe], env=environment, check=True)
    assert (tmp_path / "connections").exists(), "the hook sees connections"


def test_a_collection_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    """Not a byte of it changes."""
    with open_collection(tmp_path / "mine", create=EncoderChoice()):
        pass
    before = contents(tmp_path / "mine")
    surveyed(hostile_list(tmp_path), "-c", tmp_path / "mine")
    assert contents(tmp_path / "mine") == before


def test_a_folder_and_two_lists_of_one_name_are_surveyed(tmp_path: Path) -> None:
    """Rows of several lists are told apart by as much of their lists' names as that takes."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "list.csv").write_text("path,title\n../media/rain/x.wav,Rain\n", encoding="utf-8")
    (tmp_path / "media" / "rain").mkdir(parents=True)
    (tmp_path / "media" / "rain" / "x.wav").touch()
    lists = [tmp_path / "a" / "list.csv", tmp_path / "b" / "list.csv"]
    done = quartzlens("ingest", *lists, "--dry-run", env={**os.environ, "COLUMNS": "400"})
    assert f"{lists[0]}#1, {lists[1]}#1" in done.stdout
    found = surveyed(*lists, tmp_path / "media")
    assert (found["rows"], found["videos"], found["ingest"]["files"]) == (3, 1, 1)
    assert [one["category"] for one in found["categories"]] == ["rain"]


def test_a_folder_whose_name_is_no_text_is_valid_json(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 become question marks instead of an error or broken output."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/broken\xff"))
    folder.mkdir()
    (folder / "a.wav").touch()
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = quartzlens("ingest", folder, "--dry-run", "--json", env=environment)
    assert json.loads(done.stdout)["lists"] == [f"{tmp_path}/broken?"]


def test_a_list_of_unusable_rows_is_surveyed(tmp_path: Path) -> None:
    """Five row numbers are examples enough in text, and JSON has them all."""
    (tmp_path / "list.csv").write_text("link,category\n" + ",food\n" * 7, encoding="utf-8")
    done = quartzlens("ingest", tmp_path / "list.csv", "--dry-run", env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    assert "1, 2, 3, 4, 5 and 2 more" in done.stdout
    assert "--json lists every row" in done.stdout
    assert [one["row"] for one in surveyed(tmp_path / "list.csv")["unusable"]] == list(range(1, 8))


@pytest.mark.parametrize("arguments", [("nowhere.csv",), ("--label-column", "topic")])
def test_wrong_usage_ends_in_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """A list or a label's column that is not there is one clear sentence."""
    done = quartzlens("ingest", hostile_list(tmp_path), *arguments, "--dry-run")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.realdata
def test_the_youtube_list_as_text_and_as_json(data: Path) -> None:
    """Both tell the same counts, and how its ids were damaged with the chance of it."""
    done = quartzlens("ingest", data / "youtube.csv", "--dry-run", env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    found = surveyed(data / "youtube.csv")
    for key in found["definitions"]:
        assert f"{found[key]:,}" in done.stdout
    assert [found["repeated_ids"], found["repeated_titles"], found["damaged_ids"]] == [167, 200, 1497]
    assert len(found["conflicts"]) == 9
    assert "(50/64)^3431, about 10^-368" in done.stdout
    assert "https://www.youtube.com/watch?v=" in done.stdout
    assert [one["end"] for one in found["damage"]["stripped"]] == ["beginning", "end"]
    assert all(one["id"] in done.stdout for one in found["conflicts"])
