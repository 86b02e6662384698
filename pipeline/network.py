"""The network that is exported: NeMo's encoder without masks, its statistics computed inside, as ONNX in memory."""

import io
import warnings
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

_TILE = 16  # steps that are summed at a time for the depth profile


def to_onnx(
    encoder: Any,
    end: int,
    ends: dict[str, int],
    decoder: tuple[Any, Any] | None,
    squares: bool,
    frames: int,
) -> bytes:
    """ONNX of a NeMo encoder up to its block ``end``; the encoder is changed for it.

    Parameters
    ----------
    ends
        Names of the blocks of the depth profile, with their numbers.
    decoder
        Weight (v + 1, c, 1) and bias (v + 1,) of the CTC decoder; None for no words.
    squares
        Whether the fragments' sums of squares are wanted.
    frames
        Length of the clip that is traced; any other length runs as well.

    Returns
    -------
    bytes
        Inputs ``mel`` (1, m, n) and ``members`` (f, t), both float32; outputs ``totals`` (f, c), ``squares`` (f, c) if
        wanted, ``profile/NAME`` (2, c) for each block, and ``tokens`` (t,) with ``probability`` (t,).
    """
    import torch

    _without_masks(encoder)
    network = _wrapper(encoder.encoder[: end + 1], ends, decoder, squares)
    names = ["totals", *(["squares"] if squares else []), *(f"profile/{name}" for name in ends)]
    names += ["tokens", "probability"] if decoder is not None else []
    mel = torch.zeros(1, _mels(encoder), frames)
    with torch.inference_mode():
        steps = network.steps(mel)[-1].shape[2]
    content = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, about the lengths that are fixed on purpose
        torch.onnx.export(
            network,
            (mel, torch.ones(2, steps)),
            cast("Any", content),  # torch's annotation leaves streams out
            input_names=["mel", "members"],
            output_names=names,
            dynamic_axes={"mel": {2: "frames"}, "members": {0: "fragments", 1: "steps"}},
            opset_version=17,
            dynamo=False,
        )
    return content.getvalue()


def _mels(encoder: Any) -> int:
    first = next(iter(encoder.encoder[0].mconv))
    return int(getattr(first, "conv", first).in_channels)


def _without_masks(encoder: Any) -> None:
    """Switch masks off, and let squeeze-and-excitation average over all steps: none of them pads."""
    for module in encoder.modules():
        if hasattr(module, "use_mask"):
            module.use_mask = False
        for name, child in module.named_children():
            if type(child).__name__ == "SqueezeExcite":
                setattr(module, name, _squeeze(child))


def _squeeze(module: Any) -> Any:
    import torch
    from nemo.collections.asr.parts.submodules.jasper import SqueezeExcite

    class Squeeze(SqueezeExcite):  # type: ignore[misc]  # JasperBlock tells by its type that it takes lengths
        def __init__(self, excite: Any) -> None:
            torch.nn.Module.__init__(self)
            self.excite = excite

        def forward(self, x: Any, lengths: Any) -> Any:
            scale = torch.sigmoid(self.excite(x.mean(dim=-1)))
            return x * scale[:, :, None], lengths

    return Squeeze(module.fc)


def _wrapper(blocks: Any, ends: dict[str, int], decoder: tuple[Any, Any] | None, squares: bool) -> Any:
    """A module from (mel, members) to the outputs. Nothing as long as a clip is transposed: that is slow."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = torch.nn.ModuleList(blocks)

        def steps(self, mel: Any) -> list[Any]:
            outputs, panes, lengths = [], [mel], torch.tensor([mel.shape[2]])
            for block in self.blocks:
                panes, lengths = block((panes, lengths))
                outputs.append(panes[-1])
            return outputs

        def forward(self, mel: Any, members: Any) -> tuple[Any, ...]:
            outputs = self.steps(mel)
            last, inside = outputs[-1][0], members.transpose(0, 1)
            totals = last @ inside
            results = [totals.transpose(0, 1)]
            if squares:
                centred = last - (totals / members.sum(dim=1)) @ members
                results.append(((centred * centred) @ inside).transpose(0, 1))
            results += [_profile(outputs[number]) for number in ends.values()]
            if decoder is not None:
                results += _heard(last, *decoder)
            return tuple(results)

    return Network().eval()


def _profile(steps: Any) -> Any:
    """Mean and standard deviation over time: (2, c) of (1, c, t).

    Sums are taken by depthwise convolutions that tile the steps: of all ways to say it, this one runs in the layout
    that convolutions leave behind (a transposition costs OpenVINO as much as a block; figures in docs/benchmarks.md).
    """
    import torch

    channels = int(steps.shape[1])
    ones = torch.ones(channels, 1, _TILE)

    def mean(some: Any) -> Any:
        tiles = torch.nn.functional.conv1d(some, ones, stride=_TILE, padding=_TILE - 1, groups=channels)
        return tiles.sum(dim=2, keepdim=True) / steps.shape[2]

    middle = mean(steps)
    return torch.cat([middle, torch.sqrt(mean((steps - middle) ** 2))], dim=2)[0].transpose(0, 1)


def _heard(steps: Any, weight: Any, bias: Any) -> list[Any]:
    """The decoder's best label of each of (c, t) steps: (t,), and its probability (t,)."""
    import torch

    logits = weight[:, :, 0] @ steps + bias[:, None]
    best, tokens = logits.max(dim=0)
    return [tokens, 1 / torch.exp(logits - best).sum(dim=0)]


def padding_of(encoder: Any, end: int, strides: int) -> NDArray[np.float32]:
    """Output (c,) of block ``end`` at steps that only pad, of a network in which these come out alike.

    ``strides`` frames make one step there.
    """
    import torch

    with torch.inference_mode():
        panes, length = [torch.zeros(1, _mels(encoder), max(64, 4 * strides))], torch.tensor([1])
        for one in encoder.encoder[: end + 1]:
            panes, length = one((panes, length))
    return np.asarray(panes[-1][0, :, -1].numpy(), np.float32)
