# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's figures for rnn.dl: 20 Adam steps on the first batches, from dlc's initial weights for seed 0. Writes
reference.safetensors beside this file. Run: python models/rnn/reference.py
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import reference_tools as tools

HIDDEN = 128


class Rnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.input = nn.Linear(28, HIDDEN)
        self.recurrent = nn.Linear(HIDDEN, HIDDEN)
        self.head = nn.Linear(HIDDEN, 10)

    def forward(self, image):
        rows = image.reshape(-1, 28, 28)
        h = torch.zeros(len(image), HIDDEN)
        for t in range(28):
            h = torch.tanh(self.input(rows[:, t]) + self.recurrent(h))
        return self.head(h)


if __name__ == "__main__":
    network = Rnn()
    tools.load_initial_weights(network)
    tools.write_reference(pathlib.Path(__file__).with_name("reference.safetensors"), network,
                          lambda model, image, label, iteration: F.cross_entropy(model(image), label),
                          torch.optim.Adam(network.parameters(), lr=1e-3))
