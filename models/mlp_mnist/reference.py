# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The network of mlp_mnist.dl in PyTorch.

    python models/mlp_mnist/reference.py            10 steps from dlc's initial weights: writes losses.json
    python models/mlp_mnist/reference.py --train N  N steps, then the test accuracy and the time
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import reference_tools as tools
import reference_training

BATCH, DECAY_STEPS = 64, 4690


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, image):
        return self.fc2(F.relu(self.fc1(torch.flatten(image, 1))))


class Training:
    def __init__(self):
        self.model = Mlp()
        tools.load_initial_weights(self.model)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=2e-3)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: 1 - min(step / DECAY_STEPS, 1))

    def step(self, image, label):
        loss = F.cross_entropy(self.model(image), label)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return loss.item()

    def evaluate(self):
        image, label = map(torch.from_numpy, tools.mnist_split("test"))
        return f"test accuracy {(self.model(image).argmax(1) == label).float().mean():.4f}"


if __name__ == "__main__":
    training = Training()
    reference_training.main(pathlib.Path(__file__).with_name("losses.json"), training, BATCH,
                            lambda steps: tools.mnist_batches(steps), training.evaluate)
