"""Changes to a collection, one after the other, the same for a seed; a store in memory knows what each leaves."""

import multiprocessing
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np

from pipeline.whole import whole_file
from quartzlens.records import BadRow, Fingerprint, Neighbour
from store.base import Store
from store.collection import Collection
from store.kinds import KINDS
from store.local import LocalStore
from store.memory import MemoryStore
from store.places import What
from store.removal import is_unfinished, remove_videos
from tests.store.test_machine import arrays_of, said_in, undated
from tests.store.things import DIMENSION, FINGERPRINT, OTHER, failed, heard_in, media, ok, person, row, run

IDS = [f"v{number:02}" for number in range(24)]
ENCODERS = (FINGERPRINT, OTHER)
_OFTEN = {"rows": 3, "commit": 6, "relabel": 3, "remove": 2, "run": 3, "unrun": 1, "search": 4, "index": 2}
QUERIES = np.random.default_rng(7).normal(size=(2, DIMENSION)).astype(np.float32)


def forkserver() -> ForkServerContext:
    """What starts processes in milliseconds: they are forked from one that has everything imported and no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "faiss", "store.collection", "tests.store.changes", "tests.store.faults"])
    return context


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder in memory, where there is one: a fault is the same there, and waiting for the disk takes no time."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as name:
        yield Path(name)


@dataclass(frozen=True)
class Change:
    """One call of the store, or of what stands over it: to a collection on a disk, or to a store in memory."""

    name: str
    to_store: Callable[[Store], object]
    removed: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def write_media(self, collection: Collection) -> None:
        """Media come before their commit, as in an ingest."""
        collection.media_folder.mkdir(exist_ok=True)
        for name in self.files:
            with whole_file(collection.media_folder, name) as partial:
                partial.write_bytes(name.encode())

    def make(self, collection: Collection) -> None:
        """Do it to a collection, with its files."""
        if self.name == "remove":
            remove_videos(collection, self.removed)
        else:
            self.to_store(collection.store)


class Script:
    """An endless script of changes; ``model`` holds what those that were kept leave."""

    def __init__(self, seed: int, kinds: tuple[str, ...] = ()) -> None:
        self.random = random.Random(seed)
        self.model = MemoryStore()
        self.kinds = list(kinds)
        self.n = 0

    @cached_property
    def next(self) -> Change:
        """The change that comes now."""
        names = self.random.choices(list(_OFTEN), list(_OFTEN.values()))
        name = (self.kinds[self.n] if self.n < len(self.kinds) else names[0]) if self.n else "rows"
        made: Change = getattr(self, f"_{name}")()
        return made

    def keep(self) -> None:
        """The change was made: go on to the next one."""
        self.next.to_store(self.model)
        del self.next
        self.n += 1

    def _some(self, most: int) -> list[str]:
        known = [video.id for video in self.model.videos()]
        return self.random.sample(known, min(len(known), self.random.randint(1, most)))

    def _rows(self) -> Change:
        name = self.random.choice(["one.csv", "two.csv"])
        chosen = self.random.sample(IDS, self.random.randint(8, 20))
        labels = self.random.choices([None, "food", "travel"], k=len(chosen))
        rows = [row(at, *pair, source_list=name) for at, pair in enumerate(zip(chosen, labels, strict=True), 1)]
        return Change("rows", partial(_add_rows, name=name, rows=rows, bad=[BadRow(name, 99, "?")]))

    def _commit(self) -> Change:
        results = []
        for one in self._some(5):
            vector = [self.random.gauss(0, 1) for _ in range(DIMENSION)]
            whole = ok(one, vector, self.random.choice(ENCODERS), media(one))
            good = self.random.random() < 0.8
            results.append(heard_in(whole, f"cook {one}", "so") if good else failed(one))
        kept = [one.media for one in results if one.media is not None]
        names = tuple(name for one in kept for name in (one.media_file, one.thumbnail_file) if name)
        return Change("commit", partial(_commit, results=results), files=names)

    def _relabel(self) -> Change:
        labels = [person(one, self.random.choice(["food", "travel", None])) for one in self._some(4)]
        return Change("relabel", partial(_relabel, labels=labels))

    def _remove(self) -> Change:
        ids = tuple(self._some(2))
        return Change("remove", partial(_remove, ids=ids), ids)

    def _run(self) -> Change:
        content = {"model": self.random.randbytes(50_000), "table": self.random.randbytes(300)}
        return Change("run", partial(_run, run=run(f"r{self.n}", len(self.model.labels()), content)))

    def _unrun(self) -> Change:
        known = [one.id for one in self.model.runs()]
        ids = tuple(self.random.sample(known, min(len(known), 2)))
        return Change("unrun", partial(_unrun, ids=ids))

    def _search(self) -> Change:
        return Change("search", searched)

    def _index(self) -> Change:
        return Change("index", partial(_index, kind=self.random.choice(KINDS)))


def _add_rows(store: Store, name: str, rows: list, bad: list) -> None:  # type: ignore[type-arg]
    store.add_rows(name, rows, bad)


def _commit(store: Store, results: list) -> None:  # type: ignore[type-arg]
    store.commit(results)


def _relabel(store: Store, labels: list) -> None:  # type: ignore[type-arg]
    store.add_labels(labels)


def _remove(store: Store, ids: tuple[str, ...]) -> None:
    store.remove(ids)


def _run(store: Store, run: object) -> None:
    store.add_run(run)  # type: ignore[arg-type]


def _index(store: Store, kind: str) -> None:
    """Make the indexes anew; those of fragments of a kind in which the few nearest are found exactly."""
    if isinstance(store, LocalStore):
        for one in store.info().encoders:
            store.make_index(one, What.VIDEOS, kind)
            store.make_index(one, What.FRAGMENTS, "f32" if kind == "f32" else "f16")


def _unrun(store: Store, ids: tuple[str, ...]) -> None:
    store.remove((), runs=ids or ("nowhere",))


def searched(store: Store) -> list[list[list[Neighbour]]]:
    """The nearest videos and fragments, by each encoder of which there are embeddings."""
    held = [one for one in ENCODERS if store.embeddings(one).ids]
    everything = [store.search(one, QUERIES, 100) for one in held]
    within = [store.search(one, QUERIES, 3, IDS[::2]) for one in held]
    return everything + within + [store.search(one, QUERIES, 5, fragments=True) for one in held]


def told(store: Store) -> list[object]:
    """All that a store says, searches by NumPy or by an index among it."""
    runs = [store.runs(one.id)[0] for one in store.runs()]
    info = store.info()
    return [
        store.videos(),
        undated(store.labels()),
        (sorted(map(_key, info.encoders)), info.revisions, info.rows, info.bad_rows, info.labels),
        [(one.id, one.labels_seen, one.results, dict(one.files)) for one in runs],
        [arrays_of(store, one) for one in ENCODERS],
        [said_in(store, one, "cook", None) for one in ENCODERS],
        searched(store),
    ]


def _key(fingerprint: Fingerprint) -> str:
    return fingerprint.key


def settled(collection: Collection, script: Script) -> str:
    """What became of the change that was under way: "kept" or "not there", nothing between; the script goes on there.

    A removal that was cut off is ended first, and no file is left of it.
    """
    before, said = told(script.model), told(collection.store)
    if said != before:
        script.keep()
        for now, expected in zip(said, told(script.model), strict=True):
            assert now == expected
    if is_unfinished(collection):
        remove_videos(collection, ())
        assert told(collection.store) == said
    return "kept" if said != before else "not there"
