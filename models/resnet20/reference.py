# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ResNet-20 with twice the channels in PyTorch, from dlc's initial weights (seed 0) and the same augmented batches.

    reference.py             the first steps on models/data/cifar10/sample.zip: writes losses.json
    reference.py --train N   N steps on models/data/cifar10/cifar10.zip; see reference_training.py
                 --sample    the same on the sample
                 --bf16      layers compute in bfloat16, weights stay f32, compiled: a third of the time on a
                             processor that has it

Needs torch, xxhash and Pillow.
"""

import argparse
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
import reference_training

MEAN, STD = np.float32([0.4914, 0.4822, 0.4465]), np.float32([0.247, 0.2435, 0.2616])
CROP, RATE = 4, 0.2
CYCLES = 9384, 6256  # steps: one cycle, and a warm restart at half its height
BATCH = 128
CIFAR10 = pathlib.Path(__file__).parent.parent / "data" / "cifar10" / "cifar10.zip"
SAMPLE = CIFAR10.with_name("sample.zip")


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
        self.conv1 = nn.Conv2d(3, 32, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)

        def stage(inputs, channels, stride):
            return nn.Sequential(*(Residual(inputs if i == 0 else channels, channels, stride if i == 0 else 1)
                                   for i in range(3)))

        self.layer1, self.layer2, self.layer3 = stage(32, 32, 1), stage(32, 64, 2), stage(64, 128, 2)
        self.fc = nn.Linear(128, 10)

    def forward(self, image):
        h = F.relu(self.bn1(self.conv1(image)))
        h = self.layer3(self.layer2(self.layer1(h)))
        return self.fc(h.mean((2, 3)))


def normalised(pictures):
    """Bytes (..., height, width, 3) as f32 (..., 3, height, width)."""
    return np.moveaxis((pictures.astype(np.float32) / np.float32(255) - MEAN) / STD, -1, -3)


def augmented(picture, row, epoch, seed=0):
    """runtime/data/README.md: pad by CROP black pixels, cut out, perhaps from right to left; then normalise."""
    size = picture.shape[0]
    y, x, flip = (tools.draw_below(n, seed, epoch, row, k) for k, n in enumerate((2 * CROP + 1, 2 * CROP + 1, 2)))
    padded = np.pad(picture, ((CROP, CROP), (CROP, CROP), (0, 0)))[y:y + size, x:x + size]
    if flip:
        padded = padded[:, ::-1]
    return normalised(padded)


class Pictures:
    """A zip of <split>/<class>/<name>.jpg, decoded."""

    def __init__(self, path, split):
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if f"{split}/" in name and name.endswith((".jpg", ".png")))
            classes = sorted({name.split("/")[-2] for name in names})
            self.pixels = np.stack([np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names])
            self.labels = np.array([classes.index(name.split("/")[-2]) for name in names])

    def batches(self, steps):
        per_epoch = -(-len(self.labels) // BATCH)
        for step, rows in enumerate(tools.batches_of_rows(len(self.labels), BATCH, steps)):
            images = np.stack([augmented(self.pixels[row], row, step // per_epoch) for row in rows])
            yield images, self.labels[rows]


class Training:
    def __init__(self, data, bf16=False):
        self.data, self.bf16 = data, bf16
        self.model = ResNet20().to(memory_format=torch.channels_last)
        tools.load_initial_weights(self.model)
        if bf16:
            self.model.compile(dynamic=False)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=RATE, momentum=0.9, nesterov=True,
                                         weight_decay=5e-4)
        first = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, RATE, total_steps=CYCLES[0], div_factor=100,
                                                    cycle_momentum=False)
        second = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, CYCLES[1])
        second.base_lrs = [RATE / 2]
        self.schedule = torch.optim.lr_scheduler.SequentialLR(self.optimizer, [first, second], CYCLES[:1])

    def step(self, image, label):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            loss = F.cross_entropy(self.model(image), label)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return loss.item()

    def evaluate(self):
        self.model.eval()
        pictures, hits = Pictures(self.data, "test"), 0
        for first in range(0, len(pictures.labels), BATCH):
            image = torch.from_numpy(normalised(pictures.pixels[first:first + BATCH]))
            guess = (self.model(image) + self.model(image.flip(3))).argmax(1).numpy()
            hits += (guess == pictures.labels[first:first + BATCH]).sum()
        return f"test accuracy {hits / len(pictures.labels):.4f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    options, others = parser.parse_known_args()
    sys.argv[1:] = others  # what reference_training.py parses
    data = CIFAR10 if "--train" in others and not options.sample else SAMPLE
    training = Training(data, options.bf16)
    reference_training.main(pathlib.Path(__file__).with_name("losses.json"), training, BATCH,
                            lambda steps: Pictures(data, "train").batches(steps), training.evaluate)
