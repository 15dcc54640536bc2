#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes Inputs/*.dl and Inputs/*.safetensors: what PyTorch computes where the standard library has the same.

    reference.py [FAMILY...]       needs torch, numpy and safetensors
"""

import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "reference"))

import elementwise  # noqa: E402
import attention  # noqa: E402
import blocks  # noqa: E402
import initial  # noqa: E402
import layers  # noqa: E402
import losses  # noqa: E402
import metrics  # noqa: E402
import pooling  # noqa: E402
import positions  # noqa: E402
import recurrent  # noqa: E402
import training  # noqa: E402

if __name__ == "__main__":
    torch.manual_seed(0)
    for module in (elementwise, layers, pooling, recurrent, attention, blocks, positions, losses, metrics, training, initial):
        for family in module.FAMILIES:
            if len(sys.argv) < 2 or family.__name__ in sys.argv[1:]:
                family().write(HERE / "Inputs")
