"""Checkpoints: what they are, where they are, and the modules that they build."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from pipeline.archive import read_config, read_weights
from quartzlens.errors import CheckpointError

DEMO = "demo"
_NGC = "https://api.ngc.nvidia.com/v2/models/nvidia"
_LANGUAGES = ("en", "ca", "de", "es", "fr", "it", "pl", "ru", "zh")
_PREPROCESSOR = "AudioToMelSpectrogramPreprocessor"
_ENCODER = "ConvASREncoder"
_NEMO_MODULES = "nemo.collections.asr.modules"


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint that its maker publishes: its name here, the address of the file, and the page with its licence."""

    name: str
    address: str
    page: str


def published() -> tuple[Published, ...]:
    """NVIDIA's QuartzNet checkpoints in NeMo's format (addresses: NVIDIA NGC catalogue)."""
    page = "https://catalog.ngc.nvidia.com/orgs/nvidia/teams/nemo/models/"
    languages = [
        Published(name, f"{_NGC}/nemo/{name}/versions/1.0.0rc1/files/{name}.nemo", page + name)
        for name in (f"stt_{language}_quartznet15x5" for language in _LANGUAGES)
    ]
    base = "QuartzNet15x5Base-En"
    address = f"{_NGC}/nemospeechmodels/versions/1.0.0a5/files/{base}.nemo"
    return (*languages, Published(base, address, "https://catalog.ngc.nvidia.com/orgs/nvidia/models/nemospeechmodels"))


def cache_folder() -> Path:
    """Folder in the user's cache where downloaded checkpoints are kept (``QUARTZLENS_CACHE`` overrides it)."""
    import os

    return Path(os.environ.get("QUARTZLENS_CACHE") or user_cache_path("quartzlens")) / "checkpoints"


def demo_path() -> Path:
    """The demo checkpoint that the package carries (trained by recipes/checkpoint on generated speech)."""
    return Path(str(resources.files("quartzlens"))) / "demo" / "quartznet_demo.nemo"


def locate(name: str) -> Path:
    """Path of a checkpoint given by name (``demo``, a published one that is here) or by path.

    Raises
    ------
    CheckpointError
        Neither a file nor a known name, or a published one that has not been downloaded; the message says how to.
    """
    if name == DEMO:
        return demo_path()
    if Path(name).is_file():
        return Path(name).resolve()
    if name in {one.name for one in published()}:
        path = cache_folder() / f"{name}.nemo"
        if path.is_file():
            return path
        raise CheckpointError(f"{name} is not here yet: run `quartzlens checkpoint get {name}`.")
    raise CheckpointError(f"{name!r} is neither a file nor a known checkpoint; see `quartzlens checkpoint list`.")


@dataclass(frozen=True)
class Checkpoint:
    """A ``.nemo`` file of a CTC model whose encoder is a ``ConvASREncoder``.

    Configuration and weights are read when first asked for.
    """

    name: str
    path: Path

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the file."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @cached_property
    def config(self) -> dict[str, Any]:
        """The model's configuration.

        Its preprocessor and encoder are checked to be of the kinds that quartzlens builds.

        Raises CheckpointError otherwise: nothing but these two modules is ever built from a stranger's file.
        """
        config = read_config(self.path)
        for section, kind in (("preprocessor", _PREPROCESSOR), ("encoder", _ENCODER)):
            target = config.get(section, {}).get("_target_") if isinstance(config.get(section), dict) else None
            if not isinstance(target, str) or not (target.startswith(_NEMO_MODULES) and target.endswith("." + kind)):
                raise CheckpointError(
                    f"{self.path}: its {section} is {target!r}; quartzlens reads models whose {section} is a {kind}."
                )
        _check_blocks(self.path, config["encoder"].get("jasper"))
        rate_hz = config["preprocessor"].get("sample_rate", 16000)
        if rate_hz != 16000:
            raise CheckpointError(f"{self.path} hears {rate_hz} Hz; quartzlens gives its encoders 16000 Hz.")
        return config

    @property
    def dimension(self) -> int:
        """Channels of the encoder's last block: the length of an embedding."""
        return int(_blocks(self.config)[-1]["filters"])

    @property
    def step_seconds(self) -> float:
        """Time between two steps of the encoder's output (0.02 s for QuartzNet)."""
        stride = 1
        for block in _blocks(self.config):
            repeats = 1 if block.get("stride_last") else int(block.get("repeat", 1))
            stride *= int(block["stride"][0]) ** repeats
        return stride * float(self.config["preprocessor"].get("window_stride", 0.01))

    @property
    def front_end(self) -> str:
        """Canonical JSON of the front end's settings as used: without the random dither."""
        settings = {
            key: value for key, value in self.config["preprocessor"].items() if key not in ("_target_", "dither")
        }
        return json.dumps({**settings, "dither": 0.0}, sort_keys=True)

    @property
    def labels(self) -> list[str]:
        """Characters that the checkpoint's decoder writes; empty where it has none."""
        decoder = self.config.get("decoder")
        return [str(label) for label in (decoder or {}).get("vocabulary") or []]

    @property
    def clip_gflop(self) -> float:
        """Work of the encoder for 60 s of sound, in GFLOP, from its table of blocks (two operations a multiply-add)."""
        steps = 60.0 / float(self.config["preprocessor"].get("window_stride", 0.01))
        channels, total = int(self.config["encoder"].get("feat_in", 64)), 0.0
        for block in _blocks(self.config):
            kernel, out = int(block["kernel"][0]), int(block["filters"])
            steps /= int(block["stride"][0])
            inside = channels
            for _ in range(int(block.get("repeat", 1))):
                total += steps * (inside * kernel + inside * out if block.get("separable") else inside * out * kernel)
                inside = out
            total += steps * channels * out if block.get("residual") else 0.0
            channels = out
        return 2 * total / 1e9

    def build(self) -> tuple[Any, Any]:
        """Front end and encoder as NeMo modules in evaluation mode, weights strictly matched, dither off.

        Raises
        ------
        CheckpointError
            Unknown settings, or weights that do not fit the modules.
        """
        _before_torch()
        from nemo.collections.asr.modules import AudioToMelSpectrogramPreprocessor, ConvASREncoder

        weights = read_weights(self.path)
        try:
            preprocessor = AudioToMelSpectrogramPreprocessor(
                **_arguments(AudioToMelSpectrogramPreprocessor, self.config["preprocessor"])
            )
            encoder = ConvASREncoder(**_arguments(ConvASREncoder, self.config["encoder"]))
            encoder.load_state_dict(_section(weights, "encoder."))
            preprocessor.load_state_dict(_section(weights, "preprocessor."), strict=False)
        except (RuntimeError, TypeError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"{self.path}: configuration and weights do not fit ({str(error).splitlines()[0]})"
            ) from error
        preprocessor.featurizer.dither = 0.0
        return preprocessor.eval(), encoder.eval()


def open_checkpoint(name: str) -> Checkpoint:
    """Checkpoint by name or path; raises CheckpointError where it is not here or not of the right kind."""
    path = locate(name)
    checkpoint = Checkpoint(name if name == DEMO else path.stem, path)
    checkpoint.config  # noqa: B018 -- a file of the wrong kind is refused here, not hours later
    return checkpoint


def _check_blocks(path: Path, blocks: object) -> None:
    """Raise CheckpointError unless the encoder's table is a list of blocks with the numbers that quartzlens reads."""
    try:
        numbers = [
            number
            for block in blocks  # type: ignore[attr-defined]
            for number in (block["filters"], block["kernel"][0], block["stride"][0], block.get("repeat", 1))
        ]
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise CheckpointError(f"{path}: its encoder has no readable table of blocks ({error!r}).") from error
    if not numbers or not all(isinstance(number, int) and number > 0 for number in numbers):
        raise CheckpointError(f"{path}: its encoder's table of blocks is empty or has impossible sizes.")


def _blocks(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(config["encoder"].get("jasper") or [])


def _section(weights: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _arguments(kind: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that the module's constructor knows; NeMo's configurations carry a few that only its trainer reads."""
    known = inspect.signature(kind).parameters
    given = {key: value for key, value in settings.items() if key in known}
    given.setdefault("activation", "relu") if "activation" in known else None
    return given


def _before_torch() -> None:
    """Say what must be said before the first import of torch and NeMo.

    Threads wait without spinning: a decoder works beside them, and spinning costs a quarter of an ingest's time, many
    times more on a busy machine (measured). NeMo neither logs nor reports home.
    """
    import logging
    import os
    import warnings

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("WANDB_MODE", "disabled")
    warnings.filterwarnings("ignore", module=r"(nemo|lightning|torch|pydub|megatron|onelogger|nv_one_logger).*")
    logging.getLogger("nv_one_logger").setLevel(logging.CRITICAL)
    from nemo.utils import logging as nemo_logging

    nemo_logging.setLevel(logging.ERROR)
