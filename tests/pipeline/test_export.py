"""The exported network: made once, kept whole or not at all, and then neither NeMo nor torch is needed."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.checkpoint import Checkpoint, open_checkpoint
from pipeline.encoder import EncoderSettings, encode
from pipeline.engine import OpenVinoEncoder
from pipeline.export import ARRAYS, NETWORK, SUMS, Export
from quartzlens.errors import CheckpointError
from tests.conftest import ROOT
from tests.pipeline.compared import noise, same_bits
from tests.pipeline.networks import SMALL, untrained_weights, write_nemo

pytestmark = pytest.mark.slow
F32 = EncoderSettings()


def command(checkpoint: Checkpoint, *more: str) -> list[str]:
    """A process that encodes noise with a checkpoint."""
    return [sys.executable, "-m", "tests.pipeline.encode_child", str(checkpoint.path), *more]


def child(checkpoint: Checkpoint, *more: str, **environment: str) -> dict[str, object]:
    """What such a process says."""
    done = subprocess.run(
        command(checkpoint, *more), cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def folders(cache: Path) -> list[Path]:
    """Exported networks in a cache, without those that are being built."""
    return [path for path in sorted((cache / "engines").glob("[!.]*")) if path.is_dir()]


@pytest.fixture(scope="module")
def digest(small: Checkpoint, own_cache: Path) -> str:
    """Digest of the right answer, of a network in the session's cache."""
    assert str(own_cache) == os.environ["QUARTZLENS_CACHE"]
    made = OpenVinoEncoder(small, F32)
    answer = encode(made, noise(7))
    made.close()
    return hashlib.sha256(answer.fragments.tobytes()).hexdigest()


def test_a_network_is_exported_once(small: Checkpoint, cache: Path, exports_here: None) -> None:
    """The second engine of the same key exports nothing and answers to the bit the same; poolings share a network."""
    exports: list[str] = []
    answers = []
    for settings in (F32, F32, EncoderSettings(pooling="mean3008"), EncoderSettings(start_seconds=5)):
        made = OpenVinoEncoder(small, settings, on_export=lambda: exports.append("export"))
        answers.append(encode(made, noise(7)))
        made.close()
    assert len(exports) == len(folders(cache)) == 1
    assert same_bits(answers[0], answers[1])
    assert sorted(path.name for path in folders(cache)[0].iterdir()) == [
        ARRAYS, NETWORK.replace(".xml", ".bin"), NETWORK, SUMS
    ]  # fmt: skip


def test_what_makes_another_network_is_another_folder(tmp_path: Path, cache: Path, exports_here: None) -> None:
    """Another block, other sums, and another checkpoint of the same name are exported beside the first."""
    path = write_nemo(tmp_path / "x.nemo", SMALL)
    for settings in (F32, EncoderSettings(block="B1"), EncoderSettings(pooling="mean_std")):
        made = OpenVinoEncoder(open_checkpoint(str(path)), settings)
        encode(made, noise(1))
        made.close()
    assert len(folders(cache)) == 3
    write_nemo(path, SMALL, weights=untrained_weights(SMALL, seed=1))
    made = OpenVinoEncoder(open_checkpoint(str(path)), F32)
    encode(made, noise(1))
    made.close()
    assert len(folders(cache)) == 4


def test_everything_that_changes_a_network_is_in_its_key() -> None:
    """Each field of the key alone makes another folder."""
    from dataclasses import replace

    first = Export("a" * 64, 2, 2, (("C1", 0),), words=True, squares=False, precision="f32", pads_alike=True)
    others = [
        replace(first, checkpoint_sha256="b" * 64), replace(first, end=1), replace(first, strides=4),
        replace(first, ends=(("C1", 1),)), replace(first, words=False), replace(first, squares=True),
        replace(first, precision="bf16"), replace(first, pads_alike=False), replace(first, products=3),
        replace(first, calibration_sha256="c"),
    ]  # fmt: skip
    assert len({one.folder for one in (first, *others)}) == 1 + len(others)


def test_another_nncf_makes_another_int8_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """An int8 network is not taken from the cache of another NNCF, whose numbers differ; one in f32 is."""
    from dataclasses import replace

    first = Export("a" * 64, 2, 2, (("C1", 0),), words=True, squares=False, precision="f32", pads_alike=True)
    int8 = replace(first, precision="int8", calibration_sha256="c")
    before = (first.folder, int8.folder)
    monkeypatch.setattr("pipeline.export.version", lambda _: "0.1")
    assert first.folder == before[0]
    assert int8.folder != before[1]


def cut(path: Path) -> None:
    """Leave the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Change one byte in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)


@pytest.mark.parametrize("name", [NETWORK, "network.bin", ARRAYS, SUMS])
@pytest.mark.parametrize("damage", [cut, flip, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_network_is_made_again(
    small: Checkpoint, cache: Path, exports_here: None, digest: str,
    name: str, damage: Callable[[Path], None],
) -> None:  # fmt: skip
    """Whatever is wrong with a file, the answer is right, and the cache is whole again for the next process."""
    exports: list[str] = []
    for number in range(2):
        made = OpenVinoEncoder(small, F32, on_export=lambda: exports.append("export"))
        answer = encode(made, noise(7))
        made.close()
        assert hashlib.sha256(answer.fragments.tobytes()).hexdigest() == digest
        if number == 0:
            assert len(exports) == 1
            damage(folders(cache)[0] / name)
    assert len(exports) == 2
    made = OpenVinoEncoder(small, F32, on_export=lambda: exports.append("again"))
    encode(made, noise(1))
    made.close()
    assert exports == ["export", "export"]


def test_a_process_killed_in_the_middle_leaves_nothing_that_is_taken_for_whole(
    small: Checkpoint, cache: Path, digest: str
) -> None:
    """SIGKILL while the network is written: no folder of the final name, and the next process exports it rightly."""
    process = subprocess.Popen(
        command(small), cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 120
    while not list(cache.glob("engines/.building-*")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    whole = [path for path in folders(cache) if not (path / SUMS).is_file()]
    assert whole == []
    assert child(small)["digest"] == digest


def test_two_processes_that_export_at_once_both_work(small: Checkpoint, cache: Path, digest: str) -> None:
    """Both answer rightly, one network stays, and nothing is left over."""
    processes = [
        subprocess.Popen(command(small), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert json.loads(out)["digest"] == digest
    assert [path.name for path in (cache / "engines").iterdir()] == [path.name for path in folders(cache)]
    assert len(folders(cache)) == 1


def test_a_disk_without_room_leaves_nothing_behind(small: Checkpoint, cache: Path) -> None:
    """Files that break off, as on a full disk, end in one clear error, and no half network is kept."""
    answer = child(small, "mean", "5000")
    assert "CheckpointError: The network of" in str(answer["error"])
    assert "make room there" in str(answer["error"])
    assert list((cache / "engines").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named_once(
    small: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exports_here: None
) -> None:
    """The first clip's error, with the folder and the setting that moves it, is every clip's: no export for each."""
    (tmp_path / "file").write_text("a file where a folder belongs")
    monkeypatch.setenv("QUARTZLENS_CACHE", str(tmp_path / "file"))
    exports: list[str] = []
    made = OpenVinoEncoder(small, F32, on_export=lambda: exports.append("export"))
    for future in [made.submit(noise(1, seed)) for seed in range(5)]:
        with pytest.raises(CheckpointError, match="set QUARTZLENS_CACHE to a folder that can be written") as caught:
            future.result(timeout=60)
        assert str(tmp_path / "file") in str(caught.value)
    made.close()
    assert exports == ["export"]


def test_what_a_killed_process_left_long_ago_is_swept(small: Checkpoint, cache: Path, exports_here: None) -> None:
    """A network half built goes after a day; one that another process may be building stays."""
    old, new = cache / "engines" / ".building-old", cache / "engines" / ".building-new"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / NETWORK).write_text("half")
    os.utime(old, (0, 0))
    made = OpenVinoEncoder(small, F32)
    encode(made, noise(1))
    made.close()
    assert not old.exists()
    assert new.exists()


def test_a_damaged_network_that_cannot_be_replaced_is_named(
    small: Checkpoint, cache: Path, exports_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a damaged folder cannot be removed, the message says which to delete."""
    made = OpenVinoEncoder(small, F32)
    encode(made, noise(1))
    made.close()
    cut(folders(cache)[0] / "network.bin")
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)  # a folder of another user's
    made = OpenVinoEncoder(small, F32)
    with pytest.raises(CheckpointError, match="delete that folder"):
        encode(made, noise(1))
    made.close()


def test_a_checkpoint_that_changes_is_not_exported(tmp_path: Path, cache: Path, exports_here: None) -> None:
    """A file replaced between its opening and its export ends in an error, not under another's fingerprint."""
    checkpoint = open_checkpoint(str(write_nemo(tmp_path / "x.nemo", SMALL)))
    made = OpenVinoEncoder(checkpoint, F32)
    write_nemo(tmp_path / "x.nemo", SMALL, weights=untrained_weights(SMALL, seed=1))
    with pytest.raises(CheckpointError, match="changed while it was being opened"):
        encode(made, noise(1))
    made.close()
    assert folders(cache) == []


@pytest.mark.parametrize("error", [TypeError("no tracer"), RuntimeError("\nmany\nlines"), ImportError()])
def test_what_a_library_raises_is_told_once(
    small: Checkpoint, cache: Path, exports_here: None, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """An export that fails in a library fails every clip by the same CheckpointError, and is not tried for each."""

    def broken(*_: object) -> bytes:
        raise error

    monkeypatch.setattr("pipeline.network.to_onnx", broken)
    exports: list[str] = []
    made = OpenVinoEncoder(small, F32, on_export=lambda: exports.append("export"))
    for _ in range(2):
        with pytest.raises(CheckpointError, match=rf"small.nemo could not be exported in f32 \({type(error).__name__}"):
            encode(made, noise(1))
    made.close()
    assert exports == ["export"]
    assert folders(cache) == []


def connections(folder: Path) -> Path:
    """Where processes with this folder on their path write down every connection that they make, workers too."""
    log = folder / "connections"
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        "def hook(event, args):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo'):\n"
        f"        with open({str(log)!r}, 'a') as log: log.write(f'{{event}} {{args[1:]!r}}\\n')\n"
        "sys.addaudithook(hook)\n"
    )
    return log


def test_neither_an_export_nor_what_comes_after_it_connects_to_anything(
    small: Checkpoint, cache: Path, digest: str, tmp_path: Path
) -> None:
    """The process that answers never loads NeMo, torch or OpenVINO's statistics; no connection leaves this machine."""
    log = connections(tmp_path)
    for _ in range(2):  # with an export by a worker, and without
        assert child(small, PYTHONPATH=str(tmp_path)) == {"digest": digest, "loaded": []}
    assert len(folders(cache)) == 1
    probe = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"
    subprocess.run([sys.executable, "-c", probe], env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=True)
    seen = log.read_text().splitlines()
    assert "127.0.0.1" in seen[-1], "the hook sees connections"
    assert [line for line in seen if "127.0.0.1" not in line and "localhost" not in line and "'/" not in line] == []
