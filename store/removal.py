"""Removing videos from a collection: first from the catalog, then their files and whatever else was made of them.

What is seen of a video goes at once, with the catalog's transaction. Its bytes go after; a small note in the folder
tells the next removal what one that was cut off has left.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from quartzlens.errors import CollectionError
from quartzlens.records import Video
from store import files
from store.base import Store
from store.collection import SET_ASIDE, UPLOADS, Collection
from store.local import CATALOG, LocalStore

NOTE = "removal.json"


def remove_videos(collection: Collection, ids: Iterable[str]) -> int:
    """Erase videos with all that is theirs; the number of videos that were there. The caller holds ``ingest_lock``.

    Gone are the catalog's entries, media, thumbnails and what a killed ingest left of them; the files that they were
    given as to the dashboard, if they were; and, where embeddings went or an earlier removal was cut off, all that is
    derived from embeddings (search indexes, maps), which is made again when next asked for. Runs keep their numbers
    and name the videos that they judged by their ids.

    Raises
    ------
    CollectionError
        As ``store.base.Store.remove``; call it again to have the rest erased.
    """
    try:
        return _removed(collection, ids)
    except OSError as error:
        message = (
            f"Not all of it is erased from {collection.folder} ({error}): make room or make it writable, "
            "and run the same command again, which erases the rest."
        )
        raise CollectionError(message) from error


def _removed(collection: Collection, ids: Iterable[str]) -> int:
    store, note = collection.store, collection.folder / NOTE
    gone, revisions = store.videos(frozenset(ids)), store.info().revisions
    unfinished = is_unfinished(collection)
    names = _noted(note) | _names(collection.media_folder, gone) | _uploaded(collection.folder, gone)
    files.replace_file(note, json.dumps(sorted(names)).encode())
    failed = _failed_removal(store, gone)
    left = store.videos()
    kept = {name for video in left for name in _media_names(video)} | _uploaded(collection.folder, left)
    for name in names - kept:
        (collection.folder / name if "/" in name else collection.media_folder / name).unlink(missing_ok=True)
    if unfinished or store.info().revisions != revisions:
        for path in (one for one in collection.index_folder.glob("*") if one.is_file()):
            path.unlink(missing_ok=True)
    for folder in (collection.media_folder, collection.index_folder):
        if folder.is_dir():
            files.sync_folder(folder)
    if failed is not None:
        raise failed
    note.unlink()
    return len(gone)


def _failed_removal(store: Store, videos: Sequence[Video]) -> CollectionError | None:
    """Erase videos from the catalog; what failed is raised when their files are gone, whose room a full disk needs."""
    try:
        store.remove(tuple(video.id for video in videos))
    except CollectionError as error:
        return error
    return None


def where_bytes_stay(collection: Collection) -> str:
    """Where bytes of removed videos may still be, and what erases them; empty where there is no such place."""
    if isinstance(collection.store, LocalStore):
        aside = collection.folder / SET_ASIDE
        kept = [*earlier_catalogs(collection.folder), *([aside] if aside.is_dir() else [])]
        if not kept:
            return ""
        return (
            f"What a migration or repair kept from before may still have bytes of it: {', '.join(map(str, kept))}. "
            "Delete that once you do not miss anything."
        )
    return (
        "Milvus shows nothing of what was removed, but keeps its bytes until it tidies up its files; "
        "`quartzlens copy` to a new store leaves them behind."
    )


def earlier_catalogs(folder: Path) -> list[Path]:
    """Catalogs of before a migration, and damaged ones that a repair kept."""
    return sorted(folder.glob(f"{CATALOG}.*"))


def is_unfinished(collection: Collection) -> bool:
    """Whether a removal was cut off: removing anything, be it nothing, ends it."""
    return (collection.folder / NOTE).exists()


def _noted(note: Path) -> set[str]:
    """Names of files that a removal before this one was to erase; none where there was none, or its note is damaged."""
    try:
        names = json.loads(note.read_bytes())
    except (OSError, ValueError):
        return set()
    if not isinstance(names, list):
        return set()
    return {name for name in names if isinstance(name, str) and (_is_plain(name) or _is_upload(name))}


def _names(folder: Path, videos: Sequence[Video]) -> set[str]:
    """Names in the media folder that are of videos: what the catalog names, and by their ids what it names no longer.

    Such are an earlier copy of another format, and what a killed ingest was writing (``.ID.m4a.partial``).
    """
    ids, named = {video.id for video in videos}, {name for video in videos for name in _media_names(video)}
    return named | {
        path.name
        for path in folder.glob("*")
        if path.is_file() and Path(path.name.removeprefix(".").removesuffix(".partial")).stem in ids
    }


def _media_names(video: Video) -> set[str]:
    """Names of a video's files that lie in the media folder itself; others are not ours to touch."""
    names = (video.media.media_file, video.media.thumbnail_file) if video.media else ()
    return {name for name in names if name and _is_plain(name)}


def _is_plain(name: str) -> bool:
    return Path(name).name == name and name not in {"", ".", ".."}


def _uploaded(folder: Path, videos: Sequence[Video]) -> set[str]:
    """Files in the collection's own uploads that videos were given as, as paths in it; also after it was moved."""
    parts = (Path(video.source).parts for video in videos if Path(video.source).is_absolute())
    named = {"/".join(part[-3:]) for part in parts}
    return {name for name in named if _is_upload(name) and (folder / name).is_file()}


def _is_upload(name: str) -> bool:
    """Whether it is a path of three plain names, the first that of the uploads."""
    first, *others = name.split("/")
    return first == UPLOADS and len(others) == 2 and all(_is_plain(one) for one in others)
