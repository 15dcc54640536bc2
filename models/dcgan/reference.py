# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dcgan in PyTorch, from dlc's initial weights (seed 0), with its batches and noise.

    reference.py             the first cycles: writes losses.json
    reference.py --train N   N cycles, then a thousand pictures for judge.py; see reference_training.py

Needs torch and xxhash.
"""

import math
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import reference_tools as tools
import reference_training

TOTAL_STEPS, WARM_UP = 15008, 200


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 192 * 4 * 4, bias=False)
        self.bn0 = nn.BatchNorm2d(192)
        self.up1 = nn.ConvTranspose2d(192, 96, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(96)
        self.up2 = nn.ConvTranspose2d(96, 48, 4, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(48)
        self.up3 = nn.ConvTranspose2d(48, 1, 4, 2, 1)

    def forward(self, z):
        h = F.relu(self.bn0(self.fc(z).reshape(-1, 192, 4, 4)))
        h = F.relu(self.bn2(self.up2(F.relu(self.bn1(self.up1(h))))))
        return torch.sigmoid(self.up3(h))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 48, 4, 2, 1)
        self.conv2 = nn.Conv2d(48, 96, 4, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(96)
        self.conv3 = nn.Conv2d(96, 192, 3, 2, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(192)
        self.fc = nn.Linear(192 * 4 * 4, 1)

    def forward(self, image):
        h = F.leaky_relu(self.conv1(image), 0.2)
        h = F.leaky_relu(self.bn2(self.conv2(h)), 0.2)
        h = F.leaky_relu(self.bn3(self.conv3(h)), 0.2)
        return self.fc(h.flatten(1)).squeeze(1)


def rate(step):
    """The share of the full learning rate, for steps from 0 on: up in a straight line, down by half a cosine."""
    falling = (1 + math.cos(math.pi * max(0, step - WARM_UP) / (TOTAL_STEPS - WARM_UP))) / 2
    return min(1, step / WARM_UP) * falling


class Training:
    def __init__(self):
        self.model = nn.ModuleDict({"generator": Generator(), "discriminator": Discriminator()})
        tools.load_initial_weights(self.model)
        self.d_optimizer = torch.optim.Adam(self.model["discriminator"].parameters(), lr=4e-4, betas=(0.5, 0.999))
        self.g_optimizer = torch.optim.Adam(self.model["generator"].parameters(), lr=1e-3, betas=(0.5, 0.999))
        self.d_schedule = torch.optim.lr_scheduler.LambdaLR(self.d_optimizer, rate)
        self.g_schedule = torch.optim.lr_scheduler.LambdaLR(self.g_optimizer, rate)

    def step(self, image, noise):
        generator, discriminator = self.model["generator"], self.model["discriminator"]
        ones, zeros = torch.ones(len(image)), torch.zeros(len(image))
        fake = generator(noise).detach()
        real_loss = F.binary_cross_entropy_with_logits(discriminator(image), ones)
        fake_loss = F.binary_cross_entropy_with_logits(discriminator(fake), zeros)
        self.d_optimizer.zero_grad()
        (real_loss + fake_loss).backward()
        self.d_optimizer.step()
        self.d_schedule.step()
        # Both entries draw the same noise: their random site and their iteration are the same.
        loss = F.binary_cross_entropy_with_logits(discriminator(generator(noise)), ones)
        self.g_optimizer.zero_grad()
        loss.backward()
        self.g_optimizer.step()
        self.g_schedule.step()
        return {"discriminate.real_loss": real_loss.item(), "discriminate.fake_loss": fake_loss.item(),
                "generate.loss": loss.item()}

    def evaluate(self):
        return tools.write_pictures(self.model["generator"].eval(), "pictures_pytorch.npy")


def batches(steps):
    for step, (image, _) in enumerate(tools.mnist_batches(steps)):
        yield image, tools.normal_noise((len(image), 64), step + 1)


if __name__ == "__main__":
    training = Training()
    reference_training.main(pathlib.Path(__file__).with_name("losses.json"), training, tools.BATCH, batches,
                            training.evaluate)
