"""Reading a ``.nemo`` archive from a stranger.

Two named members out of a tar, in bounded memory, nothing executed or unpacked.
"""

import io
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from quartzlens.errors import CheckpointError

CONFIG = "model_config.yaml"
WEIGHTS = "model_weights.ckpt"
_MEMBER_BYTES = {CONFIG: 8 << 20, WEIGHTS: 2 << 30}
_OTHER_BYTES = 64 << 20
_MEMBERS = 64


def read_config(path: Path) -> dict[str, Any]:
    """Model configuration of a ``.nemo`` archive, read without torch.

    Raises
    ------
    CheckpointError
        Not an archive, unsafe members, or YAML that is not plain data.
    """
    try:
        config = yaml.safe_load(_member(path, CONFIG))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: {CONFIG} is not plain YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(config, dict):
        raise CheckpointError(f"{path}: {CONFIG} holds no settings; this is not a NeMo model.")
    return config


def read_weights(path: Path) -> dict[str, Any]:
    """State dict (name -> torch tensor on the CPU) of a ``.nemo`` archive, loaded with ``weights_only``.

    Raises
    ------
    CheckpointError
        Not an archive, unsafe members, a pickle with anything but tensors, or NaN or infinite weights.
    """
    import pickle

    import torch

    try:
        weights = torch.load(io.BytesIO(_member(path, WEIGHTS)), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path}: {WEIGHTS} is not a file of plain weights ({str(error).splitlines()[0]})"
        ) from error
    if not isinstance(weights, dict) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise CheckpointError(f"{path}: {WEIGHTS} is not a table of tensors.")
    for name, value in weights.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise CheckpointError(
                f"{path}: weight {name} has NaN or infinite values; the file is damaged, get it again."
            )
    return weights


def _member(path: Path, name: str) -> bytes:
    """Bytes of one member, found by a single forward pass so that a compressed archive is never unpacked whole."""
    try:
        with tarfile.open(path, mode="r|*") as archive:
            for number, member in enumerate(archive):
                _refuse_unsafe(path, number, member)
                if PurePosixPath(member.name) == PurePosixPath(name):
                    stream = archive.extractfile(member)
                    return stream.read() if stream else b""
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise CheckpointError(f"{path}: no such checkpoint; see `quartzlens checkpoint list`.") from error
        raise CheckpointError(f"{path} is not a readable .nemo archive ({error}); get it again.") from error
    raise CheckpointError(f"{path} has no {name}; it is not a NeMo model.")


def _refuse_unsafe(path: Path, number: int, member: tarfile.TarInfo) -> None:
    """Raise CheckpointError for a member that no honest checkpoint has."""
    name = PurePosixPath(member.name)
    if number >= _MEMBERS:
        raise CheckpointError(f"{path} has more than {_MEMBERS} members; it is not a NeMo model.")
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise CheckpointError(f"{path}: member {member.name!r} points outside of the archive; refused.")
    if not (member.isfile() or member.isdir()):
        raise CheckpointError(f"{path}: member {member.name!r} is a link or a device; refused.")
    limit = _MEMBER_BYTES.get(str(name), _OTHER_BYTES)
    if member.size > limit:
        raise CheckpointError(
            f"{path}: member {member.name!r} claims {member.size} bytes, over the limit of {limit}; refused."
        )
