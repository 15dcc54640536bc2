# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes losses.json: PyTorch's losses of the first steps of custom, from dlc's initial weights and batches.

Needs torch and xxhash.
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import reference_tools as tools

STEPS = 10


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduction=4):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3))))))[:, :, None, None]


class Custom(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 5, 2, 2)
        self.weighed = SqueezeExcite(16)
        self.head = nn.Linear(16 * 7 * 7, 10)

    def forward(self, image):
        h = F.local_response_norm(F.relu(self.conv(image)), 5, alpha=1e-2)
        return self.head(F.max_pool2d(self.weighed(h), 2).flatten(1))


def main():
    model = Custom()
    tools.load_initial_weights(model)
    optimizer = torch.optim.Adamax(model.parameters())
    losses = []
    for image, label in tools.mnist_batches(STEPS):
        loss = F.cross_entropy(model(torch.from_numpy(image)), torch.from_numpy(label))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    tools.write_losses(pathlib.Path(__file__).with_name("losses.json"), tools.BATCH, {"step.loss": losses})


if __name__ == "__main__":
    main()
