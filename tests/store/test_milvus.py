"""The store in Milvus keeps the contract, and what only a store in Milvus has to keep."""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from quartzlens.errors import CollectionError
from store.base import Store
from store.milvus import MilvusStore
from tests.store.contract import StoreContract
from tests.store.crashing import FORKS, HAS_MILVUS, NO_MILVUS, commit_for_ever
from tests.store.things import (
    FINGERPRINT,
    axis,
    count_together,
    ids_of,
    matrix_of,
    ok,
    person,
    rows,
)

pytestmark = pytest.mark.skipif(not HAS_MILVUS, reason=NO_MILVUS)
ROOT = Path(__file__).resolve().parents[2]


class TestMilvusStore(StoreContract):
    """The whole contract, in Milvus Lite."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An empty store."""
        with MilvusStore(str(tmp_path / "m")) as store:
            yield store

    @pytest.fixture
    def other(self, tmp_path: Path) -> Iterator[Store]:
        """A second one."""
        with MilvusStore(str(tmp_path / "n")) as store:
            yield store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MilvusStore]:
    """A store of two embedded videos."""
    with MilvusStore(str(tmp_path / "m")) as store:
        store.add_rows("list", rows("a", "b"), [])
        store.commit([ok("a", axis(0)), ok("b", axis(1))])
        yield store


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What ``code`` says in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_milvus_is_loaded_when_a_collection_in_it_is_opened() -> None:
    """Neither the command line nor the store's modules load pymilvus or milvus_lite before a store in Milvus opens."""
    code = (
        "import sys, quartzlens.cli, store.milvus, store.collection, store.moving\n"
        "assert not {'pymilvus', 'milvus_lite', 'grpc'} & set(sys.modules)"
    )
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["pymilvus", "milvus_lite.server_manager"])
def test_a_package_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Without the packages the error says how to get them."""
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CollectionError, match=r"pip install -c constraints\.txt -e '\.\[milvus\]'"):
        MilvusStore(str(tmp_path / "m"))


def test_a_path_that_milvus_lite_cannot_open_is_named(tmp_path: Path) -> None:
    """A file in the place of the folder is an error with its path."""
    (tmp_path / "m").write_bytes(b"")
    with pytest.raises(CollectionError, match="m cannot be opened by Milvus Lite"):
        MilvusStore(str(tmp_path / "m"))


def test_another_process_is_refused(store: MilvusStore) -> None:
    """Milvus Lite is open in one process: a second one is told so, and the first goes on."""
    code = "import sys\nfrom store.milvus import MilvusStore\nMilvusStore(sys.argv[1])"
    done = python(code, store.uri)
    assert "CollectionError" in done.stderr
    assert "is open in another process, and Milvus Lite lets in one at a time" in done.stderr
    assert ids_of(store) == ["a", "b"]


def test_of_threads_that_decide_by_the_history_each_saw_all_before(store: MilvusStore) -> None:
    """Two stores of one folder add the length of the history that they read: every number is there once, in order."""
    with MilvusStore(store.uri) as second:
        assert count_together([store, second, second], 4) == [str(n) for n in range(12)]


def test_one_process_may_open_a_folder_twice(store: MilvusStore) -> None:
    """Two stores of one folder see each other's changes, and closing one leaves the other open."""
    with MilvusStore(store.uri) as second:
        second.add_rows("more", rows("c", source_list="more"), [])
        assert ids_of(store) == ["a", "b", "c"]
        store.add_labels([person("c", "food")])
        assert second.videos(["c"])[0].category == "food"
    store.remove(["c"])
    store.close()
    store.close()
    with MilvusStore(store.uri) as again:
        assert ids_of(again) == ["a", "b"]
        assert again._tables.all_keys("quartzlens_writers") == []


def test_killed_at_any_moment_every_acknowledged_video_is_whole(tmp_path: Path) -> None:
    """After SIGKILL amid commits each video has what was acknowledged last or what came after, with all its parts."""
    uri, names, generator = str(tmp_path / "m"), ["a", "b", "c"], random.Random(3)
    turns = dict.fromkeys(names, 0)
    with MilvusStore(uri) as store:
        store.add_rows("list", rows(*names), [])
        store.commit([ok(name, [0.0, *axis(1)[1:]]) for name in names])
    for _ in range(5):
        ours, theirs = FORKS.Pipe(duplex=False)
        process = FORKS.Process(target=commit_for_ever, args=(theirs, uri, names, max(turns.values()) + 1))
        process.start()
        theirs.close()
        acknowledged = dict(ours.recv() for _ in range(generator.randrange(1, 30)))
        os.kill(process.pid, signal.SIGKILL)
        with suppress(EOFError):
            while True:
                acknowledged.update([ours.recv()])
        process.join()
        ours.close()
        turns = {name: acknowledged.get(name, turns[name]) for name in names}
        with MilvusStore(uri) as store:
            kept, parts = store.embeddings(FINGERPRINT), store.fragments(FINGERPRINT)
            assert (kept.ids, parts.ids) == (tuple(names), tuple(name for name in names for _ in range(2)))
            assert (parts.matrix == np.repeat(kept.matrix, 2, axis=0) * np.float32([[1], [6]] * 3)).all()
            found = {name: int(vector[0]) for name, vector in zip(kept.ids, kept.matrix, strict=True)}
            ahead = [name for name in names if found[name] != turns[name]]
            assert len(ahead) <= 1  # the one that was being committed
            assert all(found[name] > turns[name] for name in ahead)
            hits = store.search(FINGERPRINT, kept.matrix, 99, fragments=True)
            assert [len(one) for one in hits] == [6, 6, 6]


SERVER = """
import sys
from milvus_lite.adapter.grpc.server import run_server
run_server(sys.argv[1], "127.0.0.1", int(sys.argv[2]))
"""


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a server of Milvus' protocol (that of Milvus Lite), and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-u", "-c", SERVER, str(folder), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        assert process.stdout is not None
        assert "listening" in process.stdout.readline()
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


def test_a_server_is_shared_and_its_end_is_told(tmp_path: Path) -> None:
    """Over an address processes share a collection; a password is in no message; a server that is gone is named."""
    with server(tmp_path / "s") as (address, process):
        with pytest.raises(CollectionError, match="There is no collection in"):
            MilvusStore(address, read_only=True)
        with MilvusStore(address.replace("//", "//me:secret@")) as store:
            store.add_rows("list", rows("a"), [])
            code = (
                "import sys\nfrom store.milvus import MilvusStore\nfrom tests.store.things import axis, ok, person\n"
                "with MilvusStore(sys.argv[1]) as store:\n"
                "    store.commit([ok('a', axis(0))]); store.add_labels([person('a', 'food')])"
            )
            with pytest.raises(CollectionError, match="Milvus refused or failed.*'nowhere'"):
                MilvusStore(f"{address}/nowhere")
            done = python(code, address)
            assert (done.returncode, done.stderr) == (0, "")
            assert store.videos()[0].category == "food"
            assert store.search(FINGERPRINT, matrix_of([axis(0)]), 1)[0][0].similarity == 1
            process.kill()
            process.wait()
            with pytest.raises(CollectionError, match=f"^{address}: no Milvus server answers there") as caught:
                store.videos()
            assert "secret" not in str(caught.value)


def test_an_address_where_no_server_is_is_named() -> None:
    """A refused connection is an error with the address and what to do."""
    with pytest.raises(CollectionError, match="^http://127.0.0.1:9: no Milvus server answers there: start it"):
        MilvusStore("http://127.0.0.1:9")
