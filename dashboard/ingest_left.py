"""What is left of a batch that is not gone on with leaves the collection, so that no later ingest works on it."""

from collections.abc import Iterable
from pathlib import Path

from quartzlens.records import Row
from store.collection import Collection, ingest_lock
from store.moving import movable


def take_back(collection: Collection, folder: Path) -> None:
    """Take back the rows in lists of a batch's folder whose videos were never tried, with the files given for them.

    A video that another list names stays, and so does one that a person gave a label.

    Raises
    ------
    LockedError
        An ingest runs, which may be at these videos.
    """
    with ingest_lock(collection.folder):
        store = movable(collection)
        untried = {video.id for video in store.videos() if video.outcome is None}
        left: list[Row] = []
        for name, rows, bad_rows in store.ledger().lists:
            waiting = [row for row in rows if row.video_id in untried]
            if waiting and _is_in(folder, name):
                store.add_rows(name, [row for row in rows if row.video_id not in untried], bad_rows)
                left += waiting
        there = {video.id for video in store.videos({row.video_id for row in left})}
        _erase(folder, (row for row in left if row.video_id not in there))


def _erase(folder: Path, rows: Iterable[Row]) -> None:
    """Erase the files in the folder that rows lead to."""
    for row in rows:
        if _is_in(folder, row.source):
            (folder / Path(row.source).name).unlink(missing_ok=True)


def _is_in(folder: Path, path: str) -> bool:
    """Whether it was a file of the batch's folder, wherever the collection was then: no two batches have one name."""
    return Path(path).parent.name == folder.name
