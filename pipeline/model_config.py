"""A model's configuration in one form, checked: what quartzlens will build, and nothing else."""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.layout import read_layout, real, whole
from quartzlens.errors import CheckpointError

SAMPLE_RATE_HZ = 16000
_MODULES = r"nemo\.collections\.asr\.modules(\.conv_asr|\.audio_preprocessing)?\."
_KINDS = {
    "preprocessor": "AudioToMelSpectrogramPreprocessor",
    "encoder": "ConvASREncoder",
    "decoder": "ConvASRDecoder",
}
_WHOLE = {
    "features": (1, 1024), "n_fft": (16, 1 << 16), "frame_splicing": (1, 16), "pad_to": (0, 4096),
    "n_window_size": (16, SAMPLE_RATE_HZ), "n_window_stride": (16, SAMPLE_RATE_HZ // 10),
}  # fmt: skip
_REAL = {
    "window_size": (1e-3, 1.0), "window_stride": (1e-3, 0.1), "preemph": (0, 1),
    "lowfreq": (0, SAMPLE_RATE_HZ / 2), "highfreq": (0, SAMPLE_RATE_HZ / 2),
}  # fmt: skip


def checked(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with its three sections in the form of today's NeMo.

    Raises
    ------
    CheckpointError
        A section is missing, of another kind than quartzlens builds, or has settings that cannot be.
    """
    config = {**config, **{section: _flat(config[section]) for section in _KINDS if config.get(section) is not None}}
    for section, kind in _KINDS.items():
        if section == "decoder" and section not in config:
            continue
        target = config.get(section, {}).get("_target_")
        if not isinstance(target, str) or not re.fullmatch(_MODULES + kind, target):
            raise CheckpointError(
                f"its {section} is {target!r:.100}; quartzlens reads models whose {section} is a {kind}."
            )
    _check_front_end(config["preprocessor"])
    read_layout(config["encoder"])
    _check_fit(config["preprocessor"], config["encoder"])
    classes(config)
    return config


def frame_seconds(preprocessor: Mapping[str, Any]) -> float:
    """Time between two frames of the front end."""
    samples = preprocessor.get("n_window_stride")
    return samples / SAMPLE_RATE_HZ if samples else float(preprocessor.get("window_stride", 0.01))


def labels(config: Mapping[str, Any]) -> list[str]:
    """What the decoder writes, in its order: characters, or the pieces of words of a tokenizer."""
    return [str(label) for label in (config.get("decoder") or {}).get("vocabulary") or []]


def classes(config: Mapping[str, Any]) -> int:
    """Outputs of the decoder with the blank; 0 without a decoder. Raises CheckpointError where its numbers differ."""
    decoder = config.get("decoder")
    if decoder is None:
        return 0
    vocabulary = decoder.get("vocabulary") or []
    if not isinstance(vocabulary, list) or not all(isinstance(label, str | int | float) for label in vocabulary):
        raise CheckpointError("its decoder's vocabulary is not a list of labels.")
    number = whole(decoder, "num_classes", -1, -1, 1 << 17)
    number = number if number > 0 else len(vocabulary)
    if number == 0 or (vocabulary and number != len(vocabulary)):
        raise CheckpointError(f"its decoder has {number} classes and {len(vocabulary)} labels.")
    return number + bool(decoder.get("add_blank", True))


def _flat(section: object) -> dict[str, Any]:
    """A section of NeMo before 1.0 names its class ``cls`` and keeps its settings in ``params``."""
    if not isinstance(section, dict):
        return {}
    settings = {key: value for key, value in section.items() if key not in ("cls", "params")}
    params = section.get("params")
    target = section.get("_target_", section.get("cls", section.get("target")))
    return {**settings, **(params if isinstance(params, dict) else {}), "_target_": target}


def _check_front_end(settings: Mapping[str, Any]) -> None:
    """Raise CheckpointError for settings that quartzlens cannot serve, or that would take any memory."""
    rate_hz = settings.get("sample_rate", SAMPLE_RATE_HZ)
    if rate_hz != SAMPLE_RATE_HZ:
        raise CheckpointError(f"it hears {rate_hz!r:.40} Hz; quartzlens gives its encoders {SAMPLE_RATE_HZ} Hz.")
    for name, bounds in _WHOLE.items():
        if settings.get(name) is not None:
            whole(settings, name, None, *bounds)
    for name, limits in _REAL.items():
        if settings.get(name) is not None:
            real(settings, name, None, *limits)
    low_hz, high_hz = settings.get("lowfreq") or 0, settings.get("highfreq") or SAMPLE_RATE_HZ / 2
    if low_hz >= high_hz:
        raise CheckpointError(f"lowfreq is {low_hz:g} Hz and highfreq {high_hz:g} Hz: nothing is heard between them.")
    for length, count in (("window_size", "n_window_size"), ("window_stride", "n_window_stride")):
        if (settings.get(length, 0.01) is None) == (settings.get(count) is None):
            raise CheckpointError(f"its preprocessor needs one of {length} and {count}.")


def _check_fit(preprocessor: Mapping[str, Any], encoder: Mapping[str, Any]) -> None:
    bands = (preprocessor.get("features") or 64) * (preprocessor.get("frame_splicing") or 1)
    if bands != encoder["feat_in"] * encoder.get("frame_splicing", 1):
        raise CheckpointError(f"its preprocessor makes {bands} bands and its encoder takes {encoder['feat_in']}.")
