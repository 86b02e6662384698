"""Checkpoints and clips that several tests of the encoder share."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.checkpoint import Checkpoint, open_checkpoint
from pipeline.decode import Decoded, decode
from tests.pipeline.networks import SMALL, write_nemo

MEDIA = {".mp4", ".webm", ".mkv", ".m4a", ".mp3", ".ogg", ".flac", ".wav", ".wmv", ".opus", ".avi", ".ts", ".mov"}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """An untrained small network with the blocks C1, B1 and C2."""
    return open_checkpoint(str(write_nemo(tmp_path_factory.mktemp("checkpoint") / "small.nemo", SMALL)))


@pytest.fixture(scope="session")
def clips(data: Path) -> dict[str, NDArray[np.float32]]:
    """The first minute of every file of the videos, and 40 clips of ESC-10, by name."""
    paths = [path for path in sorted((data / "videos").iterdir()) if path.suffix in MEDIA]
    paths += sorted((data / "esc10").rglob("*.ogg"))[::10]
    decoded = {path.name: decode(path, 0.0, 60.0) for path in paths}
    return {name: one.audio for name, one in decoded.items() if isinstance(one, Decoded)}


@pytest.fixture
def exports_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export in this process, where NeMo is loaded anyway: what a worker does there is the same."""

    class Here:
        def __init__(self, memory_bytes):
            del memory_bytes

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def call(self, function, *arguments, timeout_seconds):
            assert timeout_seconds > 0
            return function(*arguments)

    monkeypatch.setattr("pipeline.engine.Worker", Here)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test."""
    monkeypatch.setenv("QUARTZLENS_CACHE", str(tmp_path / "cache"))
    return Path(os.environ["QUARTZLENS_CACHE"])
