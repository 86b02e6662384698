"""``quartzlens index``: the search indexes as people see and choose them."""

import json
from pathlib import Path

import pytest

from store.collection import EncoderChoice, open_collection
from tests.conftest import quartzlens
from tests.store.things import FINGERPRINT, axis, ok, rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of five embedded videos."""
    with open_collection(tmp_path / "c", create=EncoderChoice()) as opened:
        opened.store.add_rows("list", rows(*"abcde"), [])
        opened.store.commit([ok(name, axis(number), FINGERPRINT) for number, name in enumerate("abcde")])
    return tmp_path / "c"


def test_the_kind_is_chosen_shown_and_kept(folder: Path) -> None:
    """--index makes that kind, status tells it and how well it answers, and auto goes back."""
    assert "Search index" not in quartzlens("status", "-c", folder).stdout
    done = quartzlens("index", "--index", "f16", "-c", folder)
    assert done.returncode == 0, done.stderr
    assert "f16 (chosen)" in done.stdout
    assert (
        "Search index of videos: f16 (chosen), 5 vectors, 0.0 MB, exact." in quartzlens("status", "-c", folder).stdout
    )
    facts = json.loads(quartzlens("index", "-c", folder, "--json").stdout)
    assert [(one["what"], one["kind"], one["count"], one["recall"], one["chosen"], one["behind"]) for one in facts] == [
        ("videos", "f16", 5, 1.0, True, 0),
        ("fragments", "f16", 10, 1.0, True, 0),
    ]
    assert quartzlens("index", "--index", "hnsw", "-c", folder).returncode == 0
    assert "of the ten nearest" in quartzlens("status", "-c", folder).stdout
    facts = json.loads(quartzlens("index", "--index", "auto", "-c", folder, "--json").stdout)
    assert [(one["kind"], one["chosen"]) for one in facts] == [("f32", False)] * 2


def test_an_unknown_kind_and_an_empty_collection_are_said(folder: Path, tmp_path: Path) -> None:
    """What cannot be made is one sentence that says what there is."""
    done = quartzlens("index", "--index", "fast", "-c", folder)
    assert (done.returncode, done.stderr) == (2, "quartzlens: 'fast' is no kind of index: auto, f32, f16, hnsw.\n")
    open_collection(tmp_path / "empty", create=EncoderChoice()).store.__exit__(None, None, None)
    done = quartzlens("index", "-c", tmp_path / "empty")
    assert done.returncode == 1
    assert "ingest" in done.stderr
