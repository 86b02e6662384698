"""Getting a published checkpoint: resumable, checked, and in place only when whole."""

import hashlib
import os
import urllib.error
import zipfile
from pathlib import Path, PurePosixPath

from pipeline.checkpoint import Checkpoint
from pipeline.published import Published, sum_path
from pipeline.transfer import FAILURES, OnBytes, fetch, why
from pipeline.zips import copy_member, open_zip
from quartzlens.errors import CheckpointError

LARGEST_BYTES = 2 << 30


def get(published: Published, folder: Path, on_bytes: OnBytes = lambda _done, _of: None) -> Path:
    """Download a checkpoint into ``folder`` and return its path.

    The file's own address is asked first and, where it answers that there is none, the zip form. One that is there
    already is checked, not fetched again. A broken download leaves a ``.part`` file, and the next call goes on from
    there. The sha256 is recorded beside the file on first download and checked ever after. ``on_bytes`` hears of (bytes
    so far, bytes in all or None).

    Raises
    ------
    CheckpointError
        The server refuses or breaks off, what arrives is no checkpoint, or the checksum differs from the recorded one.
    """
    path = folder / published.file
    if path.is_file():
        check_sum(path)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = _fetched(published, path, on_bytes)
    try:
        whole = _extracted(part, published) if part.suffix == ".zip" else part
        _accept(whole, path, published)
    except OSError as error:  # a full disk, for instance: what was fetched is kept for the next call
        raise CheckpointError(f"{path} cannot be written ({error}); run the same command again.") from error
    except CheckpointError:
        part.unlink(missing_ok=True)
        raise
    part.unlink(missing_ok=True)
    return path


def check_sum(path: Path) -> str:
    """Sha256 of a downloaded checkpoint, compared with the recorded one (recorded if there is none).

    Raises CheckpointError where they differ.
    """
    actual = _digest(path)
    expected = _recorded(path, actual)
    if actual != expected:
        raise CheckpointError(f"{path} has sha256 {actual}, recorded was {expected}: delete it and get it again.")
    return actual


def _fetched(published: Published, path: Path, on_bytes: OnBytes) -> Path:
    """What arrived from the first address that has something: ``.part`` for the file, ``.part.zip`` for the zip."""
    part = path.with_suffix(".part")
    forms = ((published.address, part), (published.zip_address, part.with_suffix(".part.zip")))
    addresses = [(address, target) for address, target in forms if address]
    for number, (address, target) in enumerate(addresses, 1):
        try:
            fetch(address, target, LARGEST_BYTES, on_bytes)
        except urllib.error.HTTPError as error:
            if error.code != 404 or number == len(addresses):
                raise CheckpointError(
                    f"{address} answers {error.code} {error.reason}; see {published.page}."
                ) from error
        except FAILURES as error:
            advice = f"run the same command again to go on, or see {published.page}"
            raise CheckpointError(f"{address} cannot be fetched ({why(error)}); {advice}.") from error
        else:
            return target
    raise CheckpointError(f"{published.name} has no address; see {published.page}.")


def _extracted(part: Path, published: Published) -> Path:
    """The one member of the checkpoint's name, whatever folder the archive gives it; nothing else is unpacked."""
    target = part.with_suffix(".member")
    try:
        with part.open("rb") as file, open_zip(file) as archive, target.open("wb") as stream:
            copy_member(archive, _member(archive, published.file), stream, LARGEST_BYTES)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        target.unlink(missing_ok=True)
        raise
    except ValueError as error:
        target.unlink(missing_ok=True)
        raise CheckpointError(
            f"{published.zip_address} sent something that is no checkpoint ({error}); see {published.page}."
        ) from error
    return target


def _member(archive: zipfile.ZipFile, file: str) -> zipfile.ZipInfo:
    found = [member for member in archive.infolist() if PurePosixPath(member.filename).name == file]
    if len(found) != 1:
        held = ", ".join(repr(member.filename) for member in archive.infolist()[:5])
        raise ValueError(f"a zip archive with {len(found)} files named {file}; it holds {held or 'nothing'}")
    return found[0]


def _accept(whole: Path, path: Path, published: Published) -> None:
    """Give a whole download its name; one that is no checkpoint, or not the recorded one, is deleted."""
    try:
        try:
            Checkpoint(published.name, whole).check_whole()
        except CheckpointError as error:
            address = published.zip_address if whole.suffix == ".member" else published.address
            raise CheckpointError(
                f"{address} sent something that is no checkpoint ({error}); see {published.page}."
            ) from error
        actual = _digest(whole)
        expected = _recorded(path, actual)
        if actual != expected:
            raise CheckpointError(
                f"{published.name} came with sha256 {actual}, recorded was {expected}: its publisher has changed it. "
                f"Delete {sum_path(path)} if you trust the new file; collections made with the old one will not fit it."
            )
        whole.replace(path)
    finally:
        if whole.suffix == ".member":
            whole.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _recorded(path: Path, actual: str) -> str:
    """The recorded sha256 of a checkpoint; ``actual`` is recorded, whole or not at all, where there is none."""
    recorded = sum_path(path)
    if not recorded.exists():
        new = recorded.with_suffix(".sha256.new")
        new.write_text(actual + "\n", encoding="ascii")
        new.replace(recorded)
    return recorded.read_text(encoding="ascii", errors="replace").strip()
