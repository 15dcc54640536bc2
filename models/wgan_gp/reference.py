# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""wgan_gp in PyTorch, from dlc's initial weights (seed 0), with its batches and noise.

    reference.py             the first cycles: writes losses.json
    reference.py --train N   N cycles, then a thousand pictures; see reference_training.py

A cycle has five steps of the critic, of which the last one's figures are written. Needs torch and xxhash.
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import reference_tools as tools
import reference_training

CRITIC_STEPS = 5


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 128 * 7 * 7)
        self.up1 = nn.ConvTranspose2d(128, 64, 4, 2, 1)
        self.up2 = nn.ConvTranspose2d(64, 1, 4, 2, 1)

    def forward(self, z):
        h = F.relu(self.fc(z)).reshape(-1, 128, 7, 7)
        return torch.sigmoid(self.up2(F.relu(self.up1(h))))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5, 2, 2)
        self.conv2 = nn.Conv2d(32, 64, 5, 2, 2)
        self.fc = nn.Linear(64 * 7 * 7, 1)

    def forward(self, image):
        h = F.leaky_relu(self.conv1(image), 0.2)
        return self.fc(F.leaky_relu(self.conv2(h), 0.2).flatten(1)).squeeze(1)


class Training:
    def __init__(self):
        self.model = nn.ModuleDict({"generator": Generator(), "critic": Critic()})
        tools.load_initial_weights(self.model)
        self.c_optimizer = torch.optim.Adam(self.model["critic"].parameters(), lr=1e-4, betas=(0.5, 0.9))
        self.g_optimizer = torch.optim.Adam(self.model["generator"].parameters(), lr=1e-4, betas=(0.5, 0.9))

    def criticise(self, image, noise, share):
        generator, critic = self.model["generator"], self.model["critic"]
        fake = generator(noise).detach()
        distance = critic(image).mean() - critic(fake).mean()
        between = (share * image + (1 - share) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        norm = slope.square().sum((1, 2, 3)).sqrt()
        loss = 20 * ((norm - 1) ** 2).mean() - distance
        self.c_optimizer.zero_grad()
        loss.backward()
        self.c_optimizer.step()
        return {"criticise.loss": loss.item(), "criticise.distance": distance.item(),
                "criticise.gradient_norm": norm.mean().item()}

    def step(self, *arrays):
        """Images, noise and shares of each of the critic's steps, then the noise of the generator's."""
        for own in range(CRITIC_STEPS):
            figures = self.criticise(*arrays[3 * own:3 * own + 3])
        loss = -self.model["critic"](self.model["generator"](arrays[-1])).mean()
        self.g_optimizer.zero_grad()
        loss.backward()
        self.g_optimizer.step()
        return figures | {"generate.loss": loss.item()}

    def evaluate(self):
        return tools.write_pictures(self.model["generator"].eval(), "pictures_pytorch.npy")


def batches(steps):
    images = tools.mnist_batches(steps * CRITIC_STEPS)
    for step in range(steps):
        arrays = []
        for iteration in range(step * CRITIC_STEPS + 1, (step + 1) * CRITIC_STEPS + 1):
            image = next(images)[0]
            share = tools.uniform((len(image), 1, 1, 1), tools.site("norm/random_uniform#0"), iteration=iteration)
            arrays += [image, tools.normal_noise((len(image), 64), iteration), share]
        yield *arrays, tools.normal_noise((len(image), 64), step + 1)


if __name__ == "__main__":
    training = Training()
    reference_training.main(pathlib.Path(__file__).with_name("losses.json"), training, tools.BATCH, batches,
                            training.evaluate)
