# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers with parameters: linear, convolutions, normalization."""

import torch
from torch import nn
from torch.nn import functional as F

from cases import Family


def layers():
    family = Family("layers")
    for index, (shape, features, bias) in enumerate([((3, 4), 5, True), ((2, 3, 5), 2, True), ((7, 3), 4, False)]):
        family.layer(f"linear_{index}", f"linear(x, {features}{'' if bias else ', use_bias=false'})",
                     {"x": family.normal(*shape)}, nn.Linear(shape[-1], features, bias))
    for index, shape in enumerate([(3, 4), (2, 3, 2), (2, 1, 2, 3)]):
        x = {"x": family.normal(*shape)}
        family.function(f"flatten_{index}", "flatten(x)", x, lambda x: x.flatten(1))
        # dropout does nothing outside of training
        family.function(f"dropout_{index}", "dropout(x, 0.3)", x, lambda x: F.dropout(x, 0.3, training=False))
    return family


def dl(name, value):
    """A setting as the language writes it; nothing for a default."""
    return "" if value is None else f", {name}={list(value) if isinstance(value, tuple) else str(value).lower()}"


def convolutions():
    family = Family("convolutions")
    table = [
        ("conv1d", nn.Conv1d, (2, 3, 9), 4, 3, {}),
        ("conv1d", nn.Conv1d, (2, 4, 11), 6, 3, dict(stride=2, padding=1, groups=2)),
        ("conv1d", nn.Conv1d, (1, 4, 8), 4, 2, dict(dilation=2, groups=4, bias=False)),
        ("conv2d", nn.Conv2d, (2, 3, 5, 6), 4, 3, dict(padding=1)),
        ("conv2d", nn.Conv2d, (2, 4, 7, 6), 6, (3, 2), dict(stride=(2, 1), padding=(1, 0), groups=2)),
        ("conv2d", nn.Conv2d, (1, 3, 8, 8), 3, 3, dict(dilation=2, groups=3, bias=False)),
        ("conv3d", nn.Conv3d, (2, 2, 4, 3, 5), 3, 2, {}),
        ("conv3d", nn.Conv3d, (1, 2, 5, 5, 4), 2, (3, 3, 2), dict(stride=(2, 1, 1), padding=(1, 0, 1))),
        ("conv3d", nn.Conv3d, (1, 4, 4, 4, 4), 4, 2, dict(dilation=2, groups=2, bias=False)),
        ("conv_transpose2d", nn.ConvTranspose2d, (2, 3, 4, 5), 2, 3, {}),
        ("conv_transpose2d", nn.ConvTranspose2d, (2, 4, 3, 4), 6, (3, 2),
         dict(stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2)),
        ("conv_transpose2d", nn.ConvTranspose2d, (1, 3, 4, 4), 3, 4, dict(stride=2, padding=1, bias=False)),
        ("conv_transpose2d", nn.ConvTranspose2d, (1, 2, 5, 3), 2, 2, dict(dilation=2)),
    ]
    for index, (name, module, shape, channels, kernel, settings) in enumerate(table):
        call = f"{name}(x, {channels}, kernel={list(kernel) if isinstance(kernel, tuple) else kernel}"
        for key, value in settings.items():
            call += dl("use_bias" if key == "bias" else key, value)
        family.layer(f"{name}_{index}", call + ")", {"x": family.normal(*shape)},
                     module(shape[1], channels, kernel, **settings))
    return family


class BatchNorm(nn.Module):
    """PyTorch's three classes differ in the rank they check only."""

    def __new__(cls, shape, **settings):
        return {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}[len(shape)](shape[1], **settings)


def normalization():
    family = Family("normalization")
    shapes = [(5, 3), (3, 4, 5), (2, 3, 4, 3), (2, 2, 2, 3, 2)]
    instance = {3: nn.InstanceNorm1d, 4: nn.InstanceNorm2d, 5: nn.InstanceNorm3d}
    for index, shape in enumerate(shapes):
        x = {"x": family.normal(*shape) * 2 + 1}
        family.layer(f"batch_norm_{index}", "batch_norm(x)", x, BatchNorm(shape))
        module = BatchNorm(shape, momentum=0.3, eps=1e-3, affine=index % 2 == 0)
        module.running_mean += 0.5
        module.running_var *= 2
        call = f"batch_norm(x, momentum=0.3, eps=1e-3{'' if index % 2 == 0 else ', affine=false'})"
        family.layer(f"batch_norm_set_{index}", call, x, module)
        module = BatchNorm(shape)
        module.running_mean += 0.5
        module.running_var *= 2
        family.layer(f"batch_norm_eval_{index}", "batch_norm(x)", x, module, training=False)
        family.layer(f"layer_norm_{index}", "layer_norm(x)", x, nn.LayerNorm(shape[-1]))
        family.layer(f"rms_norm_{index}", "rms_norm(x)", x, nn.RMSNorm(shape[-1]))
        if len(shape) > 2:
            family.layer(f"instance_norm_{index}", "instance_norm(x)", x, instance[len(shape)](shape[1]))
    x = {"x": family.normal(3, 4, 6)}
    family.layer("instance_norm_affine", "instance_norm(x, affine=true, eps=1e-2)", x,
                 nn.InstanceNorm1d(4, affine=True, eps=1e-2))
    family.layer("layer_norm_bare", "layer_norm(x, affine=false, eps=1e-2)", x,
                 nn.LayerNorm(6, elementwise_affine=False, eps=1e-2))
    family.layer("layer_norm_scale", "layer_norm(x, use_bias=false)", x, nn.LayerNorm(6, bias=False))
    family.layer("rms_norm_bare", "rms_norm(x, eps=1e-3, affine=false)", x,
                 nn.RMSNorm(6, eps=1e-3, elementwise_affine=False))
    family.layer("group_norm_0", "group_norm(x, 2)", x, nn.GroupNorm(2, 4))
    family.layer("group_norm_1", "group_norm(x, 3, eps=1e-3)", {"x": family.normal(2, 6, 3, 2)}, nn.GroupNorm(3, 6, eps=1e-3))
    family.layer("group_norm_2", "group_norm(x, 1, affine=false)", {"x": family.normal(2, 3)}, nn.GroupNorm(1, 3, affine=False))
    return family


FAMILIES = [layers, convolutions, normalization]
