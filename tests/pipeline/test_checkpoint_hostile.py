"""Checkpoints from an attacker: each is refused with a clear error, in bounded memory and time, and nothing runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.plain_yaml import read_yaml
from pipeline.torch_file import load
from quartzlens.errors import CheckpointError
from tests.conftest import ROOT
from tests.pipeline.hostile import write_all
from tests.pipeline.networks import torch_file

MEGABYTES = 200
SECONDS = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files and the marker of a payload that ran are."""
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, str]:
    """Every hostile file, written."""
    (folder / "files").mkdir()
    return write_all(folder / "files", folder / "ran")


@pytest.fixture(scope="module")
def said(folder: Path, expected: dict[str, str]) -> dict[str, tuple[str, float, int]]:
    """What a process of its own, with little memory, says about each."""
    command = [sys.executable, "-m", "tests.pipeline.hostile_child", str(folder / "files")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    answers: dict[str, tuple[str, float, int]] = json.loads(done.stdout.splitlines()[-1])
    return answers


@pytest.mark.slow
def test_every_hostile_checkpoint_is_refused_by_name(
    said: dict[str, tuple[str, float, int]], expected: dict[str, str]
) -> None:
    """Each refusal names the file and what is wrong with it; none is accepted, and none ends the process."""
    assert said.keys() == expected.keys()
    wrong = {
        name: said[name][0] for name, text in expected.items() if text not in said[name][0] or name not in said[name][0]
    }
    assert wrong == {}


@pytest.mark.slow
def test_no_hostile_checkpoint_takes_much_memory_or_time(said: dict[str, tuple[str, float, int]]) -> None:
    """None takes more than a fraction of what it claims: bombs are judged before they go off."""
    assert {name: answer for name, answer in said.items() if answer[1] > SECONDS or answer[2] > MEGABYTES} == {}


@pytest.mark.slow
def test_no_payload_ran(said: dict[str, tuple[str, float, int]], folder: Path) -> None:
    """The commands in the pickles were not executed, and nothing was written beside the files."""
    assert said
    assert [path.name for path in folder.iterdir()] == ["files"]


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # torch writes each file
@given(st.data())
def test_damaged_torch_files_never_end_in_another_error(data: st.DataObject) -> None:
    """Whatever bytes are changed, the file is either read or refused by our own error."""
    import torch

    old = data.draw(st.booleans())
    content = bytearray(torch_file({"a": torch.arange(5.0), "b": [1, "x"]}, _use_new_zipfile_serialization=not old))
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    try:
        load(bytes(content), "x")
        said = ""
    except CheckpointError as error:
        said = str(error)
    assert not said or said.startswith("x is not a file of plain weights")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!<>|\n \"'#1.e?,%", max_size=60))
def test_any_text_is_plain_data_or_no_yaml(text: str) -> None:
    """Whatever is written there, YAML gives plain data that JSON can hold, or is refused as a value."""
    try:
        value = read_yaml(text.encode())
    except ValueError:
        value = None
    assert isinstance(json.dumps(value), str)


def test_numbers_are_read_as_nemo_reads_them() -> None:
    """1e-5 without a point is a number, as in NeMo's own reader; dates are text; aliases are copies."""
    value = read_yaml(b"a: 1e-5\nb: 2020-01-02\nc: &c [1]\nd: *c")
    assert value == {"a": 1e-5, "b": "2020-01-02", "c": [1], "d": [1]}
    assert value["c"] is not value["d"]
