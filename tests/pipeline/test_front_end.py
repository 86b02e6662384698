"""The front end: NeMo's log-mel features without NeMo, repeatable to the bit."""

import json
import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.checkpoint import open_checkpoint
from pipeline.front_end import _sums, front_end, mel_filterbank
from quartzlens.errors import CheckpointError
from tests.pipeline.compared import cosine, noise
from tests.pipeline.networks import FRONT_END

Features = Callable[[NDArray[np.float32]], NDArray[np.float32]]
PLAIN = {name: value for name, value in FRONT_END.items() if name != "_target_"}
MADE = {
    "noise": noise(10),
    "a second": noise(1),
    "an odd length": noise(2.0833, seed=1),
    "a length just under a frame": noise(1)[:15999],
    "silence": np.zeros(48000, np.float32),
    "a constant": np.full(80000, 0.25, np.float32),
    "clicks": np.where(np.arange(80000) % 8000 == 0, 0.9, 0).astype(np.float32),
    "a tone": (0.5 * np.sin(0.3 * np.arange(64000))).astype(np.float32),
    "sound after silence": np.concatenate([np.zeros(40000, np.float32), noise(2.5)]),
    "square noise at full scale": np.sign(noise(2)),
}
VARIANTS: dict[str, dict[str, Any]] = {
    "DeepLearningExamples' guard": {"log_zero_guard_value": 1e-20},
    "a least value": {"log_zero_guard_type": "clamp", "log_zero_guard_value": 1e-5},
    "a named guard": {"log_zero_guard_value": "eps"},
    "80 mels in 25 ms": {"features": 80, "window_size": 0.025},
    "no pre-emphasis": {"preemph": None},
    "magnitudes": {"mag_power": 1.0},
    "normalised together": {"normalize": "all_features"},
    "hamming": {"window": "hamming"},
    "blackman": {"window": "blackman"},
    "bartlett": {"window": "bartlett"},
    "lengths in steps": {"window_size": None, "window_stride": None, "n_window_size": 400, "n_window_stride": 200},
    "a part of the spectrum": {"lowfreq": 125, "highfreq": 7600},
    "n_fft by default": {"n_fft": None, "window_size": 0.04},
}


def nemo_features(settings: dict[str, Any]) -> Features:
    """NeMo's own front end with these settings: the valid frames (m, t) of a clip."""
    import torch
    from nemo.collections.asr.modules import AudioToMelSpectrogramPreprocessor

    preprocessor = AudioToMelSpectrogramPreprocessor(**{**settings, "dither": 0.0}).eval()

    def features(audio: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            mel, frames = preprocessor(input_signal=torch.from_numpy(audio)[None], length=torch.tensor([len(audio)]))
        return np.asarray(mel[0, :, : int(frames)].numpy())

    return features


def error(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """Root of the mean squared difference; the features have a deviation of one."""
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype == np.float32
    return float(np.sqrt(np.square(ours.astype(np.float64) - theirs).mean()))


@pytest.fixture(scope="module")
def nemo() -> Features:
    """NeMo's front end as QuartzNet's checkpoints set it."""
    return nemo_features(PLAIN)


@pytest.mark.slow
@pytest.mark.parametrize("sound", MADE)
def test_generated_sound_has_nemos_features(nemo: Features, sound: str) -> None:
    """Differences are of float32's rounding: 1e-4 of the features' deviation."""
    assert error(front_end(json.dumps(PLAIN)).features(MADE[sound]), nemo(MADE[sound])) < 1e-4


@pytest.mark.slow
@pytest.mark.realdata
def test_real_recordings_have_nemos_features(nemo: Features, clips: dict[str, NDArray[np.float32]]) -> None:
    """On every clip within 0.5 % of a deviation; most of it in bands that hear nothing, which are rounding alone."""
    front = front_end(json.dumps(PLAIN))
    errors = {name: error(front.features(audio), nemo(audio)) for name, audio in clips.items()}
    assert len(errors) == 83
    assert max(errors.values()) < 5e-3, errors
    assert np.median(list(errors.values())) < 2e-5


@pytest.mark.skipif(platform.machine() != "x86_64", reason="torch adds in another order on other processors")
@pytest.mark.parametrize("n_frames", [1, 15, 16, 63, 64, 101, 1025, 6001, 70001])
def test_sums_over_time_round_as_torchs_do(n_frames: int) -> None:
    """The mean of a band that is constant but for its last bit is NeMo's, or each fragment would be elsewhere."""
    import torch

    rows = (0.01 * np.random.default_rng(n_frames).standard_normal((5, n_frames)) - 16.6).astype(np.float32)
    assert _sums(rows).tobytes() == torch.from_numpy(rows).sum(dim=1).numpy().tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_other_settings_have_nemos_features(variant: str) -> None:
    """Whatever a checkpoint sets of these, on noise and on sound after silence."""
    settings = PLAIN | VARIANTS[variant]
    theirs, ours = nemo_features(settings), front_end(json.dumps(settings))
    for sound in ("noise", "sound after silence", "an odd length"):
        assert error(ours.features(MADE[sound]), theirs(MADE[sound])) < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("n_samples", [16000, 16159, 16160, 960000, 959999])
@pytest.mark.parametrize("pad_to", [16, 0, 8])
def test_padding_is_counted_as_nemo_pads(n_samples: int, pad_to: int) -> None:
    """The frames that NeMo's front end would give with its padding are known without it."""
    import torch
    from nemo.collections.asr.modules import AudioToMelSpectrogramPreprocessor

    settings = PLAIN | {"pad_to": pad_to}
    preprocessor = AudioToMelSpectrogramPreprocessor(**settings).eval()
    mel, _ = preprocessor(input_signal=torch.zeros(1, n_samples), length=torch.tensor([n_samples]))
    assert front_end(json.dumps(settings)).padded_frames(n_samples) == mel.shape[2]


@pytest.mark.parametrize(
    ("n_mels", "n_fft", "low_hz", "high_hz"), [(64, 512, 0, 8000), (80, 512, 0, 8000), (40, 1024, 125, 7600)]
)
def test_the_filterbank_is_librosas(n_mels: int, n_fft: int, low_hz: float, high_hz: float) -> None:
    """Slaney's filters, as librosa computes them for NeMo, to float32's last bits."""
    import librosa

    theirs = librosa.filters.mel(sr=16000, n_fft=n_fft, n_mels=n_mels, fmin=low_hz, fmax=high_hz, norm="slaney")
    ours = mel_filterbank(n_mels, n_fft, low_hz, high_hz)
    assert ours.dtype == np.float32
    assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-9)


@pytest.mark.slow
def test_the_demo_checkpoints_window_and_filters_can_be_computed(nemo: Features) -> None:
    """What the checkpoint carries is what its settings say, so a checkpoint without them is served too."""
    checkpoint = open_checkpoint("demo")
    weights = checkpoint.weights()
    front = front_end(checkpoint.front_end)
    for name, ours in (("window", front.window), ("fb", front.filterbank[None])):
        theirs = weights.get(f"preprocessor.featurizer.{name}")
        assert theirs is None or ours == pytest.approx(theirs.numpy(), abs=1e-6)
    assert error(front.features(MADE["noise"]), nemo(MADE["noise"])) < 1e-4


def test_a_checkpoints_own_filters_are_used() -> None:
    """Other filters give other features; those of another size are refused."""
    own = mel_filterbank(64, 512, 300, 3400)
    with_own = front_end(json.dumps(PLAIN), filterbank=own)
    assert cosine(with_own.features(MADE["noise"]), front_end(json.dumps(PLAIN)).features(MADE["noise"])) < 0.99
    for window, filterbank in ((np.ones(300, np.float32), None), (None, own[:40])):
        with pytest.raises(CheckpointError, match="not those of its settings"):
            front_end(json.dumps(PLAIN), window, filterbank)


def test_no_padding_may_be_written_as_null() -> None:
    """``pad_to: null`` lengthens nothing."""
    assert front_end(json.dumps(PLAIN | {"pad_to": None})).padded_frames(16000) == 101


@given(seconds=st.floats(1, 3), seed=st.integers(0, 9), level=st.sampled_from((0.0, 1e-6, 0.1, 10.0)))
def test_the_same_clip_has_the_same_bits(seconds: float, seed: int, level: float) -> None:
    """Features repeat bit for bit, also from a copy and from a front end made anew, and are finite."""
    audio = noise(seconds, seed) * np.float32(level)
    front = front_end(json.dumps(PLAIN))
    first = front.features(audio)
    held = audio.copy()
    assert first.tobytes() == front.features(audio.copy()).tobytes()
    assert first.tobytes() == front_end(json.dumps(PLAIN)).features(audio).tobytes()
    assert (audio == held).all()
    assert np.isfinite(first).all()
    assert first.shape == (64, len(audio) // 160)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("normalize", None), ("normalize", {"fixed_mean": [0], "fixed_std": [1]}), ("frame_splicing", 3),
        ("exact_pad", True), ("log", False), ("mag_power", 3), ("log_zero_guard_type", "max"), ("window", "kaiser"),
        ("mel_norm", None), ("log_zero_guard_value", "small"), ("log_zero_guard_value", 0), ("window_size", 0.05),
        ("log_zero_guard_value", float("inf")), ("log_zero_guard_value", None), ("preemph", float("nan")),
        ("preemph", "x"), ("preemph", 1e300), ("lowfreq", "x"), ("lowfreq", 8000), ("lowfreq", float("nan")),
        ("lowfreq", -5), ("highfreq", [1]), ("highfreq", 1e9), ("pad_to", "x"), ("pad_to", -1), ("pad_to", 10**9),
    ],
)  # fmt: skip
def test_a_setting_that_only_nemo_knows_is_named(name: str, value: object) -> None:
    """Never other features than the checkpoint's: a clear error instead, with the setting's name."""
    with pytest.raises(CheckpointError, match=name if name != "window_size" else "not those of its settings"):
        front_end(json.dumps(PLAIN | {name: value}))
