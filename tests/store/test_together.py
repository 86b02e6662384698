"""Many processes on one collection: one ingests, others label, keep runs, and read; nobody errs or sees a half."""

from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from quartzlens.errors import LockedError
from quartzlens.outcomes import Outcome
from store.backup import back_up
from store.checking import check
from store.collection import Collection, EncoderChoice, ingest_lock, open_collection
from tests.store.changes import forkserver
from tests.store.things import DIMENSION, FINGERPRINT, heard_in, matrix_of, media, ok, person, rows, run

BATCH = 5
IDS = [f"v{number:03}" for number in range(500)]
WRITES = 60


def ingesting(collection: Collection, over: Event) -> int:
    """Commit the videos in batches, under the lock, while a second ingest is told who holds it."""
    generator = np.random.default_rng(0)
    with ingest_lock(collection.folder):
        for start in range(0, len(IDS), BATCH):
            some = IDS[start : start + BATCH]
            collection.store.commit(
                [heard_in(ok(one, generator.normal(size=DIMENSION), media=media(one)), "cook", one) for one in some]
            )
    over.set()
    return len(IDS)


def labelling(collection: Collection, over: Event) -> int:
    """Give labels one after the other."""
    for number in range(WRITES):
        collection.store.add_labels([person(IDS[number], "food"), person(IDS[-number - 1], "travel")])
    return WRITES


def keeping_runs(collection: Collection, over: Event) -> int:
    """Keep runs with files."""
    for number in range(WRITES // 2):
        collection.store.add_run(run(f"r{number}", files={"model": bytes(number) + b"x", "table": b"y" * number}))
    return WRITES // 2


def reading(collection: Collection, over: Event) -> int:
    """Read all the while: whole batches, whole videos, labels in pairs, whole runs, and never less than before."""
    store, seen, times = collection.store, 0, 0
    while not over.is_set() or not times:
        kept = {video.id for video in store.videos() if video.outcome is Outcome.OK}
        held = store.embeddings(FINGERPRINT).ids
        fragments = store.fragments(FINGERPRINT)
        said = store.fragments(FINGERPRINT, saying="cook").ids
        found = store.search(FINGERPRINT, matrix_of([np.ones(DIMENSION)]), len(IDS))[0]
        counts = (seen, len(kept), len(held), len(fragments.ids) // 2, len(said), len(found))
        assert list(counts) == sorted(counts)
        assert all(count % BATCH == 0 for count in counts)
        assert kept <= set(held) <= set(fragments.ids) <= set(said) | set(fragments.ids)
        assert all(words is not None for words in fragments.words)
        assert len(store.labels()) % 2 == 0
        for one in store.runs()[-2:]:
            assert {"model", "table"} == store.runs(one.id)[0].files.keys()
        seen, times = len(found), times + 1
    return times


def backing_up(collection: Collection, over: Event) -> int:
    """Copy the collection again and again; each copy is sound and has whole batches."""
    times = 0
    while not over.is_set() or not times:
        made = back_up(collection.folder, collection.folder.with_name("backup"))
        assert made.rows["embeddings"] % BATCH == 0
        assert made.rows["embeddings"] == made.rows["fragments"] == made.rows["words"] // 2
        times += 1
    return times


def work(role: Callable[[Collection, Event], int], folder: Path, over: Event, pipe: Connection) -> None:
    """Be one of the processes; send how often it did its work."""
    try:
        with open_collection(folder) as collection:
            pipe.send(role(collection, over))
    except BaseException as error:
        pipe.send(repr(error))
        raise


def test_one_ingests_while_others_read_label_keep_runs_and_copy(tmp_path: Path) -> None:
    """A writer, a labeller, a keeper of runs, three readers and a backup at once: no error, no half, nothing lost."""
    folder = tmp_path / "c"
    with open_collection(folder, create=EncoderChoice()) as collection:
        collection.store.add_rows("list", rows(*IDS), [])
        collection.media_folder.mkdir()
        for name in (f"{one}.{suffix}" for one in IDS for suffix in ("m4a", "jpg")):
            (collection.media_folder / name).write_bytes(b"x")
    context = forkserver()
    over, running = context.Event(), []
    for role in (reading, reading, reading, backing_up, labelling, keeping_runs, ingesting):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(role, folder, over, theirs))
        process.start()
        theirs.close()
        running.append((role.__name__, process, ours))
    answers = [(name, pipe.recv()) for name, _, pipe in running]
    over.set()
    for _, process, _ in running:
        process.join()
    assert [answer for _, answer in answers if not isinstance(answer, int)] == []
    with open_collection(folder) as collection:
        store = collection.store
        assert set(store.embeddings(FINGERPRINT).ids) == set(IDS)
        assert len(store.labels()) == 2 * WRITES
        assert len(store.runs()) == WRITES // 2
    assert check(folder) == []


def test_a_second_ingest_waits_for_nobody(tmp_path: Path) -> None:
    """While the lock is held in another process, a second holder is told its pid and start, and writes go on."""
    import pytest

    context = forkserver()
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        collection.store.add_rows("list", rows("a"), [])
        ours, theirs = context.Pipe()
        process = context.Process(target=hold, args=(tmp_path, theirs))
        process.start()
        pid = ours.recv()
        with pytest.raises(LockedError, match=rf"process {pid}, started 2\d\d\d-"), ingest_lock(tmp_path):
            pass
        collection.store.add_labels([person("a", "food")])
        collection.store.add_run(run("r1", files={"table": b"x"}))
        collection.store.remove(["a"])
        (note,) = check(tmp_path)
        assert (note.severity, f"process {pid}" in note.what) == ("note", True)
        ours.send("end")
        process.join()
    assert check(tmp_path) == []


def hold(folder: Path, pipe: Connection) -> None:
    """Hold the lock until told to end."""
    import os

    with ingest_lock(folder):
        pipe.send(os.getpid())
        pipe.recv()
