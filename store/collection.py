"""A collection: one folder with everything kept. Making it, opening it and locking it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from quartzlens.errors import CollectionError, UsageError
from quartzlens.records import Fingerprint
from store import files
from store.base import Store
from store.choice import LOCAL, MILVUS, EncoderChoice, keeps_audio, parse, rewritten, store_of, with_audio, write
from store.local import CATALOG, INDEX, LocalStore
from store.locks import LOCK, ingest_lock

__all__ = [
    "FILE",
    "LOCK",
    "MEDIA",
    "Collection",
    "EncoderChoice",
    "change_encoder",
    "create_collection",
    "current_fingerprint",
    "ingest_lock",
    "keep_audio",
    "only_in_folder",
    "open_collection",
]

FILE = "collection.toml"
MEDIA = "media"
UPLOADS = "uploads"
SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """An open collection; leaving its context closes the store.

    ``keeps_audio`` says whether an ingest keeps the sound of its videos in ``media_folder``; pictures are kept always.
    """

    folder: Path
    store: Store
    encoder: EncoderChoice
    media_folder: Path
    index_folder: Path
    read_only: bool = False
    keeps_audio: bool = True

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the store."""
        self.store.__exit__(*exc)


def create_collection(folder: Path, encoder: EncoderChoice, store: str | None = None) -> None:
    """Make ``folder`` a collection, once; nothing happens where it is one already with the same choice.

    ``store`` is ``local`` or ``milvus:`` with a path (from the folder) or an address; None takes what is there, and in
    a new collection ``local``.

    Raises
    ------
    CollectionError
        It is a collection with another choice or store (both are named), or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with files.folder_lock(folder):
            if not (folder / FILE).exists():
                files.replace_file(folder / FILE, write(encoder, store or LOCAL).encode())
    except OSError as error:
        message = f"No collection can be made in {folder}: {error.strerror}. Choose a folder that you can write to."
        raise CollectionError(message) from error
    chosen, _, kept_in = _read(folder / FILE)
    if store not in {None, kept_in}:
        message = (
            f"{folder} is a collection with the store {kept_in}, not {store}: `quartzlens copy` moves it to another."
        )
        raise CollectionError(message)
    if chosen != encoder:
        message = (
            f"{folder} is a collection with the encoder [{chosen}], not [{encoder}]: "
            "go on with the first, change it by `quartzlens reembed`, or choose another folder for the second."
        )
        raise CollectionError(message)


def open_collection(folder: Path, *, create: EncoderChoice | None = None, read_only: bool = False) -> Collection:
    """Open the collection in ``folder``, for reading alone where the folder cannot be written.

    Parameters
    ----------
    create
        The choice of a collection that is made where none is; an existing one keeps its own.

    Raises
    ------
    CollectionError
        There is none and none is to be made; or it is damaged, or of a newer version.
    """
    if not (folder / FILE).exists():
        if create is None:
            message = f"There is no collection in {folder}: make one with `quartzlens ingest SOURCE -c {folder}`."
            raise CollectionError(message)
        create_collection(folder, create)
    encoder, keeps, kept_in = _read(folder / FILE)
    read_only = read_only or not _writable(folder)
    store = _backend(folder, kept_in, read_only)
    return Collection(folder, store, encoder, folder / MEDIA, folder / INDEX, read_only, keeps)


def only_in_folder(folder: Path, doing: str) -> None:
    """Raise UsageError where the collection in ``folder`` is kept elsewhere; a damaged collection.toml passes."""
    try:
        kept_in = _read(folder / FILE)[2]
    except CollectionError:
        return
    if kept_in != LOCAL:
        message = (
            f"{folder} is kept in {kept_in}, and {doing} is for collections kept in their folder: "
            f"`quartzlens copy {folder} OTHER-FOLDER` makes one."
        )
        raise UsageError(message)


def _backend(folder: Path, kept_in: str, read_only: bool) -> Store:
    """The store that collection.toml names."""
    if kept_in == LOCAL:
        return LocalStore(folder, read_only)
    from store.milvus import MilvusStore
    from store.milvus_tables import is_server

    uri = kept_in.removeprefix(MILVUS)
    return MilvusStore(uri if is_server(uri) else str(folder / uri), read_only)


def change_encoder(folder: Path, encoder: EncoderChoice) -> None:
    """Choose anew what the embeddings of the collection in ``folder`` are made with; the caller holds ``ingest_lock``.

    Everything in collection.toml but the encoder's table stays as it is. A collection that is open keeps the choice it
    was opened with.

    Raises
    ------
    CollectionError
        There is none, its file is damaged or not of a form in which the table can be replaced, or cannot be written.
    """
    in_words = f"write this into its table [encoder] by hand: {encoder}"
    _rewrite(folder, lambda text: rewritten(text, encoder), in_words)


def keep_audio(folder: Path, keep: bool) -> None:
    """Choose whether an ingest into ``folder`` keeps the sound of videos; the caller holds ``ingest_lock``.

    What is kept or was not kept before stays so.

    Raises
    ------
    CollectionError
        As ``change_encoder``.
    """
    in_words = f"write `keep_audio = {str(keep).lower()}` into its table [media] by hand"
    _rewrite(folder, lambda text: with_audio(text, keep), in_words)


def _rewrite(folder: Path, change: Callable[[str], str], in_words: str) -> None:
    """Change collection.toml; ``in_words`` is what a person is to do where that cannot be done."""
    path = folder / FILE
    _read(path)
    try:
        with files.folder_lock(folder):
            files.replace_file(path, change(path.read_text(encoding="utf-8")).encode())
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}. Make the folder and the file writable for this user."
        raise CollectionError(message) from error
    except ValueError as error:
        message = f"{path} cannot be changed ({error}): {in_words}."
        raise CollectionError(message) from error


def _writable(folder: Path) -> bool:
    """Whether this user may write the folder, and the catalog where there is one."""
    paths = (folder, folder / CATALOG)
    return all(os.access(path, os.W_OK, effective_ids=True) for path in paths if path.exists())


def _read(path: Path) -> tuple[EncoderChoice, bool, str]:
    """The encoder's choice, whether sound is kept, and in what store all else is."""
    try:
        text = path.read_text(encoding="utf-8")
        return parse(text), keeps_audio(text), store_of(text)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} cannot be read ({error!r}): correct it, or restore it from a backup."
        raise CollectionError(message) from error


def current_fingerprint(collection: Collection) -> Fingerprint | None:
    """The latest added of the store's encoders that match the collection's choice; None before any."""
    matching = [one for one in collection.store.info().encoders if _matches(one, collection.encoder)]
    return matching[-1] if matching else None


def _matches(fingerprint: Fingerprint, choice: EncoderChoice) -> bool:
    """Settings are the same, and the checkpoint: by its digest where the choice has it, else by its name."""
    compared = ("start_seconds", "clip_seconds", "pooling", "precision", "block", "calibration")
    if any(getattr(fingerprint, name) != getattr(choice, name) for name in compared):
        return False
    if choice.checkpoint_sha256:
        return fingerprint.checkpoint_sha256 == choice.checkpoint_sha256
    chosen = Path(choice.checkpoint)
    return fingerprint.checkpoint_name in {"", choice.checkpoint, chosen.name, chosen.stem}
