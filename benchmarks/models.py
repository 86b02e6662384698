"""What is measured on: a full-size checkpoint with random weights, made here by code, and clips of generated sound."""

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from pipeline.checkpoint import Checkpoint, open_checkpoint
from pipeline.names import quartznet15x5

SAMPLE_RATE_HZ = 16_000
CLIP_SECONDS = 60.0
_NEMO_GUARD = 2.0**-24


def data_folder() -> Path:
    """Folder of the real recordings, as the tests find it: ``QUARTZLENS_TEST_DATA``, else beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("QUARTZLENS_TEST_DATA", beside))


def use_cache(work: Path) -> None:
    """Keep exported networks of this process and its children under ``work``: the user's cache is not for these."""
    os.environ["QUARTZLENS_CACHE"] = str(work / "cache")


def full_size(work: Path) -> Checkpoint:
    """QuartzNet 15x5 with random weights (seed 0), written to ``work`` where it is not there."""
    path = work / "random15x5.nemo"
    if not path.is_file():
        work.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        _write(partial)
        partial.replace(path)
    return open_checkpoint(str(path))


def clips(count: int, seconds: float = CLIP_SECONDS) -> list[NDArray[np.float32]]:
    """Generated sound, (n,) float32 at 16 kHz each: noise whose loudness comes and goes, no two alike."""
    generator = np.random.default_rng(0)
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return [
        (generator.normal(0, 0.1, len(time)) * (1 + np.sin(2 * np.pi * (0.3 + 0.1 * number) * time))).astype(np.float32)
        for number in range(count)
    ]


def _write(path: Path) -> None:
    config = quartznet15x5()
    config["preprocessor"]["log_zero_guard_value"] = _NEMO_GUARD
    members = {"model_config.yaml": yaml.safe_dump(config).encode(), "model_weights.ckpt": _weights(config)}
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _weights(config: dict[str, Any]) -> bytes:
    """A torch file of untrained weights by NeMo's own modules."""
    import torch
    from nemo.collections.asr.modules import ConvASRDecoder, ConvASREncoder

    torch.manual_seed(0)
    encoder, decoder = (
        kind(**{name: value for name, value in config[part].items() if name != "_target_"})
        for kind, part in ((ConvASREncoder, "encoder"), (ConvASRDecoder, "decoder"))
    )
    state = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    state |= {f"decoder.{name}": value for name, value in decoder.state_dict().items()}
    content = io.BytesIO()
    torch.save(state, content)
    return content.getvalue()
