"""FAISS on a graphics card, where there is one: the only code that needs such a card to run."""

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import faiss
import numpy as np
from numpy.typing import NDArray

from quartzlens.errors import UsageError

Scores: TypeAlias = NDArray[np.float32]
Positions: TypeAlias = NDArray[np.int64]
FirstLook: TypeAlias = Callable[[NDArray[np.float32], int], tuple[Scores, Positions] | None]

MOST_NEIGHBOURS = 2048  # what a GPU index gives at most
# Tensor cores may multiply with 10 bits of mantissa; candidates this close are settled on the CPU.
SLACK = 1e-2
DEVICES = ("auto", "cpu", "cuda")
_BLOCK = 65536
_log = logging.getLogger("quartzlens.store")
_chosen = "auto"


def use(device: str) -> None:
    """Choose where the segments made or loaded from now on are searched, for the whole process.

    Parameters
    ----------
    device
        ``cuda``, ``cpu``, or ``auto``: on a card where there is one.

    Raises
    ------
    UsageError
        There is no such device.
    """
    global _chosen  # noqa: PLW0603 - a card belongs to the process, not to one of its stores
    if device not in DEVICES:
        raise UsageError(f"Device {device!r} is not known; use {', '.join(DEVICES)}.")
    if device == "cuda" and _cards() == 0:
        raise UsageError(
            "no CUDA device is available to FAISS: use --device cpu, or install faiss-gpu in place of faiss-cpu where "
            "`nvidia-smi` shows a card."
        )
    _chosen = device


def _cards() -> int:
    return int(getattr(faiss, "get_num_gpus", int)())  # faiss-cpu has no such function


def first_look(index: faiss.Index) -> tuple[FirstLook, float]:
    """A way to find the nearest codes on a graphics card, and how far its scores may be off beyond the CPU's.

    The index given stays as it is, and on the CPU: it is what is kept on disk. An answer of None means that there is no
    card that takes the index, or that it failed, or that ``use`` chose the CPU: it is to be asked.
    """
    if _chosen == "cpu" or _cards() == 0:
        return _no_card, 0.0
    try:
        return _on_gpu(index), SLACK
    except RuntimeError as error:  # FAISS raises it for no memory and for no usable device alike
        _log.warning("The index stays on the CPU: the graphics card refused it (%s).", error)
        return _no_card, 0.0


def _no_card(_: NDArray[np.float32], __: int) -> None:
    """Nothing found, as there is no card."""


def _on_gpu(index: faiss.Index) -> FirstLook:
    gpu: Any = faiss  # the names below exist in faiss-gpu alone
    resources = gpu.StandardGpuResources()  # each copy shares in its ownership
    coded = isinstance(index, faiss.IndexScalarQuantizer | faiss.IndexHNSW)
    copy = _half(gpu, resources, index) if coded else gpu.index_cpu_to_gpu(resources, 0, index)
    lock = threading.Lock()  # GPU indexes are not safe to use from several threads, even for reading

    def search(queries: NDArray[np.float32], k: int) -> tuple[Scores, Positions] | None:
        if k > MOST_NEIGHBOURS:
            return None
        try:
            with lock:
                scores, positions = copy.search(queries, k)
        except RuntimeError as error:
            _log.warning("This search runs on the CPU: the graphics card failed (%s).", error)
            return None
        return scores, positions

    return search


def _half(gpu: Any, resources: Any, index: faiss.Index) -> Any:
    """The codes as float16 in a flat index of the card, which has neither scalar quantiser nor graph of its own."""
    settings = gpu.GpuIndexFlatConfig()
    settings.useFloat16 = True
    copy = gpu.GpuIndexFlat(resources, index.d, index.metric_type, settings)
    for start in range(0, index.ntotal, _BLOCK):
        copy.add(index.reconstruct_n(start, min(_BLOCK, index.ntotal - start)))
    return copy
