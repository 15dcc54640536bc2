# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention, blocks of transformers, and encodings of positions."""

import math

import torch
from torch import nn
import torch.nn.functional as F

from cases import Family


def ignored(lengths, size):
    """PyTorch's key_padding_mask, true where a key takes no part."""
    return torch.arange(size) >= lengths[:, None]


def future(size):
    return torch.ones(size, size, dtype=torch.bool).triu(1)


def attention():
    family = Family("attention")
    for index, (lead, t, s, settings) in enumerate([((3,), 4, 5, ""), ((2, 2), 3, 3, "causal=true"), ((2,), 5, 4, "scale=0.3")]):
        inputs = {"q": family.normal(*lead, t, 3), "k": family.normal(*lead, s, 3), "v": family.normal(*lead, s, 2)}
        keywords = {"": {}, "causal=true": dict(is_causal=True), "scale=0.3": dict(scale=0.3)}[settings]
        family.function(f"attention_{index}", f"attention(q, k, v{', ' + settings if settings else ''})", inputs,
                        lambda *qkv: F.scaled_dot_product_attention(*qkv, **keywords))
    mask = family.random.random((4, 4)) < 0.6
    mask[:, 0] = True
    inputs = {"q": family.normal(2, 4, 3), "k": family.normal(2, 4, 3), "v": family.normal(2, 4, 3), "mask": mask}
    family.function("attention_mask", "attention(q, k, v, mask=mask)", inputs,
                    lambda q, k, v, mask: F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
    heads(family)
    blocks(family)
    positions(family)
    return family


def heads(family):
    for index, (n, t, s, e, count) in enumerate([(2, 3, 4, 4, 2), (3, 2, 2, 6, 3), (1, 4, 3, 4, 1)]):
        lengths = family.integers(s, n) + 1
        inputs = {"x": family.normal(n, t, e), "k": family.normal(n, s, e), "v": family.normal(n, s, e)}
        module = nn.MultiheadAttention(e, count, batch_first=True)
        family.layer(f"multi_head_{index}", f"multi_head_attention(x, k, v, {count})", inputs, module,
                     lambda x, k, v: module(x, k, v)[0])
        padded = nn.MultiheadAttention(e, count, batch_first=True)
        family.layer(f"multi_head_lengths_{index}", f"multi_head_attention(x, k, v, {count}, lengths=lengths)",
                     dict(inputs, lengths=lengths), padded,
                     lambda x, k, v, lengths: padded(x, k, v, key_padding_mask=ignored(lengths, s))[0])
        own = nn.MultiheadAttention(e, count, batch_first=True)
        row = {"x": family.normal(n, s, e), "lengths": lengths}
        family.layer(f"self_attention_{index}", f"self_attention(x, {count}, causal=true, lengths=lengths)", row, own,
                     lambda x, lengths: own(x, x, x, attn_mask=future(s), key_padding_mask=ignored(lengths, s))[0])
    mask = family.random.random((4, 4)) < 0.6
    mask[:, 0] = True
    last = nn.MultiheadAttention(4, 2, batch_first=True)
    family.layer("self_attention_mask", "self_attention(x, 2, mask=mask)", {"x": family.normal(2, 4, 4), "mask": mask}, last,
                 lambda x, mask: last(x, x, x, attn_mask=~mask)[0])


def blocks(family):
    for index, (n, t, e, count, settings) in enumerate([
            (2, 3, 4, 2, {}), (1, 4, 6, 3, dict(activation="gelu")), (3, 2, 4, 1, dict(norm_first=True))]):
        extra = "".join(f', {key}="{value}"' if isinstance(value, str) else f", {key}=true" for key, value in settings.items())
        lengths = family.integers(t, n) + 1
        encoder = nn.TransformerEncoderLayer(e, count, 5, dropout=0, batch_first=True, **settings)
        family.layer(f"encoder_{index}", f"encoder_block(x, {count}, hidden=5, dropout=0, lengths=lengths{extra})",
                     {"x": family.normal(n, t, e), "lengths": lengths}, encoder,
                     lambda x, lengths: encoder(x, src_key_padding_mask=ignored(lengths, t)), tolerance=1e-4)
        decoder = nn.TransformerDecoderLayer(e, count, 5, dropout=0, batch_first=True, **settings)
        family.layer(f"decoder_{index}", f"decoder_block(x, m, {count}, hidden=5, dropout=0, memory_lengths=lengths{extra})",
                     {"x": family.normal(n, t + 1, e), "m": family.normal(n, t, e), "lengths": lengths}, decoder,
                     lambda x, m, lengths: decoder(x, m, tgt_mask=future(t + 1), memory_key_padding_mask=ignored(lengths, t)),
                     tolerance=1e-4)


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


def positions(family):
    for index, (n, t, d) in enumerate([(2, 3, 4), (1, 5, 2), (3, 4, 6)]):
        x = {"x": family.normal(n, t, d)}
        family.function(f"sinusoidal_{index}", f"x + sinusoidal_positions({t}, {d})", x, lambda x: x + sinusoids(t, d))
        family.layer(f"learned_{index}", "learned_positions(x, 6)", x, Learned(6, d))
        family.function(f"rotary_{index}", "rotary(x)", x, lambda x: turned(x, False))
        family.function(f"rotary_interleaved_{index}", "rotary(x, base=100, interleaved=true)", x, lambda x: turned(x, True, 100))


FAMILIES = [attention]
