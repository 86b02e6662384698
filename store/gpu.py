"""FAISS on a graphics card, where there is one: the only code that needs such a card to run."""

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import faiss
import numpy as np
from numpy.typing import NDArray

Scores: TypeAlias = NDArray[np.float32]
Positions: TypeAlias = NDArray[np.int64]
FirstPass: TypeAlias = Callable[[NDArray[np.float32], int], tuple[Scores, Positions]]

MOST_NEIGHBOURS = 2048  # what a GPU index gives at most
# Tensor cores may multiply with 10 bits of mantissa; candidates this close are settled on the CPU.
GPU_SLACK = 5e-3
_log = logging.getLogger("quartzlens.store")


def first_pass(index: faiss.IndexFlat, on_cpu: FirstPass) -> tuple[FirstPass, float | None]:
    """The quickest way to find candidates in a flat index, and how far its scores may be off (None: as the CPU's).

    Falls back to ``on_cpu``, with a warning in the log, where the card refuses.
    """
    if getattr(faiss, "get_num_gpus", int)() == 0:
        return on_cpu, None
    try:
        return _on_gpu(index, on_cpu), GPU_SLACK
    except RuntimeError as error:  # FAISS raises it for no memory and for no usable device alike
        _log.warning("The index stays on the CPU: the graphics card refused it (%s).", error)
        return on_cpu, None


def _on_gpu(index: faiss.IndexFlat, on_cpu: FirstPass) -> FirstPass:
    gpu: Any = faiss  # the names below exist in faiss-gpu alone
    # The copy shares in the ownership of the resources.
    copy = gpu.index_cpu_to_gpu(gpu.StandardGpuResources(), 0, index)
    lock = threading.Lock()  # GPU indexes are not safe to use from several threads, even for reading

    def search(queries: NDArray[np.float32], k: int) -> tuple[Scores, Positions]:
        if k > MOST_NEIGHBOURS:
            return on_cpu(queries, k)
        try:
            with lock:
                scores, positions = copy.search(queries, k)
        except RuntimeError as error:
            _log.warning("This search runs on the CPU: the graphics card failed (%s).", error)
            return on_cpu(queries, k)
        return scores, positions

    return search
