"""What the views share: settings, the open collection, what is cached of it, and the keys of a browser session.

Nothing here is changed by a view; what one browser does (its selections) lives in its session and its address alone.
What a search needs is cached in ``nearest.py``.
"""

import argparse
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from analysis.tables import PENDING, videos_table
from dashboard import once
from dashboard.style import category_colours
from quartzlens.config import Settings, load_settings
from quartzlens.errors import NotEnoughDataError
from quartzlens.records import Fingerprint, Info, Run, Video
from store import gpu
from store.collection import FILE, Collection, current_fingerprint, open_collection
from store.local import CATALOG

if TYPE_CHECKING:
    from analysis.evaluation import Evaluation

Stamp = tuple[object, ...]


class Key(StrEnum):
    """Keys of ``st.session_state``."""

    MAP_CHART = "map_chart"
    MATRIX = "matrix"
    LIST = "list"
    TIMELINE = "timeline"
    SHARES = "shares"
    PAIRS = "pairs"
    PAIR = "pair"
    BESIDE = "beside"
    PROBLEM = "problem"
    PLAYING = "playing"
    START = "start"
    VIEW = "view"
    QUERY = "query"
    SHOWN = "cell_shown"
    QUEUE_SHOWN = "queue_shown"
    QUESTION = "question"
    MORE = "similar_more"
    PICK_TEXT = "pick_text"
    MAP_COLOUR = "colour"
    MAP_SIZE = "size"
    MAP_SEARCH = "search"
    MAP_POINTS = "points"
    MAP_NEIGHBOURS = "neighbours"
    MAP_MIN_DIST = "min_dist"
    MAP_SEED = "seed"
    MAP_DONE = "map_done"
    MAP_TABLE = "map_table"
    MAP_BOX = "box"
    MAP_LASSO = "map_lasso"
    WORKING_SET = "working_set"
    WORKING_SET_NAME = "working_set_name"
    SEARCH_SET = "search_set"
    PERSON = "person"
    PERSON_KEPT = "person_kept"
    BULK_NOTE = "bulk_note"
    RETRAINED = "retrained"
    ENTERED = "entered"
    FAILURES = "failures"
    WAIT_UNTIL = "wait_until"
    REFUSED = "refused"
    GONE = "gone"
    WAY = "way"
    ALL_COPIES = "all_copies"
    COMPARED = "compared"
    INGEST_TURN = "ingest_turn"
    INGEST_CLOSED = "ingest_closed"
    INGEST_LINKS = "ingest_links"
    INGEST_LINKS_KEPT = "ingest_links_kept"
    INGEST_FILES = "ingest_files"


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """A collection at one moment: shared by all browsers, never changed.

    ``videos`` is ``analysis.tables.videos_table``; ``runs`` are all runs without their files, oldest first.
    ``embedded`` are the kept videos that the collection's present encoder, ``fingerprint``, has embedded. ``outcomes``
    counts how many videos ended in each, ``pending`` included. ``stamp`` names the moment, for caches of what is made
    from it.
    """

    videos: pd.DataFrame
    by_id: Mapping[str, Video]
    info: Info
    runs: tuple[Run, ...]
    fingerprint: Fingerprint | None
    embedded: frozenset[str]
    colours: Mapping[str, str]
    outcomes: Counter[str]
    stamp: Stamp

    def there(self, ids: pd.Series) -> pd.Series:
        """(n,) whether each of these ids is a video of the collection: of few ids quicker than ``isin`` of all."""
        return ids.map(self.by_id.__contains__).astype(bool)

    @property
    def kept(self) -> int:
        """Number of videos that are embedded, by whichever encoder."""
        return self.outcomes["ok"]

    @property
    def lost(self) -> int:
        """Number of videos that ended in another outcome than ok."""
        return len(self.videos) - self.kept - self.outcomes[PENDING]


@once.each_page
def settings() -> Settings:
    """Settings of this server: flags after ``--``, then QUARTZLENS_* in the environment."""
    parser = argparse.ArgumentParser(prog="streamlit run dashboard/app.py --")
    parser.add_argument("-c", "--collection", type=Path)
    parser.add_argument("--device")
    flags, _ = parser.parse_known_args()
    return load_settings(collection=flags.collection, device=flags.device)


@once.each_page
def folder() -> Path:
    """Folder of the collection that is looked at."""
    return settings().collection.absolute()


def exists() -> bool:
    """Whether there is a collection in the folder."""
    return (folder() / FILE).is_file()


@once.each_page
def collection() -> Collection:
    """The open collection; raises CollectionError where there is none, or none that can be read."""
    return _opened(identity(), str(folder()))


@once.each_page
def identity() -> str:
    """What caches are keyed by: another text when another collection, or a backup of this one, is put into the folder.

    An id in the catalog could not tell that: a backup has the same one, and after it was put back new embeddings have
    the revisions of those that it does not hold. Its files are others, though.
    """
    place, found = folder(), []
    for name in (FILE, CATALOG):
        facts = (place / name).stat() if (place / name).is_file() else None
        found.append((facts.st_dev, facts.st_ino, facts.st_ctime_ns if name == FILE else 0) if facts else None)
    return f"{place} {found}"


@st.cache_resource(show_spinner=False, max_entries=4)
def _opened(place: str, there: str) -> Collection:  # noqa: ARG001 (a collection made anew is opened anew)
    gpu.use(settings().device)
    return open_collection(Path(there))


def stamp() -> Stamp:
    """A value that moves with every change of the collection, whichever process makes it."""
    opened = collection()
    info = opened.store.info()
    files = []
    for name in ("catalog.sqlite", "catalog.sqlite-wal"):
        path = opened.folder / name
        facts = path.stat() if path.exists() else None
        files.append((facts.st_ino, facts.st_mtime_ns, facts.st_size) if facts else None)
    # repr: all that tells encoders apart, where == looks past the checkpoint's digest
    chosen = repr(opened.encoder)
    return (identity(), chosen, *files, tuple(sorted(info.revisions.items())), info.labels, info.rows)


def of_embeddings(used: Fingerprint) -> tuple[str, Fingerprint, int]:
    """What is made of the embeddings of an encoder is cached by."""
    return identity(), used, tables().info.revision(used)


def tables() -> Tables:
    """The collection as it is now; read again only when its stamp has moved."""
    return _tables(stamp(), collection())


@st.cache_resource(show_spinner=False, max_entries=4)
def _tables(now: Stamp, _opened: Collection) -> Tables:
    store = _opened.store
    videos = store.videos()
    categories = [category for video in videos for category in video.categories]
    info, used = store.info(), current_fingerprint(_opened)
    embedded = _embedded(identity(), used, info.revision(used), _opened) if used else frozenset()
    table = videos_table(store, videos)
    return Tables(
        table,
        {video.id: video for video in videos},
        info,
        store.runs(),
        used,
        frozenset(video.id for video in videos if video.outcome == "ok") & embedded,
        category_colours(categories),
        Counter(table["outcome"]),
        now,
    )


@st.cache_resource(show_spinner=False, max_entries=4)
def _embedded(place: str, used: Fingerprint, revision: int, _opened: Collection) -> frozenset[str]:  # noqa: ARG001
    return frozenset(_opened.store.embedded_ids(used))


def silence() -> None:
    """Forget what this browser plays and from where: coming back to a view never starts a sound by itself."""
    st.session_state[Key.PLAYING] = None
    st.session_state[Key.START] = None
    st.session_state[Key.PAIR] = None


def arrive(view: str) -> None:
    """Note which view is drawn; what played in another one is over."""
    if st.session_state.get(Key.VIEW) != view:
        silence()
        st.session_state[Key.VIEW] = view
        st.session_state.pop(Key.GONE, None)


def fingerprint() -> Fingerprint:
    """The encoder fingerprint that all is computed on; raises NotEnoughDataError where nothing is embedded."""
    found = tables().fingerprint
    if found is None:
        raise NotEnoughDataError("Nothing is embedded by the collection's encoder yet.")
    return found


def evaluation(run_id: str = "", *, before: int = 0) -> "tuple[Run, Evaluation] | None":
    """An evaluation of this encoder's embeddings: that of ``run_id``, else the newest; None where there is none.

    ``before`` asks for an earlier one, counted from there.
    """
    from analysis.runs import evaluations_of

    now = tables()
    ids = [run.id for run in evaluations_of(now.runs, now.fingerprint)] if now.fingerprint else []
    at = (ids.index(run_id) if run_id in ids else len(ids) - 1) - before
    return _evaluation(identity(), ids[at], collection()) if at >= 0 else None


@st.cache_resource(show_spinner=False, max_entries=4)
def _evaluation(place: str, run_id: str, _opened: Collection) -> "tuple[Run, Evaluation] | None":  # noqa: ARG001
    from analysis.evaluation import read_evaluation

    for run in _opened.store.runs(run_id):
        return run, read_evaluation(run)
    return None


def kept_file(name: str | None) -> Path | None:
    """A file of the media folder by its name in the catalog; None where it is not there or points elsewhere."""
    return file_in(collection().media_folder, name) if name else None


def clip_begins() -> float:
    """The second of each video with which what was heard of it, and its kept sound, begins."""
    used = tables().fingerprint
    return used.start_seconds if used else 0.0


def file_in(media: Path, name: str | None) -> Path | None:
    """As ``kept_file``, of a media folder."""
    if not name or Path(name).name != name:
        return None
    path = media / name
    return path if path.is_file() and path.resolve().parent == media.resolve() else None


def history(run_id: str) -> pd.DataFrame | None:
    """The loss of each epoch of a training run (``analysis.classifier.Training.history``); None where it is gone."""
    return _history(identity(), run_id, collection())


@st.cache_resource(show_spinner=False, max_entries=8)
def _history(place: str, run_id: str, _opened: Collection) -> pd.DataFrame | None:  # noqa: ARG001
    from analysis.runs import read_table

    for run in _opened.store.runs(run_id):
        return read_table(run, "history.parquet") if "history.parquet" in run.files else None
    return None
