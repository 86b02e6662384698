"""What an encoder's table of blocks says about its weights and its work, by arithmetic alone: nothing is built.

Names, shapes and order follow NeMo 3.0 (``ConvASREncoder``, ``JasperBlock``, ``MaskedConv1d``, ``SqueezeExcite``),
which builds QuartzNet (arXiv 1910.10261), Jasper (arXiv 1904.03288) and Citrinet (arXiv 2104.01721).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from quartzlens.errors import CheckpointError

Shape = tuple[int, ...]
COUNTER = "num_batches_tracked"
STATISTICS = ("running_mean", "running_var", COUNTER)
_BLOCKS = 256
_WEIGHTS = 1 << 29
_STRIDES = 100
_STATE = {"batch": ("weight", "bias", "running_mean", "running_var")}


@dataclass(frozen=True, slots=True)
class Block:
    """One row of the table, read and bounded.

    Attributes
    ----------
    inputs, channels
        Channels that come in and go out.
    panes
        Channels of each residual connection; empty where there is none.
    kernel
        Width over time as it is built: scaled, and made odd.
    squeezed
        Channels inside of squeeze-and-excitation; 0 where there is none.
    """

    inputs: int
    channels: int
    kernel: int
    repeat: int
    stride: int
    dilation: int
    stride_last: bool
    separable: bool
    panes: tuple[int, ...]
    groups: int
    heads: int
    squeezed: int

    @property
    def strides(self) -> int:
        """How many steps in make one step out."""
        return int(self.stride ** (1 if self.stride_last else self.repeat))

    @property
    def multiply_adds(self) -> float:
        """Multiplications of its convolutions for one step in; what is done once a clip is left out."""
        total, steps, inside = 0.0, 1.0, self.inputs
        for number in range(self.repeat):
            steps /= self.stride if number + 1 == self.repeat or not self.stride_last else 1
            pointwise = inside * self.channels / self.groups
            total += steps * (inside * self.kernel + pointwise if self.separable else pointwise * self.kernel)
            inside = self.channels
        return total + steps * sum(self.panes) * self.channels


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole table, with what the encoder says about all of its blocks."""

    blocks: tuple[Block, ...]
    masked: bool
    normalization: str

    @property
    def strides(self) -> int:
        """Frames of the front end that make one step of the encoder's output."""
        return prod(block.strides for block in self.blocks)

    def first(self, count: int) -> "Layout":
        """The first ``count`` blocks alone."""
        return replace(self, blocks=self.blocks[:count])

    @property
    def multiply_adds(self) -> float:
        """Multiplications for one frame of the front end."""
        total, steps = 0.0, 1.0
        for block in self.blocks:
            total += steps * block.multiply_adds
            steps /= block.strides
        return total

    def shapes(self) -> dict[str, Shape]:
        """Shape of every weight and statistic of the encoder by its name in NeMo's modules, ``encoder.0...``."""
        return {
            f"encoder.{number}.{name}": shape
            for number, block in enumerate(self.blocks)
            for name, shape in self._of_block(block)
        }

    def _of_block(self, block: Block) -> Iterator[tuple[str, Shape]]:
        conv = "conv.weight" if self.masked else "weight"
        index, inside = 0, block.inputs
        for number in range(block.repeat):
            index += 2 if number else 0  # activation and dropout have no weights
            for shape in self._convolutions(block, inside):
                yield f"mconv.{index}.{conv}", shape
                index += 1
            yield from self._norm(f"mconv.{index}", block.channels)
            index += 2 if block.groups > 1 else 1  # shuffling of groups has no weights
            inside = block.channels
        if block.squeezed:
            yield f"mconv.{index}.fc.0.weight", (block.squeezed, block.channels)
            yield f"mconv.{index}.fc.2.weight", (block.channels, block.squeezed)
        for number, pane in enumerate(block.panes):
            yield f"res.{number}.0.{conv}", (block.channels, pane, 1)
            yield from self._norm(f"res.{number}.1", block.channels)

    def _convolutions(self, block: Block, inside: int) -> tuple[Shape, ...]:
        if not block.separable:
            return ((block.channels, inside // block.groups, block.kernel),)
        depthwise = block.heads if self.masked and block.heads > 0 else inside
        return (depthwise, 1, block.kernel), (block.channels, inside // block.groups, 1)

    def _norm(self, prefix: str, channels: int) -> Iterator[tuple[str, Shape]]:
        for name in _STATE.get(self.normalization, ("weight", "bias")):
            yield f"{prefix}.{name}", (channels,)
        if self.normalization == "batch":
            yield f"{prefix}.{COUNTER}", ()


def read_layout(encoder: Mapping[str, Any]) -> Layout:
    """The table of blocks of an encoder's configuration.

    Raises
    ------
    CheckpointError
        No table, sizes that cannot be or that nobody could compute, or a network that cannot run.
    """
    table = encoder.get("jasper")
    if not isinstance(table, list) or not 0 < len(table) <= _BLOCKS:
        raise CheckpointError(f"its encoder has no table of blocks (a list of 1 to {_BLOCKS}).")
    channels = whole(encoder, "feat_in", None, 1, 4096) * whole(encoder, "frame_splicing", 1, 1, 16)
    blocks: list[Block] = []
    panes: list[int] = []
    mode = str(encoder.get("residual_mode") or "add")
    for number, row in enumerate(table, 1):
        if not isinstance(row, dict):
            raise CheckpointError(f"block {number} in its table of blocks is no block.")
        mode = str(row.get("residual_mode") or mode)  # a block's mode stays for the blocks after it
        try:
            blocks.append(_block(row, channels, mode, panes))
        except CheckpointError as error:
            raise CheckpointError(f"block {number} in its table of blocks: {error}") from error
        channels = blocks[-1].channels
    layout = Layout(
        tuple(blocks), bool(encoder.get("conv_mask", True)), str(encoder.get("normalization_mode", "batch"))
    )
    _check_size(layout)
    return layout


def _block(row: Mapping[str, Any], inputs: int, mode: str, panes: list[int]) -> Block:
    """One block; ``panes`` collects the inputs of the densely connected ones."""
    channels = whole(row, "filters", None, 1, 1 << 14)
    if row.get("residual_dense"):
        panes.append(inputs)
    dense = tuple(panes) if row.get("residual_dense") else ()
    reduction = whole(row, "se_reduction_ratio", 8, 1, 1 << 14)
    block = Block(
        inputs=inputs, channels=channels, kernel=_kernel(row), repeat=whole(row, "repeat", None, 1, 64),
        stride=_first(row, "stride", 16), dilation=_first(row, "dilation", 256),
        stride_last=bool(row.get("stride_last")), separable=bool(row.get("separable")),
        panes=(dense or (inputs,)) if row.get("residual") else (),
        groups=whole(row, "groups", 1, 1, 1 << 14), heads=whole(row, "heads", -1, -1, 1 << 14),
        squeezed=channels // reduction if row.get("se") else 0,
    )  # fmt: skip
    if row.get("se") and not block.squeezed:
        raise CheckpointError(f"se_reduction_ratio {reduction} leaves nothing of {channels} channels.")
    _check_runs(block, mode)
    return block


def _check_runs(block: Block, mode: str) -> None:
    """Raise CheckpointError for a block that would break when sound is sent through it, or when it is built."""
    if block.stride > 1 and block.dilation > 1:
        raise CheckpointError("stride and dilation cannot both be over 1.")
    if block.strides > _STRIDES:
        raise CheckpointError(f"its strides make one step of more than {_STRIDES}.")
    if block.inputs % block.groups or block.channels % block.groups:
        raise CheckpointError(f"{block.groups} groups do not divide its channels.")
    shortcut = block.stride if mode == "stride_add" else 1
    if block.panes and (block.strides != shortcut or (len(block.panes) > 1 and shortcut > 1)):
        raise CheckpointError(f"its residual connection has not the steps of its output (residual_mode {mode!r}).")


def _check_size(layout: Layout) -> None:
    total = sum(prod(shape) for shape in layout.shapes().values())
    if total > _WEIGHTS or layout.strides > _STRIDES:
        raise CheckpointError(
            f"its table of blocks describes {total} weights, or a step of more than {_STRIDES} frames; "
            f"quartzlens builds at most {_WEIGHTS}."
        )


def _kernel(row: Mapping[str, Any]) -> int:
    """Width as NeMo builds it (``compute_new_kernel_size``): scaled, rounded down, and one more where that is even."""
    factor = row.get("kernel_size_factor", 1.0)
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor <= 16:
        raise CheckpointError(f"kernel_size_factor is {factor!r}.")
    width = max(int(_first(row, "kernel", 4096) * factor), 1)
    return width + 1 - width % 2


def _first(row: Mapping[str, Any], name: str, most: int) -> int:
    """The one number in a list, as the configurations write sizes over time."""
    value = row.get(name)
    if not isinstance(value, list) or len(value) != 1:
        raise CheckpointError(f"{name} is {value!r:.60}, not a list of one number.")
    return whole({name: value[0]}, name, None, 1, most)


def real(settings: Mapping[str, Any], name: str, default: float | None, least: float, most: float) -> float:
    """A number of a configuration within bounds; raises CheckpointError naming it otherwise, NaN too."""
    value = settings.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise CheckpointError(f"{name} is {value!r:.60}, not a number from {least:g} to {most:g}.")
    return float(value)


def whole(settings: Mapping[str, Any], name: str, default: int | None, least: int, most: int) -> int:
    """A whole number of a configuration within bounds; raises CheckpointError naming it otherwise."""
    value = settings.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise CheckpointError(f"{name} is {value!r:.60}, not a whole number from {least} to {most}.")
    return value
