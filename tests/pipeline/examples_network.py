"""DeepLearningExamples' QuartzNet 15x5 for tests, written from its description: names, shapes and forward pass."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

TABLE = [
    # channels, kernel, sub-blocks, stride, dilation, residual, separable
    (256, 33, 1, 2, 1, False, True),
    *[(256, 33, 5, 1, 1, True, True)] * 3,
    *[(256, 39, 5, 1, 1, True, True)] * 3,
    *[(512, 51, 5, 1, 1, True, True)] * 3,
    *[(512, 63, 5, 1, 1, True, True)] * 3,
    *[(512, 75, 5, 1, 1, True, True)] * 3,
    (512, 87, 1, 1, 2, False, True),
    (1024, 1, 1, 1, 1, False, False),
]


class MaskedConv1d(nn.Conv1d):
    """A convolution by inheritance: what lies beyond each length is set to zero before it."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore
        """Output and its lengths."""
        inside = torch.arange(x.shape[2])[None, :] < lengths[:, None]
        reach = self.dilation[0] * (self.kernel_size[0] - 1) + 1
        return super().forward(x * inside[:, None]), (lengths + 2 * self.padding[0] - reach) // self.stride[0] + 1


def conv(inside: int, out: int, kernel: int = 1, stride: int = 1, dilation: int = 1, groups: int = 1) -> MaskedConv1d:
    """A convolution that keeps its length but for the stride."""
    return MaskedConv1d(
        inside, out, kernel, stride, dilation * (kernel - 1) // 2, dilation=dilation, groups=groups, bias=False
    )


class Block(nn.Module):
    """Sub-blocks of convolutions and batch normalisation, and a residual connection."""

    def __init__(
        self, inputs: int, out: int, kernel: int, repeat: int, stride: int, dilation: int, residual: bool, apart: bool
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = inputs
        for _ in range(repeat):
            layers += [nn.ReLU(), nn.Dropout(0.2)] if layers else []
            if apart:
                layers += [conv(inside, inside, kernel, stride, dilation, inside), conv(inside, out)]
            else:
                layers += [conv(inside, out, kernel, stride, dilation)]
            layers += [nn.BatchNorm1d(out, eps=1e-3)]
            inside = out
        self.mconv = nn.ModuleList(layers)
        shortcut = nn.ModuleList([conv(inputs, out), nn.BatchNorm1d(out, eps=1e-3)])
        self.res = nn.ModuleList([shortcut]) if residual else None

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Output and its lengths."""
        out, out_lengths = x, lengths
        for layer in self.mconv:
            if isinstance(layer, MaskedConv1d):
                out, out_lengths = layer(out, out_lengths)
            else:
                out = layer(out)
        for convolution, norm in self.res or ():  # type: ignore
            out = out + norm(convolution(x, lengths)[0])
        return torch.relu(out), out_lengths


class Network(nn.Module):
    """Encoder and CTC decoder."""

    def __init__(self) -> None:
        super().__init__()
        blocks, inputs = nn.ModuleList(), 64
        for row in TABLE:
            blocks.append(Block(inputs, *row))
            inputs = row[0]
        self.encoder = nn.ModuleDict({"layers": blocks})
        self.decoder = nn.ModuleDict({"layers": nn.Sequential(nn.Conv1d(inputs, 29, 1))})

    def forward(self, mel: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Encoder's output (b, 1024, t), its lengths, and log-probabilities (b, t, 29)."""
        for block in self.encoder["layers"]:  # type: ignore
            mel, lengths = block(mel, lengths)
        return mel, lengths, self.decoder["layers"](mel).transpose(1, 2).log_softmax(-1)


def random_network(seed: int = 0) -> Network:
    """Random weights, and random statistics of batch normalisation, scaled so that the output stays near 1."""
    torch.manual_seed(seed)
    network = Network().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            for tensor in (module.weight, module.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (module.bias, module.running_mean):
                nn.init.normal_(tensor, 0.0, 0.1)
            module.num_batches_tracked.fill_(7)
    return network


def write_pt(path: Path, weights: dict[str, Any], **how: Any) -> Path:
    """A file as DeepLearningExamples' training saves it."""
    other = {"epoch": 1, "step": 2, "best_wer": 0.5, "state_dict": {}, "optimizer": {"state": {}, "param_groups": []}}
    torch.save({**other, "ema_state_dict": weights}, path, **how)
    return path
