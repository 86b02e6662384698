"""Who is compared: each encodes clips of 60 s in a process of its own, in the best of the ways that it has to run.

A rival here does what an ingest asks of it: front end and encoder, sound in, embedding out.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.models import clips, full_size
from pipeline.checkpoint import Checkpoint
from pipeline.encoder import EncoderSettings, network_of
from pipeline.engine import OpenVinoEncoder, cores, has_bf16
from pipeline.front_end import front_end

Run = Callable[[Sequence[NDArray[np.float32]]], None]
_TRIALS = 2


@dataclass(frozen=True, slots=True)
class Ready:
    """A rival after its warm-up: how it runs best, the clips of one measurement, and their work in GFLOP each."""

    how: str
    run: Run
    sounds: list[NDArray[np.float32]]
    gflop: float

    def seconds(self) -> float:
        """Seconds a clip, of one measurement."""
        return _timed(self.run, self.sounds) / len(self.sounds)


def ready(name: str, work: Path) -> Ready:
    """The rival of this name, its ways tried and the fastest chosen; raises what it fails with."""
    checkpoint = full_size(work)
    sounds = clips(2 * cores())
    ways = RIVALS[name](checkpoint, work)
    best = min(ways, key=lambda way: _tried(ways[way], sounds[: cores()])) if len(ways) > 1 else next(iter(ways))
    run = ways[best]
    run(sounds)
    gflop = network_of(checkpoint, "B2" if "B2" in name else "").clip_gflop
    return Ready(best, run, sounds * (4 if "B2" in name else 1), gflop)


def _tried(run: Run, sounds: Sequence[NDArray[np.float32]]) -> float:
    run(sounds)
    return min(_timed(run, sounds) for _ in range(_TRIALS))


def _timed(run: Run, sounds: Sequence[NDArray[np.float32]]) -> float:
    began = time.perf_counter()
    run(sounds)
    return time.perf_counter() - began


def _nemo(checkpoint: Checkpoint, _work: Path, *, compiled: bool = False) -> dict[str, Run]:
    """NeMo eager, or its encoder compiled by inductor: a clip on all threads, clips in a batch, a clip a thread."""
    import torch

    preprocessor, encoder = checkpoint.build()
    network = torch.compile(encoder) if compiled else encoder

    def run(n_threads: int, batch: int, sounds: Sequence[NDArray[np.float32]]) -> None:
        torch.set_num_threads(n_threads)
        with torch.inference_mode():
            for start in range(0, len(sounds), batch):
                signal = torch.from_numpy(np.stack(sounds[start : start + batch]))
                mel, lengths = preprocessor(input_signal=signal, length=torch.full((len(signal),), signal.shape[1]))
                network(audio_signal=mel, length=lengths)[0].mean(dim=2)

    def side_by_side(sounds: Sequence[NDArray[np.float32]]) -> None:
        torch.set_num_threads(1)
        _in_threads(partial(run, 1, 1), sounds)

    ways: dict[str, Run] = {
        "one clip on all threads": partial(run, cores(), 1),
        "a batch on all threads": partial(run, cores(), cores()),
    }
    return ways if compiled else {**ways, "one clip a thread": side_by_side}


def _in_threads(run: Run, sounds: Sequence[NDArray[np.float32]]) -> None:
    with ThreadPoolExecutor(cores()) as threads:
        list(threads.map(lambda sound: run([sound]), sounds))


def onnx_bytes(checkpoint: Checkpoint, work: Path, *, profile: bool, block: str = "") -> bytes:
    """The network's ONNX as ``pipeline.export`` makes it, up to ``block``, without words; kept in ``work``."""
    from pipeline import network

    code = sha256(Path(network.__file__).read_bytes()).hexdigest()[:12]
    path = work / f"random15x5-{code}{block}{'-profile' if profile else ''}.onnx"
    if not path.is_file():
        ends = network_of(checkpoint, block).ends
        _, encoder = checkpoint.build()
        content = network.to_onnx(encoder, max(ends.values()), ends if profile else {}, None, False, 800)
        path.with_suffix(".partial").write_bytes(content)
        path.with_suffix(".partial").replace(path)
    return path.read_bytes()


def _onnx_runtime(checkpoint: Checkpoint, work: Path) -> dict[str, Run]:
    """ONNX Runtime with the same ONNX and the same front end: all threads for one clip, or a session for each core."""
    import onnxruntime  # type: ignore[import-untyped]

    content = onnx_bytes(checkpoint, work, profile=False)

    def session(n_threads: int) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    one_for_all, one_each = session(cores()), [session(1) for _ in range(cores())]

    def alone(sounds: Sequence[NDArray[np.float32]]) -> None:
        for sound in sounds:
            one_for_all.run(["totals"], fed(checkpoint, sound))

    def side_by_side(sounds: Sequence[NDArray[np.float32]]) -> None:
        with ThreadPoolExecutor(len(one_each)) as threads:
            for number, one in enumerate(one_each):
                threads.submit(lambda one, part: [one.run(["totals"], fed(checkpoint, sound)) for sound in part], one,
                               sounds[number :: len(one_each)])  # fmt: skip

    return {"one session on all threads": alone, "a session of one thread for each core": side_by_side}


def fed(checkpoint: Checkpoint, sound: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """The network's inputs for one clip."""
    from pipeline.pooling import fragment_edges, members

    mel = front_end(checkpoint.front_end).features(sound)
    steps = -(-mel.shape[1] // checkpoint.layout.strides)
    return {"mel": mel[None], "members": members(fragment_edges(steps, checkpoint.step_seconds))}


def _openvino_alone(precision: str, checkpoint: Checkpoint, work: Path) -> dict[str, Run]:
    """OpenVINO with the float32 network in a precision of its own: ``bf16`` is what a user gets who pins nothing."""
    if precision == "bf16" and not has_bf16():
        raise RuntimeError("this processor has no bf16")
    from pipeline.openvino_library import load_openvino

    core = load_openvino().Core()
    options = {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": cores(), "INFERENCE_NUM_THREADS": cores()}
    compiled = core.compile_model(core.read_model(onnx_bytes(checkpoint, work, profile=False)), "CPU", options)

    def run(sounds: Sequence[NDArray[np.float32]]) -> None:
        _in_threads(lambda some: compiled.create_infer_request().infer(fed(checkpoint, some[0])), sounds)

    return {f"{cores()} clips at a time": run}


def _ours(precision: str, block: str, checkpoint: Checkpoint, work: Path) -> dict[str, Run]:
    """The default engine as an ingest runs it, with the depth profile and the words."""
    calibration, digest = None, ""
    if precision == "int8":
        from benchmarks.calibrated import calibrated

        calibration, digest = calibrated(work, checkpoint, clips(16, 20.0))
    settings = EncoderSettings(precision=precision, block=block, calibration=digest)
    encoder = OpenVinoEncoder(checkpoint, settings, calibration=calibration)

    def run(sounds: Sequence[NDArray[np.float32]]) -> None:
        for future in [encoder.submit(sound) for sound in sounds]:
            future.result()

    return {f"{cores()} clips at a time, depth profile{'' if block else ' and words'} included": run}


NEMO = "NeMo eager"
F32, BF16, INT8 = "quartzlens, f32", "quartzlens, bf16", "quartzlens, int8"
F32_B2, BF16_B2 = "quartzlens, f32, to B2", "quartzlens, bf16, to B2"
RIVALS: dict[str, Callable[[Checkpoint, Path], dict[str, Run]]] = {
    NEMO: _nemo,
    "NeMo, torch.compile": partial(_nemo, compiled=True),
    "ONNX Runtime": _onnx_runtime,
    "OpenVINO's own f32": partial(_openvino_alone, "f32"),
    "OpenVINO's own bf16": partial(_openvino_alone, "bf16"),
    F32: partial(_ours, "f32", ""),
    BF16: partial(_ours, "bf16", ""),
    INT8: partial(_ours, "int8", ""),
    F32_B2: partial(_ours, "f32", "B2"),
    BF16_B2: partial(_ours, "bf16", "B2"),
}
