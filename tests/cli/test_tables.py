"""What commands print of videos can be copied from a terminal and searched through in a pipe."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import BadRow, Embedded, Fingerprint, Media, Result, Row, Words
from store.collection import Collection, EncoderChoice, change_encoder, ingest_lock, open_collection
from tests.conftest import ROOT, quartzlens

PRINT = Fingerprint("ab" * 32, "{}", 0.0, 60.0, "mean", "f32", 64, "demo")
NOW = "2026-01-01T00:00:00+00:00"
IDS = [f"a-rather-long-file-name-{n:02}-a5ee88f{n}" for n in range(4)]
TITLE = "A title of so many words that no terminal has room for all of them in one line beside others"
COMMANDS = {
    "list": ("status", "--list", "ok"),
    "duplicates": ("status", "--duplicates"),
    "similar": ("similar", IDS[0]),
    "find": ("find", "sea", "-k", "99"),
    "remove": ("remove", *IDS),
}


def embed(collection: Collection, encoder: Fingerprint) -> None:
    """Embed all videos, each heard to say the same, the last with the sound of the first."""
    random = np.random.default_rng(0)
    bounds = np.array([(5.0 * i, 5.0 * i + 5.0) for i in range(8)], dtype=np.float32)
    sounds = [(8 + random.normal(size=(8, 64))).astype(np.float32) for _ in IDS[1:]]
    for video_id, one in zip(IDS, [*sounds, sounds[0]], strict=True):
        embedded = Embedded(encoder, one.mean(axis=0), one, bounds, words=(Words("the sea", 0.86),) * 8)
        media = Media(40.0, 40.0, -20.0, "aac", 48000)
        collection.store.commit([Result(video_id, Outcome.OK, Stage.STORE, NOW, media=media, embedded=embedded)])


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Videos with long ids and titles, and a row that cannot be used."""
    with open_collection(tmp_path / "c", create=EncoderChoice()) as collection:
        rows = [Row("l", n, one, f"/videos/{one}.mp4", title=TITLE) for n, one in enumerate(IDS, 1)]
        collection.store.add_rows("l", rows, [BadRow("l", 5, "no link")])
        embed(collection, PRINT)
    return tmp_path / "c"


def on_a_terminal(*arguments: str | Path) -> str:
    """What a command shows on a terminal of 80 columns, on which nobody says yes."""
    ours, its = pty.openpty()
    os.write(ours, b"n\n")
    command = [sys.executable, "-m", "quartzlens", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=its, stdout=its, stderr=its):
        os.close(its)
        said = b""
        with suppress(OSError):  # the end of a terminal
            while block := os.read(ours, 65536):
                said += block
    os.close(ours)
    return said.decode()


def in_a_pipe(*arguments: str | Path) -> str:
    """What a command prints where no terminal is, whatever the environment says of one."""
    return quartzlens(*arguments, env={**os.environ, "COLUMNS": "80"}).stdout


@pytest.mark.parametrize(
    ("name", "show"),
    [*((name, on_a_terminal) for name in COMMANDS), *((name, in_a_pipe) for name in COMMANDS if name != "remove")],
)
def test_an_id_is_never_broken(made: Path, name: str, show: Callable[..., str]) -> None:
    """Every id stands whole on one line; in a pipe so do the title and whatever else is of the video."""
    command, *arguments = COMMANDS[name]
    said = show(command, "-c", made, "--", *arguments) if name == "similar" else show(command, *arguments, "-c", made)
    shown = set(IDS) - ({IDS[0]} if name == "similar" else {*IDS[1:3]} if name == "duplicates" else set())
    lines = said.splitlines()
    for one in shown:
        assert any(one in line for line in lines), said
    if show is in_a_pipe:
        assert all(any(one in line and TITLE in line for line in lines) for one in shown)
    else:
        assert max(map(len, lines)) <= 80


def test_status_counts_all_rows_and_says_what_it_means(made: Path) -> None:
    """A row that cannot be used is one of the list's rows, and called so, in words for one."""
    assert f"{made}: 4 videos from 5 rows in lists, 1 of them unusable\n" in in_a_pipe("status", "-c", made)


def test_a_percentage_is_written_as_everywhere(made: Path) -> None:
    """With a blank before its sign, and never more than 99.9 % of pairs."""
    assert "│ 86 %" in in_a_pipe("find", "sea", "-c", made)
    assert f"{IDS[3]} │ {TITLE} │          │ 1.000      │ 99.9 % of pairs" in in_a_pipe("similar", IDS[0], "-c", made)


def test_the_encoder_that_is_used_is_marked(made: Path) -> None:
    """After embedding anew, both encoders are listed, and which of them the collection uses now."""
    block = replace(PRINT, block="B2")
    with open_collection(made) as collection, ingest_lock(made):
        embed(collection, block)
        change_encoder(made, replace(collection.encoder, block="B2"))
    said = in_a_pipe("status", "-c", made)
    assert f"encoder: {PRINT}, 64 dimensions, kept, not in use\n" in said
    assert f"encoder: {block}, 64 dimensions, in use\n" in said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--bad-rows",), "Every row of the lists can be used."),
        (("--duplicates",), "No two embedded videos have the same sound."),
        (("--list", "no_audio"), "No video is no_audio."),
    ],
)
def test_where_nothing_is_to_be_listed_a_sentence_says_so(tmp_path: Path, asked: tuple[str, ...], said: str) -> None:
    """In place of a table without rows; JSON is an empty list."""
    with open_collection(tmp_path / "c", create=EncoderChoice()) as collection:
        collection.store.add_rows("l", [Row("l", 1, "a", "/videos/a.mp4")], [])
    assert quartzlens("status", *asked, "-c", tmp_path / "c").stdout == f"{said}\n"
    assert quartzlens("status", *asked, "-c", tmp_path / "c", "--json").stdout.strip() == "[]"
