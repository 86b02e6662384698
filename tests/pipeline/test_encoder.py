"""The encoder: repeatable to the bit, blind to padding, fragments out of the one output."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.checkpoint import Checkpoint, open_checkpoint
from pipeline.encoder import NemoEncoder
from pipeline.pooling import fragment_edges
from quartzlens.errors import UsageError
from tests.pipeline.networks import SMALL, config, write_nemo
from tests.pipeline.test_checkpoint import nemo_like

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> NemoEncoder:
    """An untrained small network."""
    path = write_nemo(tmp_path_factory.mktemp("checkpoint") / "small.nemo", SMALL)
    return NemoEncoder(open_checkpoint(str(path)))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    """White noise at 16 kHz."""
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * 16000))).astype(np.float32)


def test_an_embedding_repeats_bit_for_bit(encoder: NemoEncoder, tmp_path: Path) -> None:
    """The same sound gives the same bits, also from modules built anew."""
    first, second = encoder.encode(noise(7)), encoder.encode(noise(7))
    anew = NemoEncoder(open_checkpoint(str(write_nemo(tmp_path / "again.nemo", SMALL)))).encode(noise(7))
    for other in (second, anew):
        assert first.embedding.tobytes() == other.embedding.tobytes()
        assert first.fragments.tobytes() == other.fragments.tobytes()


def test_shapes_and_bounds_are_as_documented(encoder: NemoEncoder) -> None:
    """13 s give fragments 0-5, 5-10 and 10-13 s, of the checkpoint's dimension."""
    embedded = encoder.encode(noise(13))
    assert embedded.embedding.shape == (48,)
    assert embedded.embedding.dtype == np.float32
    assert embedded.fragments.shape == (3, 48)
    assert embedded.bounds == pytest.approx(np.array([[0, 5], [5, 10], [10, 13]]), abs=0.03)


def test_a_clip_of_60_s_has_3000_valid_steps(encoder: NemoEncoder) -> None:
    """Padding steps (3008 come out of the network) are left out of the mean."""
    assert encoder.steps(noise(60)).shape == (3000, 48)


def test_the_pooled_embedding_is_the_mean_of_the_valid_steps(encoder: NemoEncoder) -> None:
    """The pooled embedding and each fragment equal plain means over the steps of the one pass."""
    audio = noise(11)
    steps, embedded = encoder.steps(audio).astype(np.float64), encoder.encode(audio)
    assert embedded.embedding == pytest.approx(steps.mean(axis=0), abs=1e-6)
    edges = fragment_edges(len(steps), 0.02)
    assert embedded.fragments[1] == pytest.approx(steps[edges[1] : edges[2]].mean(axis=0), abs=1e-6)


def test_a_second_of_sound_is_enough(encoder: NemoEncoder) -> None:
    """The shortest clip that ingest accepts gives finite embeddings of one fragment."""
    embedded = encoder.encode(noise(1))
    assert np.isfinite(embedded.embedding).all()
    assert len(embedded.fragments) == 1


def test_digital_silence_gives_finite_embeddings(encoder: NemoEncoder) -> None:
    """Silence has no spread to normalise by; no NaN comes out of it."""
    assert np.isfinite(encoder.encode(np.zeros(48000, np.float32)).embedding).all()


def test_the_fingerprint_tells_what_changes_the_numbers(tmp_path: Path) -> None:
    """Another clip length is another fingerprint; another file name is not. Nothing is loaded for it."""
    path = nemo_like(tmp_path / "a.nemo", config(SMALL))
    first = NemoEncoder(Checkpoint("a", path)).fingerprint
    assert first.key == NemoEncoder(Checkpoint("b", path)).fingerprint.key
    assert first.key != NemoEncoder(Checkpoint("a", path), clip_seconds=30).fingerprint.key
    assert first.dimension == 48


def test_an_unknown_pooling_is_refused(tmp_path: Path) -> None:
    """A pooling that does not exist is named."""
    with pytest.raises(UsageError, match="loudest"):
        NemoEncoder(Checkpoint("a", nemo_like(tmp_path / "a.nemo", config(SMALL))), pooling="loudest")


def test_the_demo_checkpoint_is_a_small_quartznet() -> None:
    """1024 dimensions, the published front end, at most 8 MB."""
    checkpoint = open_checkpoint("demo")
    embedded = NemoEncoder(checkpoint).encode(noise(2))
    assert embedded.embedding.shape == (1024,)
    assert (embedded.embedding >= 0).all()
    assert checkpoint.path.stat().st_size <= 8_000_000
    assert checkpoint.labels == [" ", *"abcdefghijklmnopqrstuvwxyz'"]
