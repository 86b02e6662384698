"""Checkpoints: what is read from them, and what is refused."""

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.archive import read_config, read_weights
from pipeline.checkpoint import Checkpoint, locate, open_checkpoint, published
from quartzlens.errors import CheckpointError
from tests.pipeline.networks import QUARTZNET15X5, SMALL, config, untrained_weights, write_archive, write_nemo


class Payload:
    """Runs a command when unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return (os.system, ("touch /tmp/quartzlens-was-here",))


def nemo_like(path: Path, settings: dict[str, Any], weights: bytes = b"") -> Path:
    """An archive with this configuration."""
    return write_archive(path, {"model_config.yaml": yaml.safe_dump(settings).encode(), "model_weights.ckpt": weights})


def test_the_published_architecture_is_read_as_published(tmp_path: Path) -> None:
    """QuartzNet 15x5: 1024 dimensions, a step each 20 ms, about 113 GFLOP a minute, 28 labels (arXiv 1910.10261)."""
    checkpoint = Checkpoint("15x5", nemo_like(tmp_path / "q.nemo", config(QUARTZNET15X5)))
    assert checkpoint.dimension == 1024
    assert checkpoint.step_seconds == pytest.approx(0.02)
    assert checkpoint.clip_gflop == pytest.approx(113, rel=0.03)
    assert len(checkpoint.labels) == 28


@pytest.mark.slow
def test_the_published_architecture_has_the_published_number_of_weights() -> None:
    """The encoder built from the 15x5 table has the 18,894,656 parameters counted in NeMo."""
    weights = untrained_weights(QUARTZNET15X5)
    counted = [value.numel() for name, value in weights.items() if "running" not in name and "num_batches" not in name]
    assert sum(counted) == 18_894_656


def test_the_random_dither_is_off_in_the_front_end(tmp_path: Path) -> None:
    """Whatever the checkpoint says, the front end that makes the fingerprint has no dither."""
    checkpoint = Checkpoint("small", nemo_like(tmp_path / "q.nemo", config(SMALL)))
    assert '"dither": 0.0' in checkpoint.front_end


@pytest.mark.slow
@pytest.mark.parametrize("compressed", [False, True])
def test_a_nemo_file_gives_back_its_weights(tmp_path: Path, compressed: bool) -> None:
    """Plain and gzipped archives give the same tensors as were written."""
    weights = untrained_weights(SMALL)
    path = write_nemo(tmp_path / "small.nemo", SMALL, weights=weights, compressed=compressed)
    back = read_weights(path)
    assert set(back) == set(weights)
    assert all(bool((back[name] == value).all()) for name, value in weights.items())


def test_a_pickle_with_a_payload_is_refused(tmp_path: Path) -> None:
    """Weights that would run a command are refused, and the command does not run."""
    marker = Path("/tmp/quartzlens-was-here")
    path = nemo_like(tmp_path / "evil.nemo", config(SMALL), pickle.dumps(Payload()))
    with pytest.raises(CheckpointError, match="plain weights"):
        read_weights(path)
    assert not marker.exists()


def test_yaml_with_a_python_tag_is_refused(tmp_path: Path) -> None:
    """A configuration that would build Python objects is refused."""
    path = write_archive(tmp_path / "q.nemo", {"model_config.yaml": b"a: !!python/object/apply:os.system ['true']"})
    with pytest.raises(CheckpointError, match="not plain YAML"):
        read_config(path)


@pytest.mark.parametrize("name", ["/etc/evil", "../evil", "a/../../evil", "..\\evil"])
def test_a_member_that_points_outside_is_refused(tmp_path: Path, name: str) -> None:
    """Absolute names and parent folders never appear in an honest checkpoint."""
    with pytest.raises(CheckpointError, match="outside"):
        read_config(write_archive(tmp_path / "q.nemo", {name: b"x"}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    """A link in place of the configuration is refused."""
    member = tarfile.TarInfo("model_config.yaml")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "q.nemo", "w") as archive:
        archive.addfile(member)
    with pytest.raises(CheckpointError, match="link or a device"):
        read_config(tmp_path / "q.nemo")


def test_a_member_of_100_gigabytes_is_refused_by_its_header(tmp_path: Path) -> None:
    """A size in the header is believed before a byte is read."""
    member = tarfile.TarInfo("model_weights.ckpt")
    member.size = 100 << 30
    (tmp_path / "q.nemo").write_bytes(member.tobuf() + bytes(10240))
    with pytest.raises(CheckpointError, match="over the limit"):
        read_weights(tmp_path / "q.nemo")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x1f\x8b" + bytes(100)])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    """An empty file, a web page and a broken gzip end in a clear error."""
    path = tmp_path / "q.nemo"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="q.nemo"):
        read_config(path)


@pytest.mark.parametrize("section", ["preprocessor", "encoder"])
@pytest.mark.parametrize("target", ["os.system", "evil.nemo.collections.asr.modules.ConvASREncoder", None, 3])
def test_only_the_two_known_modules_are_built(tmp_path: Path, section: str, target: object) -> None:
    """Any other target is refused before anything is imported."""
    settings = config(SMALL)
    settings[section] = {**settings[section], "_target_": target}
    with pytest.raises(CheckpointError, match="quartzlens reads models"):
        open_checkpoint(str(nemo_like(tmp_path / "q.nemo", settings)))


@pytest.mark.parametrize("blocks", [None, [], "abc", [{}], [{"filters": -1, "kernel": [1], "stride": [1]}]])
def test_a_table_of_blocks_that_cannot_be_is_refused(tmp_path: Path, blocks: object) -> None:
    """A broken table is named when the checkpoint is opened, not when the first video is encoded."""
    settings = config(SMALL)
    settings["encoder"] = {**settings["encoder"], "jasper": blocks}
    with pytest.raises(CheckpointError, match="table of blocks"):
        open_checkpoint(str(nemo_like(tmp_path / "q.nemo", settings)))


def test_an_encoder_for_another_sampling_rate_is_refused(tmp_path: Path) -> None:
    """A checkpoint for 8 kHz would be fed sound at the wrong speed."""
    settings = config(SMALL)
    settings["preprocessor"] = {**settings["preprocessor"], "sample_rate": 8000}
    with pytest.raises(CheckpointError, match="8000 Hz"):
        open_checkpoint(str(nemo_like(tmp_path / "q.nemo", settings)))


@pytest.mark.slow
def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """Shapes of another network, and NaN weights, are named."""
    other = write_nemo(
        tmp_path / "other.nemo",
        SMALL,
        weights={"encoder.x": untrained_weights(SMALL)["encoder.encoder.0.mconv.0.conv.weight"]},
    )
    with pytest.raises(CheckpointError, match="do not fit"):
        open_checkpoint(str(other)).build()
    weights = untrained_weights(SMALL)
    next(iter(weights.values())).view(-1)[0] = float("nan")
    with pytest.raises(CheckpointError, match="NaN"):
        read_weights(write_nemo(tmp_path / "nan.nemo", SMALL, weights=weights))


def test_an_absent_checkpoint_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A published one names the command that gets it, an unknown one the list."""
    monkeypatch.setenv("QUARTZLENS_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match="checkpoint get stt_en_quartznet15x5"):
        locate("stt_en_quartznet15x5")
    with pytest.raises(CheckpointError, match="checkpoint list"):
        locate("nonsense")


def test_published_names_are_the_nine_languages_and_the_base() -> None:
    """Ten names, each with an address of the same file name."""
    assert len(published()) == 10
    assert all(one.address.startswith("https://") and one.address.endswith(f"/{one.name}.nemo") for one in published())


def test_weights_that_are_no_table_are_refused(tmp_path: Path) -> None:
    """A torch file of something else is refused."""
    import torch

    buffer = io.BytesIO()
    torch.save([1, 2], buffer)
    with pytest.raises(CheckpointError, match="table of tensors"):
        read_weights(nemo_like(tmp_path / "q.nemo", config(SMALL), buffer.getvalue()))
