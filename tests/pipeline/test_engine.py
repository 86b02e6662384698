"""The OpenVINO engine says what NeMo says, whatever is in flight beside a clip."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.checkpoint import Checkpoint, open_checkpoint
from pipeline.encoder import EncoderSettings, encode
from pipeline.engine import OpenVinoEncoder, has_bf16
from pipeline.reference import ReferenceEncoder
from quartzlens.errors import CheckpointError, UsageError
from quartzlens.records import Embedded
from tests.pipeline.compared import agree, cosine, noise, same_bits
from tests.pipeline.networks import (
    CITRINET,
    JASPER,
    QUARTZNET15X5,
    SMALL,
    block,
    config,
    nemo_like,
    torch_file,
    untrained_weights,
)

pytestmark = pytest.mark.slow
F32 = EncoderSettings()
MEAN3008 = EncoderSettings(pooling="mean3008")


def both(checkpoint: Checkpoint, settings: EncoderSettings, sounds: list[NDArray[np.float32]]) -> list[Embedded]:
    """What OpenVINO makes of the sounds, after checking every answer against the reference engine's."""
    ours, theirs = OpenVinoEncoder(checkpoint, settings), ReferenceEncoder(checkpoint, settings)
    answers = [encode(ours, sound) for sound in sounds]
    for answer, sound in zip(answers, sounds, strict=True):
        agree(answer, encode(theirs, sound))
    ours.close()
    theirs.close()
    return answers


@pytest.fixture
def engine(small: Checkpoint) -> Iterator[OpenVinoEncoder]:
    """The small network, two clips at a time."""
    made = OpenVinoEncoder(small, F32, streams=2)
    yield made
    made.close()


@pytest.fixture(scope="module")
def of_clips(clips: dict[str, NDArray[np.float32]]) -> dict[str, Embedded]:
    """The demo checkpoint's answers to all real clips."""
    made = OpenVinoEncoder(open_checkpoint("demo"), F32)
    futures = {name: made.submit(audio) for name, audio in clips.items()}
    made.close()
    return {name: future.result() for name, future in futures.items()}


@pytest.mark.realdata
def test_real_clips_have_nemos_embeddings(clips: dict[str, NDArray[np.float32]], of_clips: dict[str, Embedded]) -> None:
    """On all 83 clips cosine 0.9999 of the clip, of every fragment and every block's profile, and NeMo's words.

    Where two letters are as likely as each other either may be heard, so one fragment in 50 may have other words.
    """
    reference = ReferenceEncoder(open_checkpoint("demo"), F32)
    n_same = n_words = 0
    for name, audio in clips.items():
        theirs = encode(reference, audio)
        agree(of_clips[name], theirs)
        pairs = list(zip(of_clips[name].words, theirs.words, strict=True))
        n_same += sum(one.text == other.text for one, other in pairs)
        n_words += len(pairs)
        assert max(abs(one.probability - other.probability) for one, other in pairs) < 0.02, name
    reference.close()
    assert len(of_clips) == 83
    assert n_same >= 0.98 * n_words


@pytest.mark.realdata
def test_bf16_is_near_f32_where_the_processor_has_it(
    clips: dict[str, NDArray[np.float32]], of_clips: dict[str, Embedded]
) -> None:
    """Cosine 0.9999 of clips and fragments, under a fingerprint of its own; elsewhere a clear refusal."""
    settings = EncoderSettings(precision="bf16")
    if not has_bf16():
        with pytest.raises(UsageError, match="does not compute in bf16"):
            OpenVinoEncoder(open_checkpoint("demo"), settings)
        return
    made = OpenVinoEncoder(open_checkpoint("demo"), settings)
    for name, audio in list(clips.items())[::3]:
        answer = encode(made, audio)
        assert cosine(answer.embedding, of_clips[name].embedding) >= 0.9999, name
        assert cosine(answer.fragments, of_clips[name].fragments) >= 0.9999, name
        assert answer.fingerprint != of_clips[name].fingerprint
    made.close()


def test_a_processor_without_bf16_refuses_it(small: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to use instead, before any work."""
    monkeypatch.setattr("pipeline.engine.has_bf16", lambda: False)
    with pytest.raises(UsageError, match="use f32 or int8"):
        OpenVinoEncoder(small, EncoderSettings(precision="bf16"))


@pytest.mark.realdata
def test_the_original_works_pooling_counts_the_padding(clips: dict[str, NDArray[np.float32]]) -> None:
    """``mean3008`` is NeMo's mean over all steps with those that pad, on real clips of 60 s and shorter."""
    names = ["late_change_01.mp4", "animal_05.mp3", "speech_05.mp3", "mixed_05.opus"]
    answers = both(open_checkpoint("demo"), MEAN3008, [clips[name] for name in names])
    for answer in answers:
        assert np.isfinite(answer.embedding).all()
        assert answer.embedding.tobytes() != answer.profile["C3"][0].tobytes()


@pytest.mark.realdata
@pytest.mark.parametrize("pooling", ["mean", "mean3008"])
def test_an_earlier_block_is_the_references(
    clips: dict[str, NDArray[np.float32]], of_clips: dict[str, Embedded], pooling: str
) -> None:
    """The network truncated at B2 agrees with NeMo's B2, and with the profile that the whole network takes there."""
    names = ["music_01.mp4", "nature_07.flac", "speech_05.mp3"]
    settings = EncoderSettings(block="B2", pooling=pooling)
    for name, answer in zip(names, both(open_checkpoint("demo"), settings, [clips[n] for n in names]), strict=True):
        assert list(answer.profile) == ["C1", "B1", "B2"]
        assert answer.profile["B2"] == pytest.approx(of_clips[name].profile["B2"], abs=1e-4, rel=1e-3)
        assert answer.words == ()


def test_the_full_network_is_exported_and_agrees(tmp_path: Path, exports_here: None, cache: Path) -> None:
    """QuartzNet 15x5 with random weights, on a minute of sound: every fragment, every block's profile."""
    weights = torch_file(untrained_weights(QUARTZNET15X5))
    path = nemo_like(tmp_path / "q.nemo", config(QUARTZNET15X5), weights)
    (answer,) = both(open_checkpoint(str(path)), F32, [noise(60)])
    assert answer.fragments.shape == (12, 1024)
    assert list(answer.profile) == ["C1", "B1", "B2", "B3", "B4", "B5", "C2", "C3"]
    assert answer.embedding.std() > 0


@pytest.mark.parametrize(
    ("table", "features", "step_seconds"), [(JASPER, 64, 0.02), (CITRINET, 80, 0.08)], ids=["jasper", "citrinet"]
)
@pytest.mark.parametrize("pooling", ["mean", "mean_std", "mean3008"])
def test_every_kind_of_network_agrees(
    tmp_path: Path, exports_here: None, cache: Path, table: list[dict[str, object]], features: int,
    step_seconds: float, pooling: str,
) -> None:  # fmt: skip
    """Jasper with its dense connections, Citrinet with squeeze-and-excitation and strides: as NeMo computes them."""
    weights = torch_file(untrained_weights(table, features=features))
    checkpoint = open_checkpoint(str(nemo_like(tmp_path / "x.nemo", config(table, features=features), weights)))
    answers = both(checkpoint, EncoderSettings(pooling=pooling), [noise(12.345), noise(5.01, 1), noise(1, 2)])
    assert checkpoint.step_seconds == pytest.approx(step_seconds)
    assert answers[0].bounds[:, 0] == pytest.approx([0, 5, 10], abs=0.08)
    assert len(answers[0].words) == 3
    assert answers[0].embedding.std() > 0


def test_the_checkpoint_of_the_original_work_agrees(tmp_path: Path, exports_here: None, cache: Path) -> None:
    """DeepLearningExamples' ``.pt``, with its own guard before the logarithm and the pooling of that work."""
    from tests.pipeline.examples_network import random_network, write_pt

    path = write_pt(tmp_path / "nvidia_quartznet.pt", random_network().state_dict())
    answers = both(open_checkpoint(str(path)), MEAN3008, [noise(8)])
    assert answers[0].fingerprint.dimension == 1024
    assert "1e-20" in answers[0].fingerprint.front_end


WIDE = [*SMALL[:2], block(48, 5, separable=False)]
SQUEEZED = [*SMALL[:2], block(48, 5, se=True)]


@pytest.mark.parametrize("table", [WIDE, SQUEEZED], ids=["wide", "squeezed"])
def test_padding_that_depends_on_the_sound_is_for_the_reference(
    tmp_path: Path, exports_here: None, cache: Path, table: list[dict[str, object]]
) -> None:
    """``mean3008`` is refused before any work where the padding is no constant; ``mean`` agrees, and so does B1."""
    checkpoint = open_checkpoint(
        str(nemo_like(tmp_path / "x.nemo", config(table), torch_file(untrained_weights(table))))
    )
    with pytest.raises(UsageError, match="mean3008 counts steps that only pad.*--engine reference"):
        OpenVinoEncoder(checkpoint, MEAN3008)
    assert not cache.exists()
    both(checkpoint, F32, [noise(7)])
    both(checkpoint, EncoderSettings(pooling="mean3008", block="B1"), [noise(7)])
    reference = ReferenceEncoder(checkpoint, MEAN3008)
    assert np.isfinite(encode(reference, noise(7)).embedding).all()
    reference.close()


@pytest.mark.parametrize("more", [{"conv_mask": False}, {"normalization_mode": "group", "norm_groups": 8}])
def test_a_network_to_which_padding_matters_is_for_the_reference(tmp_path: Path, more: dict[str, object]) -> None:
    """Without masks, or with normalisation over time, NeMo's answer depends on its padding: refused before any work."""
    settings = config(SMALL)
    settings["encoder"].update(more)
    checkpoint = open_checkpoint(str(nemo_like(tmp_path / "x.nemo", settings)))
    with pytest.raises(CheckpointError, match=r"x\.nemo.*use --engine reference"):
        OpenVinoEncoder(checkpoint, F32)


def test_a_front_end_that_only_nemo_has_is_for_the_reference(tmp_path: Path) -> None:
    """Another setting than this engine knows is named before any work."""
    settings = config(SMALL)
    settings["preprocessor"]["exact_pad"] = True
    checkpoint = open_checkpoint(str(nemo_like(tmp_path / "x.nemo", settings)))
    with pytest.raises(CheckpointError, match=r"exact_pad is True.*use --engine reference"):
        OpenVinoEncoder(checkpoint, F32)


def test_the_checkpoints_own_window_and_filters_are_used(tmp_path: Path, exports_here: None, cache: Path) -> None:
    """A checkpoint that carries other filters than its settings say is heard through them, as NeMo does."""
    import torch

    filters = torch.rand(1, 64, 257, generator=torch.Generator().manual_seed(0))
    weights = untrained_weights(SMALL) | {"preprocessor.featurizer.fb": filters}
    weights["preprocessor.featurizer.window"] = torch.ones(320)
    path = nemo_like(tmp_path / "x.nemo", config(SMALL), torch_file(weights))
    both(open_checkpoint(str(path)), F32, [noise(7)])


def test_long_steps_have_the_padding_of_steps_that_pad(tmp_path: Path, exports_here: None, cache: Path) -> None:
    """Where one step takes a second of sound, ``mean3008`` still adds what comes out of padding alone."""
    import torch

    table = [block(32, 5, stride=[10]), block(32, 5, stride=[10]), block(48, 1, separable=False)]
    weights = untrained_weights(table)
    for name, value in weights.items():
        if name.startswith("encoder.") and name.endswith(".bias"):  # untrained they are 0, and so is what pads
            value.copy_(torch.linspace(-1, 1, len(value)))
    checkpoint = open_checkpoint(str(nemo_like(tmp_path / "x.nemo", config(table), torch_file(weights))))
    counted, plain = both(checkpoint, MEAN3008, [noise(3)]), both(checkpoint, F32, [noise(3)])
    assert cosine(counted[0].embedding, plain[0].embedding) < 0.999


def test_a_front_end_that_pads_to_nothing_is_run(tmp_path: Path, exports_here: None, cache: Path) -> None:
    """``pad_to: null`` is no padding, in both engines."""
    settings = config(SMALL)
    settings["preprocessor"]["pad_to"] = None
    path = nemo_like(tmp_path / "x.nemo", settings, torch_file(untrained_weights(SMALL)))
    both(open_checkpoint(str(path)), MEAN3008, [noise(2.5)])


def test_what_is_in_flight_beside_a_clip_changes_no_bit(engine: OpenVinoEncoder) -> None:
    """Clips of unequal length submitted together, and one of them twice: to the bit what each gives alone."""
    sounds = [noise(seconds, seed) for seed, seconds in enumerate((1, 12.345, 3.21, 30, 7, 12.3, 60, 1.5))]
    sounds.append(sounds[1])
    futures = [engine.submit(sound) for sound in sounds]
    together = [future.result() for future in futures]
    alone = [encode(engine, sound) for sound in sounds]
    assert all(same_bits(one, other) for one, other in zip(together, alone, strict=True))
    assert same_bits(together[1], together[-1])


@pytest.mark.parametrize("streams", [1, 3])
def test_the_number_of_streams_changes_nothing_that_matters(
    small: Checkpoint, engine: OpenVinoEncoder, streams: int
) -> None:
    """A clip that gets all cores, or one of them, has the same embeddings to 1e-5."""
    other = OpenVinoEncoder(small, F32, streams=streams)
    for seconds in (1, 12.345, 60):
        ours, theirs = encode(engine, noise(seconds)), encode(other, noise(seconds))
        assert ours.embedding == pytest.approx(theirs.embedding, rel=1e-5, abs=1e-5)
        assert ours.fragments == pytest.approx(theirs.fragments, rel=1e-5, abs=1e-5)
    assert other.in_flight == 2 * streams + 1
    other.close()


def test_closing_finishes_what_was_submitted(small: Checkpoint) -> None:
    """After close every future is done."""
    made = OpenVinoEncoder(small, F32)
    futures = [made.submit(noise(3, seed)) for seed in range(7)]
    made.close()
    assert all(np.isfinite(future.result(timeout=0).embedding).all() for future in futures)


def test_sound_that_is_none_fails_its_own_future(engine: OpenVinoEncoder) -> None:
    """A clip that cannot be computed takes neither its neighbours nor the engine with it."""
    broken, whole = engine.submit(np.zeros(10, np.float32)), engine.submit(noise(2))
    assert broken.exception(timeout=60) is not None
    assert np.isfinite(whole.result(timeout=60).embedding).all()
    assert len(encode(engine, noise(12)).fragments) == 3
