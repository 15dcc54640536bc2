# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's figures for mnist.dl: 20 Adam steps on the first batches, from dlc's initial weights for seed 0 and
with dlc's dropout masks. Writes reference.safetensors beside this file. Run: python models/mnist/reference.py
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import reference_tools as tools

DROPOUT = 0.25


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x):
        return F.max_pool2d(F.relu(self.conv(x)), 2)


class Mnist(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = Block(1, 32)
        self.block2 = Block(32, 64)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, image, keep=None):
        """keep: dropout's mask, bool (batch, 3136), or None for inference."""
        x = torch.flatten(self.block2(self.block1(image)), 1)
        if keep is not None:
            x = torch.where(keep, x * (1 / (1 - DROPOUT)), torch.zeros(()))
        return self.fc2(F.relu(self.fc1(x)))


def loss_of(model, image, label, iteration):
    u = tools.uniform((image.shape[0], 64 * 7 * 7), tools.site("hidden/random_uniform#0"), iteration=iteration)
    return F.cross_entropy(model(image, torch.from_numpy(u >= DROPOUT)), label)


if __name__ == "__main__":
    network = Mnist()
    tools.load_initial_weights(network)
    adam = torch.optim.Adam(network.parameters(), lr=2e-3)
    decay = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 1 / (1 + 1e-3 * step))
    tools.write_reference(pathlib.Path(__file__).with_name("reference.safetensors"), network, loss_of, adam, decay)
