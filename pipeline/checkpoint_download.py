"""Getting a published checkpoint: resumable, checked, and in place only when whole."""

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from pipeline.archive import read_config
from pipeline.checkpoint import Published
from quartzlens.errors import CheckpointError

_CHUNK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30.0
LARGEST_BYTES = 4 << 30


def get(
    published: Published, folder: Path, on_bytes: Callable[[int, int | None], None] = lambda _done, _of: None
) -> Path:
    """Download a checkpoint into ``folder`` and return its path.

    One that is there already is checked, not fetched again.

    A broken download leaves a ``.part`` file, and the next call goes on from there. The sha256 is recorded beside the
    file on first download and checked ever after. ``on_bytes`` hears of (bytes so far, bytes in all or None).

    Raises
    ------
    CheckpointError
        The server refuses or breaks off, what arrives is no checkpoint, or the checksum differs from the recorded one.
    """
    path = folder / f"{published.name}.nemo"
    if path.is_file():
        check_sum(path)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        _download(published.address, part, on_bytes)
    except urllib.error.HTTPError as error:
        raise CheckpointError(
            f"{published.address} answers {error.code} {error.reason}; see {published.page}."
        ) from error
    except (HTTPException, OSError) as error:
        advice = f"run the same command again to go on, or see {published.page}"
        raise CheckpointError(f"{published.address} cannot be fetched ({error}); {advice}.") from error
    _accept(part, path, published)
    return path


def check_sum(path: Path) -> str:
    """Sha256 of a downloaded checkpoint, compared with the recorded one (recorded if there is none).

    Raises CheckpointError where they differ.
    """
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    recorded = path.with_suffix(".sha256")
    if not recorded.exists():
        recorded.write_text(actual + "\n", encoding="ascii")
    expected = recorded.read_text(encoding="ascii").strip()
    if actual != expected:
        raise CheckpointError(f"{path} has sha256 {actual}, recorded was {expected}: delete it and get it again.")
    return actual


def _download(address: str, part: Path, on_bytes: Callable[[int, int | None], None]) -> None:
    """Fetch into ``part``, from where it ends if the server can."""
    done = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={done}-"} if done else {}
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 -- our own table
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != 416 or not done:
            raise
        part.unlink()
        _download(address, part, on_bytes)
        return
    with response:
        _receive(response, part, done if response.status == 206 else 0, on_bytes)


def _receive(response: HTTPResponse, part: Path, done: int, on_bytes: Callable[[int, int | None], None]) -> None:
    length = response.headers.get("Content-Length")
    total = done + int(length) if length else None
    with part.open("r+b" if done else "wb") as stream:
        stream.seek(done)
        while chunk := response.read(_CHUNK_BYTES):
            stream.write(chunk)
            done += len(chunk)
            if done > LARGEST_BYTES:
                raise OSError(f"more than {LARGEST_BYTES} bytes")
            on_bytes(done, total)
        stream.flush()
        os.fsync(stream.fileno())
    if total is not None and done != total:
        raise OSError(f"{done} of {total} bytes arrived")


def _accept(part: Path, path: Path, published: Published) -> None:
    """Give a whole download its name; one that is no checkpoint is deleted."""
    try:
        read_config(part)
    except CheckpointError as error:
        part.unlink()
        raise CheckpointError(
            f"{published.address} sent something that is no checkpoint ({error}); see {published.page}."
        ) from error
    part.replace(path)
    check_sum(path)
