"""Whatever is done to the files of the search indexes, a search neither crashes nor answers wrongly."""

import os
import random
import shutil
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from store.collection import EncoderChoice, open_collection
from store.local import INDEX, LocalStore
from store.memory import MemoryStore
from store.places import What
from tests.store.changes import folder_in_memory, forkserver
from tests.store.things import DIMENSION, FINGERPRINT, OTHER, ok, rows

pytestmark = pytest.mark.slow
CORRUPTIONS = 500
IDS = [f"v{number}" for number in range(200)]
QUERIES = np.random.default_rng(0).normal(size=(2, DIMENSION)).astype(np.float32)


def fill(store: LocalStore | MemoryStore, seed: int) -> None:
    """Embeddings by two encoders, the last of them in a second commit."""
    generator = np.random.default_rng(seed)
    store.add_rows("list", rows(*IDS), [])
    for encoder in (FINGERPRINT, OTHER):
        for some in (IDS[:150], IDS[150:]):
            store.commit([ok(one, generator.normal(size=DIMENSION), encoder) for one in some])


def answers(store: LocalStore | MemoryStore) -> list[object]:
    """What is found, of all (fragments, which may have a graph, given as ids) and of some, videos and fragments."""
    return [
        store.search(encoder, QUERIES, 10, within, fragments=fragments)
        for encoder in (FINGERPRINT, OTHER)
        for fragments in (False, True)
        for within in (IDS if fragments else None, IDS[::3])
    ]


def corrupt(folder: Path, strangers: Path, dice: random.Random) -> str:  # noqa: C901 - a branch a kind
    """Do something to a file of the indexes; what it was."""
    paths = sorted(path for path in (folder / INDEX).rglob("*") if path.is_file() and path.stat().st_size)
    path = dice.choice(paths)
    content = bytearray(path.read_bytes())
    kind = dice.choice(["flips", "cut", "zeros", "noise", "longer", "swapped", "stranger", "gone", "empty", "part"])
    at, length = dice.randrange(len(content)), dice.randint(1, 4096)
    if kind == "flips":
        for _ in range(dice.randint(1, 8)):
            content[dice.randrange(len(content))] ^= dice.randint(1, 255)
    elif kind == "cut":
        del content[at:]
    elif kind == "zeros":
        content[at : at + length] = bytes(len(content[at : at + length]))
    elif kind == "noise":
        content[at : at + length] = dice.randbytes(len(content[at : at + length]))
    elif kind == "longer":
        content += dice.randbytes(length)
    elif kind == "swapped":
        content = bytearray(dice.choice(paths).read_bytes())
    elif kind == "stranger":
        others = sorted(one for one in (strangers / INDEX).rglob("*") if one.is_file())
        content = bytearray(dice.choice(others).read_bytes())
    elif kind == "part":
        del content[at : at + length]
    path.write_bytes(b"" if kind == "empty" else content)
    if kind == "gone":
        path.unlink()
    return f"{kind} of {path.name} at {at}, {length} bytes"


def drive(folder: Path, strangers: Path, seed: int, pipe: Connection) -> None:
    """Corrupt and search, each time in a process of its own; send what went wrong."""
    import faiss

    faiss.omp_set_num_threads(1)  # threads would not survive the forks
    expected, dice, wrong = _expected(), random.Random(seed), list[str]()
    kept = folder.with_name("index-as-it-was")
    shutil.copytree(folder / INDEX, kept)
    for number in range(CORRUPTIONS // 2):
        what = corrupt(folder, strangers, dice)
        pid = os.fork()
        if not pid:
            code = 2
            try:
                with LocalStore(folder, read_only=number % 2 == 0) as store:
                    code = 0 if answers(store) == expected else 1
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        if status:
            wrong.append(f"{what}: exit code {os.waitstatus_to_exitcode(status)}")
        shutil.rmtree(folder / INDEX)
        shutil.copytree(kept, folder / INDEX)
    pipe.send(wrong)


def _expected() -> list[object]:
    store = MemoryStore()
    fill(store, 1)
    return answers(store)


def test_500_corruptions_neither_crash_nor_lie() -> None:
    """Of 500 corruptions of whatever files are in index/, none ends the process, and every answer is NumPy's.

    Bytes are changed, cut off, cut out, zeroed, added; files are exchanged for others, for those of another collection
    with the same ids, emptied, deleted; indexes are of all kinds. Each is searched by a process of its own, every
    second of which may repair it.
    """
    context, running = forkserver(), []
    with folder_in_memory() as folder:
        for name, seed in (("0/ours", 1), ("1/ours", 1), ("strangers", 2)):
            with open_collection(folder / name, create=EncoderChoice()) as collection:
                fill(collection.store, seed)  # type: ignore[arg-type]
                for what, kind in ((What.VIDEOS, "f16"), (What.FRAGMENTS, "hnsw")):
                    collection.store.make_index(FINGERPRINT, what, kind)  # type: ignore[attr-defined]
                found = answers(collection.store)  # type: ignore[arg-type]
                assert (found == _expected()) == (name != "strangers")
        for number in range(2):
            ours, theirs = context.Pipe(duplex=False)
            arguments = (folder / str(number) / "ours", folder / "strangers", number, theirs)
            process = context.Process(target=drive, args=arguments)
            process.start()
            theirs.close()
            running.append((process, ours))
        answered = [(ours.recv(), process.join()) for process, ours in running]
    assert [wrong for wrong, _ in answered] == [[], []]
