# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The expected values of ImageTest.cpp: PyTorch's antialiased bilinear interpolation of an image whose byte i is
37 * i modulo 256."""

import torch

for channels, height, width, to_height, to_width in ((1, 5, 7, 3, 4), (1, 5, 7, 8, 9), (3, 2, 9, 2, 2)):
    size = channels * height * width
    image = (37 * torch.arange(size) % 256).reshape(1, height, width, channels).permute(0, 3, 1, 2).double()
    resized = torch.nn.functional.interpolate(image, (to_height, to_width), mode="bilinear", antialias=True)
    print(*(resized.permute(0, 2, 3, 1).flatten() + 0.5).floor().int().tolist(), sep=", ")
