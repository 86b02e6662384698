"""``quartzlens remove`` and the survivors in ``quartzlens status``, each command in a process of its own."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from quartzlens.outcomes import Outcome
from store.collection import EncoderChoice, ingest_lock, open_collection
from store.removal import NOTE, is_unfinished
from tests.conftest import quartzlens
from tests.store.things import FINGERPRINT, axis, failed, media, ok, row


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of four videos with media; the id of one begins with a dash, a title would be markup."""
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        ids = ("a", "-b", "c", "d")
        titles = ("First [bold]sound[/bold]", "Second", "Third", "Fourth")
        rows = [row(n, one, "food", title=title) for n, (one, title) in enumerate(zip(ids, titles, strict=True), 1)]
        collection.store.add_rows("list", rows, [])
        collection.media_folder.mkdir()
        for one in ids:
            (collection.media_folder / f"{one}.m4a").write_bytes(b"sound")
            collection.store.commit([ok(one, axis(0), media=media(one))])
    return tmp_path


def ids_in(folder: Path) -> list[str]:
    """Ids that are still there."""
    with open_collection(folder) as collection:
        assert set(collection.store.embeddings(FINGERPRINT).ids) == {video.id for video in collection.store.videos()}
        return [video.id for video in collection.store.videos()]


def at_a_terminal(answer: bytes, *arguments: str | Path) -> tuple[int, str]:
    """Exit code and output of a command whose question is answered at a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "quartzlens", *map(str, arguments)]
    env = {**os.environ, "COLUMNS": "200"}
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env) as process:
        os.close(theirs)
        os.write(ours, answer)
        shown = process.communicate(timeout=120)[0].decode()
    os.close(ours)
    return process.returncode, shown


def test_videos_are_removed_and_how_they_come_back_is_said(folder: Path) -> None:
    """With --yes the videos go with their media, also one whose id begins with a dash; the last line warns."""
    done = quartzlens("remove", "-c", folder, "--yes", "--", "-b", "c")
    assert done.returncode == 0, done.stderr
    assert ids_in(folder) == ["a", "d"]
    assert sorted(path.name for path in (folder / "media").iterdir()) == ["a.m4a", "d.m4a"]
    assert done.stdout.splitlines() == [
        f"Removed 2 videos from {folder}.",
        "Ingesting a list that still holds them brings them back: take them out of the list as well.",
    ]


def test_at_a_terminal_it_shows_what_goes_and_asks(folder: Path) -> None:
    """No leaves everything; yes removes. What goes is shown first, the title as text."""
    code, shown = at_a_terminal(b"n\n", "remove", "a", "-c", folder)
    assert code == 1
    assert "First [bold]sound[/bold]" in shown
    assert "a.m4a, a.jpg" in shown
    assert "Erase 1 video for good? [y/N]" in shown
    assert shown.strip().endswith("Nothing was removed.")
    assert len(ids_in(folder)) == 4
    code, shown = at_a_terminal(b"y\n", "remove", "a", "-c", folder)
    assert code == 0
    assert shown.strip().endswith("brings it back: take it out of the list as well.")
    assert ids_in(folder) == ["-b", "c", "d"]


def test_without_a_terminal_nothing_goes_without_yes(folder: Path) -> None:
    """A script that cannot be asked is refused, told of --yes, and nothing is removed."""
    done = quartzlens("remove", "a", "-c", folder, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "add --yes" in done.stderr
    assert len(ids_in(folder)) == 4


def test_an_id_that_is_not_there_is_named_and_nothing_goes(folder: Path) -> None:
    """One unknown id among known ones, or a mere beginning of one, stops all of it."""
    done = quartzlens("remove", "a", "no[w]here", "-c", folder, "--yes")
    assert done.returncode == 1
    assert "'no[w]here'" in done.stderr
    assert "'a'" not in done.stderr
    assert len(ids_in(folder)) == 4


def test_while_an_ingest_works_nothing_is_removed(folder: Path) -> None:
    """An ingest that holds the collection is named, and the video stays."""
    with ingest_lock(folder):
        done = quartzlens("remove", "a", "-c", folder, "--yes")
    assert done.returncode == 1
    assert f"process {os.getpid()}" in done.stderr
    assert len(ids_in(folder)) == 4


def test_a_removal_that_was_cut_off_is_finished_first(folder: Path) -> None:
    """What a killed removal noted is erased before anything else, and that is said; what keeps bytes is named."""
    (folder / "media" / "left.m4a").write_bytes(b"sound")
    (folder / NOTE).write_text(json.dumps(["left.m4a", "a.m4a"]))
    (folder / "calibration").mkdir()
    (folder / "set-aside").mkdir()
    done = quartzlens("remove", "d", "-c", folder, "--yes")
    assert done.returncode == 0
    assert "cut off before is finished now" in done.stderr
    assert "calibration" in done.stdout
    assert f"{folder / 'set-aside'}. Delete that" in done.stdout
    assert sorted(path.name for path in (folder / "media").iterdir()) == ["-b.m4a", "a.m4a", "c.m4a"]
    with open_collection(folder) as collection:
        assert not is_unfinished(collection)


def test_the_same_command_ends_what_it_was_cut_off_at(folder: Path) -> None:
    """The id is gone from the catalog already: finishing the rest is what was asked for, not an error."""
    assert quartzlens("remove", "a", "-c", folder, "--yes").returncode == 0
    (folder / "media" / "a.m4a").write_bytes(b"left")
    (folder / NOTE).write_text(json.dumps(["a.m4a"]))
    done = quartzlens("remove", "a", "-c", folder, "--yes")
    assert done.returncode == 0, done.stderr
    assert "is finished now" in done.stderr
    assert not (folder / "media" / "a.m4a").exists()
    assert not (folder / NOTE).exists()


@pytest.fixture
def unequal(tmp_path: Path) -> Path:
    """40 videos of 40 channels in two categories: food lost 15 of 19, a category's name wants to be markup."""
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        names = [("food", "[red]travel")[n % 2] for n in range(40)]
        rows = [row(n, f"v{n}", name, channel=f"channel {n}") for n, name in enumerate(names, 1)]
        collection.store.add_rows("list", rows, [])
        lost = [one.video_id for one in rows if one.label == "food"][:15]
        collection.store.commit([failed(one, Outcome.PRIVATE) for one in lost])
        collection.store.commit([ok(one.video_id, axis(0)) for one in rows if one.video_id not in lost][:-2])
    return tmp_path


def test_status_tells_who_survived(unequal: Path) -> None:
    """The sentence, a row a category with counts, interval and outcomes, and ten channels; JSON has the same."""
    done = quartzlens("status", "-c", unequal, env={**os.environ, "COLUMNS": "160"})
    assert done.returncode == 0, done.stderr
    told = json.loads(quartzlens("status", "-c", unequal, "--json").stdout)["survivorship"]
    assert told["sentence"].startswith("food lost 79 % of its videos, [red]travel 0 %: more than chance explains (p < ")
    assert told["sentence"] in done.stdout
    food, travel = told["categories"][1], told["categories"][0]
    assert (food["category"], food["kept"], food["lost"], food["lost_by_outcome"]) == ("food", 4, 15, {"private": 15})
    assert (travel["category"], travel["kept"], travel["lost"], travel["pending"]) == ("[red]travel", 19, 0, 1)
    assert "│ food        │ 4    │ 15   │ 1       │ 21 %       │ 9 % to 43 %   │ private 15" in done.stdout
    assert len(told["channels"]) == 10
    assert done.stdout.count("│ channel ") == 10


def test_status_says_nothing_of_survivors_where_all_survived(folder: Path) -> None:
    """Without a loss there is no sentence and no table; JSON says that nothing was lost."""
    done = quartzlens("status", "-c", folder)
    assert "interval" not in done.stdout
    told = json.loads(quartzlens("status", "-c", folder, "--json").stdout)["survivorship"]
    assert (told["lost"], told["sentence"], told["comparison"]) == (0, "Nothing was lost.", None)
