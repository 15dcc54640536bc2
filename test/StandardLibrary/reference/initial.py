# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Initial values and random numbers: their bounds, mean and variance; and the formulas that need no random number."""

import math

import numpy as np
import torch

from cases import Family, double

INFINITE = 3e38


def truncated(mean, std, low, high):
    """Mean and variance of a truncated normal distribution, by its density."""
    x = torch.linspace(low, high, 200001, dtype=torch.float64)
    density = torch.exp(-0.5 * ((x - mean) / std) ** 2)
    density /= density.sum()
    m = (density * x).sum()
    return m.item(), (density * (x - m) ** 2).sum().item()


def bounded(bound):
    return -bound, bound, 0, bound * bound / 3


def initializers():
    family = Family("initializers")
    shapes = [(20, 30), (8, 4, 3, 3), (12, 5, 7)]
    fans = [(np.prod(shape[1:]), shape[0] * np.prod(shape[2:])) for shape in shapes]
    for index, (shape, (fan_in, fan_out)) in enumerate(zip(shapes, fans)):
        gain = (1, 2, 0.5)[index]
        table = {
            "uniform": [("uniform()", (0, 1, 0.5, 1 / 12)), ("uniform(-2, 3)", (-2, 3, 0.5, 25 / 12)),
                        ("uniform(high=0.1)", (0, 0.1, 0.05, 0.01 / 12))][index],
            "kaiming_uniform": [("kaiming_uniform()", bounded(fan_in ** -0.5)), ('kaiming_uniform(a=0, mode="fan_out")', bounded((6 / fan_out) ** 0.5)),
                                ("kaiming_uniform(a=1)", bounded((3 / fan_in) ** 0.5))][index],
            "kaiming_normal": [("kaiming_normal()", (-INFINITE, INFINITE, 0, 2 / fan_in)),
                               ('kaiming_normal(mode="fan_out")', (-INFINITE, INFINITE, 0, 2 / fan_out)),
                               ("kaiming_normal(a=1)", (-INFINITE, INFINITE, 0, 1 / fan_in))][index],
            "xavier_uniform": (f"xavier_uniform(gain={gain})", bounded(gain * (6 / (fan_in + fan_out)) ** 0.5)),
            "xavier_normal": (f"xavier_normal(gain={gain})", (-INFINITE, INFINITE, 0, gain ** 2 * 2 / (fan_in + fan_out))),
            "uniform_fan_in": (f"uniform_fan_in({fan_in})", bounded(fan_in ** -0.5)),
            "normal": [("normal()", (-INFINITE, INFINITE, 0, 1)), ("normal(mean=3)", (-INFINITE, INFINITE, 3, 1)),
                       ("normal(std=0.02)", (-INFINITE, INFINITE, 0, 4e-4))][index],
            "trunc_normal": [("trunc_normal()", (-2, 2, *truncated(0, 1, -2, 2))),
                             ("trunc_normal(std=0.02, low=-0.04, high=0.04)", (-0.04, 0.04, *truncated(0, 0.02, -0.04, 0.04))),
                             ("trunc_normal(mean=1, low=0.5, high=6)", (0.5, 6, *truncated(1, 1, 0.5, 6)))][index],
            "constant": (f"constant({gain})", (gain, gain, gain, 0)),
            "zeros": ("zeros()", (0, 0, 0, 0)),
            "ones": ("ones()", (1, 1, 1, 0)),
        }
        for name, (call, stat) in table.items():
            case = f"{name}_{index}"
            family.texts.append(f"layer held_{case}() {{\n  param weight: f32{list(shape)} = {call}\n  return sum(weight)\n}}\n"
                                f"infer {case}(x: f32) {{\n  let {case}_m = held_{case}()\n  return {case}_m + x\n}}\n")
            family.put(case, "0/in/x", np.float32(0))
            family.put(case, f"0/stat/{case}_m.weight", np.array(stat, np.float64))
        size = [(3, 3), (4, 7), (5, 2)][index]
        case = f"eye_{index}"
        family.texts.append(f"layer held_{case}() {{\n  param weight: f32{list(size)} = eye()\n  return weight\n}}\n"
                            f"infer {case}(x: f32) {{\n  let {case}_m = held_{case}()\n  return {case}_m + x\n}}\n")
        family.put(case, "0/in/x", np.float32(0))
        family.put(case, "0/out/0", torch.nn.init.eye_(torch.zeros(size)))
        # Q Qᵀ is a multiple of the unit matrix, and the elements' mean is near 0.
        size = [(4, 4), (3, 2, 4), (7, 3)][index]
        rows, columns = size[0], int(np.prod(size[1:]))
        product = "matmul(flat, transpose(flat))" if rows <= columns else "matmul(transpose(flat), flat)"
        case = f"orthogonal_{index}"
        family.texts.append(f"layer held_{case}() {{\n  param weight: f32{list(size)} = orthogonal(gain={gain})\n  return weight\n}}\n"
                            f"infer {case}(x: f32) {{\n  let {case}_m = held_{case}()\n  let flat = flatten({case}_m)\n"
                            f"  return {product} + x\n}}\n")
        family.put(case, "0/in/x", np.float32(0))
        family.put(case, "0/out/0", torch.eye(min(rows, columns)) * gain ** 2)
        family.tolerances[case] = 1e-5
        held = lambda case, size, call, value: (
            f"layer held_{case}() {{\n  param weight: f32{list(size)} = {call}\n  return weight\n}}\n"
            f"infer {case}(x: f32) {{\n  let {case}_m = held_{case}()\n  return {value} + x\n}}\n")
        size, groups = [(4, 2, 3), (6, 2, 4, 5), (3, 5, 1, 3, 2)][index], (1, 2, 3)[index]
        case = f"dirac_{index}"
        family.texts.append(held(case, size, f"dirac(groups={groups})", f"{case}_m"))
        family.put(case, "0/in/x", np.float32(0))
        family.put(case, "0/out/0", torch.nn.init.dirac_(torch.zeros(size), groups))
        # How many elements of each column are 0, and the others' distribution.
        size, sparsity = [(10, 7), (25, 30), (9, 40)][index], (0.25, 0.9, 1 / 3)[index]
        zeros = math.ceil(sparsity * size[0])
        case = f"sparse_{index}"
        family.texts.append(held(case, size, f"sparse({sparsity}, std=2)",
                                 f"sum(where({case}_m == 0, ones({size[0]}, {size[1]}), 0), axis=0)"))
        family.put(case, "0/in/x", np.float32(0))
        family.put(case, "0/out/0", (torch.nn.init.sparse_(torch.zeros(size), sparsity, 2) == 0).sum(0).double())
        family.put(case, f"0/stat/{case}_m.weight", np.array((-INFINITE, INFINITE, 0, 4 * (1 - zeros / size[0])), np.float64))
    for index, (name, slope) in enumerate([("relu", 0), ("leaky_relu", 0.3), ("tanh", 0), ("selu", 0), ("linear", 0), ("sigmoid", 0)]):
        case, extra = f"calculate_gain_{index}", f", slope={slope}" if slope else ""
        family.texts.append(f'infer {case}(x: f32) {{ return x * calculate_gain("{name}"{extra}) }}\n')
        family.put(case, "0/in/x", np.float32(1))
        family.put(case, "0/out/0", torch.nn.init.calculate_gain(name, slope or None))
    draws(family)
    return family


def draws(family):
    """What is drawn in a step, and dropout in training."""
    for index, shape in enumerate([(700,), (20, 40), (5, 12, 11)]):
        p = (0.5, 0.2, 0.9)[index]
        for name, call, stat in (
                ("random_normal", f"random_normal({list(shape)})", (-INFINITE, INFINITE, 0, 1)),
                ("random_bernoulli", f"random_bernoulli({list(shape)}, p={p})", (0, 1, p, p * (1 - p))),
                ("dropout", f"dropout(ones({list(shape)}), {p})", (0, 1 / (1 - p), 1, p / (1 - p)))):
            case = f"{name}_{index}"
            family.texts.append(f"train {case}(x: f32) {{\n  let {case}_y = keep({call} + x)\n  report loss = sum({case}_y)\n}}\n")
            family.put(case, "0/in/x", np.float32(0))
            family.put(case, f"0/stat/{case}_y._value", np.array(stat, np.float64))
        y = np.linspace(-0.9999, 0.9999, int(np.prod(shape))).astype(np.float32).reshape(shape)[..., :7]
        case = f"erfinv_{index}"
        family.texts.append(f"infer {case}(y: f32{list(y.shape)}) {{ return erfinv(y) }}\n")
        family.put(case, "0/in/y", y)
        family.put(case, "0/out/0", torch.erfinv(double(y)))
        family.tolerances[case] = 2e-6
    family.texts.append("infer erfinv_ends(y: f32[4]) { return erfinv(y) }\n")
    ends = np.float32([-1, 1, 2, np.nan])
    family.put("erfinv_ends", "0/in/y", ends)
    family.put("erfinv_ends", "0/out/0", torch.erfinv(double(ends)))


FAMILIES = [initializers]
