"""Zip archives from a stranger: a table of contents of bounded size, and members of honest sizes."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

_CONTENTS_BYTES = 4 << 20
_STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _SmallReads(io.BufferedIOBase):
    """A stream that refuses to be read in one piece larger than an honest table of contents."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Position in the stream."""
        return self._stream.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position."""
        return self._stream.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        """At most ``size`` bytes; raises BadZipFile where an honest archive would not ask for so many."""
        whole = size is None or size < 0
        part = self._stream.read(_CONTENTS_BYTES + 1 if whole else min(cast("int", size), _CONTENTS_BYTES + 1))
        if len(part) > _CONTENTS_BYTES:
            raise zipfile.BadZipFile(f"its table of contents has more than {_CONTENTS_BYTES} bytes")
        return part


@contextmanager
def open_zip(stream: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """A zip archive for reading.

    Raises
    ------
    ValueError
        Whatever is wrong with the archive, also while it is read inside of the ``with``.
    """
    try:
        with zipfile.ZipFile(cast("IO[bytes]", _SmallReads(stream))) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, UnicodeDecodeError) as error:
        raise ValueError(str(error) or type(error).__name__) from error


def copy_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: IO[bytes], limit_bytes: int) -> None:
    """Write a member's bytes to ``target``, checked against its CRC.

    Raises
    ------
    ValueError
        Encrypted, of another compression, or longer than the limit or than its header says.
    """
    if member.flag_bits & 1 or member.compress_type not in _STORED_OR_DEFLATED:
        raise ValueError(f"{member.filename!r} is encrypted or compressed in an unusual way")
    if member.file_size > limit_bytes:
        raise ValueError(f"{member.filename!r} claims {member.file_size} bytes, over the limit of {limit_bytes}")
    done = 0
    with archive.open(member) as source:
        while chunk := source.read(1 << 18):
            done += len(chunk)
            target.write(chunk)
    if done != member.file_size:
        raise ValueError(f"{member.filename!r} has {done} bytes in place of {member.file_size}")
