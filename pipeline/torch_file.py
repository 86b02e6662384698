"""Loading a file of ``torch.save`` from a stranger: tensors and plain containers only, no larger than the file."""

import io
import pickle
import struct
import warnings
import zipfile

from pipeline.zips import copy_member, open_zip
from quartzlens.errors import CheckpointError

ZIP = b"PK\x03\x04"
OLD = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the pickled magic number that files of torch before 1.6 begin with
_BROKEN = (
    pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError,
    AssertionError, MemoryError, RecursionError, struct.error, OSError,
)  # fmt: skip


def is_torch_file(start: bytes) -> bool:
    """Whether a file that begins with these bytes (16 at least) can be one of ``torch.save``."""
    return start.startswith((ZIP, OLD))


def load(content: bytes, what: str) -> object:
    """What ``torch.save`` wrote, on the CPU, loaded with ``weights_only``; ``what`` names it in messages.

    Raises
    ------
    CheckpointError
        Not a torch file, a pickle with anything but plain data, or members that claim more than the file holds.
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the kinds of files that are refused all the same
            return torch.load(checked(content, what), map_location="cpu", weights_only=True)
    except _BROKEN as error:
        raise CheckpointError(f"{what} is not a file of plain weights ({_reason(error)}).") from error


def _reason(error: BaseException) -> str:
    """Torch's reason without its advice, which is to load the file in the way that runs what it says."""
    text = str(error).rpartition("WeightsUnpickler error: ")[2].partition(". In PyTorch")[0]
    return (text.strip() or type(error).__name__).splitlines()[0][:200]


def checked(content: bytes, what: str) -> io.BytesIO:
    """The same torch file written anew from the members that were checked.

    Torch reads zip archives by code of its own, which would unpack a compressed member of any size, and could see
    another table of contents than the one that was checked. Torch compresses nothing, so that honest members together
    are smaller than the file. Raises CheckpointError where they are not.
    """
    if content.startswith(OLD):
        return io.BytesIO(content)
    if not content.startswith(ZIP):
        raise CheckpointError(f"{what} is not a file of plain weights: torch.save did not write it.")
    anew = io.BytesIO()
    try:
        with open_zip(io.BytesIO(content)) as archive, zipfile.ZipFile(anew, "w") as target:
            _copy(archive, target, len(content))
    except ValueError as error:
        raise CheckpointError(f"{what} is not a file of plain weights ({error}); get it again.") from error
    anew.seek(0)
    return anew


def _copy(archive: zipfile.ZipFile, target: zipfile.ZipFile, size: int) -> None:
    members = archive.infolist()
    names = {member.filename for member in members}
    if not any(name.endswith("/data.pkl") for name in names):
        raise ValueError(f"a zip archive without data.pkl, holding {', '.join(map(repr, sorted(names)[:3]))}")
    if len(names) < len(members) or any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("members that are compressed or of one name; torch writes none")
    if sum(member.file_size for member in members) > size:
        raise ValueError(f"members that claim more than the file's {size} bytes")
    for member in members:
        with target.open(zipfile.ZipInfo(member.filename), "w", force_zip64=True) as stream:
            copy_member(archive, member, stream, size)
