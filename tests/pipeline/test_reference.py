"""The reference engine: batches that change nothing, memory that runs short, errors that reach who waits."""

import threading
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.checkpoint import Checkpoint, open_checkpoint
from pipeline.encoder import EncoderSettings, encode
from pipeline.reference import CUDA_BATCH, ReferenceEncoder, _Clip, _like_the_oldest
from quartzlens.errors import CheckpointError, UsageError
from tests.pipeline.compared import agree, noise, same_bits
from tests.pipeline.networks import CITRINET, JASPER, SMALL, block, config, nemo_like, torch_file, untrained_weights

pytestmark = pytest.mark.slow
UNEQUAL = [noise(seconds, seed) for seed, seconds in enumerate((1, 12.345, 3.21, 7, 12.3, 16.004))]
TABLES = {"quartznet": SMALL, "jasper": JASPER, "citrinet": CITRINET}


def cuda() -> bool:
    """Whether there is a CUDA device."""
    import torch

    return torch.cuda.is_available()


def random_checkpoint(folder: Path, blocks: list[dict[str, Any]], **encoder: Any) -> Checkpoint:
    """An untrained network with further settings of its encoder."""
    settings = config(blocks)
    settings["encoder"].update(encoder)
    weights = {**untrained_weights(blocks)}
    if not encoder.get("conv_mask", True):  # such convolutions are plain ones
        weights = {name.replace(".conv.weight", ".weight"): value for name, value in weights.items()}
    return open_checkpoint(str(nemo_like(folder / "random.nemo", settings, torch_file(weights))))


@pytest.mark.parametrize("pooling", ["mean_std", "mean3008"])
@pytest.mark.parametrize("table", TABLES)
def test_a_batch_gives_each_clip_what_it_gets_alone(tmp_path: Path, table: str, pooling: str) -> None:
    """Clips of unequal length, padded to the longest and masked: cosine 0.999999, the same words and profile."""
    checkpoint = random_checkpoint(tmp_path, TABLES[table])
    encoder = ReferenceEncoder(checkpoint, EncoderSettings(pooling=pooling), batch=len(UNEQUAL))
    for together, audio in zip(encoder.encode_batch(UNEQUAL), UNEQUAL, strict=True):
        alone = encoder.encode_batch([audio])[0]
        agree(together, alone, 0.999999)
        assert together.embedding == pytest.approx(alone.embedding, abs=1e-4, rel=1e-4)
        assert [one.text for one in together.words] == [one.text for one in alone.words]


def test_futures_answer_for_their_own_clips(small: Checkpoint) -> None:
    """Clips are sorted by length inside of a batch, and each future still has its own clip's answer."""
    encoder = ReferenceEncoder(small, EncoderSettings(), batch=4)
    futures = [encoder.submit(audio) for audio in UNEQUAL]
    encoder.close()
    alone = ReferenceEncoder(small, EncoderSettings())
    for future, audio in zip(futures, UNEQUAL, strict=True):
        agree(future.result(timeout=0), encode(alone, audio), 0.999999)
    alone.close()


class ShortOfMemory:
    """Modules that have memory for ``most`` clips at a time."""

    def __init__(self, modules: Any, most: int) -> None:
        self._modules, self._most = modules, most
        self.asked: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._modules, name)

    def run(self, clips: list[np.ndarray], precision: str) -> Any:
        """What the modules say, or what torch says where memory is short."""
        import torch

        self.asked.append(len(clips))
        if len(clips) > self._most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self._modules.run(clips, precision)


def short_of_memory(checkpoint: Checkpoint, most: int, batch: int) -> tuple[ReferenceEncoder, ShortOfMemory]:
    """An encoder whose device has memory for so many clips."""
    encoder = ReferenceEncoder(checkpoint, EncoderSettings(), batch=batch)
    encoder.load()
    encoder._modules = modules = ShortOfMemory(encoder._modules, most)
    return encoder, modules


def test_a_batch_that_does_not_fit_is_halved(small: Checkpoint) -> None:
    """Every clip is still answered, rightly, and batches stay small afterwards."""
    encoder, modules = short_of_memory(small, most=2, batch=6)
    results = encoder.encode_batch(UNEQUAL)
    assert modules.asked == [6, 3, 1, 1, 1, 1, 1, 1]
    assert encoder.in_flight == 2
    alone = ReferenceEncoder(small, EncoderSettings())
    for result, audio in zip(results, UNEQUAL, strict=True):
        agree(result, encode(alone, audio), 0.999999)
    alone.close()


def test_a_clip_that_does_not_fit_alone_is_told(small: Checkpoint) -> None:
    """With memory for no clip at all the futures raise what to do, and the engine still closes."""
    encoder, modules = short_of_memory(small, most=0, batch=2)
    future = encoder.submit(noise(2))
    with pytest.raises(CheckpointError, match="use --device cpu"):
        future.result(timeout=60)
    encoder.close()
    assert modules.asked[-1] == 1


def test_an_error_reaches_every_future_of_its_batch(tmp_path: Path) -> None:
    """A checkpoint without weights fails each clip with its own message, and no thread dies of it."""
    encoder = ReferenceEncoder(Checkpoint("x", nemo_like(tmp_path / "x.nemo", config(SMALL))), EncoderSettings())
    futures = [encoder.submit(noise(1)) for _ in range(3)]
    for future in futures:
        with pytest.raises(CheckpointError, match="x.nemo"):
            future.result(timeout=60)
    encoder.close()


def test_an_error_in_one_batch_leaves_the_others(small: Checkpoint) -> None:
    """What breaks on one clip does not take the next clip's answer."""
    encoder = ReferenceEncoder(small, EncoderSettings())
    broken, whole = encoder.submit(np.zeros((2, 2), np.float32)), encoder.submit(noise(2))
    assert broken.exception(timeout=60) is not None
    assert np.isfinite(whole.result(timeout=60).embedding).all()
    encoder.close()


def test_clips_that_wait_are_computed_with_those_of_their_length(small: Checkpoint) -> None:
    """Of clips of two lengths that wait in turns, no batch holds both, and so none is padded."""
    encoder, modules = short_of_memory(small, most=4, batch=4)
    begun, hold, run = threading.Event(), threading.Event(), modules.run
    batches: list[list[int]] = []

    def waiting(clips: list[np.ndarray], precision: str) -> Any:
        batches.append([len(clip) for clip in clips])
        begun.set()
        hold.wait(60)
        return run(clips, precision)

    modules.run = waiting  # type: ignore[method-assign]
    futures = [encoder.submit(noise(1))]
    assert begun.wait(60)
    futures += [encoder.submit(noise(1 + number % 2, number)) for number in range(8)]
    hold.set()
    encoder.close()
    assert all(future.exception(timeout=0) is None for future in futures)
    assert [len(batch) for batch in batches] == [1, 4, 4]
    assert sum(max(batch) * len(batch) - sum(batch) for batch in batches) == 0


def test_the_oldest_clip_waits_for_no_others(small: Checkpoint) -> None:
    """A long clip is in the next batch, however many short ones came after it, and batches stay full."""

    def clip(seconds: float) -> _Clip:
        return _Clip(noise(seconds), Future())

    clips = [clip(3), *(clip(1) for _ in range(6))]
    assert clips[0] in _like_the_oldest(clips, 4)
    assert len(_like_the_oldest(clips, 4)) == 4
    assert _like_the_oldest(clips[1:], 4) == clips[1:5]


def test_a_cancelled_clip_is_left_out(small: Checkpoint) -> None:
    """A future that was given up while it waited does not end the thread that serves the others."""
    encoder, modules = short_of_memory(small, most=1, batch=1)
    hold, run = threading.Event(), modules.run

    def waiting(clips: list[np.ndarray], precision: str) -> Any:
        hold.wait(60)
        return run(clips, precision)

    modules.run = waiting  # type: ignore[method-assign]
    first, given_up, last = (encoder.submit(noise(1, seed)) for seed in range(3))
    assert given_up.cancel()
    hold.set()
    wait([first, last], timeout=60)
    assert np.isfinite(last.result(timeout=0).embedding).all()
    encoder.close()
    assert modules.asked == [1, 1]


def test_closing_finishes_what_was_submitted(small: Checkpoint) -> None:
    """After close every future is done; another clip starts the engine again."""
    encoder = ReferenceEncoder(small, EncoderSettings(), batch=2)
    futures = [encoder.submit(noise(2, seed)) for seed in range(5)]
    encoder.close()
    assert all(future.done() for future in futures)
    encoder.close()
    assert same_bits(encode(encoder, noise(2, 0)), encode(encoder, noise(2, 0)))
    encoder.close()


@pytest.mark.parametrize("encoder", [{"conv_mask": False}])
def test_a_network_without_masks_counts_its_steps_by_its_strides(tmp_path: Path, encoder: dict[str, Any]) -> None:
    """NeMo hands lengths on as they were; fragments are 5 s long all the same, and clips are computed alone."""
    blocks = [block(32, 33, stride=[2]), block(32, 13, stride=[2]), block(48, 1, separable=False)]
    one = ReferenceEncoder(random_checkpoint(tmp_path, blocks, **encoder), EncoderSettings(), batch=8)
    embedded = encode(one, noise(12))
    assert embedded.bounds == pytest.approx(np.array([[0, 5], [5, 10], [10, 12]]))
    assert len(embedded.words) == 3
    assert one.in_flight == 2
    one.close()


def test_a_clip_without_padding_has_a_mean3008_too(tmp_path: Path) -> None:
    """Where the front end pads to no multiple, ``mean3008`` may have nothing to add: it is the mean, not NaN."""
    settings = config(SMALL)
    settings["preprocessor"]["pad_to"] = 0
    path = nemo_like(tmp_path / "x.nemo", settings, torch_file(untrained_weights(SMALL)))
    encoder = ReferenceEncoder(open_checkpoint(str(path)), EncoderSettings(pooling="mean3008"))
    embedded = encode(encoder, noise(1.0101))  # 101 frames, 51 steps, and no step more
    assert embedded.embedding == pytest.approx(embedded.profile["C2"][0], abs=1e-6)
    encoder.close()


@pytest.mark.parametrize("device", ["tpu", "gpu:0", "", "cuda:x"])
def test_a_device_that_is_not_known_is_named(small: Checkpoint, device: str) -> None:
    """The message says which there are."""
    with pytest.raises(UsageError, match="use cpu or cuda"):
        ReferenceEncoder(small, EncoderSettings(), device=device)


@pytest.mark.parametrize(("count", "message"), [(0, "no CUDA device is available.*--device cpu"), (1, "no cuda:3")])
def test_a_cuda_device_that_is_not_there_is_told_at_once(
    small: Checkpoint, monkeypatch: pytest.MonkeyPatch, count: int, message: str
) -> None:
    """Before any clip is decoded for it."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: count > 0)
    monkeypatch.setattr("torch.cuda.device_count", lambda: count)
    with pytest.raises(UsageError, match=message):
        ReferenceEncoder(small, EncoderSettings(), device="cuda:3")


def test_on_cuda_clips_come_in_batches(small: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches are in flight, so that one fills while the other is computed."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert ReferenceEncoder(small, EncoderSettings(), device="cuda:0").in_flight == 2 * CUDA_BATCH


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["f32", "amp-bf16", "amp-f16"])
def test_cuda_says_what_the_cpu_says(precision: str) -> None:
    """Batches on a CUDA device: cosine to the CPU 0.9999 in f32, 0.999 in half precisions, on noise of any length."""
    if not cuda():
        pytest.skip("no CUDA device: not run")
    checkpoint = open_checkpoint("demo")
    there = ReferenceEncoder(checkpoint, EncoderSettings(precision=precision), device="cuda", batch=4)
    here = ReferenceEncoder(checkpoint, EncoderSettings())
    futures = [there.submit(audio) for audio in UNEQUAL]
    for future, audio in zip(futures, UNEQUAL, strict=True):
        agree(future.result(), encode(here, audio), 0.9999 if precision == "f32" else 0.999)
    there.close()
    here.close()


@pytest.mark.cuda
def test_a_cuda_device_that_is_full_halves_the_batch(small: Checkpoint) -> None:
    """With a little memory left to this process, a large batch ends in smaller ones and all clips are answered."""
    if not cuda():
        pytest.skip("no CUDA device: not run")
    import torch

    encoder = ReferenceEncoder(small, EncoderSettings(), device="cuda", batch=64)
    encoder.encode_batch([noise(1)])
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + (256 << 20)) / total)
    try:
        results = encoder.encode_batch([noise(60, seed) for seed in range(64)])
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert len(results) == 64
    assert encoder.in_flight < 128
    encoder.close()
