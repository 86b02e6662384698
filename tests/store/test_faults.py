"""Whatever call to the disk goes wrong, and however: an error that says what to do, and no half-done change.

Each of these workloads is run anew for every call that it makes to the disk, three times: that call, and as on a full
disk all after it, fails; it alone fails; the process dies in the middle of it. Of SQLite's writes, which are many and
alike, each goes wrong in one of the three ways.
"""

import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from quartzlens.errors import CollectionError
from store import schema
from store.backup import MARK, back_up, restore
from store.checking import check, is_sound
from store.collection import EncoderChoice, ingest_lock, open_collection
from store.local import CATALOG, LocalStore
from store.mending import mend
from tests.store.changes import Script, folder_in_memory, forkserver, settled, told
from tests.store.faults import Fault, Faults

pytestmark = pytest.mark.slow
KINDS = ("rows", "commit", "search", "relabel", "run", "remove", "run", "unrun", "search")
Tell = Callable[[object], None]


def script_after(n: int) -> Script:
    """The script with so many changes made."""
    script = Script(1, KINDS)
    for _ in range(n):
        script.keep()
    return script


def collection_after(folder: Path, n: int) -> None:
    """Make a collection with so many changes, and media of every video that there may ever be."""
    script = script_after(0)
    with open_collection(folder, create=EncoderChoice()) as collection:
        collection.media_folder.mkdir()
        for _ in KINDS:
            script.next.write_media(collection)
            if script.n < n:
                script.next.make(collection)
            script.keep()


def make_changes(folder: Path, tell: Tell) -> None:
    """All changes of the script."""
    script = script_after(0)
    with ingest_lock(folder / "c"), open_collection(folder / "c") as collection:
        for _ in KINDS:
            script.next.make(collection)
            tell("kept")
            script.keep()


def check_changes(folder: Path, kept: int, at: int) -> None:
    """What was acknowledged is there; the change under way whole or not at all; a repair leaves nothing behind."""
    with open_collection(folder / "c") as collection:
        script = script_after(kept)
        settled(collection, script)
    if at % 5 == 0:
        mend(folder / "c")
        with LocalStore(folder / "c") as store:
            assert told(store) == told(script.model)
        assert [one for one in (folder / "c").rglob("*") if one.suffix in {".tmp", ".partial", ".removed"}] == []


def make_backup(folder: Path, tell: Tell) -> None:
    """A second backup in the place of one that is older."""
    back_up(folder / "c", folder / "b")
    tell("kept")


def check_backup(folder: Path, kept: int, at: int) -> None:
    """The backup is the old one or the new one, whole; cut off between two renames it has a name that is told."""
    there = folder / "b"
    if not (there / MARK).exists():
        with pytest.raises(CollectionError) as told_where:
            restore(there, folder / "restored")
        (there,) = (one for one in folder.glob(".b.*.tmp") if f" {one}, whole" in str(told_where.value))
    restore(there, folder / "restored")
    with LocalStore(folder / "restored") as store:
        said = told(store)
    n = len(KINDS) if said == told(script_after(len(KINDS)).model) else 3
    assert said == told(script_after(n).model)
    assert n == len(KINDS) or not kept
    make_backup(folder, lambda _: None)
    assert sorted(one.name for one in folder.iterdir()) == ["b", "c", "restored"]


def make_restored(folder: Path, tell: Tell) -> None:
    """The backup in the place of the collection, which has more in it."""
    restore(folder / "b", folder / "c", replace=True)
    tell("kept")


def check_restored(folder: Path, kept: int, at: int) -> None:
    """The collection is that of the backup or the one before, and the one before is nowhere lost."""
    aside = list(folder.glob("c.before-restore-*"))
    there = folder / "c"
    if not there.exists():
        (there,) = aside
    n = 3 if aside and there not in aside else len(KINDS)
    assert n == 3 or not kept
    for place, number in ((there, n), *((one, len(KINDS)) for one in aside)):
        with LocalStore(place) as store:
            assert told(store) == told(script_after(number).model)


def make_whole(folder: Path, tell: Tell) -> None:
    """A repair of a catalog with a damaged page."""
    mend(folder / "c")
    tell("kept")


def check_whole(folder: Path, kept: int, at: int) -> None:
    """Repaired at once or by a second repair, it is whole, and the damaged catalog is kept."""
    mend(folder / "c")
    assert is_sound(check(folder / "c"))
    assert len([one for one in (folder / "c").glob(f"{CATALOG}.damaged-*") if "-wal" not in one.name]) >= 1
    with LocalStore(folder / "c") as store:
        assert len(store.videos()) == len(script_after(len(KINDS)).model.videos())


def damaged(folder: Path) -> None:
    """The catalog with zeros in the page where the embeddings begin."""
    with sqlite3.connect(folder / CATALOG) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'embeddings'").fetchone()
    connection.close()
    with (folder / CATALOG).open("r+b") as file:
        file.seek((page - 1) * 16384)
        file.write(bytes(16384))


def make_migrated(folder: Path, tell: Tell) -> None:
    """A catalog of the first version is opened."""
    LocalStore(folder / "c").close()
    tell("kept")


def check_migrated(folder: Path, kept: int, at: int) -> None:
    """The catalog is of the old version or the new one, and the next opening brings it up to date, with a copy."""
    path, newest = folder / "c" / CATALOG, len(schema.MIGRATIONS)
    with closing(sqlite3.connect(path)) as connection:
        version = schema.version_of(connection)
    assert version == newest or (version == 1 and not kept)
    with LocalStore(folder / "c") as store:
        assert [video.id for video in store.videos()] == ["a", "b"]
    with closing(sqlite3.connect(f"{path}.before-version-{newest}")) as connection:
        assert schema.version_of(connection) == 1
        assert connection.execute("SELECT id FROM videos").fetchall() == [("a",), ("b",)]


@dataclass(frozen=True)
class Case:
    """A workload, and what must hold after it was cut off."""

    work: Callable[[Path, Tell], None]
    verify: Callable[[Path, int, int], None]
    before: Callable[[Path], None]


def before_changes(folder: Path) -> None:
    """A new collection."""
    collection_after(folder / "c", 0)


def before_backup(folder: Path) -> None:
    """A collection, and a backup of it as it was four changes ago."""
    collection_after(folder / "c", 3)
    back_up(folder / "c", folder / "b")
    shutil.rmtree(folder / "c")
    collection_after(folder / "c", len(KINDS))


def before_repair(folder: Path) -> None:
    """A collection with a damaged catalog."""
    collection_after(folder / "c", len(KINDS))
    damaged(folder / "c")


def before_migration(folder: Path) -> None:
    """A catalog of the first version."""
    (folder / "c").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "c" / CATALOG, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        schema.migrate(connection, folder / "c" / CATALOG, schema.MIGRATIONS[:1])
        connection.execute("INSERT INTO videos (id, source) VALUES ('a', 's'), ('b', 's')")


CASES = {
    "changes": Case(make_changes, check_changes, before_changes),
    "backup": Case(make_backup, check_backup, before_backup),
    "restore": Case(make_restored, check_restored, before_backup),
    "migration": Case(make_migrated, check_migrated, before_migration),
    "repair": Case(make_whole, check_whole, before_repair),
}


def drive(name: str, folder: Path, fault: Fault, pipe: Connection) -> None:
    """Try every call of a workload; send what was said of errors, and how many calls there were."""
    import faiss

    faiss.omp_set_num_threads(1)  # threads would not survive the forks
    case, said, calls, tried = CASES[name], set[str](), list[str](), 0
    case.before(folder / "template")
    which = list(Fault).index(fault)
    for at in itertools.count():
        if at and (at > len(calls) or (calls[at - 1] == "sqlite write" and at % 3 != which)):
            if at > len(calls):
                break
            continue
        tried += 1
        copy = folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder / "template", copy)
        kept, error, seen = _in_a_fork(case, copy, fault if at else Fault.NONE, at)
        calls = calls or seen  # of the first try, in which nothing goes wrong
        said |= {error} - {""}
        try:
            case.verify(copy, kept, at)
        except BaseException:
            pipe.send(f"{name}, {fault} at call {at}, {calls[at - 1]}: kept {kept}, said {error!r}")
            raise
    pipe.send((said, calls, tried))


def _in_a_fork(case: Case, folder: Path, fault: Fault, at: int) -> tuple[int, str, list[str]]:
    from multiprocessing import Pipe

    ours, theirs = Pipe(duplex=False)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            faults = Faults(fault, at)
            faults.begin()
            try:
                case.work(folder, theirs.send)
            except CollectionError as error:
                theirs.send(f"{type(error).__name__}: {error} {getattr(error.__cause__, 'sqlite_errorname', '')}")
            theirs.send(faults.seen)
            code = 0
        finally:
            os._exit(code)
    theirs.close()
    told = []
    with suppress(EOFError):
        while True:
            told.append(ours.recv())
    ours.close()
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == (-9 if fault is Fault.KILL else 0), (fault, at, told)
    seen = told[-1] if told and isinstance(told[-1], list) else []
    return told.count("kept"), "".join(one for one in told if isinstance(one, str) and one != "kept"), seen


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory."""
    with folder_in_memory() as folder:
        yield folder


@pytest.mark.parametrize("name", CASES)
def test_no_fault_anywhere_leaves_anything_half_done(memory: Path, name: str) -> None:
    """For every call to the disk, and each way in which it fails, there is advice, and the old state or the new."""
    context = forkserver()
    running = []
    for fault in (Fault.FULL, Fault.BROKEN, Fault.KILL):
        ours, theirs = context.Pipe(duplex=False)
        (memory / fault.name).mkdir()
        process = context.Process(target=drive, args=(name, memory / fault.name, fault, theirs))
        process.start()
        theirs.close()
        running.append((process, ours))
    for process, ours in running:
        answer = ours.recv()
        process.join()
        assert isinstance(answer, tuple), answer
        said, calls, tried = answer
        print(name, len(calls), tried, {one: calls.count(one) for one in set(calls)}, *said, sep="\n")
        assert process.exitcode == 0
        assert {"fsync", "unlink"} <= set(calls)
        for message in said:
            assert any(word in message for word in ("space", "room", "check", "again", "both")), message
