# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Losses."""

import numpy as np
import torch
import torch.nn.functional as F

from cases import Family

SHAPES = [(6,), (4, 3), (2, 3, 5)]


def between(family, function, name, inputs, **settings):
    """Three shapes and the three reductions of a loss of two tensors of one shape."""
    for index, (shape, reduction) in enumerate(zip(SHAPES, ("mean", "sum", "none"))):
        tensors = {key: make(shape) for key, make in inputs.items()}
        extra = settings if index else {}
        call = f"{name}({', '.join(inputs)}, " if index else f"{name}({', '.join(inputs)}"
        call += ", ".join([f"{key}={str(value).lower()}" for key, value in extra.items()]
                          + ([f'reduction="{reduction}"'] if index else [])) + ")"
        family.function(f"{name}_{index}", call, tensors,
                        lambda *values: function(*values, reduction=reduction, **extra))


def losses():
    family = Family("losses")
    normal = lambda shape: family.normal(*shape)
    between(family, F.mse_loss, "mse", {"x": normal, "y": normal})
    between(family, F.l1_loss, "l1", {"x": normal, "y": normal})
    between(family, F.huber_loss, "huber", {"x": normal, "y": normal}, delta=0.6)
    between(family, F.smooth_l1_loss, "smooth_l1", {"x": normal, "y": normal}, beta=0.6)
    probability = lambda shape: family.uniform(*shape, low=0.05, high=0.95)
    between(family, F.binary_cross_entropy, "bce", {"p": probability, "y": probability})
    between(family, F.binary_cross_entropy_with_logits, "bce_with_logits", {"x": normal, "y": probability})
    signs = lambda shape: (family.integers(2, *shape) * 2 - 1).astype("float32")
    between(family, F.hinge_embedding_loss, "hinge_embedding", {"x": normal, "y": signs}, margin=1.5)
    between(family, lambda x, y, margin=1, **options: F.margin_ranking_loss(x, torch.zeros_like(x), y, margin, **options),
            "hinge", {"x": normal, "y": signs}, margin=1.5)
    between(family, F.kl_div, "kl_div", {"x": normal, "y": probability}, log_target=True)

    certain = {"p": np.float32([0, 0, 1, 1]), "y": np.float32([0, 1, 0, 1])}  # where the logarithms end
    family.function("bce_certain", "bce(p, y)", certain, F.binary_cross_entropy, constant=("y",))
    zero = {"x": family.normal(4, 3) * 0, "y": family.uniform(4, 3)}  # where max(x, 0) and |x| have kinks
    family.function("bce_with_logits_zero", "bce_with_logits(x, y)", zero, F.binary_cross_entropy_with_logits)
    family.function("bce_with_logits_weight", "bce_with_logits(x, y, positive_weight=w)",
                    {"x": family.normal(4, 3, scale=3), "y": family.uniform(4, 3), "w": family.uniform(3, high=3)},
                    lambda x, y, w: F.binary_cross_entropy_with_logits(x, y, pos_weight=w), constant=("w",))
    hard = family.integers(2, 5, 4).astype("float32")
    family.function("kl_div_batch", 'kl_div(log_softmax(x), y, reduction="batchmean")',
                    {"x": family.normal(5, 4), "y": hard}, lambda x, y: F.kl_div(F.log_softmax(x, -1), y, reduction="batchmean"),
                    constant=("y",))
    for index, (shape, settings) in enumerate([((4, 3), {}), ((2, 3, 4), dict(margin=0.5, swap=True)), ((5, 2), dict(reduction="none"))]):
        extra = "".join(f", {key}={str(value).lower() if not isinstance(value, str) else repr(value).replace(chr(39), chr(34))}"
                        for key, value in settings.items())
        inputs = {key: family.normal(*shape) for key in "apn"}
        family.function(f"triplet_{index}", f"triplet(a, p, n{extra})", inputs,
                        lambda a, p, n: F.triplet_margin_loss(a, p, n, **settings))
        family.function(f"distance_{index}", "pairwise_distance(a, p, eps=1e-3)", {key: inputs[key] for key in "ap"},
                        lambda a, p: F.pairwise_distance(a, p, eps=1e-3))
    classification(family)
    extremes(family)
    return family


def extremes(family):
    """Infinite logits, distances of 0, one weight for all, and settings at their ends."""
    x = np.float32([[-np.inf, 1, 2], [1, 2, 3], [0.5, 0, 0]])
    label = np.int32([1, 2, 0])
    for ignored in (5, 0):
        family.function(f"cross_entropy_infinite_{ignored}", f"cross_entropy(x, label, ignore_index={ignored})",
                        {"x": x, "label": label}, lambda x, label: F.cross_entropy(x, label, ignore_index=ignored))
    family.function("nll_infinite", "nll(x, label, ignore_index=0)", {"x": x, "label": np.int32([0, 2, 1])},
                    lambda x, label: F.nll_loss(x, label, ignore_index=0))
    finite = {"x": family.normal(3, 4), "label": family.integers(4, 3), "w": np.float32(2)}
    for reduction in ("none", "sum", "mean"):
        for name in ("cross_entropy", "nll"):
            family.function(f"{name}_one_weight_{reduction}", f'{name}(x, label, weight=w, reduction="{reduction}")', finite,
                            lambda x, label, w: getattr(F, {"nll": "nll_loss"}.get(name, name))(
                                x, label, weight=w.detach().expand(4), reduction=reduction), constant=("w",))
    pair = {"x": family.normal(4, 3), "y": family.uniform(4, 3)}
    family.function("bce_with_logits_number", "bce_with_logits(x, y, positive_weight=3.0)", pair,
                    lambda x, y: F.binary_cross_entropy_with_logits(x, y, pos_weight=torch.tensor(3.0)))
    family.function("smooth_l1_of_0", "smooth_l1(x, y, beta=0)", pair, lambda x, y: F.smooth_l1_loss(x, y, beta=0))
    equal = np.float32([[1, 1, 1], [1, 2, 4]])
    family.function("distance_of_equal", "pairwise_distance(a, p, eps=0)", {"a": equal, "p": np.float32([[1, 1, 1], [0, 1, 1]])},
                    lambda a, p: F.pairwise_distance(a, p, eps=0))


def classification(family):
    table = [
        ((5, 3), {}), ((4, 6), dict(reduction="sum")), ((3, 4, 2), {}), ((2, 3, 2, 3), dict(ignore_index=1)),
        ((6, 4), dict(weight=True)), ((6, 4), dict(weight=True, ignore_index=2, reduction="none")),
        ((5, 3), dict(label_smoothing=0.1)), ((5, 4), dict(label_smoothing=0.2, weight=True, ignore_index=0)),
        ((2, 3, 4), dict(label_smoothing=0.3, ignore_index=-100, reduction="none")),
    ]
    for index, (shape, settings) in enumerate(table):
        n, c, *rest = shape
        label = family.integers(c, n, *rest)
        if settings.get("ignore_index", 0) < 0:
            label.flat[::3] = settings["ignore_index"]
        inputs = {"x": family.normal(*shape, scale=2), "label": label}
        if "weight" in settings:
            inputs["w"] = family.uniform(c, low=0.2, high=2)
        extra = "".join(f', {key}="{value}"' if isinstance(value, str) else f", {key}={'w' if value is True else value}"
                        for key, value in settings.items())

        def function(x, label, w=None, of=F.cross_entropy):
            return of(x, label, **dict(settings, **({"weight": w} if w is not None else {})))

        family.function(f"cross_entropy_{index}", f"cross_entropy(x, label{extra})", inputs, function, constant=("w",))
        if "label_smoothing" not in settings:
            family.function(f"nll_{index}", f"nll(x, label{extra})", inputs,
                            lambda *values: function(*values, of=F.nll_loss), constant=("w",))


FAMILIES = [losses]
