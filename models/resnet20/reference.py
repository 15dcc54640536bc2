# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes losses.json: PyTorch's losses of the first steps of resnet20, from dlc's initial weights (seed 0) and the same
augmented batches of models/data/cifar10/sample.zip.

    reference.py [CIFAR10.zip STEPS]    prints the losses on other data instead

Needs torch, xxhash and Pillow.
"""

import io
import pathlib
import sys
import zipfile

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import reference_tools as tools

MEAN, STD = np.float32([0.4914, 0.4822, 0.4465]), np.float32([0.247, 0.2435, 0.2616])
CROP, TOTAL_STEPS, RATE = 4, 15640, 0.2
STEPS, BATCH = 10, 128
SAMPLE = pathlib.Path(__file__).parent.parent / "data" / "cifar10" / "sample.zip"


class Residual(nn.Module):
    def __init__(self, inputs, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.added = stride, channels - inputs

    def forward(self, x):
        shortcut = F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, 0, self.added))
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + shortcut)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)

        def stage(inputs, channels, stride):
            return nn.Sequential(*(Residual(inputs if i == 0 else channels, channels, stride if i == 0 else 1)
                                   for i in range(3)))

        self.layer1, self.layer2, self.layer3 = stage(16, 16, 1), stage(16, 32, 2), stage(32, 64, 2)
        self.fc = nn.Linear(64, 10)

    def forward(self, image):
        h = F.relu(self.bn1(self.conv1(image)))
        h = self.layer3(self.layer2(self.layer1(h)))
        return self.fc(h.mean((2, 3)))


def augmented(picture, row, epoch, seed=0):
    """runtime/data/README.md: pad by CROP black pixels, cut out, perhaps from right to left; then normalise."""
    size = picture.shape[0]
    y, x, flip = (tools.draw_below(n, seed, epoch, row, k) for k, n in enumerate((2 * CROP + 1, 2 * CROP + 1, 2)))
    padded = np.pad(picture, ((CROP, CROP), (CROP, CROP), (0, 0)))[y:y + size, x:x + size]
    if flip:
        padded = padded[:, ::-1]
    return ((padded.astype(np.float32) / np.float32(255) - MEAN) / STD).transpose(2, 0, 1)


def batches(path, steps, batch):
    archive = zipfile.ZipFile(path)
    names = sorted(name for name in archive.namelist() if "train/" in name and name.endswith(".jpg"))
    classes = sorted({name.split("/")[-2] for name in names})
    order = tools.shuffled_order(0, 0, len(names))
    for step in range(steps):
        rows = order[step * batch:(step + 1) * batch]
        pictures = [np.asarray(Image.open(io.BytesIO(archive.read(names[row])))) for row in rows]
        images = np.stack([augmented(p, row, 0) for p, row in zip(pictures, rows)])
        labels = np.array([classes.index(names[row].split("/")[-2]) for row in rows])
        yield torch.from_numpy(images), torch.from_numpy(labels)


def main():
    path, steps = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 2 else (SAMPLE, STEPS)
    model = ResNet20()
    tools.load_initial_weights(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=TOTAL_STEPS, div_factor=100,
                                                   cycle_momentum=False)
    losses = []
    for images, labels in batches(path, steps, BATCH):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    if path is SAMPLE:
        tools.write_losses(pathlib.Path(__file__).with_name("losses.json"), BATCH, {"step.loss": losses})
    else:
        print(*losses, sep="\n")


if __name__ == "__main__":
    main()
