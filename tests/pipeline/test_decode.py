"""Decoding to 16 kHz mono: what comes out, how much of it, and what is refused."""

import csv
import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from pipeline.decode import Decoded, Refusal, decode, loudness_dbfs
from pipeline.mixing import mix
from pipeline.worker import Worker
from quartzlens.outcomes import Outcome
from tests.pipeline.synth import tone, write_media


def decoded(path: Path, start_seconds: float = 0.0, clip_seconds: float = 60.0) -> Decoded:
    """The decoded clip; the test fails where it is refused."""
    answer = decode(path, start_seconds, clip_seconds)
    assert isinstance(answer, Decoded), answer
    return answer


def refused(path: Path) -> Refusal:
    """The refusal; the test fails where the file decodes."""
    answer = decode(path, 0.0, 60.0)
    assert isinstance(answer, Refusal), answer
    return answer


def pitch_hz(audio: NDArray[np.float32]) -> float:
    """The strongest frequency of audio at 16 kHz."""
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    return float(np.argmax(spectrum) * 16_000 / len(audio))


def steps(pitches: list[float], rate_hz: int = 16_000) -> NDArray[np.float32]:
    """One second of each pitch after another."""
    return np.concatenate([tone(1.0, rate_hz, pitch) for pitch in pitches])


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz"),
    [
        ("a.wav", "pcm_s16le", 8_000),
        ("a.wav", "pcm_f32le", 48_000),
        ("a.wav", "pcm_u8", 16_000),
        ("a.flac", "flac", 44_100),
        ("a.mp4", "aac", 44_100),
        ("a.mkv", "ac3", 48_000),
        ("a.webm", "libopus", 48_000),
        ("a.mp3", "libmp3lame", 22_050),
        ("a.avi", "mp2", 48_000),
        ("a.wmv", "wmav2", 44_100),
    ],
)
def test_any_codec_comes_out_at_16_khz_mono(tmp_path: Path, name: str, codec: str, rate_hz: int) -> None:
    """Pitch, level and length survive every codec, container and rate."""
    sound = tone(3.0, rate_hz)
    clip = decoded(write_media(tmp_path / name, [sound, sound], rate_hz, codec))
    assert abs(len(clip.audio) / 16_000 - 3.0) < 0.2
    assert pitch_hz(clip.audio) == pytest.approx(440, abs=1)
    assert clip.loudness_dbfs == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=1.0)
    assert (clip.sample_rate_hz, clip.silent) == (rate_hz, False)
    assert clip.source_seconds == pytest.approx(3.0, abs=0.2)


def test_the_same_file_gives_the_same_bits_in_any_process(tmp_path: Path) -> None:
    """Decoding is repeatable bit for bit, here and in the worker."""
    path = write_media(tmp_path / "a.mp4", [tone(5.0, 44_100), tone(5.0, 44_100, 700)], 44_100, "aac")
    here = decoded(path).audio
    assert np.array_equal(here, decoded(path).audio)
    with Worker(1 << 30) as worker:
        there = worker.call(decode, path, 0.0, 60.0, timeout_seconds=30)
    assert isinstance(there, Decoded)
    assert np.array_equal(here, there.audio)


@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.mp3", "libmp3lame")])
def test_a_stretch_is_cut_to_the_sample(tmp_path: Path, name: str, codec: str) -> None:
    """Start and length are kept: at most round(clip_seconds * 16000) samples, from the second that was asked for."""
    path = write_media(tmp_path / name, [steps([300, 500, 700, 900, 1100], 32_000)], 32_000, codec)
    clip = decoded(path, 2.0, 1.5)
    assert len(clip.audio) == 24_000
    assert pitch_hz(clip.audio[1600:14_400]) == pytest.approx(700, abs=2)
    assert pitch_hz(clip.audio[17_600:]) == pytest.approx(900, abs=3)
    assert np.array_equal(decoded(path, 0.0, 4.0).audio[32_000:56_000], clip.audio)


def test_a_distant_start_is_sought_and_found(tmp_path: Path) -> None:
    """Two minutes in, the decoder jumps, and lands on the same sound as reading from the beginning."""
    sound = np.concatenate([tone(1.0, 8_000, 200 + 10 * second) for second in range(150)])
    for name, codec in (("a.flac", "flac"), ("a.mkv", "pcm_s16le"), ("a.m4a", "aac")):
        clip = decoded(write_media(tmp_path / name, [sound], 8_000, codec), 130.0, 4.0)
        assert len(clip.audio) == 64_000
        for second in range(4):
            middle = clip.audio[second * 16_000 + 2_000 : second * 16_000 + 14_000]
            assert pitch_hz(middle) == pytest.approx(200 + 10 * (130 + second), abs=2)


def test_a_start_after_the_end_is_too_short(tmp_path: Path) -> None:
    """Skipping more than there is leaves nothing, and the reason says after what."""
    path = write_media(tmp_path / "a.wav", [tone(3.0, 16_000)], 16_000, "pcm_s16le")
    for start in (2.5, 10.0, 500.0):
        answer = decode(path, start, 60.0)
        assert isinstance(answer, Refusal)
        assert answer.outcome is Outcome.TOO_SHORT
        assert f"after the first {start:g} s" in answer.detail


@pytest.mark.parametrize(("seconds", "fits"), [(1.0, True), (0.99, False)])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 22_050, 11_025, 48_000])
def test_one_second_is_enough_and_less_is_not(tmp_path: Path, seconds: float, fits: bool, rate_hz: int) -> None:
    """The limit of 1.0 s holds at any rate, whatever resampling rounds."""
    path = write_media(tmp_path / "a.wav", [tone(seconds, rate_hz)], rate_hz, "pcm_s16le")
    answer = decode(path, 0.0, 60.0)
    assert isinstance(answer, Decoded) is fits


def test_opposite_channels_are_heard(tmp_path: Path) -> None:
    """Where one channel is the other's opposite, their average is silence: one of them is taken."""
    sound = tone(2.0, 16_000)
    clip = decoded(write_media(tmp_path / "a.wav", [sound, -sound], 16_000, "pcm_s16le"))
    assert clip.loudness_dbfs == pytest.approx(loudness_dbfs(sound), abs=0.1)


def test_speech_in_the_centre_alone_keeps_its_level(tmp_path: Path) -> None:
    """In 5.1 with sound in one channel only, that channel is what is heard."""
    nothing, sound = np.zeros(32_000, np.float32), tone(2.0, 16_000)
    clip = decoded(write_media(tmp_path / "a.wav", [nothing, nothing, sound, *[nothing] * 3], 16_000, "pcm_s16le"))
    assert clip.loudness_dbfs == pytest.approx(loudness_dbfs(sound), abs=0.1)


channels = hnp.arrays(np.float32, st.tuples(st.integers(1, 8), st.just(400)), elements=st.floats(-1, 1, width=32))


@given(channels)
def test_no_mix_loses_the_sound(sound: NDArray[np.float32]) -> None:
    """The mix never has much less power than a hundredth of the loudest channel's, and never more than all together."""
    loudest = float(np.var(sound, axis=1, dtype=np.float64).max())
    mixed = float(np.var(mix(sound), dtype=np.float64))
    assert mix(sound).dtype == np.float32
    assert mixed >= loudest * 0.1 / 64 - 1e-9
    assert mixed <= loudest * 1.01 + 1e-9


def test_numbers_that_are_none_do_not_spread(tmp_path: Path) -> None:
    """A few NaN and infinite samples become 0 before the filter, and the rest is as it was."""
    sound = tone(3.0, 8_000)
    spoiled = sound.copy()
    spoiled[5_000:5_080:2], spoiled[5_001:5_080:2] = np.nan, np.inf
    clip = decoded(write_media(tmp_path / "a.wav", [spoiled], 8_000, "pcm_f32le"))
    clean = decoded(write_media(tmp_path / "b.wav", [sound], 8_000, "pcm_f32le"))
    assert np.isfinite(clip.audio).all()
    assert np.count_nonzero(np.abs(clip.audio - clean.audio) > 0.01) < 400


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_a_constant_voltage_is_silent(tmp_path: Path, rate_hz: int) -> None:
    """No sound, but not zero: flagged silent, also where resampling rings at the edges."""
    clip = decoded(write_media(tmp_path / "a.wav", [np.full(3 * rate_hz, 0.4, np.float32)], rate_hz, "pcm_s16le"))
    assert clip.silent
    assert clip.loudness_dbfs < -80


def test_digital_silence_has_the_lowest_loudness(tmp_path: Path) -> None:
    """Silence is -200 dBFS, a number that can be stored, not minus infinity."""
    clip = decoded(write_media(tmp_path / "a.flac", [np.zeros(32_000, np.float32)], 16_000, "flac"))
    assert (clip.loudness_dbfs, clip.silent) == (-200.0, True)


def test_an_hour_stays_within_the_memory_of_a_minute(tmp_path: Path) -> None:
    """Only the clip is held: an hour of sound, skipped to its end, decodes in a small worker."""
    hour = np.zeros(3600 * 8_000, np.float32)
    hour[-80_000:] = tone(10.0, 8_000)
    path = write_media(tmp_path / "hour.flac", [hour], 8_000, "flac")
    with Worker(700 << 20) as worker:
        clip = worker.call(decode, path, 3590.0, 60.0, timeout_seconds=60)
    assert isinstance(clip, Decoded)
    assert len(clip.audio) == pytest.approx(160_000, abs=2)
    assert clip.source_seconds == pytest.approx(3600)


def test_a_picture_without_sound_has_no_audio(tmp_path: Path) -> None:
    """A video track alone is told apart from a file that cannot be read."""
    whole = write_media(tmp_path / "a.mp4", [tone(2.0, 16_000)], 16_000, "aac", picture="white")
    import av

    with av.open(str(whole)) as source, av.open(str(tmp_path / "b.mp4"), "w") as target:
        copy = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    assert refused(tmp_path / "b.mp4").outcome is Outcome.NO_AUDIO


HEADS = [
    b"#EXTM3U\n#EXTINF:5,\nother.wav\n",
    b"\xef\xbb\xbf#EXTM3U\nother.wav\n",
    b"\n  #EXTM3U\nother.wav\n",
    b"ffconcat version 1.0\nfile other.wav\n",
    b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n",
    b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="x"></MPD>',
    b"[playlist]\nFile1=other.wav\n",
    b"[Reference]\nRef1=http://127.0.0.1/other.wav\n",
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", ["a.wav", "a.mp4", "a.m3u8"])
def test_references_to_other_media_are_refused_under_any_name(tmp_path: Path, head: bytes, name: str) -> None:
    """Playlists and scripts are told by their content and never opened, though what they name would play."""
    write_media(tmp_path / "other.wav", [tone(2.0, 16_000)], 16_000, "pcm_s16le")
    (tmp_path / name).write_bytes(head)
    assert refused(tmp_path / name).outcome is Outcome.REFUSED_FILE


def test_a_playlist_behind_a_tag_is_not_played(tmp_path: Path) -> None:
    """FFmpeg looks for a format behind an ID3 tag as well: the list of allowed formats holds there too."""
    write_media(tmp_path / "other.ts", [tone(2.0, 16_000)], 16_000, "aac")
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + b"\0" * 10
    (tmp_path / "a.mp3").write_bytes(tag + b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:2,\nother.ts\n#EXT-X-ENDLIST\n")
    assert refused(tmp_path / "a.mp3").outcome is Outcome.UNDECODABLE


def test_links_stay_inside_their_folder(tmp_path: Path) -> None:
    """A symbolic link within the source's folder is followed, one out of it is refused, the same for links of links."""
    folder, other = tmp_path / "list", tmp_path / "other"
    (folder / "sub").mkdir(parents=True)
    other.mkdir()
    write_media(folder / "a.wav", [tone(2.0, 16_000)], 16_000, "pcm_s16le")
    shutil.copy(folder / "a.wav", other / "b.wav")
    shutil.copy(folder / "a.wav", folder / "sub" / "b.wav")
    (folder / "sub" / "in.wav").symlink_to("b.wav")
    (folder / "out.wav").symlink_to(other / "b.wav")
    (folder / "sub" / "round.wav").symlink_to("../out.wav")
    assert isinstance(decode(folder / "sub" / "in.wav", 0, 60), Decoded)
    for name in ("out.wav", "sub/round.wav"):
        assert refused(folder / name).outcome is Outcome.REFUSED_FILE
    assert isinstance(decode(other / "b.wav", 0, 60), Decoded)


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    """A pipe would block for ever, a device never ends: refused; a folder, a dangling and a looping link are told."""
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "dangling.wav").symlink_to("nowhere.wav")
    (tmp_path / "round.wav").symlink_to("round.wav")
    (tmp_path / "folder.wav").mkdir()
    assert refused(tmp_path / "pipe.wav").outcome is Outcome.REFUSED_FILE
    assert refused(Path("/dev/zero")).outcome is Outcome.REFUSED_FILE
    assert refused(tmp_path / "folder.wav").outcome is Outcome.UNDECODABLE
    for name in ("dangling.wav", "nothing.wav", "folder.wav/a.wav"):
        assert refused(tmp_path / name).outcome is Outcome.MISSING_FILE
    assert refused(tmp_path / "round.wav").outcome is Outcome.FAILED


def test_a_file_without_a_second_of_use_is_undecodable(tmp_path: Path) -> None:
    """Noise, an empty file and a header with absurd numbers end as undecodable, with FFmpeg's words."""
    (tmp_path / "noise.mp3").write_bytes(np.random.default_rng(0).bytes(50_000))
    (tmp_path / "empty.mp4").touch()
    absurd = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 1, 2**31 - 1, 8, 2, 16, b"data", 8_000
    )
    (tmp_path / "absurd.wav").write_bytes(absurd + bytes(8_000))
    for name in ("noise.mp3", "empty.mp4", "absurd.wav"):
        answer = refused(tmp_path / name)
        assert answer.outcome is Outcome.UNDECODABLE
        assert answer.detail


@given(st.binary(max_size=3000))
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever a file holds, the answer is a value."""
    path = tmp_path_factory.getbasetemp() / "any.bin"
    for head in (b"", b"RIFF\xff\xff\xff\xffWAVEfmt ", b"OggS\0\2", b"ID3\3\0\0\0\0\0\0", b"fLaC\0\0\0\x22"):
        path.write_bytes(head + content)
        assert isinstance(decode(path, 0.0, 5.0), Decoded | Refusal)


@pytest.mark.realdata
def test_every_video_decodes_with_its_length(data: Path) -> None:
    """All 43 files of all containers give the length that their list states, up to 60 s, within 0.2 s."""
    with (data / "videos" / "videos.csv").open(newline="") as file:
        stated = {row["path"]: float(row["duration_s"]) for row in csv.DictReader(file)}
    assert len(stated) == 43
    for name, seconds in stated.items():
        clip = decoded(data / "videos" / name)
        assert len(clip.audio) / 16_000 == pytest.approx(min(60.0, seconds), abs=0.2), name
        assert not clip.silent, name
        assert clip.source_seconds == pytest.approx(seconds, abs=0.5), name
