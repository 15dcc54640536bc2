# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention, blocks of transformers, and encodings of positions."""

import math

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

from cases import NEARLY_1, Family


def ignored(lengths, size):
    """PyTorch's key_padding_mask, true where a key takes no part."""
    return torch.arange(size) >= lengths[:, None]


def future(size, keys=None):
    """PyTorch's attn_mask, true where a query does not see a key: both are counted from the first one."""
    return torch.ones(size, keys or size, dtype=torch.bool).triu(1)


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
    masks(family)
    masks_of_blocks(family)
    drops(family)
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


def some(family, *shape):
    """A mask in which each query sees a key."""
    mask = family.random.random(shape) < 0.6
    mask[..., 0] = True
    return mask


def masks(family):
    """attention and multi_head_attention with fewer and more keys than queries, with masks, causal, and both."""
    for index, (lead, t, s) in enumerate([((2,), 3, 5), ((1, 2), 5, 3), ((), 4, 4)]):
        inputs = {"q": family.normal(*lead, t, 3), "k": family.normal(*lead, s, 3), "v": family.normal(*lead, s, 2)}
        family.function(f"attention_causal_{index}", "attention(q, k, v, causal=true)", inputs,
                        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True))
        masked = dict(inputs, mask=some(family, *lead, t, s))
        family.function(f"attention_mask_{index}", "attention(q, k, v, mask=mask)", masked,
                        lambda q, k, v, mask: F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
        family.function(f"attention_mask_causal_{index}", "attention(q, k, v, mask=mask, causal=true)", masked,
                        lambda q, k, v, mask: F.scaled_dot_product_attention(q, k, v, attn_mask=mask & ~future(t, s)))
    none = np.array([[True, False, True], [False, False, False]])
    inputs = {"q": family.normal(2, 3), "k": family.normal(3, 3), "v": family.normal(3, 2), "mask": none}
    family.function("attention_no_key", "attention(q, k, v, mask=mask)", inputs,  # the mean of all values, as it says
                    lambda q, k, v, mask: torch.stack([F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:1])[0], v.mean(0)]))

    for index, (n, t, s, e, count) in enumerate([(2, 3, 5, 4, 2), (3, 4, 2, 6, 3), (1, 3, 3, 4, 4)]):
        inputs = {"x": family.normal(n, t, e), "k": family.normal(n, s, e), "v": family.normal(n, s, e)}
        lengths = family.integers(s, n) + 1
        shared, of_rows, of_heads = some(family, t, s), some(family, n, 1, t, s), some(family, n, count, t, s)
        table = [
            ("causal", "causal=true", {}, lambda: dict(attn_mask=future(t, s))),
            ("mask", "mask=mask", dict(mask=shared), lambda mask: dict(attn_mask=~mask)),
            ("rows", "mask=mask", dict(mask=of_rows), lambda mask: dict(attn_mask=per_head(~mask, count))),
            ("heads", "mask=mask", dict(mask=of_heads), lambda mask: dict(attn_mask=per_head(~mask, count))),
            ("all", "mask=mask, causal=true, lengths=lengths", dict(mask=of_heads, lengths=lengths),
             lambda mask, lengths: dict(attn_mask=per_head(~mask | future(t, s), count), key_padding_mask=ignored(lengths, s))),
        ]
        for name, settings, given, keywords in table:
            module = nn.MultiheadAttention(e, count, batch_first=True)
            family.layer(f"multi_head_{name}_{index}", f"multi_head_attention(x, k, v, {count}, {settings})", dict(inputs, **given),
                         module, lambda x, k, v, *given: module(x, k, v, **keywords(*given))[0])


def per_head(mask, heads):
    """[n, 1 or heads, t, s] as PyTorch has it: [n · heads, t, s]."""
    n, _, t, s = mask.shape
    return mask.expand(n, heads, t, s).reshape(n * heads, t, s)


def masks_of_blocks(family):
    for index, (n, t, e, count, norm_first) in enumerate([(2, 3, 4, 2, False), (1, 4, 6, 3, True), (3, 2, 4, 1, False)]):
        extra = ", norm_first=true" if norm_first else ""
        settings = dict(dropout=0, batch_first=True, norm_first=norm_first)
        lengths, shared, of_heads = family.integers(t, n) + 1, some(family, t, t), some(family, n, count, t, t)
        encoders = [
            ("causal", "causal=true", {}, lambda: dict(src_mask=future(t))),
            ("mask", "mask=mask", dict(mask=shared), lambda mask: dict(src_mask=~mask)),
            ("all", "causal=true, lengths=lengths, mask=mask", dict(lengths=lengths, mask=of_heads),
             lambda lengths, mask: dict(src_mask=per_head(~mask | future(t), count), src_key_padding_mask=ignored(lengths, t))),
        ]
        for name, call, given, keywords in encoders:
            encoder = nn.TransformerEncoderLayer(e, count, 5, **settings)
            family.layer(f"encoder_{name}_{index}", f"encoder_block(x, {count}, hidden=5, dropout=0, {call}{extra})",
                         dict({"x": family.normal(n, t, e)}, **given), encoder,
                         lambda x, *given: encoder(x, **keywords(*given)), tolerance=1e-4)
        decoders = [
            ("free", "causal=false", {}, lambda: {}),
            ("lengths", "lengths=lengths", dict(lengths=lengths),
             lambda lengths: dict(tgt_mask=future(t), tgt_key_padding_mask=ignored(lengths, t))),
            ("free_lengths", "causal=false, lengths=lengths", dict(lengths=lengths),
             lambda lengths: dict(tgt_key_padding_mask=ignored(lengths, t))),
        ]
        for name, call, given, keywords in decoders:
            decoder = nn.TransformerDecoderLayer(e, count, 5, **settings)
            family.layer(f"decoder_{name}_{index}", f"decoder_block(x, m, {count}, hidden=5, dropout=0, {call}{extra})",
                         dict({"x": family.normal(n, t, e), "m": family.normal(n, t + 1, e)}, **given), decoder,
                         lambda x, m, *given: decoder(x, m, **keywords(*given)), tolerance=1e-4)


def drops(family):
    """In evaluation dropout does nothing; in training a probability that f32 rounds to 1 leaves nothing, as 1 does with PyTorch."""
    for index, (n, t, e, count, norm_first) in enumerate([(2, 3, 4, 2, False), (1, 4, 6, 3, True), (3, 2, 4, 1, False)]):
        x, m = family.normal(n, t, e), family.normal(n, t + 1, e)
        family.function(f"attention_eval_{index}", "attention(x, m, m, dropout=0.4)", {"x": x, "m": m},
                        lambda x, m: F.scaled_dot_product_attention(x, m, m))
        extra = ", norm_first=true" if norm_first else ""
        for name, training, call, p in (("eval", False, "dropout=0.4", 0.4), ("drop", True, f"dropout={NEARLY_1}", 1)):
            settings = dict(dropout=p, batch_first=True)
            heads_of = nn.MultiheadAttention(e, count, **settings)
            family.layer(f"multi_head_{name}_{index}", f"multi_head_attention(x, m, m, {count}, {call})", {"x": x, "m": m}, heads_of,
                         lambda x, m: heads_of(x, m, m)[0], training=training)
            own = nn.MultiheadAttention(e, count, **settings)
            family.layer(f"self_attention_{name}_{index}", f"self_attention(x, {count}, {call})", {"x": x}, own,
                         lambda x: own(x, x, x)[0], training=training)
            encoder = nn.TransformerEncoderLayer(e, count, 5, norm_first=norm_first, **settings)
            family.layer(f"encoder_{name}_{index}", f"encoder_block(x, {count}, hidden=5, {call}{extra})", {"x": x}, encoder,
                         training=training, tolerance=1e-4)
            decoder = nn.TransformerDecoderLayer(e, count, 5, norm_first=norm_first, **settings)
            family.layer(f"decoder_{name}_{index}", f"decoder_block(x, m, {count}, hidden=5, {call}{extra})", {"x": x, "m": m}, decoder,
                         lambda x, m: decoder(x, m, tgt_mask=future(t)), training=training, tolerance=1e-4)


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
        family.function(f"sinusoidal_base_{index}", f"x + sinusoidal_positions({t}, {d}, base=100)", x,
                        lambda x: x + sinusoids(t, d, 100))
        family.function(f"rotary_{index}", "rotary(x)", x, lambda x: turned(x, False))
        family.function(f"rotary_interleaved_{index}", "rotary(x, base=100, interleaved=true)", x, lambda x: turned(x, True, 100))


FAMILIES = [attention]
