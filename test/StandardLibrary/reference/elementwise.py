# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Activations, and functions of numbers and tensors."""

import numpy as np
import torch
import torch.nn.functional as F

from cases import Family

SHAPES = [(7,), (3, 5), (2, 3, 4)]


def activations():
    family = Family("activations")
    table = {
        "relu": [("relu(x)", F.relu)] * 3,
        "relu6": [("relu6(x)", F.relu6)] * 3,
        "leaky_relu": [("leaky_relu(x)", F.leaky_relu)] * 2 + [("leaky_relu(x, slope=0.2)", lambda x: F.leaky_relu(x, 0.2))],
        "elu": [("elu(x)", F.elu)] * 2 + [("elu(x, alpha=0.5)", lambda x: F.elu(x, 0.5))],
        "selu": [("selu(x)", F.selu)] * 3,
        "gelu": [("gelu(x)", F.gelu)] * 2 + [('gelu(x, approximate="tanh")', lambda x: F.gelu(x, approximate="tanh"))],
        "silu": [("silu(x)", F.silu)] * 3,
        "mish": [("mish(x)", F.mish)] * 3,
        "sigmoid": [("sigmoid(x)", torch.sigmoid)] * 3,
        "log_sigmoid": [("log_sigmoid(x)", F.logsigmoid)] * 3,
        "softplus": [("softplus(x)", F.softplus)] * 2 + [("softplus(x, beta=2)", lambda x: F.softplus(x, 2))],
        "hardsigmoid": [("hardsigmoid(x)", F.hardsigmoid)] * 3,
        "hardswish": [("hardswish(x)", F.hardswish)] * 3,
        "softmax": [("softmax(x)", lambda x: F.softmax(x, -1))] * 2 + [("softmax(x, axis=1)", lambda x: F.softmax(x, 1))],
        "log_softmax": [("log_softmax(x)", lambda x: F.log_softmax(x, -1))] * 2
                       + [("log_softmax(x, axis=1)", lambda x: F.log_softmax(x, 1))],
    }
    for name, variants in table.items():
        for index, ((call, function), shape) in enumerate(zip(variants, SHAPES)):
            x = family.normal(*shape, scale=4)
            if name == "softplus":
                x.flat[0] = 0  # where max(0, x) has its kink, and softplus none
            family.function(f"{name}_{index}", call, {"x": x}, function)
    # The far ends, where naive formulas overflow or round to 0.
    far = family.normal(9, scale=40)
    for name in ("softplus", "log_sigmoid", "silu", "mish", "log_softmax"):
        family.function(f"{name}_far", f"{name}(x)", {"x": far}, table[name][0][1], tolerance=1e-4)
    # Small values are as exact as large ones.
    small = np.float32([-80, -30, -18, -12, -5, -3, 0, 3, 6, 18, 30])
    for name in ("sigmoid", "softplus", "log_sigmoid", "silu", "mish", "relu6", "hardsigmoid"):
        x = small[:-2] if name == "sigmoid" else small  # where f32 has nothing between y and 1, its derivative is 0
        family.function(f"{name}_small", f"{name}(x)", {"x": x}, table[name][0][1], tolerance=1e-4, by_element=True)
    ends = np.float32([-np.inf, -1, np.inf])
    for name in ("sigmoid", "softplus", "log_sigmoid", "relu6", "hardsigmoid"):
        family.function(f"{name}_ends", f"{name}(x)", {"x": ends}, table[name][0][1], by_element=True)
        family.function(f"{name}_nan", f"{name}(x)", {"x": np.float32([np.nan, 1])}, table[name][0][1], constant=("x",))
    return family


def cosine(x, y, axis, eps):
    """F.cosine_similarity by its formula: PyTorch's own has the same value, but where a length is below eps, its gradient is
    that of the length without the bound."""
    value = (x * y).sum(axis) / (x.norm(dim=axis).clamp(min=eps) * y.norm(dim=axis).clamp(min=eps))
    assert torch.allclose(value, F.cosine_similarity(x, y, axis, eps))
    return value


def math():
    family = Family("math")
    for index, shape in enumerate(SHAPES):
        x = family.normal(*shape, scale=2)
        small = family.normal(*shape, scale=1e-4)
        integers = (family.integers(20, *shape) - 10).astype("float32") / 2
        family.function(f"log1p_{index}", "log1p(x)", {"x": small}, torch.log1p)
        family.function(f"expm1_{index}", "expm1(x)", {"x": small}, torch.expm1)
        family.function(f"log1p_{index}_wide", "log1p(x)", {"x": abs(x) * 20}, torch.log1p)
        family.function(f"expm1_{index}_wide", "expm1(x)", {"x": x}, torch.expm1)
        for name in ("sign", "ceil", "round"):
            family.function(f"{name}_{index}", f"{name}(x)", {"x": integers}, getattr(torch, name))
        axis = index - 1
        family.function(f"logsumexp_{index}", f"logsumexp(x, axis={axis})", {"x": x * 20}, lambda x: torch.logsumexp(x, axis))
        family.function(f"variance_{index}", f"variance(x, axis={axis}, correction={index})", {"x": x},
                        lambda x: torch.var(x, axis, correction=index))
        family.function(f"std_{index}", f"std(x, axis={axis}, keep=true)", {"x": x},
                        lambda x: torch.std(x, axis, keepdim=True))
        family.function(f"cosine_similarity_{index}", f"cosine_similarity(x, y, axis={axis})",
                        {"x": x, "y": family.normal(*shape)}, lambda x, y: F.cosine_similarity(x, y, axis))
        family.function(f"clamp_{index}", "clamp(x, -1, 1.5)", {"x": x}, lambda x: torch.clamp(x, -1, 1.5))
        family.function(f"one_hot_{index}", "one_hot(index, 6)", {"index": family.integers(6, *shape)},
                        lambda index: torch.nn.functional.one_hot(index, 6).double())
        family.function(f"logsumexp_{index}_keep", f"logsumexp(x, axis={axis}, keep=true)", {"x": x},
                        lambda x: torch.logsumexp(x, axis, keepdim=True))
        family.function(f"variance_{index}_keep", f"variance(x, axis={axis}, keep=true)", {"x": x},
                        lambda x: torch.var(x, axis, keepdim=True))
        family.function(f"std_{index}_correction", f"std(x, axis={axis}, correction=0)", {"x": x},
                        lambda x: torch.std(x, axis, correction=0))
        family.function(f"cosine_similarity_{index}_eps", f"cosine_similarity(x, y, axis={axis}, eps=2)",
                        {"x": x / 4, "y": family.normal(*shape)}, lambda x, y: cosine(x, y, axis, 2))
    infinite = np.float32([[-np.inf] * 3, [np.inf, 0, 0], [-np.inf, 1, 2]])
    family.function("logsumexp_infinite", "logsumexp(x)", {"x": infinite}, lambda x: torch.logsumexp(x, -1), constant=("x",))
    family.function("std_of_equal", "std(x)", {"x": np.float32([[1, 1, 1], [1, 2, 4]])}, lambda x: torch.std(x, -1))
    family.function("cosine_similarity_of_zero", "cosine_similarity(x, y)",
                    {"x": np.float32([[0, 0, 0], [1, 0, 2]]), "y": np.float32([[1, 2, 3], [0, 0, 0]])}, F.cosine_similarity)
    return family


FAMILIES = [activations, math]
