# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pooling, tables of vectors, what moves elements, and sums of products."""

import itertools

import torch
from torch import nn
import torch.nn.functional as F

from cases import Family


def setting(value):
    return str(list(value) if isinstance(value, tuple) else value)


def pooling():
    family = Family("pooling")
    rows = [(2, 3, 7), (1, 2, 9), (3, 1, 12)]
    images = [(2, 2, 6, 7), (1, 3, 8, 5), (3, 1, 4, 9)]
    volumes = [(1, 2, 4, 5, 4), (2, 1, 5, 3, 6), (1, 3, 3, 4, 5)]
    table = [
        ("max_pool1d", F.max_pool1d, rows, [(2,), (3, 1), (4, 2, 1)]),
        ("max_pool2d", F.max_pool2d, images, [(2,), ((3, 2), (1, 2)), (3, 2, 1)]),
        ("max_pool3d", F.max_pool3d, volumes, [(2,), ((2, 3, 1), (1, 2, 2)), (3, 2, 1)]),
        ("avg_pool1d", F.avg_pool1d, rows, [(2,), (3, 1), (4, 2, 1)]),
        ("avg_pool2d", F.avg_pool2d, images, [(2,), ((3, 2), (1, 2)), (3, 2, 1)]),
        ("avg_pool3d", F.avg_pool3d, volumes, [(2,), ((2, 3, 1), (1, 2, 2)), (3, 2, 1)]),
        ("adaptive_avg_pool1d", F.adaptive_avg_pool1d, rows, [(3,), (1,), (5,)]),
        ("adaptive_max_pool1d", F.adaptive_max_pool1d, rows, [(3,), (1,), (5,)]),
        ("adaptive_avg_pool2d", F.adaptive_avg_pool2d, images, [(3,), ((2, 4),), (6,)]),
        ("adaptive_max_pool2d", F.adaptive_max_pool2d, images, [(3,), ((2, 4),), (6,)]),
    ]
    for name, function, shapes, variants in table:
        # The gradient of overlapping windows in three dimensions takes dlc 15 s to compile: one of them is enough.
        pairs = zip(variants, shapes) if name == "max_pool3d" else itertools.product(variants, shapes)
        for index, (settings, shape) in enumerate(pairs):
            names = ["", "stride=", "padding="]
            call = f"{name}(x, " + ", ".join(f"{key}{setting(value)}" for key, value in zip(names, settings)) + ")"
            family.function(f"{name}_{index}", call, {"x": family.normal(*shape)}, lambda x: function(x, *settings))
    for index, shape in enumerate([(3, 2, 5), (2, 3, 3, 4), (1, 2, 2, 3, 2)]):
        x = {"x": family.normal(*shape)}
        family.function(f"global_avg_pool_{index}", "global_avg_pool(x)", x, lambda x: x.flatten(2).mean(2))
        family.function(f"global_max_pool_{index}", "global_max_pool(x)", x, lambda x: x.flatten(2).amax(2))
    return family


def elements():
    family = Family("elements")
    for index, (shape, axis) in enumerate([((5,), 0), ((3, 4), 1), ((2, 3, 4), 1)]):
        x = {"x": family.normal(*shape)}
        family.function(f"cumulative_sum_{index}", f"cumulative_sum(x, axis={axis})", x, lambda x: x.cumsum(axis))
        family.function(f"sort_{index}", f"sort(x, axis={axis})", x, lambda x: x.sort(axis).values)
        family.function(f"top_k_{index}", "top_k(x, 2)[0]", x, lambda x: x.topk(2).values)
        family.function(f"top_k_axis_{index}", f"top_k(x, 1, axis={axis})[0]", x, lambda x: x.topk(1, axis).values)
    for index, shape in enumerate([(4,), (2, 3), (2, 2, 3)]):
        token = {"token": family.integers(5, *shape)}
        family.layer(f"embedding_{index}", "embedding(token, 5, 3)", token, nn.Embedding(5, 3))
        family.layer(f"embedding_padding_{index}", "embedding(token, 5, 3, padding_index=2)", token,
                     nn.Embedding(5, 3, padding_idx=2))
    for index, (lead, a, b, bias) in enumerate([((3,), 2, 4, True), ((2, 3), 3, 2, True), ((4,), 3, 3, False)]):
        family.layer(f"bilinear_{index}", f"bilinear(x1, x2, 3{'' if bias else ', use_bias=false'})",
                     {"x1": family.normal(*lead, a), "x2": family.normal(*lead, b)}, nn.Bilinear(a, b, 3, bias))
    for index, (equation, shapes) in enumerate([
            ("ij,jkx,kl->li", [(3, 2), (2, 4, 2), (4, 3)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]), ("ijk->ki", [(2, 3, 4)]),
            ("ii->", [(3, 3)]), ("iji,...i->...ji", [(3, 2, 3), (4, 2, 3)]), ("...ij,jk->...ik", [(2, 2, 3, 4), (4, 2)])]):
        inputs = {name: family.normal(*shape) for name, shape in zip("xyz", shapes)}
        family.function(f"einsum_{index}", f'einsum("{equation}", {", ".join(inputs)})', inputs,
                        lambda *values: torch.einsum(equation, *values))
    pair = {"x": family.normal(2, 6, 3), "y": family.normal(2, 6, 3)}
    for axis in (0, 1, -1):
        name = f"axis{axis % 4}"
        family.function(f"stack_{name}", f"stack([x, y], axis={axis})", pair, lambda x, y: torch.stack([x, y], axis))
    family.function("split_parts", "split(x, 2, axis=1)[1] + split(y, [3, 3], axis=1)[0]", pair,
                    lambda x, y: x[:, 3:] + y[:, :3])
    for index, (shape, k) in enumerate([((5,), 1), ((3, 4), 3), ((2, 3, 4), 4)]):
        family.function(f"top_k_indices_{index}", f"top_k(x, {k})[1]", {"x": family.normal(*shape)},
                        lambda x: x.topk(k).indices, constant=("x",))
        family.function(f"top_k_first_{index}", f"top_k(x, {shape[0]}, axis=0)[1]", {"x": family.normal(*shape)},
                        lambda x: x.topk(shape[0], 0).indices, constant=("x",))
    # Of equal elements the first comes first: a stable order, which torch.topk does not promise.
    equal = {"x": family.integers(3, 4, 6).astype("float32")}
    family.function("top_k_of_equal", "top_k(x, 4)[1]", equal,
                    lambda x: x.sort(dim=-1, descending=True, stable=True).indices[:, :4], constant=("x",))
    return family


FAMILIES = [pooling, elements]
