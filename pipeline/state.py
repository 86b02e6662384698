"""Matching a state dict against what a configuration demands, before anything is built or computed from it."""

from collections.abc import Mapping
from math import prod
from typing import Any

from pipeline.layout import COUNTER, Shape
from quartzlens.errors import CheckpointError

_FRONT_END = "preprocessor.featurizer."
_STRICT = ("encoder.", "decoder.")


def check_state(
    state: object, demanded: Mapping[str, Shape], front_end: Mapping[str, Any], file_bytes: int, path: str
) -> dict[str, Any]:
    """The weights of encoder and decoder, exactly as demanded, and window and filterbank where the file has them.

    Shapes are compared before values, and values before any use: a tensor can claim a size that nobody holds. Counters
    of batches are dropped or made up by no one: where an old file has none, they are 0.

    Raises
    ------
    CheckpointError
        Not a table of tensors; a weight that is missing, additional, misshaped, NaN or infinite.
    """
    import torch

    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise CheckpointError(f"{path}: its weights are not a table of tensors.")
    strict = {str(name): value.detach() for name, value in state.items() if str(name).startswith(_STRICT)}
    for name in demanded:
        if name.endswith("." + COUNTER):
            strict.setdefault(name, torch.zeros((), dtype=torch.int64))
    _check_names(strict.keys(), demanded.keys(), path)
    kept = {name: strict[name] for name in demanded}
    shapes = {**demanded, **_front_end_shapes(front_end)}
    kept |= {name: state[name].detach() for name in shapes if name.startswith(_FRONT_END) and name in state}
    if 2 * sum(prod(shape) for shape in demanded.values()) > file_bytes:  # two bytes: half precision
        raise CheckpointError(f"{path}: its weights do not fit: the table describes more of them than the file holds.")
    for name, value in kept.items():
        _check_tensor(name, value, shapes[name], path)
    return kept


def _check_names(there: Any, demanded: Any, path: str) -> None:
    missing, additional = sorted(demanded - there), sorted(there - demanded)
    if missing or additional:
        found = [f"{len(names)} {what}, such as {names[0]!r:.120}" for what, names in
                 (("missing", missing), ("additional", additional)) if names]  # fmt: skip
        raise CheckpointError(f"{path}: configuration and weights do not fit: {'; '.join(found)}.")


def _check_tensor(name: str, value: Any, shape: Shape, path: str) -> None:
    import torch

    if tuple(value.shape) != shape:
        raise CheckpointError(
            f"{path}: configuration and weights do not fit: {name} is {tuple(value.shape)}, not {shape}."
        )
    plain = value.layout is torch.strided and value.device.type == "cpu" and not value.is_quantized
    if not plain or not (value.is_floating_point() or name.endswith(COUNTER)):
        raise CheckpointError(f"{path}: weight {name} is a {value.dtype} tensor, not one of plain numbers.")
    if value.is_floating_point() and not bool(torch.isfinite(value).all()):
        raise CheckpointError(f"{path}: weight {name} has NaN or infinite values; the file is damaged, get it again.")


def _front_end_shapes(settings: Mapping[str, Any]) -> dict[str, Shape]:
    """Shapes of window and filterbank, where the settings state their sizes."""
    rate_hz, size = 16000, settings.get("n_window_size")
    length = int(size or (settings.get("window_size") or 0.02) * rate_hz)
    n_fft = settings.get("n_fft") or 2 ** (length - 1).bit_length()
    return {
        f"{_FRONT_END}window": (length,),
        f"{_FRONT_END}fb": (1, settings.get("features") or 64, n_fft // 2 + 1),
    }
