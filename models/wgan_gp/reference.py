# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes losses.json: PyTorch\'s losses of the first cycles of wgan_gp, from dlc\'s initial weights (seed 0), batches and
noise. Those of criticise are of the last of a cycle's five critic steps. Needs torch and xxhash.
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import reference_tools as tools

STEPS, CRITIC_STEPS = 10, 5


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


def main():
    model = nn.ModuleDict({"generator": Generator(), "critic": Critic()})
    tools.load_initial_weights(model)
    generator, critic = model["generator"], model["critic"]
    c_optimizer = torch.optim.Adam(critic.parameters(), lr=1e-4, betas=(0.5, 0.9))
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-4, betas=(0.5, 0.9))
    batches = tools.mnist_batches(STEPS * CRITIC_STEPS)
    figures = []
    for step in range(STEPS):
        for own in range(CRITIC_STEPS):
            iteration = step * CRITIC_STEPS + own + 1
            image = torch.from_numpy(next(batches)[0])
            n = len(image)
            fake = generator(torch.from_numpy(tools.normal_noise((n, 64), iteration))).detach()
            distance = critic(image).mean() - critic(fake).mean()
            share = torch.from_numpy(tools.uniform((n, 1, 1, 1), tools.site("norm/random_uniform#0"),
                                                   iteration=iteration))
            between = (share * image + (1 - share) * fake).requires_grad_()
            (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            norm = slope.square().sum((1, 2, 3)).sqrt()
            loss = 20 * ((norm - 1) ** 2).mean() - distance
            c_optimizer.zero_grad()
            loss.backward()
            c_optimizer.step()
        critic_figures = [loss.item(), distance.item(), norm.mean().item()]
        loss = -critic(generator(torch.from_numpy(tools.normal_noise((n, 64), step + 1)))).mean()
        g_optimizer.zero_grad()
        loss.backward()
        g_optimizer.step()
        figures.append([*critic_figures, loss.item()])
    names = ["criticise.loss", "criticise.distance", "criticise.gradient_norm", "generate.loss"]
    tools.write_losses(pathlib.Path(__file__).with_name("losses.json"), tools.BATCH,
                       {name: list(values) for name, values in zip(names, zip(*figures))})


if __name__ == "__main__":
    main()
