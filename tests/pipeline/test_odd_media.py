"""Broken, hostile and unusual media, one by one, in the worker with its limits: none crashes, hangs or eats memory."""

import csv
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.decode import Decoded, decode
from pipeline.media import keep_media
from pipeline.sources import read_source
from pipeline.worker import Worker
from tests.conftest import data_folder

pytestmark = pytest.mark.realdata
_NAMES = {
    "error_decode": "undecodable",
    "error_no_audio": "no_audio",
    "error_too_short": "too_short",
    "error_unsafe": "refused_file",
}
# What the note of a file allows beside what is expected.
_ALSO = {
    "zero_samples.wav": "undecodable",
    "nan_some.wav": "undecodable",
    "nan_all.wav": "ok_silent",
    "opposite_channels.wav": "ok_silent",
    "very_quiet.wav": "ok_silent",
}
_MEMORY_BYTES = 1 << 30


def cases() -> list[tuple[str, str]]:
    """Path and expected outcome of every file of the archive."""
    archive = data_folder() / "odd_media.tar"
    if not archive.is_file():
        return []
    with tarfile.open(archive) as tar:
        listed = tar.extractfile("odd_media/odd_media.csv")
        assert listed is not None
        text = listed.read().decode()
    return [(row["path"], row["expected"]) for row in csv.DictReader(io.StringIO(text, newline=""))]


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive unpacked, with the symbolic link that does not travel."""
    place = tmp_path_factory.mktemp("odd")
    with tarfile.open(data / "odd_media.tar") as tar:
        tar.extractall(place, filter="data")
    (place / "odd_media" / "video.wav").symlink_to("/etc/hostname")
    return place / "odd_media"


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """One worker for all of them, as in an ingest."""
    with Worker(_MEMORY_BYTES) as worker:
        yield worker


def test_the_archive_has_all_its_cases() -> None:
    """None of the 51 cases is lost on the way here."""
    assert len(cases()) == 51


@pytest.mark.parametrize(("name", "expected"), cases())
def test_odd_media_end_as_stated(name: str, expected: str, folder: Path, worker: Worker) -> None:
    """A file ends in the outcome that its list states, in a worker that is still the same one afterwards."""
    pid = worker.call(abs, 1, timeout_seconds=20) and worker.pid
    answer = worker.call(decode, folder / name, 0.0, 60.0, timeout_seconds=30)
    if isinstance(answer, Decoded):
        got = "ok_silent" if answer.silent else "ok"
        assert answer.audio.dtype == np.float32
        assert 16_000 <= len(answer.audio) <= 960_000
        assert np.isfinite(answer.audio).all()
    else:
        got = answer.outcome.value
        assert answer.detail
    assert got in {_NAMES.get(expected, expected), _ALSO.get(name)}
    assert worker.pid == pid


@pytest.mark.parametrize("name", [name for name, expected in cases() if expected.startswith("ok")])
def test_what_decodes_can_be_kept(name: str, folder: Path, worker: Worker, tmp_path: Path) -> None:
    """Every odd file that gives an embedding also gives a sound file that decodes and is as long as what was heard."""
    heard = worker.call(decode, folder / name, 0.0, 60.0, timeout_seconds=30)
    sound, _ = worker.call(keep_media, folder / name, tmp_path, "-odd", 0.0, 60.0, timeout_seconds=60)
    assert isinstance(heard, Decoded)
    assert sound is not None
    kept = worker.call(decode, tmp_path / sound, 0.0, 90.0, timeout_seconds=30)
    assert isinstance(kept, Decoded)
    assert abs(len(kept.audio) - len(heard.audio)) / 16_000 < 0.5
    assert b"script" not in (tmp_path / sound).read_bytes()


def test_nothing_outside_is_read(folder: Path, worker: Worker) -> None:
    """A concat script and a playlist under a media name do not play the file that they name."""
    for name in ("joined_named.wav", "playlist_sibling_named.mp4"):
        answer = worker.call(decode, folder / name, 0.0, 60.0, timeout_seconds=30)
        assert not isinstance(answer, Decoded)


def test_the_list_of_odd_media_leads_to_all_of_them(folder: Path) -> None:
    """Names with quotes, dashes, markup, emoji and spaces come through the list as they are."""
    one = read_source(str(folder / "odd_media.csv"))
    assert not one.bad_rows
    assert [row.source for row in one.rows] == [str(folder / name) for name, _ in cases()]
    assert len({row.video_id for row in one.rows}) == len(one.rows)
