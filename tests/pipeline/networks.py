"""Small untrained .nemo files for tests, written without NeMo's own writer."""

import io
import tarfile
from pathlib import Path
from typing import Any

import yaml

MODULES = "nemo.collections.asr.modules"
FRONT_END = {
    "_target_": f"{MODULES}.AudioToMelSpectrogramPreprocessor",
    "normalize": "per_feature", "window_size": 0.02, "sample_rate": 16000, "window_stride": 0.01, "window": "hann",
    "features": 64, "n_fft": 512, "frame_splicing": 1, "dither": 1e-05,
}  # fmt: skip


def block(filters: int, kernel: int, **more: Any) -> dict[str, Any]:
    """One block of NeMo's encoder table."""
    plain = {"repeat": 1, "stride": [1], "dilation": [1], "dropout": 0.0, "residual": False, "separable": True}
    return {"filters": filters, "kernel": [kernel], **plain, **more}


SMALL = [block(32, 33, stride=[2]), block(32, 13, repeat=2, residual=True), block(48, 1, separable=False)]
QUARTZNET15X5 = [
    block(256, 33, stride=[2]),
    *(
        block(channels, kernel, repeat=5, residual=True)
        for channels, kernel in ((256, 33), (256, 39), (512, 51), (512, 63), (512, 75))
        for _ in range(3)
    ),
    block(512, 87, dilation=[2]),
    block(1024, 1, separable=False),
]


JASPER = [
    block(24, 11, stride=[2], separable=False),
    *(block(channels, kernel, repeat=2, residual=True, residual_dense=True, separable=False)
      for channels, kernel in ((24, 11), (32, 13), (40, 17))),
    block(48, 29, dilation=[2], separable=False), block(64, 1, separable=False),
]  # fmt: skip
_SQUEEZED = {"se": True, "se_context_size": -1, "separable": True, "kernel_size_factor": 0.5}
_STRIDED = {"stride": [2], "stride_last": True, "residual_mode": "stride_add"}
CITRINET = [
    block(32, 5, **_SQUEEZED),
    block(32, 11, repeat=3, residual=True, **_SQUEEZED, **_STRIDED),
    block(32, 13, repeat=3, residual=True, **_SQUEEZED, stride_last=True, residual_mode="stride_add"),
    block(32, 21, repeat=3, residual=True, **_SQUEEZED, **_STRIDED),
    block(40, 23, repeat=3, residual=True, **_SQUEEZED, **_STRIDED),
    block(80, 41, **{**_SQUEEZED, "se": False}),
]
CHARACTERS = [" ", *"abcdefghijklmnopqrstuvwxyz'"]
PIECES = ["<unk>", "\u2581the", "\u2581", "s", "ing", "##e"]


def config(
    blocks: list[dict[str, Any]], *, features: int = 64, vocabulary: list[str] | None = None, target: str = MODULES
) -> dict[str, Any]:
    """A model configuration with this table of blocks."""
    vocabulary = vocabulary or CHARACTERS
    encoder = {"_target_": f"{target}.ConvASREncoder", "feat_in": features, "activation": "relu", "jasper": blocks}
    decoder = {"feat_in": blocks[-1]["filters"], "num_classes": len(vocabulary), "vocabulary": vocabulary}
    return {
        "preprocessor": {**FRONT_END, "features": features},
        "encoder": encoder,
        "decoder": {"_target_": f"{target}.ConvASRDecoder", **decoder},
    }


def untrained_weights(
    blocks: list[dict[str, Any]], seed: int = 0, *, features: int = 64, n_labels: int = 28
) -> dict[str, Any]:
    """State dict of an untrained network with a decoder, by NeMo's own modules."""
    import torch
    from nemo.collections.asr.modules import ConvASRDecoder, ConvASREncoder

    torch.manual_seed(seed)
    encoder = ConvASREncoder(jasper=blocks, activation="relu", feat_in=features)
    decoder = ConvASRDecoder(feat_in=blocks[-1]["filters"], num_classes=n_labels)
    weights = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    return weights | {f"decoder.{name}": value for name, value in decoder.state_dict().items()}


def torch_file(value: object, **how: Any) -> bytes:
    """What torch.save writes."""
    import torch

    buffer = io.BytesIO()
    torch.save(value, buffer, **how)
    return buffer.getvalue()


def nemo_like(path: Path, settings: dict[str, Any], weights: bytes = b"") -> Path:
    """An archive with this configuration."""
    return write_archive(path, {"model_config.yaml": yaml.safe_dump(settings).encode(), "model_weights.ckpt": weights})


def write_archive(path: Path, members: dict[str, bytes], *, compressed: bool = False) -> Path:
    """A tar of these members."""
    with tarfile.open(path, "w:gz" if compressed else "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_nemo(
    path: Path, blocks: list[dict[str, Any]], *, weights: dict[str, Any] | None = None, compressed: bool = False
) -> Path:
    """A .nemo file of an untrained network."""
    content = torch_file(untrained_weights(blocks) if weights is None else weights)
    settings = yaml.safe_dump(config(blocks)).encode()
    members = {"./model_config.yaml": settings, "./model_weights.ckpt": content}
    return write_archive(path, members, compressed=compressed)
