"""Reading a ``.nemo`` archive from a stranger.

Two named members out of a tar, in bounded memory, nothing executed or unpacked.
"""

import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from pipeline.plain_yaml import read_yaml
from quartzlens.errors import CheckpointError

CONFIG = "model_config.yaml"
WEIGHTS = "model_weights.ckpt"
LARGEST_BYTES = 2 << 30
_MEMBER_BYTES = {CONFIG: 2 << 20, WEIGHTS: LARGEST_BYTES}
_OTHER_BYTES = 16 << 20
_NAME_BYTES = 64 << 10
_MEMBERS = 64
_GZIP = b"\x1f\x8b"
_LONG = frozenset(
    (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
)


def read_config(path: Path) -> dict[str, Any]:
    """Model configuration of a ``.nemo`` archive, read without torch.

    Raises
    ------
    CheckpointError
        Not an archive, unsafe members, or YAML that is not plain data.
    """
    try:
        config = read_yaml(_member(path, CONFIG))
    except ValueError as error:
        raise CheckpointError(f"{path}: {CONFIG} is not plain YAML ({error})") from error
    if not isinstance(config, dict):
        raise CheckpointError(f"{path}: {CONFIG} holds no settings; this is not a NeMo model.")
    return config


def weights_file(path: Path, most_bytes: int = LARGEST_BYTES) -> bytes:
    """The torch file with the weights, as it stands in a ``.nemo`` archive.

    Raises CheckpointError like ``read_config``, and where the member claims more than ``most_bytes``.
    """
    return _member(path, WEIGHTS, most_bytes)


def _member(path: Path, name: str, most_bytes: int = LARGEST_BYTES) -> bytes:
    """Bytes of one member, found by a single forward pass so that a compressed archive is never unpacked whole."""
    with _members(path) as members:
        for member, stream in members:
            if PurePosixPath(member.name) == PurePosixPath(name):
                _refuse_larger(path, member, most_bytes)
                return stream.read() if stream else b""
    raise CheckpointError(f"{path} has no {name}; it is not a NeMo model.")


@contextmanager
def _members(path: Path) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]]:
    """Members in their order, each judged by its header before a byte of it is read.

    Plain and gzipped archives only: other compressions let a small file claim any amount of memory at once.
    """
    try:
        with path.open("rb") as file:
            mode = "r|gz" if file.read(2) == _GZIP else "r|"
        with tarfile.open(path, mode=mode, tarinfo=_Header) as archive:  # type: ignore[call-overload]
            yield _judged(path, archive)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such checkpoint; see `quartzlens checkpoint list`.") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not a readable .nemo archive ({error}); get it again.") from error


def _judged(path: Path, archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    for number, member in enumerate(archive):
        _refuse_unsafe(path, number, member)
        yield member, archive.extractfile(member)


class _Header(tarfile.TarInfo):
    """A header whose sizes are believed before anything is read for them, also those of long names."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """One header; raises ReadError for a negative size, and for a name that would fill the memory."""
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (header.type in _LONG and header.size > _NAME_BYTES):
            raise tarfile.ReadError(f"a header claims {header.size} bytes")
        return header


def _refuse_unsafe(path: Path, number: int, member: tarfile.TarInfo) -> None:
    """Raise CheckpointError for a member that no honest checkpoint has."""
    name = PurePosixPath(member.name)
    if number >= _MEMBERS:
        raise CheckpointError(f"{path} has more than {_MEMBERS} members; it is not a NeMo model.")
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise CheckpointError(f"{path}: member {member.name!r} points outside of the archive; refused.")
    if not (member.isfile() or member.isdir()) or member.issparse():
        raise CheckpointError(f"{path}: member {member.name!r} is a link or a device; refused.")
    _refuse_larger(path, member, _MEMBER_BYTES.get(str(name), _OTHER_BYTES))


def _refuse_larger(path: Path, member: tarfile.TarInfo, most_bytes: int) -> None:
    if member.size > most_bytes:
        raise CheckpointError(
            f"{path}: member {member.name!r} claims {member.size} bytes, over the limit of {most_bytes}; refused."
        )
