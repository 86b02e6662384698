"""Choosing the encoder of a collection, changing it, and finding what it heard, by the commands themselves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from quartzlens.outcomes import Outcome
from store.collection import Collection, current_fingerprint, open_collection
from tests.conftest import quartzlens
from tests.pipeline.networks import QUARTZNET15X5, SMALL, untrained_weights, write_nemo
from tests.pipeline.sounds import write_list, write_tone

VIDEOS = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection of eight tones, whose source files are gone again."""
    folder = tmp_path_factory.mktemp("made")
    done = quartzlens("ingest", write_list(folder / "tones", VIDEOS), "-c", folder / "collection")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(folder / "tones")
    return folder / "collection"


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A copy of that collection for one test."""
    return Path(shutil.copytree(made, tmp_path / "collection"))


def embedded(collection: Collection) -> int:
    """Videos embedded by the collection's encoder."""
    fingerprint = current_fingerprint(collection)
    return len(collection.store.embeddings(fingerprint).ids) if fingerprint else 0


def two_tones(folder: Path) -> Path:
    """A folder of two tones and nothing else."""
    return write_tone(write_tone(folder / "tones" / "1.wav", 1).with_name("2.wav"), 2).parent


def test_another_block_is_embedded_from_kept_media_beside_the_old(own: Path) -> None:
    """With the sources gone, B2 becomes the collection's embedding; the old one stays bit for bit, outcomes as well."""
    with open_collection(own) as before:
        old = current_fingerprint(before)
        assert old is not None
        kept, outcomes = before.store.embeddings(old).matrix, [video.outcome for video in before.store.videos()]
        media = [video.media for video in before.store.videos()]
    done = quartzlens("reembed", "--block", "B2", "-c", own, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["embedded"], answer["missing"], answer["failed"], answer["stopped"]) == (VIDEOS, [], [], False)
    with open_collection(own) as after:
        new = current_fingerprint(after)
        assert new is not None
        assert (new.block, new.dimension, embedded(after)) == ("B2", 192, VIDEOS)
        assert len(after.store.fragments(new).ids) == VIDEOS
        assert np.array_equal(after.store.embeddings(old).matrix, kept)
        assert [video.outcome for video in after.store.videos()] == outcomes
        assert [video.media for video in after.store.videos()] == media


@pytest.mark.parametrize("last", ["C3", ""])
def test_going_back_computes_nothing(own: Path, last: str) -> None:
    """The last block, by its name or by none, is the collection's first embedding again, at once."""
    assert quartzlens("reembed", "--block", "B2", "-c", own).returncode == 0
    done = quartzlens("reembed", "--block", last, "-c", own)
    assert "All kept media is embedded so already." in done.stderr
    with open_collection(own) as back:
        assert (back.encoder.block, embedded(back)) == ("", VIDEOS)


def test_media_that_was_encoded_anew_is_measured_against_its_source(own: Path) -> None:
    """Tones come as WAV and are kept as Opus: the difference that this makes is told with its figures."""
    answer = json.loads(quartzlens("reembed", "--block", "B1", "-c", own, "--json").stdout)
    assert answer["reencoded"] == answer["differences"]["measured"] == VIDEOS
    assert 0.5 < answer["differences"]["least"] <= answer["differences"]["median"] <= 1.0


def test_a_video_without_kept_media_is_named_and_keeps_its_place(own: Path) -> None:
    """Where media is missing, the others are embedded, and the next ingest is told to see to the rest."""
    with open_collection(own) as collection:
        one = next(video for video in collection.store.videos() if video.outcome is Outcome.OK)
    assert one.media is not None
    (own / "media" / str(one.media.media_file)).unlink()
    done = quartzlens("reembed", "--pooling", "mean_std", "-c", own, "--json")
    answer = json.loads(done.stdout)
    assert (answer["embedded"], answer["missing"]) == (VIDEOS - 1, [one.id])
    assert "an ingest of the list again" in done.stderr
    with open_collection(own) as collection:
        assert collection.store.videos([one.id])[0].outcome is Outcome.OK
        assert collection.encoder.pooling == "mean_std"


def test_killed_in_between_the_collection_is_as_before_and_the_next_run_goes_on(own: Path) -> None:
    """SIGKILL during reembed: the old embedding is still the collection's, and a second run ends what was begun."""
    command = [sys.executable, "-m", "quartzlens", "reembed", "--block", "B3", "-c", str(own), "--progress", "json"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    time.sleep(0.1)
    with open_collection(own) as between:
        assert (between.encoder.block, embedded(between)) == ("", VIDEOS)
    assert quartzlens("reembed", "--block", "B3", "-c", own).returncode == 0
    with open_collection(own) as after:
        assert (after.encoder.block, embedded(after)) == ("B3", VIDEOS)


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--block", "B9", "C1, B1, B2, B3, B4, B5, C2, C3"),
        ("--pooling", "loudest", "mean_std"),
        ("--precision", "f8", "bf16"),
        ("--precision", "amp-f16", "--device cuda"),
        ("--device", "cuda", "--device cpu"),
        ("--engine", "steam", "reference"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(option: str, value: str, says: str, tmp_path: Path) -> None:
    """A wrong block, pooling, precision or engine is named beside the right ones, and no collection is made."""
    source = write_list(tmp_path / "tones", 1)
    done = quartzlens("ingest", source, "-c", tmp_path / "new", option, value)
    assert (done.returncode, (tmp_path / "new").exists()) == (2, False)
    assert says in done.stderr


def test_a_relative_folder_is_reembedded_as_well(own: Path) -> None:
    """Kept media under a relative collection folder is read from there, never taken for a link."""
    done = quartzlens("reembed", "--block", "B2", "-c", own.name, "--json", cwd=own.parent)
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["embedded"], json.loads(done.stdout)["changed"]) == (VIDEOS, True)


def test_a_collection_whose_media_is_mostly_gone_keeps_its_encoder(own: Path) -> None:
    """Where more would be lost than embedded, nothing changes over, and the message says what to do."""
    kept = sorted((own / "media").glob("*.ogg"))
    for path in kept[1:]:
        path.unlink()
    done = quartzlens("reembed", "--block", "B2", "-c", own)
    assert done.returncode == 1
    assert "keeps its encoder" in done.stderr
    with open_collection(own) as collection:
        assert (collection.encoder.block, embedded(collection)) == ("", VIDEOS)


def test_a_collection_knows_its_checkpoint_by_content(tmp_path: Path) -> None:
    """The same file under another name is the same encoder: nothing is computed again and nothing is lost."""
    first = write_nemo(tmp_path / "first.nemo", SMALL)
    source, folder = two_tones(tmp_path), tmp_path / "moved"
    assert quartzlens("ingest", source, "-c", folder, "--checkpoint", first).returncode == 0
    second = first.rename(tmp_path / "second.nemo")
    done = quartzlens("reembed", "--checkpoint", second, "-c", folder)
    assert (done.returncode, "embedded so already" in done.stderr) == (0, True)
    with open_collection(folder) as collection:
        assert (Path(collection.encoder.checkpoint).name, embedded(collection)) == ("second.nemo", 2)
    assert "Nothing new" in quartzlens("ingest", source, "-c", folder).stderr


def test_going_away_from_a_checkpoint_that_is_gone_works(tmp_path: Path) -> None:
    """With the old checkpoint gone, reembed by another one ends well: only the difference is not measured."""
    gone = write_nemo(tmp_path / "gone.nemo", SMALL)
    source, folder = two_tones(tmp_path), tmp_path / "left"
    assert quartzlens("ingest", source, "-c", folder, "--checkpoint", gone).returncode == 0
    gone.unlink()
    done = quartzlens("reembed", "--checkpoint", "demo", "-c", folder, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reencoded"] == 2
    with open_collection(folder) as collection:
        assert embedded(collection) == 2


def test_reembed_without_a_change_asks_for_one(own: Path) -> None:
    """Nothing to change is wrong usage, and says what can be changed."""
    done = quartzlens("reembed", "-c", own)
    assert done.returncode == 2
    assert "--block" in done.stderr


def test_an_ingest_chooses_block_and_pooling_once(tmp_path: Path) -> None:
    """A new collection takes both; the next ingest keeps them, and another choice is told of reembed."""
    source, folder = two_tones(tmp_path), tmp_path / "new"
    assert quartzlens("ingest", source, "-c", folder, "--block", "B1", "--pooling", "mean_std").returncode == 0
    with open_collection(folder) as collection:
        assert (collection.encoder.block, collection.encoder.pooling, embedded(collection)) == ("B1", "mean_std", 2)
    assert "Nothing new" in quartzlens("ingest", source, "-c", folder).stderr
    refused = quartzlens("ingest", source, "-c", folder, "--block", "B2")
    assert refused.returncode == 1
    assert "quartzlens reembed" in refused.stderr


@pytest.mark.slow
def test_int8_is_calibrated_with_the_collections_own_clips(own: Path, tmp_path: Path) -> None:
    """int8 keeps its calibration with the collection, is another fingerprint, and near to f32; too few clips: told."""
    few = quartzlens("ingest", write_list(tmp_path / "tones", 2), "-c", tmp_path / "few", "--precision", "int8")
    assert (few.returncode, (tmp_path / "few" / "collection.toml").exists()) == (2, False)
    assert "reembed --precision int8" in few.stderr
    done = quartzlens("reembed", "--precision", "int8", "-c", own)
    assert done.returncode == 0, done.stderr
    with open_collection(own) as collection:
        exact, reduced = collection.store.info().encoders
        assert (reduced.precision, (own / "calibration" / f"{reduced.calibration}.npz").is_file()) == ("int8", True)
        a, b = (collection.store.embeddings(one).matrix for one in (exact, reduced))
    cosines = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert cosines.min() > 0.9


@pytest.mark.slow
def test_both_of_nvidias_files_are_ingested_by_one_flag(tmp_path: Path) -> None:
    """A full-size `.nemo` and a DeepLearningExamples `.pt` dropped into a folder each embed a list by --checkpoint."""
    from tests.pipeline.examples_network import random_network, write_pt

    nemo = write_nemo(tmp_path / "stt_en_quartznet15x5.nemo", QUARTZNET15X5, weights=untrained_weights(QUARTZNET15X5))
    pt = write_pt(tmp_path / "nvidia_quartznet_210504.pt", random_network().state_dict())
    source = write_list(tmp_path / "tones", 2)
    for path in (nemo, pt):
        folder = tmp_path / path.stem
        done = quartzlens("ingest", source, "-c", folder, "--checkpoint", path)
        assert done.returncode == 0, done.stderr
        with open_collection(folder) as collection:
            assert embedded(collection) == 2
            assert collection.store.info().encoders[0].dimension == 1024


def test_words_are_found_where_they_were_heard(own: Path) -> None:
    """A word that the decoder heard is found by its beginning, with its seconds; what nobody said is not found."""
    with open_collection(own) as collection:
        fingerprint = current_fingerprint(collection)
        assert fingerprint is not None
        fragments = collection.store.fragments(fingerprint)
    heard = [(one, words) for one, words in zip(fragments.ids, fragments.words, strict=True) if words and words.text]
    assert heard, "the demo checkpoint heard nothing in any tone"
    video_id, words = heard[0]
    found = json.loads(quartzlens("find", words.text.split()[0], "-c", own, "--json").stdout)
    assert video_id in {row["id"] for row in found}
    assert all(0 <= row["start_seconds"] < row["end_seconds"] <= 60 for row in found)
    nothing = quartzlens("find", "xylophonists", "-c", own)
    assert (nothing.returncode, "No fragment" in nothing.stdout) == (0, True)


def test_no_words_are_kept_where_nobody_wants_them(tmp_path: Path) -> None:
    """With --no-words the fragments are there and nothing is written down of what was said."""
    folder = tmp_path / "quiet"
    quartzlens("ingest", write_list(tmp_path / "tones", 2), "-c", folder, "--no-words")
    with open_collection(folder) as collection:
        fingerprint = current_fingerprint(collection)
        assert fingerprint is not None
        assert set(collection.store.fragments(fingerprint).words) == {None}


@pytest.mark.slow
def test_the_reference_engine_and_the_default_one_share_a_fingerprint(tmp_path: Path) -> None:
    """What NeMo in torch embedded, OpenVINO goes on with: nothing is computed again, and the numbers are the same."""
    checkpoint = write_nemo(tmp_path / "small.nemo", SMALL)
    source, folder = two_tones(tmp_path), tmp_path / "both"
    arguments = ("ingest", source, "-c", folder, "--checkpoint", checkpoint)
    assert quartzlens(*arguments, "--engine", "reference").returncode == 0
    assert "Nothing new" in quartzlens(*arguments).stderr
    with open_collection(folder) as collection:
        assert len(collection.store.info().encoders) == 1
