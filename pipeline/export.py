"""From a checkpoint to a network that OpenVINO runs: exported once, kept in the cache; then NeMo is not needed.

Convolution masks are left out, which is right for one clip at its own, unpadded length: a convolution's zero padding
then stands where the masked steps would (proven against NeMo's padded batches in the tests). Beside the sums of each
fragment the graph gives the depth profile and the decoder's best labels, so that only small tables leave it.
"""

import contextlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoint import Checkpoint, cache_folder
from pipeline.openvino_library import load_openvino
from pipeline.products import read, save
from quartzlens.errors import CheckpointError, QuartzlensError

EXPORTER = 5  # of this file: a change in what it makes is a new number
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
    at steps that only pad is to be kept (see ``pipeline.encoder.Network``); ``products`` is the number of products of
    bfloat16 numbers that stand for one of float32, 0 for itself (``pipeline.products``).
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
    products: int = 0

    @property
    def folder(self) -> Path:
        """Where it is kept; an int8 network's numbers are also those of the NNCF that made it."""
        facts = {**asdict(self), "exporter": EXPORTER}
        if self.precision == "int8":
            facts["nncf"] = version("nncf")
        return cache_folder().parent / "engines" / sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def export(path: Path, name: str, what: Export, calibration: Path | None) -> None:
    """Export a checkpoint into ``what.folder``: whole, or not at all.

    Loads NeMo and torch, so give it a process of its own.

    Raises
    ------
    CheckpointError
        The checkpoint cannot be read or built, its network is of a kind that cannot be exported, or there is no room
        for it in the cache; whatever torch, OpenVINO or NNCF raise becomes one too: it would fail every time.
    """
    try:
        model, arrays = _made(Checkpoint(name, path), what, calibration)
    except QuartzlensError:
        raise
    except Exception as error:  # of three libraries, in a process whose only task this is
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        raise CheckpointError(f"{path} could not be exported in {what.precision} ({reason:.300}).") from error
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

    if checkpoint.sha256 != what.checkpoint_sha256:
        raise CheckpointError(f"{checkpoint.path} changed while it was being opened: run the command again.")
    weights = checkpoint.weights()
    _, encoder = checkpoint.build()
    decoder = (weights[f"{_DECODER}.weight"], weights[f"{_DECODER}.bias"]) if what.words else None
    padding = padding_of(encoder, what.end, what.strides) if what.pads_alike else None
    onnx = to_onnx(encoder, what.end, dict(what.ends), decoder, what.squares, _TRACED_FRAMES)
    network = load_openvino().Core().read_model(onnx)
    model = in_precision(network, what.precision, calibration, what.strides, what.products)
    return model, {**_filters(weights), **({} if padding is None else {"padding": padding})}


def filters(path: Path, name: str) -> dict[str, NDArray[Any]]:
    """The front end's ``window`` (w,) and ``filterbank`` (m, f) of a checkpoint, as far as its file has them.

    Loads torch, so give it a process of its own. Raises CheckpointError where the weights cannot be read.
    """
    return _filters(Checkpoint(name, path).weights())


def _filters(weights: dict[str, Any]) -> dict[str, NDArray[Any]]:
    window, filterbank = (weights.get(f"preprocessor.featurizer.{name}") for name in ("window", "fb"))
    there = {"window": window, "filterbank": None if filterbank is None else filterbank[0]}
    return {name: np.asarray(value) for name, value in there.items() if value is not None}


def _keep(model: Any, arrays: dict[str, NDArray[Any]], folder: Path) -> None:
    """Write a network under another name, make it durable, then give it its name."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=folder.parent))
    try:
        save(model, building / NETWORK)
        read(load_openvino().Core(), building / NETWORK)  # a disk that is full breaks files off, without an error
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
