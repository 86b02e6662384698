"""From a checkpoint to a network that OpenVINO runs: exported once, kept in the cache; then NeMo is not needed.

Convolution masks are left out, which is right for one clip at its own, unpadded length: a convolution's zero padding
then stands where the masked steps would (proven against NeMo's padded batches in the tests). Beside the sums of each
fragment the graph gives the depth profile and the decoder's best labels, so that only small tables leave it.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoint import Checkpoint, cache_folder
from quartzlens.errors import CheckpointError

EXPORTER = 3  # of this file: a change in what it makes is a new number
NETWORK = "network.xml"
ARRAYS = "arrays.npz"
SUMS = "sums.json"
_TRACED_FRAMES = 800
_DECODER = "decoder.decoder_layers.0"
_BUILDING = ".building-"
_FORGOTTEN_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Export:
    """What makes one exported network different from another.

    ``end`` is the number of the table's last entry and ``strides`` the frames that make one step there; ``ends`` names
    the blocks of the depth profile; ``squares`` asks for the sums of squares that ``mean_std`` needs;
    ``calibration_sha256`` is the digest of an int8 network's calibration features; ``pads_alike`` says that the output
    at steps that only pad is to be kept (see ``pipeline.encoder.Network``).
    """

    checkpoint_sha256: str
    end: int
    strides: int
    ends: tuple[tuple[str, int], ...]
    words: bool
    squares: bool
    precision: str
    pads_alike: bool
    calibration_sha256: str = ""

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        facts = json.dumps({**asdict(self), "exporter": EXPORTER}, sort_keys=True)
        return cache_folder().parent / "engines" / sha256(facts.encode()).hexdigest()[:32]


def export(path: Path, name: str, what: Export, calibration: Path | None) -> None:
    """Export a checkpoint into ``what.folder``: whole, or not at all.

    Loads NeMo and torch, so give it a process of its own.

    Raises
    ------
    CheckpointError
        The checkpoint cannot be read or built, its network is of a kind that cannot be exported, or there is no room
        for it in the cache.
    """
    checkpoint = Checkpoint(name, path)
    if checkpoint.sha256 != what.checkpoint_sha256:
        raise CheckpointError(f"{path} changed while it was being opened: run the command again.")
    model, arrays = _made(checkpoint, what, calibration)
    try:
        _keep(model, arrays, what.folder)
    except (OSError, RuntimeError) as error:  # the latter is OpenVINO's, also where a disk is full
        raise CheckpointError(
            f"The network of {path} cannot be kept in {what.folder.parent} ({str(error).strip()}): make room there, or "
            "set QUARTZLENS_CACHE to a folder that can be written."
        ) from error


def is_whole(folder: Path) -> bool:
    """Whether every file of an exported network is there as it was when it was made."""
    try:
        return bool(json.loads((folder / SUMS).read_text(encoding="utf-8")) == _sums(folder))
    except (OSError, ValueError):
        return False


def _sums(folder: Path) -> dict[str, str]:
    """Sha256 of the files in a folder by their names."""
    sums = {}
    for path in sorted(folder.iterdir()):
        if path.name != SUMS:
            with path.open("rb") as stream:
                sums[path.name] = file_digest(stream, "sha256").hexdigest()
    return sums


def _made(checkpoint: Checkpoint, what: Export, calibration: Path | None) -> tuple[Any, dict[str, NDArray[Any]]]:
    """OpenVINO's model, and the arrays beside it."""
    from pipeline.network import padding_of, to_onnx
    from pipeline.precision import in_precision

    weights = checkpoint.weights()
    _, encoder = checkpoint.build()
    decoder = (weights[f"{_DECODER}.weight"], weights[f"{_DECODER}.bias"]) if what.words else None
    padding = padding_of(encoder, what.end) if what.pads_alike else None
    onnx = to_onnx(encoder, what.end, dict(what.ends), decoder, what.squares, _TRACED_FRAMES)
    model = in_precision(load_openvino().Core().read_model(onnx), what.precision, calibration, what.strides)
    filterbank = weights.get("preprocessor.featurizer.fb")
    arrays = {
        "padding": padding,
        "window": weights.get("preprocessor.featurizer.window"),
        "filterbank": None if filterbank is None else filterbank[0],
    }
    return model, {name: np.asarray(value) for name, value in arrays.items() if value is not None}


def _keep(model: Any, arrays: dict[str, NDArray[Any]], folder: Path) -> None:
    """Write a network under another name, make it durable, then give it its name."""
    openvino = load_openvino()
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=folder.parent))
    try:
        openvino.save_model(model, building / NETWORK, compress_to_fp16=False)
        openvino.Core().read_model(building / NETWORK)  # a disk that is full breaks files off, without an error
        with (building / ARRAYS).open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        (building / SUMS).write_text(json.dumps(_sums(building)), encoding="utf-8")
        _put_in_place(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _put_in_place(building: Path, folder: Path) -> None:
    """Make what was built durable, then give it its name; where another process was faster, its network stays."""
    for path in building.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    try:
        building.rename(folder)
    except OSError:
        if not is_whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
            building.rename(folder)


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed long ago had begun to build."""
    for path in folder.glob(f"{_BUILDING}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _FORGOTTEN_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def load_openvino() -> Any:
    """The openvino package, without the statistics that it would send home.

    Its own stand-in takes over where the package ``openvino_telemetry`` cannot be imported.
    """
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino
