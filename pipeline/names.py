"""NVIDIA's DeepLearningExamples checkpoints of QuartzNet, seen as NeMo's: the known configuration, and the renaming.

They carry weights and no configuration. Table and front end are those of its recipe (DeepLearningExamples
PyTorch/SpeechRecognition/QuartzNet; arXiv 1910.10261, table 1).
"""

from collections.abc import Mapping
from typing import Any

from pipeline.torch_file import load
from quartzlens.errors import CheckpointError

AVERAGED = "ema_state_dict"
_MODULES = "nemo.collections.asr.modules"
_GUARD = 1e-20  # added before the logarithm there; NeMo adds 2 ** -24
_MOVED = (("encoder.layers.", "encoder.encoder."), ("decoder.layers.", "decoder.decoder_layers."))


def _row(channels: int, kernel: int, **more: Any) -> dict[str, Any]:
    plain = {"repeat": 1, "stride": [1], "dilation": [1], "dropout": 0.0, "residual": False, "separable": True}
    return {"filters": channels, "kernel": [kernel], **plain, **more}


def quartznet15x5() -> dict[str, Any]:
    """The English QuartzNet 15x5 of DeepLearningExamples as a configuration in NeMo's form."""
    groups = ((256, 33), (256, 39), (512, 51), (512, 63), (512, 75))
    middle = [_row(*sizes, repeat=5, residual=True) for sizes in groups for _ in range(3)]
    last = [_row(512, 87, dilation=[2]), _row(1024, 1, separable=False)]
    return {
        "preprocessor": {
            "_target_": f"{_MODULES}.AudioToMelSpectrogramPreprocessor", "sample_rate": 16000, "window_size": 0.02,
            "window_stride": 0.01, "window": "hann", "normalize": "per_feature", "n_fft": 512, "features": 64,
            "preemph": 0.97, "log": True, "log_zero_guard_type": "add", "log_zero_guard_value": _GUARD,
            "mag_power": 2.0, "frame_splicing": 1, "dither": 1e-5, "pad_to": 16,
        },
        "encoder": {
            "_target_": f"{_MODULES}.ConvASREncoder", "feat_in": 64, "activation": "relu", "conv_mask": True,
            "jasper": [_row(256, 33, stride=[2]), *middle, *last],
        },
        "decoder": {
            "_target_": f"{_MODULES}.ConvASRDecoder", "feat_in": 1024, "num_classes": 28,
            "vocabulary": [" ", *"abcdefghijklmnopqrstuvwxyz'"],
        },
    }  # fmt: skip


def averaged_weights(content: bytes, what: str) -> dict[str, Any]:
    """The averaged weights (``ema_state_dict``) of a DeepLearningExamples file, in NeMo's names.

    Raises
    ------
    CheckpointError
        Not such a file; the message names what it holds.
    """
    held = load(content, what)
    weights = held.get(AVERAGED) if isinstance(held, dict) else None
    if not isinstance(weights, dict) or not weights:
        keys = ", ".join(f"{key!r:.60}" for key in list(held)[:8]) if isinstance(held, dict) else type(held).__name__
        raise CheckpointError(
            f"{what} has no {AVERAGED}; it holds {keys or 'nothing'}. Of .pt files, quartzlens reads those of NVIDIA's "
            "DeepLearningExamples QuartzNet."
        )
    return renamed(weights)


def renamed(weights: Mapping[Any, Any]) -> dict[str, Any]:
    """A state dict of DeepLearningExamples' QuartzNet in NeMo's names; tensors and unknown names stay as they are.

    A convolution is masked by inheritance there and by composition in NeMo, so that the encoder's gain a ``conv``. It
    is told from a batch normalisation by its three-dimensional weight, whatever its index.
    """
    moved: dict[str, Any] = {}
    for old, value in weights.items():
        name = str(old)
        for before, after in _MOVED:
            if name.startswith(before):
                name = after + name.removeprefix(before)
        if name.startswith("encoder.") and name.endswith(".weight") and getattr(value, "ndim", 0) == 3:
            name = name.removesuffix("weight") + "conv.weight"
        moved[name] = value
    return moved
