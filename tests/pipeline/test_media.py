"""What is kept of a video: sound that a browser plays and a small picture."""

import errno
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.decode import Decoded, decode
from pipeline.media import keep_media
from tests.pipeline.synth import names, tone, write_media

SOUND = [tone(4.0, 48_000), tone(4.0, 48_000, 700)]


@pytest.mark.parametrize(
    ("name", "codec", "kept", "copied"),
    [
        ("a.mp4", "aac", "v.m4a", True),
        ("a.ts", "aac", "v.m4a", True),
        ("a.webm", "libopus", "v.ogg", True),
        ("a.avi", "libmp3lame", "v.mp3", True),
        ("a.mkv", "flac", "v.flac", True),
        ("a.wav", "pcm_s16le", "v.ogg", False),
        ("a.mkv", "ac3", "v.ogg", False),
        ("a.wmv", "wmav2", "v.ogg", False),
        ("a.m4a", "alac", "v.ogg", False),
    ],
)
def test_sound_is_copied_where_a_browser_plays_it(
    tmp_path: Path, name: str, codec: str, kept: str, copied: bool
) -> None:
    """Codecs of the web are copied as they are, others become Opus; the kept file has the clip's length."""
    (tmp_path / "media").mkdir()
    path = write_media(tmp_path / name, SOUND, 48_000, codec)
    sound, picture = keep_media(path, tmp_path / "media", "v", 0.0, 60.0)
    assert (sound, picture) == (kept, None)
    assert names(tmp_path / "media") == [kept]
    with av.open(str(tmp_path / "media" / kept)) as container:
        stream = container.streams.audio[0]
        assert len(container.streams) == 1
        assert stream.codec_context.codec.canonical_name == (
            "opus" if not copied else codec.removeprefix("lib").replace("mp3lame", "mp3")
        )
        assert stream.codec_context.channels == (2 if copied else 1)
    clip = decode(tmp_path / "media" / kept, 0.0, 60.0)
    assert isinstance(clip, Decoded)
    assert len(clip.audio) / 16_000 == pytest.approx(4.0, abs=0.15)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.ogg", "libopus"), ("a.mp3", "libmp3lame"), ("a.wav", "pcm_s16le")]
)
def test_only_the_stretch_is_kept(tmp_path: Path, name: str, codec: str) -> None:
    """The kept sound begins where the clip begins and ends where it ends."""
    sound = np.concatenate([tone(1.0, 48_000, pitch) for pitch in (300, 500, 700, 900, 1100)])
    path = write_media(tmp_path / name, [sound], 48_000, codec)
    kept, _ = keep_media(path, tmp_path, "-v", 1.0, 2.0)
    assert kept is not None
    clip = decode(tmp_path / kept, 0.0, 60.0)
    assert isinstance(clip, Decoded)
    assert len(clip.audio) / 16_000 == pytest.approx(2.0, abs=0.2)
    for begin, pitch in ((0, 500), (16_000, 700)):
        middle = clip.audio[begin + 3_200 : begin + 12_800]
        strongest = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(len(middle))))) * 16_000 / len(middle)
        assert strongest == pytest.approx(pitch, abs=4)


def test_blocks_too_long_to_cut_are_encoded(tmp_path: Path) -> None:
    """Where the codec's own blocks reach seconds beyond the clip, the sound is encoded instead of copied."""
    path = write_media(tmp_path / "a.flac", [tone(30.0, 1_000 * 8, 200)], 8_000, "flac")
    sound, _ = keep_media(path, tmp_path, "v", 0.0, 5.0)
    assert sound is not None
    clip = decode(tmp_path / sound, 0.0, 60.0)
    assert isinstance(clip, Decoded)
    assert 5.0 <= len(clip.audio) / 16_000 <= 6.0


def test_the_picture_is_small_and_not_black(tmp_path: Path) -> None:
    """160 pixels wide, in the picture's proportions, and the first frame that shows something."""
    path = write_media(tmp_path / "a.mp4", SOUND, 48_000, "aac", picture="black")
    sound, picture = keep_media(path, tmp_path, "v", 0.0, 60.0)
    assert (sound, picture) == ("v.m4a", "v.jpg")
    with av.open(str(tmp_path / "v.jpg")) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (160, 90)
    assert frame.to_ndarray(format="gray").mean() > 180


def test_an_all_black_picture_is_still_a_picture(tmp_path: Path) -> None:
    """A video that is dark throughout gets its brightest frame."""
    path = write_media(tmp_path / "a.mp4", [tone(2.0, 16_000)], 16_000, "aac", picture="white")
    _, picture = keep_media(path, tmp_path, "v", 0.0, 60.0)
    assert picture == "v.jpg"


def test_nothing_of_the_original_is_said(tmp_path: Path) -> None:
    """Titles and other metadata of strangers do not travel into the collection."""
    for name, codec in (
        ("a.mp4", "aac"),
        ("a.mp3", "libmp3lame"),
        ("a.ogg", "libopus"),
        ("a.flac", "flac"),
        ("a.wav", "pcm_s16le"),
    ):
        path = write_media(tmp_path / name, SOUND, 48_000, codec, title="<script>alert(1)</script>")
        assert b"<script>" in path.read_bytes()
        sound, _ = keep_media(path, tmp_path, f"v-{codec}", 0.0, 60.0)
        assert sound is not None
        assert b"script" not in (tmp_path / sound).read_bytes()


def test_a_file_without_use_keeps_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    """What cannot be kept is no error, and no partial files stay behind."""
    (tmp_path / "media").mkdir()
    (tmp_path / "noise.mp4").write_bytes(b"\0" * 1000)
    assert keep_media(tmp_path / "noise.mp4", tmp_path / "media", "v", 0.0, 60.0) == (None, None)
    assert names(tmp_path / "media") == []


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    """No room is the one failure that is told: the run has to stop."""
    with pytest.raises(OSError, match="No space left") as caught:
        _fill(tmp_path)
    assert caught.value.errno == errno.ENOSPC


def _fill(folder: Path) -> None:
    """Write to the device that is always full, through the same door as media."""
    from pipeline.media import _attempt

    def full() -> str:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"x")
        return str(folder)

    _attempt(full)


def test_only_harmless_ids_become_file_names(tmp_path: Path) -> None:
    """An id with a slash or a dot is a mistake of ours and stops at the door."""
    for video_id in ("../up", "a/b", "", "a.b"):
        with pytest.raises(ValueError, match="file name"):
            keep_media(tmp_path / "a.wav", tmp_path, video_id, 0.0, 60.0)


@pytest.mark.realdata
def test_every_video_is_kept(data: Path, tmp_path: Path) -> None:
    """Of all 43 files the clip's sound is kept, at most 61 s of it, and a picture of those that have one."""
    pictured = set()
    files = sorted(path for path in (data / "videos").iterdir() if path.suffix not in {".csv", ".txt"})
    assert len(files) == 43
    for path in files:
        sound, picture = keep_media(path, tmp_path, path.stem, 0.0, 60.0)
        assert sound is not None, path
        with av.open(str(tmp_path / sound)) as container:
            assert 14 < (container.duration or 0) / av.time_base <= 61, path
        if picture:
            pictured.add(path.suffix)
    assert {".mp4", ".mov", ".mkv", ".avi", ".ts", ".wmv"} <= pictured
