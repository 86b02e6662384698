"""DeepLearningExamples' ``.pt``: the same network under other names, matched to the last weight."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.checkpoint import Checkpoint, open_checkpoint
from pipeline.names import quartznet15x5, renamed
from quartzlens.errors import CheckpointError
from tests.pipeline.networks import QUARTZNET15X5, torch_file

pytestmark = pytest.mark.slow
BIAS = "decoder.layers.0.bias"


@pytest.fixture(scope="module")
def network() -> Any:
    """The network of DeepLearningExamples with random weights and statistics."""
    from tests.pipeline.examples_network import random_network

    return random_network()


@pytest.fixture(scope="module")
def file(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its weights as its training saves them, under a name that tells nothing."""
    from tests.pipeline.examples_network import write_pt

    return write_pt(tmp_path_factory.mktemp("examples") / "mine.bin", network.state_dict())


def test_both_naming_schemes_compute_the_same(network: Any, file: Path) -> None:
    """NeMo's modules with the renamed weights give the original's output to 1e-6, with clips of unequal length."""
    import torch

    _, encoder = open_checkpoint(str(file)).build()
    mel, lengths = torch.randn(2, 64, 304), torch.tensor([304, 211])
    with torch.inference_mode():
        theirs, their_lengths, log_probabilities = network(mel, lengths)
        ours, our_lengths = encoder(audio_signal=mel, length=lengths)
        weights = open_checkpoint(str(file)).weights()
        logits = torch.nn.functional.conv1d(
            ours, weights["decoder.decoder_layers.0.weight"], weights["decoder.decoder_layers.0.bias"]
        )
    assert float(theirs.std()) > 0.01
    assert their_lengths.tolist() == our_lengths.tolist() == [152, 106]
    assert float((ours - theirs).abs().max()) < 1e-6
    assert float((logits.transpose(1, 2).log_softmax(-1) - log_probabilities).abs().max()) < 1e-6


def test_nothing_downstream_sees_a_difference(file: Path) -> None:
    """Configuration, labels, dimension and work are those of QuartzNet 15x5; the guard before the log is 1e-20."""
    checkpoint = open_checkpoint(str(file))
    assert quartznet15x5()["encoder"]["jasper"] == QUARTZNET15X5
    assert (checkpoint.dimension, checkpoint.parameters) == (1024, 18_894_656)
    assert checkpoint.step_seconds == pytest.approx(0.02)
    assert checkpoint.clip_gflop == pytest.approx(113, rel=0.01)
    assert checkpoint.labels == [" ", *"abcdefghijklmnopqrstuvwxyz'"]
    assert '"log_zero_guard_value": 1e-20' in checkpoint.front_end
    preprocessor, _ = checkpoint.build()
    assert (preprocessor.featurizer.log_zero_guard_value, preprocessor.featurizer.dither) == (1e-20, 0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("encoder.layers.4.mconv.5.weight"), "such as 'encoder.encoder.4.mconv.5.conv.weight'"),
        (lambda w: w.pop("decoder.layers.0.bias"), "1 missing, such as 'decoder.decoder_layers.0.bias'"),
        (lambda w: w.update({"encoder.layers.18.x": w[BIAS]}), "additional, such as 'encoder.encoder.18.x'"),
        (lambda w: w.update({BIAS: w[BIAS][:28]}), r"bias is \(28,\), not \(29,\)"),
        (lambda w: w.update({BIAS: w[BIAS] * float("nan")}), "bias has NaN"),
    ],
)  # fmt: skip
def test_every_weight_is_matched(network: Any, tmp_path: Path, change: Any, message: str) -> None:
    """A weight that is missing, additional, misshaped or no number is named."""
    from tests.pipeline.examples_network import write_pt

    weights = dict(network.state_dict())
    change(weights)
    with pytest.raises(CheckpointError, match=message):
        Checkpoint("x", write_pt(tmp_path / "x.pt", weights)).weights()


def test_a_file_without_averaged_weights_says_what_it_holds(tmp_path: Path) -> None:
    """Another program's .pt is refused with its own keys, and an empty table likewise."""
    for content, message in (
        ({"model": 1, "epoch": 3}, "holds 'model', 'epoch'"),
        ({"ema_state_dict": None}, "holds 'ema_state_dict'"),
        ([1, 2], "holds list"),
    ):
        path = tmp_path / "x.pt"
        path.write_bytes(torch_file(content))
        with pytest.raises(CheckpointError, match=message):
            Checkpoint("x", path).weights()


def test_a_file_of_an_old_torch_is_read_too(network: Any, file: Path, tmp_path: Path) -> None:
    """The format before torch 1.6 is known by its content and gives the same weights."""
    from tests.pipeline.examples_network import write_pt

    old = write_pt(tmp_path / "old.pt", network.state_dict(), _use_new_zipfile_serialization=False)
    ours, theirs = Checkpoint("old", old).weights(), Checkpoint("new", file).weights()
    assert ours.keys() == theirs.keys()
    assert all(bool((ours[name] == value).all()) for name, value in theirs.items())


def test_a_convolution_is_told_by_its_weight_not_by_its_index() -> None:
    """Batch normalisation keeps its name wherever it stands; the decoder's convolution gains nothing."""
    import torch

    three, one = torch.zeros(2, 2, 1), torch.zeros(2)
    names = renamed({"encoder.layers.0.mconv.9.weight": one, "encoder.layers.0.res.0.0.weight": three,
                     "decoder.layers.0.weight": three})  # fmt: skip
    assert list(names) == ["encoder.encoder.0.mconv.9.weight", "encoder.encoder.0.res.0.0.conv.weight",
                           "decoder.decoder_layers.0.weight"]  # fmt: skip
