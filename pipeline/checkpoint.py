"""Checkpoints: what they say about themselves, their weights, and the modules that they build."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

from pipeline import model_config
from pipeline.archive import LARGEST_BYTES, WEIGHTS, read_config, weights_file
from pipeline.layout import STATISTICS, Layout, Shape, read_layout
from pipeline.names import averaged_weights, quartznet15x5
from pipeline.published import DEMO, Published, cache_folder, demo_path, locate, published, recorded_sum
from pipeline.state import check_state
from pipeline.torch_file import checked, is_torch_file, load
from quartzlens.errors import CheckpointError

__all__ = ["DEMO", "Checkpoint", "Published", "cache_folder", "demo_path", "locate", "open_checkpoint", "published"]

_BESIDE_BYTES = 64 << 20  # what a torch file may hold beside the weights that its table demands


@dataclass(frozen=True)
class Checkpoint:
    """A CTC model whose encoder is a ``ConvASREncoder``: a ``.nemo`` file, or the ``.pt`` of DeepLearningExamples.

    What it is, is told by its content. Configuration and weights are read when first asked for, and are in NeMo's form
    for both kinds. A file that was downloaded has the sha256 of its arrival, or is refused.
    """

    name: str
    path: Path

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the file.

        Raises CheckpointError where the file is larger than any checkpoint, or was downloaded and has changed since.
        """
        if self.path.stat().st_size > LARGEST_BYTES:
            raise CheckpointError(f"{self.path} has more than {LARGEST_BYTES} bytes; it is not a checkpoint.")
        with self.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        expected = recorded_sum(self.path)
        if expected not in (None, digest):
            raise CheckpointError(
                f"{self.path} has sha256 {digest}, recorded was {expected}: delete it and get it again."
            )
        return digest

    @cached_property
    def is_nemo(self) -> bool:
        """Whether it is a ``.nemo`` archive; otherwise it is a file of ``torch.save``."""
        try:
            with self.path.open("rb") as stream:
                return not is_torch_file(stream.read(16))
        except OSError as error:
            raise CheckpointError(f"{self.path} cannot be read ({error.strerror}).") from error

    @cached_property
    def config(self) -> dict[str, Any]:
        """The model's configuration in NeMo's form, checked to be of the kinds that quartzlens builds.

        Raises CheckpointError otherwise: nothing but these modules is ever built from a stranger's file.
        """
        try:
            return model_config.checked(read_config(self.path) if self.is_nemo else quartznet15x5())
        except CheckpointError as error:
            known = str(error).startswith(str(self.path))
            raise CheckpointError(str(error) if known else f"{self.path}: {error}") from error

    @cached_property
    def layout(self) -> Layout:
        """The encoder's table of blocks."""
        return read_layout(self.config["encoder"])

    @property
    def dimension(self) -> int:
        """Channels of the encoder's last block: the length of an embedding."""
        return self.layout.blocks[-1].channels

    @property
    def step_seconds(self) -> float:
        """Time between two steps of the encoder's output (0.02 s for QuartzNet)."""
        return self.layout.strides * model_config.frame_seconds(self.config["preprocessor"])

    @property
    def front_end(self) -> str:
        """Canonical JSON of the front end's settings as used: without the random dither."""
        settings = {
            key: value for key, value in self.config["preprocessor"].items() if key not in ("_target_", "dither")
        }
        return json.dumps({**settings, "dither": 0.0}, sort_keys=True)

    @property
    def labels(self) -> list[str]:
        """What the checkpoint's decoder writes, in its order; empty where it has none."""
        return model_config.labels(self.config)

    @property
    def parameters(self) -> int:
        """Trainable parameters of the encoder: running statistics of batch normalisation are none."""
        return sum(prod(shape) for name, shape in self.layout.shapes().items() if not name.endswith(STATISTICS))

    @property
    def clip_gflop(self) -> float:
        """Work of the encoder for 60 s of sound, in GFLOP, from its table of blocks (two operations a multiply-add)."""
        frames = 60.0 / model_config.frame_seconds(self.config["preprocessor"])
        return 2 * frames * self.layout.multiply_adds / 1e9

    @property
    def shapes(self) -> dict[str, Shape]:
        """Shape of every weight of encoder and decoder, by NeMo's names, as the configuration demands them."""
        shapes = {f"encoder.{name}": shape for name, shape in self.layout.shapes().items()}
        if classes := model_config.classes(self.config):
            shapes["decoder.decoder_layers.0.weight"] = (classes, self.dimension, 1)
            shapes["decoder.decoder_layers.0.bias"] = (classes,)
        return shapes

    def weights(self) -> dict[str, Any]:
        """State dict (NeMo's name -> torch tensor on the CPU) of encoder, decoder and, where it is kept, front end.

        Raises
        ------
        CheckpointError
            Not plain weights; a weight that is missing, additional, of another shape than the configuration demands,
            NaN or infinite; or a file that changed since its download.
        """
        _before_torch()
        demanded = self.shapes  # first: no weights are read for a configuration that cannot be
        self.sha256  # noqa: B018 -- raises for a file that changed
        content = self._content()
        what = f"{self.path}: {WEIGHTS}" if self.is_nemo else str(self.path)
        state = load(content, what) if self.is_nemo else averaged_weights(content, what)
        return check_state(state, demanded, self.config["preprocessor"], len(content), str(self.path))

    def build(self) -> tuple[Any, Any]:
        """Front end and encoder as NeMo modules in evaluation mode, weights strictly matched, dither off.

        Raises
        ------
        CheckpointError
            Unknown settings, or weights that do not fit the modules.
        """
        weights = self.weights()
        _before_nemo()
        from nemo.collections.asr.modules import AudioToMelSpectrogramPreprocessor, ConvASREncoder

        try:
            front_end = self.config["preprocessor"]
            front_end = {**front_end, "pad_to": front_end.get("pad_to", 16) or 0}  # null is none, as in our front end
            preprocessor = AudioToMelSpectrogramPreprocessor(**_arguments(AudioToMelSpectrogramPreprocessor, front_end))
            encoder = ConvASREncoder(**_arguments(ConvASREncoder, {**self.config["encoder"], "init_mode": None}))
            encoder.load_state_dict(_section(weights, "encoder."))
            preprocessor.load_state_dict(_section(weights, "preprocessor."), strict=False)
        except (RuntimeError, TypeError, ValueError, KeyError, ImportError) as error:
            raise CheckpointError(
                f"{self.path}: configuration and weights do not fit ({(str(error) or repr(error)).splitlines()[0]})"
            ) from error
        preprocessor.featurizer.dither = 0.0
        return preprocessor.eval(), encoder.eval()

    def check_whole(self) -> None:
        """Read the file to its end without torch: whole members, sums of the zip, settings that can be.

        Raises CheckpointError for a file that breaks off or is no checkpoint.
        """
        self.config  # noqa: B018 -- raises for settings that cannot be
        checked(self._content(), str(self.path))

    def _content(self) -> bytes:
        """The torch file with the weights; a ``.nemo`` file's can be no larger than its table gives reason for."""
        if self.is_nemo:
            doubles = 8 * sum(map(prod, self.shapes.values()))
            return weights_file(self.path, min(LARGEST_BYTES, doubles + _BESIDE_BYTES))
        return self.path.read_bytes()


def open_checkpoint(name: str) -> Checkpoint:
    """Checkpoint by name or path; raises CheckpointError where it is not here, changed, or not of the right kind."""
    path = locate(name)
    checkpoint = Checkpoint(name if name == DEMO else path.stem, path)
    checkpoint.config  # noqa: B018 -- a file of the wrong kind is refused here, not hours later
    if recorded_sum(path) is not None:
        checkpoint.sha256  # noqa: B018 -- a download that changed likewise
    return checkpoint


def _section(weights: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _arguments(kind: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that the module's constructor knows; NeMo's configurations carry a few that only its trainer reads."""
    known = inspect.signature(kind).parameters
    given = {key: value for key, value in settings.items() if key in known}
    given.setdefault("activation", "relu") if "activation" in known else None
    return given


def _before_torch() -> None:
    """Say what must be said before the first import of torch.

    Threads wait without spinning: a decoder works beside them, and spinning costs a quarter of an ingest's time, many
    times more on a busy machine (measured).
    """
    import os

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _before_nemo() -> None:
    """NeMo neither logs nor reports home, and what its libraries warn of is not the user's concern."""
    import logging
    import os
    import warnings

    os.environ.setdefault("WANDB_MODE", "disabled")
    warnings.filterwarnings("ignore", module=r"(nemo|lightning|torch|pydub|megatron|onelogger|nv_one_logger).*")
    logging.getLogger("nv_one_logger").setLevel(logging.CRITICAL)
    from nemo.utils import logging as nemo_logging

    nemo_logging.setLevel(logging.ERROR)
