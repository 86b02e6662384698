"""QuartzNet, Jasper and Citrinet: what the table says is what NeMo builds and computes."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.checkpoint import Checkpoint, open_checkpoint
from pipeline.layout import read_layout
from tests.pipeline.networks import (
    CHARACTERS,
    CITRINET,
    JASPER,
    MODULES,
    PIECES,
    QUARTZNET15X5,
    SMALL,
    block,
    config,
    nemo_like,
    torch_file,
    untrained_weights,
    write_archive,
)

KINDS = {
    "quartznet": (SMALL, 64, CHARACTERS, 0.02),
    "jasper": (JASPER, 64, CHARACTERS, 0.02),
    "citrinet": (CITRINET, 80, PIECES, 0.08),
}


def written(folder: Path, kind: str) -> Checkpoint:
    """A random checkpoint of this kind; Citrinet's comes with the artefacts of its tokenizer."""
    blocks, features, vocabulary, _ = KINDS[kind]
    settings = config(blocks, features=features, vocabulary=vocabulary)
    weights = untrained_weights(blocks, features=features, n_labels=len(vocabulary))
    path = nemo_like(folder / f"{kind}.nemo", settings, torch_file(weights))
    if kind == "citrinet":
        members = {"0a1b_tokenizer.model": b"pieces" * 1000, "0a1b_vocab.txt": b"##s\n"}
        members |= {"model_config.yaml": _content(path, "model_config.yaml")}
        members |= {"model_weights.ckpt": _content(path, "model_weights.ckpt")}
        write_archive(path, members, compressed=True)
    return open_checkpoint(str(path))


def _content(path: Path, name: str) -> bytes:
    import tarfile

    with tarfile.open(path) as archive:
        stream = archive.extractfile(name)
        assert stream is not None
        return stream.read()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_sound_goes_through_every_kind(tmp_path: Path, kind: str) -> None:
    """Dimension, labels in their order and time between steps are read; 10 s give as many finite steps as they say."""
    import torch

    blocks, features, vocabulary, step_seconds = KINDS[kind]
    checkpoint = written(tmp_path, kind)
    assert (checkpoint.dimension, checkpoint.labels) == (blocks[-1]["filters"], vocabulary)
    assert checkpoint.step_seconds == pytest.approx(step_seconds)
    preprocessor, encoder = checkpoint.build()
    torch.manual_seed(0)
    with torch.inference_mode():
        mel, frames = preprocessor(input_signal=0.1 * torch.randn(1, 160_000), length=torch.tensor([160_000]))
        steps, n_steps = encoder(audio_signal=mel, length=frames)
    assert mel.shape[1] == features
    assert steps.shape[1] == checkpoint.dimension
    assert int(n_steps[0]) == round(10 / step_seconds)
    assert bool(torch.isfinite(steps).all())


TABLES = {
    "quartznet15x5": QUARTZNET15X5,
    "jasper": JASPER,
    "citrinet": CITRINET,
    "groups": [block(32, 11, groups=2), block(32, 12, groups=4, repeat=2, separable=False, residual=True)],
    "heads": [block(32, 11, heads=8), block(64, 1, separable=False)],
    "striding": [
        block(32, 11, stride=[2], repeat=2), block(32, 5, stride=[2], residual=True, residual_mode="stride_add"),
    ],
    "stride_last": [block(32, 11, stride=[2], repeat=3, stride_last=True), block(32, 9, dilation=[2], se=True)],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"conv_mask": False}, {"normalization_mode": "group", "norm_groups": 8}])
@pytest.mark.parametrize("name", TABLES)
def test_the_table_alone_tells_names_shapes_and_work(name: str, more: dict[str, Any]) -> None:
    """Names and shapes are NeMo's own, and the work is what torch counts while a minute goes through."""
    import torch
    from nemo.collections.asr.modules import ConvASREncoder
    from torch.utils.flop_counter import FlopCounterMode

    settings = {"feat_in": 64, "jasper": TABLES[name], **more}
    layout = read_layout(settings)
    encoder = ConvASREncoder(**settings, activation="relu", init_mode=None).eval()
    assert {key: tuple(value.shape) for key, value in encoder.state_dict().items()} == layout.shapes()
    if (name, "conv_mask" in more) in {("heads", False), ("quartznet15x5", True)}:
        return  # heads fold their channels into the batch; the large one is counted once
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        output, _ = encoder(audio_signal=torch.zeros(1, 64, 600), length=torch.tensor([600]))
    assert counter.get_total_flops() == pytest.approx(2 * 600 * layout.multiply_adds, rel=0.02)
    assert output.shape[2] == 600 // layout.strides


@pytest.mark.parametrize("target", [MODULES, f"{MODULES}.conv_asr"])
def test_older_names_of_the_modules_are_known(tmp_path: Path, target: str) -> None:
    """Configurations of earlier NeMo name the module's file too."""
    path = nemo_like(tmp_path / "q.nemo", config(SMALL, target=target))
    assert open_checkpoint(str(path)).dimension == 48


def test_configurations_before_nemo_1_are_known(tmp_path: Path) -> None:
    """``cls`` and ``params`` in place of ``_target_`` give the same fingerprint and labels as today's form."""
    now = config(SMALL)
    then = {
        name: {
            "cls": section["_target_"],
            "params": {key: value for key, value in section.items() if key != "_target_"},
        }
        for name, section in now.items()
    }
    old = open_checkpoint(str(nemo_like(tmp_path / "old.nemo", then)))
    new = open_checkpoint(str(nemo_like(tmp_path / "new.nemo", now)))
    assert (old.front_end, old.labels, old.dimension) == (new.front_end, new.labels, new.dimension)


@pytest.mark.slow
def test_the_filterbank_of_the_checkpoint_is_used(tmp_path: Path) -> None:
    """Window and filterbank that a checkpoint carries replace the computed ones; other sizes are refused."""
    import torch

    from quartzlens.errors import CheckpointError

    weights = untrained_weights(SMALL) | {"preprocessor.featurizer.fb": torch.rand(1, 64, 257)}
    path = nemo_like(tmp_path / "q.nemo", config(SMALL), torch_file(weights | {"loss.x": torch.zeros(1)}))
    preprocessor, _ = Checkpoint("q", path).build()
    assert bool((preprocessor.featurizer.fb == weights["preprocessor.featurizer.fb"]).all())
    weights["preprocessor.featurizer.fb"] = torch.rand(1, 80, 257)
    with pytest.raises(CheckpointError, match=r"featurizer.fb is \(1, 80, 257\), not \(1, 64, 257\)"):
        Checkpoint("q", nemo_like(path, config(SMALL), torch_file(weights))).weights()
