"""The best matrix-multiply rate of this machine, by every library at hand: the roof above every network."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.timing import seconds_of
from pipeline.engine import cores
from pipeline.openvino_library import load_openvino

_SIZES = ((1024, 1024, 1024), (2048, 2048, 2048), (3000, 512, 512), (3000, 1024, 1024), (4096, 4096, 4096))
_REPEATS = 5


def rates() -> Iterator[tuple[str, str, float]]:
    """Library, precision and its best GFLOP/s over several sizes, on all cores."""
    import torch

    torch.set_num_threads(cores())
    yield "numpy", "f32", _best(_numpy)
    yield "torch", "f32", _best(partial(_torch, torch.float32))
    yield "openvino", "f32", _best(partial(_openvino, "f32"))
    yield "torch", "bf16", _best(partial(_torch, torch.bfloat16))
    yield "openvino", "bf16", _best(partial(_openvino, "bf16"))


def _best(make: Callable[[int, int, int], Callable[[], object]]) -> float:
    best = 0.0
    for n, k, m in _SIZES:
        multiply = make(n, k, m)
        multiply()
        least = min(seconds_of(multiply) for _ in range(_REPEATS))
        best = max(best, 2e-9 * n * k * m / least)
    return best


def _numpy(n: int, k: int, m: int) -> Callable[[], object]:
    left, right = np.ones((n, k), np.float32), np.ones((k, m), np.float32)
    return lambda: left @ right


def _torch(kind: Any, n: int, k: int, m: int) -> Callable[[], object]:
    import torch

    left, right = torch.ones(n, k, dtype=kind), torch.ones(k, m, dtype=kind)
    return lambda: left @ right


def _openvino(precision: str, n: int, k: int, m: int) -> Callable[[], object]:
    """A matrix product with constant weights, as a network has it."""
    openvino = load_openvino()
    from openvino import opset13 as ops

    left = ops.parameter([n, k], np.float32)
    model = openvino.Model([ops.matmul(left, ops.constant(np.ones((k, m), np.float32)), False, False)], [left])
    options = {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": cores()}
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    given = np.ones((n, k), np.float32)
    return lambda: request.infer([given], share_inputs=True, share_outputs=True)
