# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes losses.json: PyTorch's losses of the first cycles of dcgan, from dlc's initial weights (seed 0), batches and
noise. Needs torch and xxhash.
"""

import math
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import reference_tools as tools

STEPS, TOTAL_STEPS, WARM_UP = 10, 7504, 200


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


def main():
    model = nn.ModuleDict({"generator": Generator(), "discriminator": Discriminator()})
    tools.load_initial_weights(model)
    generator, discriminator = model["generator"], model["discriminator"]
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.999))
    schedules = [torch.optim.lr_scheduler.LambdaLR(optimizer, rate) for optimizer in (d_optimizer, g_optimizer)]
    figures = []
    for step, (image, _) in enumerate(tools.mnist_batches(STEPS)):
        image, noise = torch.from_numpy(image), torch.from_numpy(tools.normal_noise((len(image), 64), step + 1))
        ones, zeros = torch.ones(len(image)), torch.zeros(len(image))
        fake = generator(noise).detach()
        real_loss = F.binary_cross_entropy_with_logits(discriminator(image), ones)
        fake_loss = F.binary_cross_entropy_with_logits(discriminator(fake), zeros)
        d_optimizer.zero_grad()
        (real_loss + fake_loss).backward()
        d_optimizer.step()
        # Both entries draw the same noise: their random site and their iteration are the same.
        loss = F.binary_cross_entropy_with_logits(discriminator(generator(noise)), ones)
        g_optimizer.zero_grad()
        loss.backward()
        g_optimizer.step()
        for schedule in schedules:
            schedule.step()
        figures.append([real_loss.item(), fake_loss.item(), loss.item()])
    names = ["discriminate.real_loss", "discriminate.fake_loss", "generate.loss"]
    tools.write_losses(pathlib.Path(__file__).with_name("losses.json"), tools.BATCH,
                       {name: list(values) for name, values in zip(names, zip(*figures))})


if __name__ == "__main__":
    main()
