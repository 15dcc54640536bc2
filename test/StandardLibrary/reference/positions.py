# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Encodings of positions."""

import math

import torch
from torch import nn

from cases import Family


def sinusoids(t, d, base=10000):
    """As in the tutorial of PyTorch's transformers."""
    angle = torch.arange(t).double()[:, None] * torch.exp(torch.arange(0, d, 2).double() * (-math.log(base) / d))
    table = torch.zeros(t, d, dtype=torch.float64)
    table[:, 0::2] = angle.sin()
    table[:, 1::2] = angle.cos()
    return table


def turned(x, interleaved, base=10000):
    """Complex products, as in the paper."""
    t, d = x.shape[-2:]
    angle = torch.arange(t).double()[:, None] * base ** (-torch.arange(0, d, 2).double() / d)
    a, b = (x[..., ::2], x[..., 1::2]) if interleaved else (x[..., :d // 2], x[..., d // 2:])
    z = torch.complex(a, b) * torch.polar(torch.ones_like(angle), angle)
    return torch.stack([z.real, z.imag], -1).flatten(-2) if interleaved else torch.cat([z.real, z.imag], -1)


class Learned(nn.Module):
    def __init__(self, count, d):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(count, d))

    def forward(self, x):
        return x + self.weight[:x.shape[1]]


def positions():
    family = Family("positions")
    for index, (n, t, d) in enumerate([(2, 3, 4), (1, 5, 2), (3, 4, 6)]):
        x = {"x": family.normal(n, t, d)}
        family.function(f"sinusoidal_{index}", f"x + sinusoidal_positions({t}, {d})", x, lambda x: x + sinusoids(t, d))
        family.layer(f"learned_{index}", "learned_positions(x, 6)", x, Learned(6, d))
        family.function(f"sinusoidal_base_{index}", f"x + sinusoidal_positions({t}, {d}, base=100)", x,
                        lambda x: x + sinusoids(t, d, 100))
        family.function(f"rotary_{index}", "rotary(x)", x, lambda x: turned(x, False))
        family.function(f"rotary_interleaved_{index}", "rotary(x, base=100, interleaved=true)", x, lambda x: turned(x, True, 100))
    return family


FAMILIES = [positions]
