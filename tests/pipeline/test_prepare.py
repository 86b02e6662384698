"""What the decode worker does with a file: one answer that says what was heard and what is kept."""

from pathlib import Path

import av
import numpy as np
import pytest

from pipeline import media as media_module
from pipeline.decode import Decoded, decode
from pipeline.prepare import Prepared, prepare_file
from tests.pipeline.synth import names, tone, write_media

SOUND = [tone(6.0, 48_000), tone(6.0, 48_000, 700)]


def never(*_: object) -> None:
    """Stand in for what must not be needed."""
    raise AssertionError("the copy was decoded")


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [("a.mp4", "aac", "v.m4a"), ("a.webm", "libopus", "v.ogg"), ("a.mp3", "libmp3lame", "v.mp3")],
)
def test_a_copy_of_intact_packets_is_kept_without_decoding_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, codec: str, kept: str
) -> None:
    """The copy holds the packets that were just decoded: decoding it gives the same sound, and need not be tried."""
    path = write_media(tmp_path / name, SOUND, 48_000, codec)
    monkeypatch.setattr(media_module, "_check_copy", never)
    prepared = prepare_file(path, "v", 0.0, 60.0, tmp_path)
    assert isinstance(prepared, Prepared)
    assert prepared.media.media_file == kept
    heard, copy = decode(path, 0.0, 60.0), decode(tmp_path / kept, 0.0, 60.0)
    assert isinstance(heard, Decoded)
    assert isinstance(copy, Decoded)
    assert np.array_equal(prepared.audio, heard.audio)
    assert len(copy.audio) == pytest.approx(len(heard.audio), abs=0.1 * 16_000)
    assert copy.loudness_dbfs == pytest.approx(heard.loudness_dbfs, abs=0.3)


def test_damaged_sound_is_not_copied_but_encoded(tmp_path: Path) -> None:
    """Where a packet could not be decoded, a browser gets sound that plays throughout instead of the damage."""
    path = write_media(tmp_path / "a.mp3", SOUND, 48_000, "libmp3lame")
    damaged = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(len(damaged) // 4, len(damaged) // 2, 400):
        damaged[place] = rng.integers(256)
    path.write_bytes(bytes(damaged))
    heard = decode(path, 0.0, 60.0)
    assert isinstance(heard, Decoded)
    assert not heard.intact
    prepared = prepare_file(path, "v", 0.0, 60.0, tmp_path)
    assert isinstance(prepared, Prepared)
    assert prepared.media.media_file == "v.ogg"
    assert names(tmp_path) == ["a.mp3", "v.ogg"]


def test_a_copy_that_lost_packets_does_not_pass(tmp_path: Path) -> None:
    """A copy cut short, or of another sound, is told from a whole one by what is in it."""
    path = write_media(tmp_path / "a.opus", SOUND, 48_000, "libopus")
    other = write_media(tmp_path / "b.opus", SOUND[::-1], 48_000, "libopus")
    with av.open(str(path)) as source, av.open(str(tmp_path / "copy.ogg"), "w", format="ogg") as target:
        stream = source.streams.audio[0]
        copied = media_module._copy_packets(source, stream, target, 0.0, 60.0)
    whole = (tmp_path / "copy.ogg").read_bytes()
    (tmp_path / "short.ogg").write_bytes(whole[: len(whole) * 2 // 3])
    with av.open(str(path)) as source:
        stream = source.streams.audio[0]
        assert media_module._reads_back(tmp_path / "copy.ogg", stream, copied)
        assert not media_module._reads_back(tmp_path / "short.ogg", stream, copied)
        assert not media_module._reads_back(other, stream, copied)
