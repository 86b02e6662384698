"""Collections: made once, locked by one ingest, opened again after anything."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quartzlens.errors import CollectionError, LockedError
from store import choice as choices
from store.collection import (
    FILE,
    LOCK,
    EncoderChoice,
    change_encoder,
    create_collection,
    current_fingerprint,
    ingest_lock,
    keep_audio,
    open_collection,
)
from tests.store.test_local import shared_folder, without_the_right_to_write
from tests.store.things import DIMENSION, FINGERPRINT, OTHER, axis, embedded, matrix_of, ok, rows

ROOT = Path(__file__).resolve().parents[2]
__all__ = ["shared_folder"]


def child(code: str, folder: Path) -> subprocess.Popen[str]:
    """A second process of Python that runs ``code`` with the folder as its argument."""
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_missing_collection_says_how_to_make_one(tmp_path: Path) -> None:
    """Opening a folder that is no collection names the command that makes one, and makes nothing."""
    with pytest.raises(CollectionError, match=r"quartzlens ingest SOURCE -c .*nowhere"):
        open_collection(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_a_collection_is_made_once(tmp_path: Path) -> None:
    """The encoder's choice is written once: the same again is fine, another is refused with both named."""
    folder = tmp_path / "new" / "collection"
    choice = EncoderChoice(checkpoint="demo", clip_seconds=30)
    with open_collection(folder, create=choice) as collection:
        assert collection.encoder == choice
        assert (collection.media_folder, collection.index_folder) == (folder / "media", folder / "index")
        assert collection.store.videos() == ()
    create_collection(folder, choice)
    with pytest.raises(CollectionError, match=r"clip_seconds 30\.0.*clip_seconds 60\.0"):
        create_collection(folder, EncoderChoice())
    with open_collection(folder, create=EncoderChoice()) as collection:
        assert collection.encoder == choice


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where a file is in the way of the folder the error names it."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CollectionError, match=r"No collection can be made in .*file"):
        create_collection(tmp_path / "file" / "below", EncoderChoice())


@given(checkpoint=st.text(), start=st.floats(0, 1e9), clip=st.floats(0.1, 1e9), block=st.text())
def test_any_choice_survives_the_file(checkpoint: str, start: float, clip: float, block: str) -> None:
    """Whatever the path of the checkpoint has in it, collection.toml gives the choice back as it was, changed too."""
    choice = EncoderChoice(checkpoint, start, clip, block=block)
    assert choices.parse(choices.write(choice)) == choice
    assert choices.rewritten(choices.write(choice), EncoderChoice()) == choices.write(EncoderChoice())
    assert choices.parse(choices.rewritten(choices.write(EncoderChoice()), choice)) == choice


OLD = """[store]
backend = "local"

[encoder]
checkpoint = "demo"
start_seconds = 0.0
clip_seconds = 60.0
pooling = "mean"
precision = "f32"
"""


def test_older_and_newer_versions_read_each_others_file() -> None:
    """A file without block and calibration is read, and one is written without them where they are empty."""
    assert choices.parse(OLD) == EncoderChoice()
    assert choices.write(EncoderChoice()) == OLD
    chosen = EncoderChoice(block="B2", precision="int8", calibration="c0ffee")
    assert choices.parse(choices.write(chosen)) == chosen
    assert str(chosen).endswith("precision int8, block B2, calibration c0ffee")
    assert "block" not in str(EncoderChoice())


def test_the_encoder_is_changed_and_nothing_else(tmp_path: Path) -> None:
    """After a change new openings have the new choice, an open collection its own; the store's part is untouched."""
    create_collection(tmp_path, EncoderChoice())
    others = '# mine [encoder]\n[store]\nbackend = "local" # here\nfurther = [1, 2]\n'
    (tmp_path / FILE).write_text("[encoder] # the first\n" + OLD.split("[encoder]\n")[1] + "\n" + others)
    chosen = EncoderChoice("/models/a b.nemo", block="B2")
    with open_collection(tmp_path) as before:
        change_encoder(tmp_path, chosen)
        assert before.encoder == EncoderChoice()
    with open_collection(tmp_path) as after:
        assert after.encoder == chosen
    assert (tmp_path / FILE).read_text().endswith("\n" + others)
    change_encoder(tmp_path, EncoderChoice())
    change_encoder(tmp_path, EncoderChoice())
    assert (tmp_path / FILE).read_text() == "[encoder]\n" + OLD.split("[encoder]\n")[1] + "\n" + others
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_collection_keeps_audio_unless_it_is_told_not_to(tmp_path: Path) -> None:
    """The choice stays with the folder, may be changed both ways, and leaves the rest of its file alone."""
    create_collection(tmp_path, EncoderChoice())
    for keep in (False, True, False):
        keep_audio(tmp_path, keep)
        with open_collection(tmp_path) as opened:
            assert (opened.keeps_audio, opened.encoder) == (keep, EncoderChoice())
    assert (tmp_path / FILE).read_text() == f"{OLD.rstrip()}\n\n[media]\nkeep_audio = false\n"
    change_encoder(tmp_path, EncoderChoice(block="B2"))
    with open_collection(tmp_path) as opened:
        assert not opened.keeps_audio


@pytest.mark.parametrize(
    "text",
    [
        "media = {keep_audio = true}\n" + OLD,
        OLD + "[media]\nkeep_audio = 1\n",
        OLD + "[media]\nkeep_audio = true\nfolder = 'x'\n",
    ],
)
def test_a_choice_about_audio_in_another_form_is_left_alone(tmp_path: Path, text: str) -> None:
    """What cannot be read or replaced is named, and the file stays as it is."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CollectionError, match="keep_audio"):
        keep_audio(tmp_path, keep=False)
    assert (tmp_path / FILE).read_text() == text


@pytest.mark.parametrize(
    "text",
    [
        'encoder = {checkpoint="a",start_seconds=0,clip_seconds=9,pooling="mean",precision="x"}\nstore.backend="local"',
        OLD.replace('"local"', '"local"\nnote = """\n[encoder]\n"""'),
        OLD.replace('"local"', '"local"\nnote = """\n[encoder]\n[store]\n"""'),
    ],
    ids=["in one line", "in a text", "whole in a text"],
)
def test_a_file_of_another_form_is_left_alone(tmp_path: Path, text: str) -> None:
    """Where the encoder's table cannot be told from the rest, the file stays and the error says what to write."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CollectionError, match="cannot be changed .*block B2"):
        change_encoder(tmp_path, EncoderChoice(block="B2"))
    assert (tmp_path / FILE).read_text() == text


def test_an_encoder_is_changed_in_a_collection_that_can_be_written(tmp_path: Path, shared_folder: Path) -> None:
    """A folder that is no collection, or one without the right to write, is named and nothing is made."""
    with pytest.raises(CollectionError, match=r"collection\.toml cannot be read"):
        change_encoder(tmp_path, EncoderChoice())
    assert list(tmp_path.iterdir()) == []
    create_collection(shared_folder, EncoderChoice())
    with without_the_right_to_write(shared_folder), pytest.raises(CollectionError, match="cannot be written"):
        change_encoder(shared_folder, EncoderChoice(block="B2"))


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "[store]\nbackend = 'local'",
        "[encoder]\ncheckpoint = 'demo'",
        "store = 1\nencoder = 2",
        choices.write(EncoderChoice()).replace("60.0", '"60"'),
        choices.write(EncoderChoice()).replace("60.0", "true"),
        choices.write(EncoderChoice()).replace('"demo"', "3"),
    ],
)
def test_a_broken_collection_file_is_named(tmp_path: Path, text: str) -> None:
    """A collection.toml that is no TOML, or lacks or mistypes a value, is an error with its path."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CollectionError, match=r"collection\.toml cannot be read"):
        open_collection(tmp_path)


def test_an_unknown_backend_is_named(tmp_path: Path) -> None:
    """A collection kept in a store that this version does not have says which."""
    (tmp_path / FILE).write_text(choices.write(EncoderChoice()).replace("local", "cloud"))
    with pytest.raises(CollectionError, match="'cloud'"):
        open_collection(tmp_path)


def test_whole_numbers_are_seconds_too(tmp_path: Path) -> None:
    """A person who writes 30 instead of 30.0 into collection.toml is understood."""
    (tmp_path / FILE).write_text(choices.write(EncoderChoice()).replace("60.0", "30"))
    with open_collection(tmp_path) as collection:
        assert collection.encoder.clip_seconds == 30.0


def test_a_collection_that_cannot_be_written_opens_for_reading(shared_folder: Path) -> None:
    """In a folder without the right to write, the collection opens, and writes and locks are refused."""
    open_collection(shared_folder, create=EncoderChoice()).__exit__()
    with without_the_right_to_write(shared_folder), open_collection(shared_folder) as collection:
        assert collection.read_only
        with pytest.raises(CollectionError, match="for reading alone"):
            collection.store.add_rows("list", [], [])
        with pytest.raises(CollectionError, match="cannot be locked"), ingest_lock(shared_folder):
            pass


HOLDER = """
import sys
from pathlib import Path
from store.collection import ingest_lock
with ingest_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_names_its_holder_and_goes_with_it(tmp_path: Path) -> None:
    """A second ingest is told the first one's pid and start time, and gets the lock once the first was killed."""
    holder = child(HOLDER, tmp_path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    started = json.loads((tmp_path / LOCK).read_text())["started_at"]
    with pytest.raises(LockedError) as refused, ingest_lock(tmp_path):
        pass
    assert f"process {holder.pid}, started {started}" in str(refused.value)
    holder.kill()
    holder.communicate()
    with ingest_lock(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    with ingest_lock(tmp_path):
        pass


def test_a_lock_without_an_entry_is_still_a_lock(tmp_path: Path) -> None:
    """Where the holder's entry is not to be read, yet or ever, the second is refused all the same."""
    with ingest_lock(tmp_path):
        (tmp_path / LOCK).write_text("[]")
        with pytest.raises(LockedError, match="in use by another process"), ingest_lock(tmp_path):
            pass


WRITER = f"""
import sys
from pathlib import Path
import numpy as np
from store.collection import ingest_lock, open_collection
from tests.store.things import heard_in, ok
folder = Path(sys.argv[1])
with ingest_lock(folder), open_collection(folder) as collection:
    pending = [video.id for video in collection.store.videos() if video.outcome is None]
    generator = np.random.default_rng(0)
    for start in range(0, len(pending), 3):
        batch = pending[start : start + 3]
        vectors = generator.normal(size=(len(batch), {DIMENSION}))
        collection.store.commit(
            [heard_in(ok(one, vector), "cook", "so") for one, vector in zip(batch, vectors, strict=True)]
        )
        print(*batch, flush=True)
"""


@pytest.mark.parametrize("lines", [0, 1, 3, 8, 20])
def test_nothing_committed_is_lost_by_kill(tmp_path: Path, lines: int) -> None:
    """An ingest killed with SIGKILL leaves a collection that opens and has every committed batch, whole."""
    names = [f"v{number}" for number in range(3000)]
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        collection.store.add_rows("list", rows(*names), [])
    writer = child(WRITER, tmp_path)
    assert writer.stdout is not None
    said = [writer.stdout.readline() for _ in range(lines)]
    writer.send_signal(signal.SIGKILL)
    said += writer.communicate()[0].splitlines(keepends=True)
    assert writer.returncode == -signal.SIGKILL
    committed = [name for line in said if line.endswith("\n") for name in line.split()]
    with ingest_lock(tmp_path), open_collection(tmp_path) as collection:
        done = [video.id for video in collection.store.videos() if video.outcome is not None]
        assert done[: len(committed)] == committed
        assert len(done) % 3 == 0
        assert len(done) < len(names)
        assert collection.store.embeddings(FINGERPRINT).ids == tuple(done)
        assert collection.store.fragments(FINGERPRINT).ids == tuple(name for name in done for _ in range(2))
        assert collection.store.fragments(FINGERPRINT, saying="cook").ids == tuple(done)
        assert collection.store.embeddings(FINGERPRINT, block="C1").ids == tuple(done)
        if done:
            found = collection.store.search(FINGERPRINT, matrix_of([axis(0)]), len(names))[0]
            assert {one.video_id for one in found} == set(done)
        collection.store.commit([ok(names[-1], axis(0))])


def test_readers_and_short_writers_work_during_an_ingest(tmp_path: Path) -> None:
    """While one process commits, another reads whole batches only, searches and gives labels."""
    names = [f"v{number}" for number in range(120)]
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        collection.store.add_rows("list", rows(*names), [])
        writer = child(WRITER, tmp_path)
        assert writer.stdout is not None
        seen = []
        for line in writer.stdout:
            collection.store.add_labels([])
            held = collection.store.embeddings(FINGERPRINT).ids
            assert set(line.split()) <= set(held)
            assert len(held) % 3 == 0
            found = collection.store.search(FINGERPRINT, matrix_of([axis(0)]), 120)[0]
            assert len(held) <= len(found)
            seen.append(len(held))
        writer.communicate()
        assert writer.returncode == 0
        assert seen == sorted(seen)
        assert len(collection.store.embeddings(FINGERPRINT).ids) == 120


def test_the_current_fingerprint_is_the_choices(tmp_path: Path) -> None:
    """Of the stored encoders the one with the collection's checkpoint and settings counts, the latest of several."""
    other_front_end = replace(FINGERPRINT, front_end='{"dither": 0}')
    other_length = replace(FINGERPRINT, clip_seconds=30.0)
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        assert current_fingerprint(collection) is None
        collection.store.add_rows("list", rows("a"), [])
        for encoder in (other_length, OTHER):
            collection.store.commit([ok("a", axis(0), encoder)])
        assert current_fingerprint(collection) is None
        collection.store.commit([ok("a", axis(0), FINGERPRINT)])
        assert current_fingerprint(collection) == FINGERPRINT
        collection.store.commit([ok("a", axis(0), other_front_end)])
        assert current_fingerprint(collection) == other_front_end


def test_block_and_calibration_tell_encoders_apart(tmp_path: Path) -> None:
    """After the choice of another block or calibration the embeddings of the old one do not count any more."""
    create_collection(tmp_path, EncoderChoice())
    block = replace(FINGERPRINT, block="B2")
    calibrated = replace(FINGERPRINT, calibration="c0ffee")
    with open_collection(tmp_path) as collection:
        collection.store.add_rows("list", rows("a"), [])
        collection.store.commit([ok("a", axis(0), encoder) for encoder in (FINGERPRINT, block, calibrated)])
    for choice, encoder in (
        (EncoderChoice(), FINGERPRINT),
        (EncoderChoice(block="B2"), block),
        (EncoderChoice(calibration="c0ffee"), calibrated),
        (EncoderChoice(block="B1"), None),
    ):
        change_encoder(tmp_path, choice)
        with open_collection(tmp_path) as collection:
            assert current_fingerprint(collection) == encoder


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("/models/QuartzNet15x5Base-En.nemo", "QuartzNet15x5Base-En"),
        ("/models/nvidia_quartznet_210504.pt", "nvidia_quartznet_210504"),
        ("/models/mine.v1.2.pt", "mine.v1.2"),
    ],
)
def test_a_checkpoint_file_is_known_by_its_name(tmp_path: Path, file: str, name: str) -> None:
    """A collection whose choice is the path of a file finds the encoder that bears the file's name, and no other."""
    named = replace(FINGERPRINT, checkpoint_name=name)
    with open_collection(tmp_path, create=EncoderChoice(file)) as collection:
        collection.store.add_rows("list", rows("a"), [])
        collection.store.commit([ok("a", axis(0), OTHER)])
        assert current_fingerprint(collection) is None
        collection.store.commit([replace(ok("a", axis(0)), embedded=embedded(axis(0), named))])
        assert current_fingerprint(collection) == named
