"""Copies of real recordings are found, listed, and taken for nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.duplicates import duplicate_groups
from benchmarks.copies import CHANGES, copy
from quartzlens import open as open_for_notebooks
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Media, Result, Row
from store.collection import EncoderChoice, current_fingerprint, open_collection
from tests.conftest import quartzlens

CHANGED = {
    "mp3 64k": "nature_03.mkv",
    "from 7.3 s": "speech_01.mp4",
    "+6 dB": "music_02.webm",
    "aac 48k": "animal_02.webm",
}
PRINT = Fingerprint("ab" * 32, "{}", 0.0, 60.0, "mean", "f32", 64, "demo")
HOSTILE = "\x1b[31m[bold]=HYPERLINK()"


def answer(*arguments: str | Path) -> object:
    """What a command prints as JSON."""
    done = quartzlens(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Eight videos, the last with the sound of the first."""
    random = np.random.default_rng(0)
    bounds = np.array([(5.0 * i, 5.0 * i + 5.0) for i in range(8)], dtype=np.float32)
    sounds = [(8 + random.normal(size=(8, 64))).astype(np.float32) for _ in range(7)]
    media = Media(40.0, 40.0, -20.0, "aac", 48000)
    with open_collection(tmp_path / "c", create=EncoderChoice()) as collection:
        rows = [Row("l", n + 1, f"v{n}", "s", title=HOSTILE if n == 7 else f"Title {n}") for n in range(8)]
        collection.store.add_rows("l", rows, [])
        for n, fragments in enumerate([*sounds, sounds[0]]):
            embedded = Embedded(PRINT, fragments.mean(axis=0), fragments, bounds)
            now = "2026-01-01T00:00:00+00:00"
            result = Result(f"v{n}", Outcome.OK, Stage.STORE, now, media=media, embedded=embedded)
            collection.store.commit([result])
    return tmp_path / "c"


def test_status_counts_copies_and_lists_them(made: Path) -> None:
    """The summary has their number, --duplicates their ids and titles as plain text, and both speak JSON."""
    assert (
        "2 videos are copies of others (1 group): --duplicates lists them." in quartzlens("status", "-c", made).stdout
    )
    told = answer("status", "-c", made)
    assert isinstance(told, dict)
    assert told["copies"] == {"videos": 2, "groups": 1}
    listed = answer("status", "-c", made, "--duplicates")
    assert isinstance(listed, list)
    assert [(one["group"], one["id"], one["copy_of"], one["title"]) for one in listed] == [
        (1, "v0", "v7", "Title 0"),
        (1, "v7", "v0", HOSTILE),
    ]
    shown = quartzlens("status", "-c", made, "--duplicates").stdout
    assert "[bold]=HYPERLINK()" in shown
    assert "\x1b[31m" not in shown


def test_a_short_file_under_two_names_is_listed_as_copies(made: Path) -> None:
    """One fragment is known by its embedding, and it is said how many videos could be known by that alone."""
    random = np.random.default_rng(1)
    fragments = (8 + random.normal(size=(1, 64))).astype(np.float32)
    with open_collection(made) as collection:
        collection.store.add_rows("short", [Row("short", n, f"short{n}", "s", channel=f"c{n}") for n in (1, 2)], [])
        for n in (1, 2):
            embedded = Embedded(PRINT, fragments[0], fragments, np.array([[0.0, 5.0]], dtype=np.float32))
            media = Media(5.0, 5.0, -20.0, "aac", 48000)
            now = "2026-01-01T00:00:00+00:00"
            collection.store.commit([Result(f"short{n}", Outcome.OK, Stage.STORE, now, media=media, embedded=embedded)])
    listed = answer("status", "-c", made, "--duplicates")
    assert isinstance(listed, list)
    assert [(one["group"], one["id"]) for one in listed] == [(1, "v0"), (1, "v7"), (2, "short1"), (2, "short2")]
    said = "The collection has 2 videos too short for changed copies to be known."
    assert said in quartzlens("status", "-c", made, "--duplicates").stdout


def test_a_notebook_gets_the_table(made: Path) -> None:
    """``quartzlens.open`` gives the copies as a table."""
    assert open_for_notebooks(made).duplicates()["id"].tolist() == ["v0", "v7"]


def test_without_embeddings_there_are_no_copies(tmp_path: Path) -> None:
    """A collection in which nothing is embedded yet says nothing of copies, and lists none."""
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        collection.store.add_rows("l", [Row("l", 1, "v", "s")], [])
    assert "copies" not in quartzlens("status", "-c", tmp_path).stdout
    assert answer("status", "-c", tmp_path, "--duplicates") == []


@pytest.mark.realdata
@pytest.mark.slow
def test_copies_of_real_recordings_are_found_and_nothing_else(data: Path, tmp_path: Path) -> None:
    """Encoded anew, trimmed and louder copies are found among files of their own class, of which no two match."""
    names = [f"{kind}_0{n}" for kind in ("speech", "music", "nature", "animal") for n in range(1, 6)]
    files = [path for path in sorted((data / "videos").iterdir()) if path.stem in names]
    assert len(files) == len(names)
    lines = [f"{path.name},{path}" for path in files]
    for change, name in CHANGED.items():
        made = copy(data / "videos" / name, 60.0, CHANGES[change], tmp_path / f"copy of {name}")
        lines.append(f"copy of {name},{made}")
    (tmp_path / "list.csv").write_text("\n".join(["title,path", *lines]), encoding="utf-8")
    done = quartzlens("ingest", tmp_path / "list.csv", "-c", tmp_path / "c")
    assert done.returncode == 0, done.stderr
    with open_collection(tmp_path / "c") as collection:
        used = current_fingerprint(collection)
        assert used is not None
        table = duplicate_groups(collection.store, used)
        title_of = {video.id: video.title for video in collection.store.videos()}
    groups = {frozenset(title_of[one] for one in ids) for ids in table.groupby("group")["id"].apply(list)}
    assert groups == {frozenset({name, f"copy of {name}"}) for name in CHANGED.values()}


@pytest.mark.realdata
@pytest.mark.slow
def test_no_two_of_400_real_short_sounds_are_taken_for_one_but_the_same_file_is(data: Path, tmp_path: Path) -> None:
    """Clips of 5 s of ten kinds, of which some are near silence: a file that is there twice is the only group."""
    files = sorted((data / "esc10").rglob("*.ogg"))
    again = tmp_path / "another name.ogg"
    again.write_bytes(files[7].read_bytes())
    lines = [f"{path.name},{path}" for path in [*files, again]]
    (tmp_path / "list.csv").write_text("\n".join(["title,path", *lines]), encoding="utf-8")
    done = quartzlens("ingest", tmp_path / "list.csv", "-c", tmp_path / "c")
    assert done.returncode == 0, done.stderr
    listed = answer("status", "-c", tmp_path / "c", "--duplicates")
    assert isinstance(listed, list)
    assert [one["title"] for one in listed] == [files[7].name, again.name]
