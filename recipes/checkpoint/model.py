"""The small QuartzNet of the demo checkpoint, and how it is written as a `.nemo` file.

The front end, the order of blocks, kernels and dilations are those of QuartzNet 15x5 (Kriman et al. 2019, arXiv
1910.10261, table 1); only widths and repetitions are smaller.
"""

from __future__ import annotations

import io
import logging
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nemo.collections.asr.models import EncDecCTCModel

LABELS: tuple[str, ...] = (" ", *"abcdefghijklmnopqrstuvwxyz", "'")
SAMPLE_RATE_HZ = 16_000
EMBEDDING_DIM = 1024
NEMO_MEMBERS = ("model_config.yaml", "model_weights.ckpt")
_TARGET = "nemo.collections.asr.models.ctc_models.EncDecCTCModel"


@dataclass(frozen=True, slots=True)
class Block:
    """One row of QuartzNet's table: what a block of the encoder looks like."""

    channels: int
    kernel: int
    sub_blocks: int = 1
    stride: int = 1
    dilation: int = 1
    residual: bool = False
    separable: bool = True

    def as_jasper(self) -> dict[str, Any]:
        """Give the block in the words of NeMo's `ConvASREncoder`."""
        return {
            "filters": self.channels,
            "repeat": self.sub_blocks,
            "kernel": [self.kernel],
            "stride": [self.stride],
            "dilation": [self.dilation],
            "dropout": 0.0,
            "residual": self.residual,
            "separable": self.separable,
        }


BLOCKS: tuple[Block, ...] = (
    Block(192, 33, stride=2),
    Block(192, 33, sub_blocks=2, residual=True),
    Block(192, 39, sub_blocks=2, residual=True),
    Block(256, 51, sub_blocks=2, residual=True),
    Block(256, 63, sub_blocks=2, residual=True),
    Block(256, 75, sub_blocks=2, residual=True),
    Block(384, 87, dilation=2),
    Block(EMBEDDING_DIM, 1, separable=False),
)


def model_config() -> dict[str, Any]:
    """Give the configuration that goes into the `.nemo` file, as plain dictionaries and lists."""
    return {
        "target": _TARGET,
        "sample_rate": SAMPLE_RATE_HZ,
        "labels": list(LABELS),
        "preprocessor": _preprocessor_config(),
        "encoder": {
            "_target_": "nemo.collections.asr.modules.ConvASREncoder",
            "feat_in": 64,
            "activation": "relu",
            "conv_mask": True,
            "jasper": [block.as_jasper() for block in BLOCKS],
        },
        "decoder": {
            "_target_": "nemo.collections.asr.modules.ConvASRDecoder",
            "feat_in": EMBEDDING_DIM,
            "num_classes": len(LABELS),
            "vocabulary": list(LABELS),
        },
    }


def _preprocessor_config() -> dict[str, Any]:
    """Give the front end of QuartzNet 15x5 in NeMo's words."""
    return {
        "_target_": "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor",
        "sample_rate": SAMPLE_RATE_HZ,
        "normalize": "per_feature",
        "window_size": 0.02,
        "window_stride": 0.01,
        "window": "hann",
        "features": 64,
        "n_fft": 512,
        "preemph": 0.97,
        "log": True,
        "log_zero_guard_type": "add",
        "log_zero_guard_value": 2.0**-24,
        "mag_power": 2.0,
        "frame_splicing": 1,
        "dither": 1e-5,
        "pad_to": 16,
    }


def quiet_nemo() -> None:
    """Silence NeMo's start-up talk and warnings, which hide the recipe's own progress."""
    logging.getLogger("nemo_logger").setLevel(logging.ERROR)
    from nemo.utils import logging as nemo_logging

    nemo_logging.setLevel(nemo_logging.ERROR)


def build_model(seed: int = 0) -> EncDecCTCModel:
    """Build the network with weights drawn from a seed.

    Parameters
    ----------
    seed : int
        Seed of torch's generator at the moment of building: equal seeds give equal weights.

    Returns
    -------
    EncDecCTCModel
        NeMo's model, untrained, in training mode, in float32.
    """
    import torch

    quiet_nemo()
    from nemo.collections.asr.models import EncDecCTCModel
    from omegaconf import OmegaConf

    torch.manual_seed(seed)
    return EncDecCTCModel(cfg=OmegaConf.create(model_config()))


def load_weights(model: EncDecCTCModel, path: Path) -> None:
    """Load the weights of a `.nemo` file that this recipe wrote into a built model."""
    import torch

    with tarfile.open(path) as archive:
        member = archive.extractfile(NEMO_MEMBERS[1])
        if member is None:
            raise ValueError(f"{path}: no {NEMO_MEMBERS[1]} in the archive")
        model.load_state_dict(torch.load(io.BytesIO(member.read()), weights_only=True, map_location="cpu"))


def save_nemo(model: EncDecCTCModel, path: Path) -> None:
    """Write the model as a `.nemo` file: a plain tar of a YAML configuration and a torch state dict.

    The archive is written here rather than by NeMo so that it holds two plainly named members and no owner or time:
    equal weights give equal files. It appears under its name in one step.
    """
    import torch
    import yaml

    buffer = io.BytesIO()
    torch.save(dict(model.state_dict()), buffer)
    config = yaml.safe_dump(model_config(), sort_keys=False, default_flow_style=None, width=120).encode()
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in zip(NEMO_MEMBERS, (config, buffer.getvalue()), strict=True):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    partial.replace(path)


def count_weights(model: EncDecCTCModel) -> int:
    """Count the trainable numbers of the network."""
    return sum(parameter.numel() for parameter in model.parameters())
