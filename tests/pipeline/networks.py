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


def config(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """A model configuration with this table of blocks."""
    encoder = {"_target_": f"{MODULES}.ConvASREncoder", "feat_in": 64, "activation": "relu", "jasper": blocks}
    vocabulary = [" ", *"abcdefghijklmnopqrstuvwxyz'"]
    decoder = {"_target_": f"{MODULES}.ConvASRDecoder", "num_classes": 28, "vocabulary": vocabulary}
    return {"preprocessor": FRONT_END, "encoder": encoder, "decoder": decoder}


def untrained_weights(blocks: list[dict[str, Any]], seed: int = 0) -> dict[str, Any]:
    """State dict of an untrained network, by NeMo's own modules."""
    import torch
    from nemo.collections.asr.modules import ConvASREncoder

    torch.manual_seed(seed)
    encoder = ConvASREncoder(jasper=blocks, activation="relu", feat_in=64)
    return {f"encoder.{name}": value for name, value in encoder.state_dict().items()}


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
    import torch

    buffer = io.BytesIO()
    torch.save(untrained_weights(blocks) if weights is None else weights, buffer)
    settings = yaml.safe_dump(config(blocks)).encode()
    members = {"./model_config.yaml": settings, "./model_weights.ckpt": buffer.getvalue()}
    return write_archive(path, members, compressed=compressed)
