# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention with one head and with several, and its masks."""

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
    masks(family)
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


def drops(family):
    """In evaluation dropout does nothing; in training a probability that f32 rounds to 1 leaves nothing, as 1 does with PyTorch."""
    for index, (n, t, e, count) in enumerate([(2, 3, 4, 2), (1, 4, 6, 3), (3, 2, 4, 1)]):
        x, m = family.normal(n, t, e), family.normal(n, t + 1, e)
        family.function(f"attention_eval_{index}", "attention(x, m, m, dropout=0.4)", {"x": x, "m": m},
                        lambda x, m: F.scaled_dot_product_attention(x, m, m))
        for name, training, call, p in (("eval", False, "dropout=0.4", 0.4), ("drop", True, f"dropout={NEARLY_1}", 1)):
            settings = dict(dropout=p, batch_first=True)
            heads_of = nn.MultiheadAttention(e, count, **settings)
            family.layer(f"multi_head_{name}_{index}", f"multi_head_attention(x, m, m, {count}, {call})", {"x": x, "m": m}, heads_of,
                         lambda x, m: heads_of(x, m, m)[0], training=training)
            own = nn.MultiheadAttention(e, count, **settings)
            family.layer(f"self_attention_{name}_{index}", f"self_attention(x, {count}, {call})", {"x": x}, own,
                         lambda x: own(x, x, x)[0], training=training)


FAMILIES = [attention]
