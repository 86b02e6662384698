"""The mixer: the same bits however the frames are cut, and every kind of frame."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from pipeline.decode import Decoded, decode
from pipeline.mixing import Mixer, mix

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def noise(channels: int, n: int) -> NDArray[np.float32]:
    """Noise (channels, n) float32."""
    return (0.1 * np.random.default_rng(channels).standard_normal((channels, n))).astype(np.float32)


def frame(samples: NDArray[np.float32], rate_hz: int = 44_100) -> AudioFrame:
    """A frame as decoders give it: planar, with a time that does not fit."""
    made = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=LAYOUTS[len(samples)])
    made.sample_rate, made.pts = rate_hz, 7
    return made


def mixed(sound: NDArray[np.float32], length: int, skip: int = 0, compressed: bool = True) -> NDArray[np.float32]:
    """What a mixer makes of a sound (channels, n) that comes in frames of ``length``."""
    mixer = Mixer(16_000, skip, 100_000, compressed)
    for begin in range(0, sound.shape[1], length):
        mixer.add(frame(sound[:, begin : begin + length]))
    return mixer.finish()


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("skip", [0, 12_345])
def test_the_bits_do_not_depend_on_the_length_of_the_frames(channels: int, skip: int) -> None:
    """Frames of 100 samples, of a codec's 1024, and longer than what is worked on together give the same sound."""
    sound = noise(channels, 90_001)
    whole = mixed(sound, 90_001, skip)
    assert len(whole) == pytest.approx(90_001 * 16_000 / 44_100 - skip, abs=2)
    for length in (100, 1024, 40_000):
        assert np.array_equal(mixed(sound, length, skip), whole)


@pytest.mark.parametrize("codec", ["pcm_f32le", "wavpack"])
def test_all_channels_of_surround_sound_are_heard(tmp_path: Path, codec: str) -> None:
    """The 8 channels of 7.1, one after the other or in planes of their own, are mixed as they are."""
    sound, path = noise(8, 32_000), tmp_path / "surround.mkv"
    with av.open(str(path), "w") as target:
        stream = target.add_stream(codec, rate=16_000, layout="7.1", format="fltp" if codec == "wavpack" else "flt")
        made = AudioFrame.from_ndarray(np.ascontiguousarray(sound.T.reshape(1, -1)), format="flt", layout="7.1")
        made.sample_rate, made.pts = 16_000, 0
        target.mux(stream.encode(made))
        target.mux(stream.encode(None))
    heard = decode(path, 0.0, 60.0)
    assert isinstance(heard, Decoded)
    assert np.allclose(heard.audio, mix(sound), atol=1e-6)


def test_a_damaged_frame_is_silenced_and_no_other() -> None:
    """A frame with a peak that no codec computes becomes silence; samples that are no numbers become 0 and count."""
    sound = noise(1, 5_000)
    sound[0, 1_500], sound[0, 3_500] = 50.0, np.nan
    mixer = Mixer(16_000, 0, 5_000, compressed=True)
    for begin in range(0, 5_000, 1_000):
        mixer.add(frame(sound[:, begin : begin + 1_000], 16_000))
    heard = mixer.finish()
    assert not heard[1_000:2_000].any()
    assert heard[3_500] == 0
    kept = np.r_[0:1_000, 2_000:3_500, 3_501:5_000]
    assert np.array_equal(heard[kept], sound[0, kept])
    assert mixer.not_numbers == 1 / 5_000


def test_nothing_is_taken_beyond_the_frame_that_fills_the_mixer() -> None:
    """Full with the third frame of 1000 when 2500 samples are wanted: a file is not decoded further than needed."""
    mixer = Mixer(16_000, 0, 2_500)
    fullness = []
    for _ in range(3):
        mixer.add(frame(noise(1, 1_000), 16_000))
        fullness.append(mixer.full)
    assert fullness == [False, False, True]
    assert len(mixer.finish()) == 2_500


def test_a_change_in_mid_file_keeps_what_came_before() -> None:
    """A new rate, or a new number of channels, goes on where the frames before it ended."""
    mixer = Mixer(16_000, 0, 100_000)
    for channels, rate_hz in ((1, 16_000), (2, 16_000), (2, 32_000), (1, 16_000)):
        mixer.add(frame(noise(channels, rate_hz), rate_hz))
    heard = mixer.finish()
    assert np.array_equal(heard[:16_000], noise(1, 16_000)[0])
    assert np.array_equal(heard[-16_000:], noise(1, 16_000)[0])
    assert len(heard) == pytest.approx(64_000, abs=20)


def test_a_frame_of_no_use_is_refused_and_the_others_are_kept() -> None:
    """A rate that no sound has is told at once, and what was taken before and after it is heard."""
    mixer = Mixer(16_000, 0, 100_000)
    mixer.add(frame(noise(1, 1_000), 16_000))
    with pytest.raises(ValueError, match="sampling rate of 900 Hz"):
        mixer.add(frame(noise(1, 1_000), 900))
    mixer.add(frame(noise(1, 1_000), 16_000))
    assert len(mixer.finish()) == 2_000
