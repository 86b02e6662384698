"""The clips of an int8 network: read as they were written, missed before any work, heard by the engine's front end."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.calibration import calibration_file, is_whole, own_front_end, read_calibration, write_calibration
from pipeline.checkpoint import Checkpoint, open_checkpoint
from pipeline.encoder import EncoderSettings, encode
from pipeline.engine import OpenVinoEncoder
from pipeline.front_end import front_end
from quartzlens.errors import CheckpointError
from tests.pipeline.compared import noise
from tests.pipeline.networks import SMALL, config, nemo_like, torch_file, untrained_weights


def features(count: int) -> list[NDArray[np.float32]]:
    """Features of so many clips of unequal length."""
    generator = np.random.default_rng(0)
    return [generator.standard_normal((64, 100 + 7 * number)).astype(np.float32) for number in range(count)]


def int8(checkpoint: Checkpoint, folder: Path, digest: str, **more: Callable[[], None]) -> OpenVinoEncoder:
    """The engine in int8, calibrated with the clips of this digest in the folder."""
    settings = EncoderSettings(precision="int8", calibration=digest)
    return OpenVinoEncoder(checkpoint, settings, calibration=calibration_file(folder, digest), **more)


def test_calibration_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Twelve clips come back in their order, rounded to float16, and are those of their digest and no other."""
    clips = features(12)
    digest = write_calibration(tmp_path, clips)
    path = calibration_file(tmp_path, digest)
    assert all(
        np.array_equal(ours, theirs.astype(np.float16).astype(np.float32))
        for ours, theirs in zip(read_calibration(path), clips, strict=True)
    )
    assert is_whole(path, digest)
    assert not is_whole(path, "0" * 32)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", "other clips", "half"])
def test_calibration_that_is_not_there_is_told_before_any_work(
    small: Checkpoint, tmp_path: Path, cache: Path, content: bytes | str | None
) -> None:
    """A file that is missing, damaged or another's is refused as the engine is made, with the command that helps."""
    digest = write_calibration(tmp_path, features(4))
    path = calibration_file(tmp_path, digest)
    whole = path.read_bytes()
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "half":
        path.write_bytes(whole[: len(whole) // 2])
    elif content is not None:
        calibration_file(tmp_path, write_calibration(tmp_path, features(5))).rename(path)
    with pytest.raises(CheckpointError, match=r"not in .*reembed --precision int8.*another encoder"):
        int8(small, tmp_path, digest)
    assert not cache.exists()
    path.write_bytes(whole)
    int8(small, tmp_path, digest).close()


@pytest.mark.slow
def test_a_network_that_is_exported_needs_its_calibration_no_more(
    small: Checkpoint, tmp_path: Path, cache: Path, exports_here: None
) -> None:
    """While the cache has the int8 network, its clips may be gone; then without both it is told, not tried."""
    digest, exports = write_calibration(tmp_path, features(4)), list[str]()
    made = int8(small, tmp_path, digest, on_export=lambda: exports.append("export"))
    first = encode(made, noise(2))
    made.close()
    calibration_file(tmp_path, digest).unlink()
    made = int8(small, tmp_path, digest, on_export=lambda: exports.append("export"))
    assert encode(made, noise(2)).embedding.tobytes() == first.embedding.tobytes()
    made.close()
    assert exports == ["export"]


@pytest.mark.slow
def test_calibration_is_heard_by_the_engines_front_end(tmp_path: Path) -> None:
    """A checkpoint's own window and filters are used; one without any has those of its settings."""
    import torch

    own = {
        "preprocessor.featurizer.fb": torch.rand(1, 64, 257, generator=torch.Generator().manual_seed(0)),
        "preprocessor.featurizer.window": torch.ones(320),
    }
    weights = untrained_weights(SMALL)
    with_own = open_checkpoint(str(nemo_like(tmp_path / "a.nemo", config(SMALL), torch_file(weights | own))))
    without = open_checkpoint(str(nemo_like(tmp_path / "b.nemo", config(SMALL), torch_file(weights))))
    heard = own_front_end(with_own)
    assert np.array_equal(heard.filterbank, own["preprocessor.featurizer.fb"][0].numpy())
    assert np.array_equal(heard.window, np.ones(320, np.float32))
    expected = front_end(without.front_end).features(noise(1))
    assert own_front_end(without).features(noise(1)).tobytes() == expected.tobytes()


def test_a_checkpoint_that_cannot_be_read_calibrates_nothing(tmp_path: Path) -> None:
    """Weights that are none are told as such."""
    checkpoint = open_checkpoint(str(nemo_like(tmp_path / "a.nemo", config(SMALL), b"none")))
    with pytest.raises(CheckpointError, match=r"a\.nemo"):
        own_front_end(checkpoint)
