"""Moving a whole collection: its store, the files beside it, and its choices."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from quartzlens.errors import CollectionError
from store import files
from store.base import Movable
from store.collection import (
    FILE,
    Collection,
    EncoderChoice,
    change_encoder,
    create_collection,
    keep_audio,
    open_collection,
)
from store.copying import Copied, OnProgress, copy_store

_FOLDERS = ("media", "calibration")


def made(folder: Path, encoder: EncoderChoice, store: str | None) -> Collection:
    """The collection in ``folder``, made where it is new; a new one whose store cannot be opened is not made.

    Raises
    ------
    CollectionError
        As ``create_collection`` and ``open_collection``.
    """
    new = not (folder / FILE).exists()
    create_collection(folder, encoder, store)
    try:
        return open_collection(folder)
    except CollectionError:
        if new:
            (folder / FILE).unlink()
        raise


def copy_collection(source: Collection, target: Collection, on_progress: OnProgress = lambda *_: None) -> Copied:
    """Copy all of a collection but what is derived (indexes, maps); the caller holds the target's ``ingest_lock``.

    A copy that was cut off goes on. Files of the same name and length are taken for the same.

    Raises
    ------
    CollectionError
        As ``copy_store``; a file cannot be copied, or one of that name is there and another; or nothing may be written.
    """
    if target.read_only:
        message = f"{target.folder} is read-only: nothing can be copied to it by this user."
        raise CollectionError(message)
    copied = copy_store(movable(source), movable(target), on_progress)
    wanted = [path for name in _FOLDERS for path in _files(source.folder / name)]
    try:
        for number, path in enumerate(wanted, 1):
            _copy_file(path, target.folder / path.relative_to(source.folder))
            on_progress("files", number, len(wanted))
    except OSError as error:
        message = f"A file could not be copied ({error}): make room or rights, and copy again, which goes on."
        raise CollectionError(message) from error
    if target.encoder != source.encoder or target.encoder.checkpoint_sha256 != source.encoder.checkpoint_sha256:
        change_encoder(target.folder, source.encoder)
    if target.keeps_audio != source.keeps_audio:
        keep_audio(target.folder, source.keeps_audio)
    return copied


def movable(collection: Collection) -> Movable:
    """The store of a collection, as what can be moved."""
    return cast("Movable", collection.store)  # every backend that a collection can have is one


def _files(folder: Path) -> Iterator[Path]:
    """The files in a folder, without those that somebody is writing."""
    return (path for path in sorted(folder.glob("*")) if path.is_file() and not path.name.startswith("."))


def _copy_file(path: Path, target: Path) -> None:
    if target.exists():
        if target.stat().st_size == path.stat().st_size:
            return
        message = f"{target} is there and is not {path}: move it away, and copy again."
        raise CollectionError(message)
    target.parent.mkdir(exist_ok=True)
    files.replace_file(target, path.read_bytes())
