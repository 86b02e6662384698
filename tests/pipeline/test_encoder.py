"""Both engines behind the one protocol: repeatable to the bit, blind to padding, fragments out of the one output."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.checkpoint import Checkpoint, open_checkpoint
from pipeline.encoder import Encoder, EncoderSettings, encode, fingerprint_of, network_of, shares_of_work
from pipeline.engine import OpenVinoEncoder
from pipeline.reference import ReferenceEncoder
from quartzlens.errors import CheckpointError, UsageError
from tests.pipeline.compared import agree, noise, same_bits
from tests.pipeline.networks import QUARTZNET15X5, SMALL, block, config, nemo_like

ENGINES = {"openvino": OpenVinoEncoder, "reference": ReferenceEncoder}


@pytest.fixture(params=ENGINES)
def kind(request: pytest.FixtureRequest) -> type[OpenVinoEncoder] | type[ReferenceEncoder]:
    """Each engine in turn."""
    return ENGINES[request.param]  # type: ignore[return-value]


@pytest.fixture
def encoder(kind: type[OpenVinoEncoder] | type[ReferenceEncoder], small: Checkpoint) -> Iterator[Encoder]:
    """An untrained small network in each engine."""
    made = kind(small, EncoderSettings())
    yield made
    made.close()


@pytest.mark.slow
def test_an_embedding_repeats_bit_for_bit(encoder: Encoder, small: Checkpoint) -> None:
    """The same sound gives the same bits, also from an engine made anew."""
    first, second = encode(encoder, noise(7)), encode(encoder, noise(7))
    anew = type(encoder)(small, EncoderSettings())  # type: ignore[call-arg]
    assert same_bits(first, second)
    assert same_bits(first, encode(anew, noise(7)))
    assert not same_bits(first, encode(anew, noise(7, seed=1)))
    anew.close()


@pytest.mark.slow
def test_shapes_and_bounds_are_as_documented(encoder: Encoder) -> None:
    """13 s give fragments 0-5, 5-10 and 10-13 s, of the checkpoint's dimension, each with its words."""
    embedded = encode(encoder, noise(13))
    assert embedded.fingerprint == encoder.fingerprint
    assert embedded.embedding.shape == (48,)
    assert embedded.fragments.shape == (3, 48)
    assert embedded.embedding.dtype == embedded.fragments.dtype == embedded.bounds.dtype == np.float32
    assert embedded.bounds == pytest.approx(np.array([[0, 5], [5, 10], [10, 13]]), abs=0.03)
    assert {name: table.shape for name, table in embedded.profile.items()} == {
        "C1": (2, 32),
        "B1": (2, 32),
        "C2": (2, 48),
    }
    assert len(embedded.words) == 3


@pytest.mark.slow
def test_the_pooled_embedding_is_the_weighted_mean_of_the_fragments(encoder: Encoder) -> None:
    """The clip's mean is of the valid steps alone, and the last block's profile says the same."""
    embedded = encode(encoder, noise(12))
    weights = np.diff(embedded.bounds, axis=1)[:, 0]
    assert embedded.embedding == pytest.approx(np.average(embedded.fragments, axis=0, weights=weights), abs=1e-6)
    assert embedded.profile["C2"][0] == pytest.approx(embedded.embedding, abs=1e-6)


@pytest.mark.slow
def test_mean_std_is_the_last_blocks_profile(kind: type[OpenVinoEncoder], small: Checkpoint) -> None:
    """``mean_std`` is twice as long: means, then standard deviations."""
    made = kind(small, EncoderSettings(pooling="mean_std"))
    embedded = encode(made, noise(12))
    assert made.fingerprint.dimension == len(embedded.embedding) == embedded.fragments.shape[1] == 96
    assert embedded.embedding == pytest.approx(embedded.profile["C2"].ravel(), abs=1e-5)
    made.close()


@pytest.mark.slow
def test_an_earlier_block_is_embedded_by_the_network_up_to_it(kind: type[OpenVinoEncoder], small: Checkpoint) -> None:
    """``B1`` gives what the whole network's profile says of it, no profile beyond it, and no words."""
    whole, part = kind(small, EncoderSettings()), kind(small, EncoderSettings(block="B1"))
    ours, theirs = encode(part, noise(12)), encode(whole, noise(12))
    assert list(ours.profile) == ["C1", "B1"]
    assert ours.embedding == pytest.approx(theirs.profile["B1"][0], abs=1e-5)
    assert ours.words == ()
    assert part.clip_gflop < whole.clip_gflop
    for made in (whole, part):
        made.close()


@pytest.mark.slow
def test_the_start_of_the_stretch_is_in_the_bounds(kind: type[OpenVinoEncoder], small: Checkpoint) -> None:
    """Fragments of a stretch that begins at 30 s are at 30 s; without words nobody listens."""
    made = kind(small, EncoderSettings(start_seconds=30), words=False)
    embedded = encode(made, noise(6))
    assert embedded.bounds == pytest.approx(np.array([[30, 35], [35, 36]]))
    assert embedded.words == ()
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("audio", [noise(1), np.zeros(48000, np.float32), np.full(48000, 0.5, np.float32)])
def test_short_and_silent_clips_give_finite_embeddings(encoder: Encoder, audio: np.ndarray) -> None:
    """The shortest clip that ingest accepts, and sound without spread to normalise by, are of one fragment."""
    embedded = encode(encoder, audio)
    assert np.isfinite(embedded.embedding).all()
    assert len(embedded.fragments) == 1
    assert all(np.isfinite(table).all() for table in embedded.profile.values())


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", "mean_std", "mean3008"])
def test_engines_agree_on_every_pooling(small: Checkpoint, pooling: str) -> None:
    """Both engines share a fingerprint, so they give the same, on noise, silence and an odd length."""
    made = [one(small, EncoderSettings(pooling=pooling)) for one in ENGINES.values()]
    assert made[0].fingerprint == made[1].fingerprint
    for audio in (noise(12), noise(60, seed=1), noise(7.7777, seed=2), np.zeros(48000, np.float32)):
        ours, theirs = (encode(one, audio) for one in made)
        agree(ours, theirs)
        assert ours.embedding == pytest.approx(theirs.embedding, abs=1e-4)
        assert [words.text for words in ours.words] == [words.text for words in theirs.words]
    for one in made:
        one.close()


def test_the_fingerprint_tells_what_changes_the_numbers(tmp_path: Path) -> None:
    """Every setting makes another fingerprint; another file name does not. Nothing is loaded for it."""
    path = nemo_like(tmp_path / "a.nemo", config(SMALL))
    first = fingerprint_of(Checkpoint("a", path), EncoderSettings())
    assert first.key == fingerprint_of(Checkpoint("b", path), EncoderSettings()).key
    assert (first.dimension, first.block) == (48, "")
    others = [
        EncoderSettings(clip_seconds=30), EncoderSettings(start_seconds=1), EncoderSettings(pooling="mean_std"),
        EncoderSettings(precision="bf16"), EncoderSettings(precision="int8", calibration="1" * 32),
        EncoderSettings(block="B1"), EncoderSettings(pooling="mean3008"),
    ]  # fmt: skip
    keys = {fingerprint_of(Checkpoint("a", path), one).key for one in others}
    assert len(keys | {first.key}) == 8


def test_the_last_block_by_its_name_is_the_same_encoder(tmp_path: Path) -> None:
    """``--block C2`` of a network that ends in C2 changes nothing."""
    checkpoint = Checkpoint("a", nemo_like(tmp_path / "a.nemo", config(SMALL)))
    assert fingerprint_of(checkpoint, EncoderSettings(block="C2")) == fingerprint_of(checkpoint, EncoderSettings())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (EncoderSettings(pooling="loudest"), "loudest.*mean, mean_std, mean3008"),
        (EncoderSettings(precision="f8"), "f8.*f32, bf16, int8, amp-bf16, amp-f16"),
        (EncoderSettings(block="B7"), "B7.*C1, B1, C2"),
        (EncoderSettings(precision="int8"), "calibrated"),
        (EncoderSettings(calibration="1"), "calibrated"),
    ],
)
def test_settings_that_are_not_known_are_refused(
    kind: type[OpenVinoEncoder], tmp_path: Path, settings: EncoderSettings, message: str
) -> None:
    """Each is named with what there is, before anything is loaded."""
    checkpoint = Checkpoint("a", nemo_like(tmp_path / "a.nemo", config(SMALL)))
    with pytest.raises(UsageError, match=message):
        kind(checkpoint, settings)


@pytest.mark.parametrize(
    ("kind", "precision", "message"),
    [
        (OpenVinoEncoder, "amp-f16", "--device cuda"),
        (OpenVinoEncoder, "amp-bf16", "--device cuda"),
        (ReferenceEncoder, "amp-f16", "f32 on cpu, not in amp-f16"),
        (ReferenceEncoder, "bf16", "f32 on cpu, not in bf16"),
    ],
)
def test_a_precision_that_the_engine_has_not_is_refused(
    tmp_path: Path, kind: type, precision: str, message: str
) -> None:
    """Autocast is for CUDA alone, and the reference computes in f32 on a CPU."""
    checkpoint = Checkpoint("a", nemo_like(tmp_path / "a.nemo", config(SMALL)))
    with pytest.raises(UsageError, match=message):
        kind(checkpoint, EncoderSettings(precision=precision))


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_cuda_has_no_precision_of_openvinos(tmp_path: Path, precision: str) -> None:
    """What autocast computes on CUDA is never kept under the fingerprint of OpenVINO's bf16 or int8."""
    checkpoint = Checkpoint("a", nemo_like(tmp_path / "a.nemo", config(SMALL)))
    settings = EncoderSettings(precision=precision, calibration="1" if precision == "int8" else "")
    with pytest.raises(UsageError, match=f"f32 or amp-bf16 or amp-f16 on cuda, not in {precision}"):
        ReferenceEncoder(checkpoint, settings, device="cuda")


def test_steps_longer_than_a_second_are_refused(tmp_path: Path, kind: type) -> None:
    """A step of 5 s is as long as a fragment: named before any work; C2 of the same network has shorter ones."""
    settings = config([block(32, 5, stride=[5]), block(32, 5), block(32, 5, stride=[10]), block(48, 1)])
    settings["preprocessor"]["window_stride"] = 0.1
    checkpoint = Checkpoint("a", nemo_like(tmp_path / "a.nemo", settings))
    with pytest.raises(CheckpointError, match="5 s long"):
        kind(checkpoint, EncoderSettings())
    assert network_of(checkpoint, "C2").step_seconds == pytest.approx(0.5)


def test_an_earlier_block_of_quartznet_is_cheap(tmp_path: Path) -> None:
    """B2 is half as wide and a tenth of the work; its steps are as long as the last block's."""
    checkpoint = Checkpoint("a", nemo_like(tmp_path / "a.nemo", config(QUARTZNET15X5)))
    part, whole = network_of(checkpoint, "B2"), network_of(checkpoint, "")
    assert (part.channels, whole.channels) == (256, 1024)
    assert (part.step_seconds, part.strides) == (whole.step_seconds, whole.strides) == (pytest.approx(0.02), 2)
    assert list(part.ends) == ["C1", "B1", "B2"]
    assert whole.clip_gflop > 6 * part.clip_gflop


def test_the_share_of_the_work_up_to_each_block_is_known(tmp_path: Path) -> None:
    """It grows from block to block to 1 at the last, in the network's order, and is what the part's GFLOP say."""
    checkpoint = Checkpoint("a", nemo_like(tmp_path / "a.nemo", config(QUARTZNET15X5)))
    shares = shares_of_work(checkpoint)
    assert list(shares) == ["C1", "B1", "B2", "B3", "B4", "B5", "C2", "C3"]
    assert list(shares.values()) == sorted(shares.values())
    assert shares["C3"] == 1
    assert shares["B2"] == pytest.approx(
        network_of(checkpoint, "B2").clip_gflop / network_of(checkpoint, "").clip_gflop
    )
    assert list(shares_of_work(checkpoint, "B1")) == ["C1", "B1"]


@pytest.mark.slow
def test_the_demo_checkpoint_is_a_small_quartznet() -> None:
    """1024 dimensions, the published front end, at most 8 MB."""
    checkpoint = open_checkpoint("demo")
    made = OpenVinoEncoder(checkpoint, EncoderSettings())
    embedded = encode(made, noise(2))
    made.close()
    assert embedded.embedding.shape == (1024,)
    assert (embedded.embedding >= 0).all()
    assert checkpoint.path.stat().st_size <= 8_000_000
    assert checkpoint.labels == [" ", *"abcdefghijklmnopqrstuvwxyz'"]
