# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The network of char_lstm.dl in PyTorch, with the same parameter names.

    python models/char_lstm/reference.py            10 steps from dlc's initial weights: writes losses.json
    python models/char_lstm/reference.py --train N  N steps, then the validation loss and the time
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

EMBEDDING, HIDDEN, WINDOW, BATCH, VOCABULARY, STEPS = 64, 256, 64, 32, 65, 1500


class CharLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, VOCABULARY)

    def forward(self, text):
        states, _ = self.lstm(self.embedding(text))
        return self.head(states)


def initial_value(name, shape):
    if name == "embedding.weight":
        return tools.initial_normal(name, shape)
    return tools.initial_uniform(name, shape, HIDDEN ** -0.5)


def rate(step):
    """The learning rate's factor in a step counted from 0."""
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * min(step / STEPS, 1)))


class Training:
    def __init__(self):
        self.model = CharLstm()
        tools.load_values(self.model, initial_value)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=4e-3)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, rate)

    def loss(self, text, following):
        return F.cross_entropy(self.model(text).flatten(0, 1), following.flatten())

    def step(self, text, following):
        loss = self.loss(text, following)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        return loss.item()


if __name__ == "__main__":
    reference_training.continue_text(pathlib.Path(__file__).with_name("losses.json"), Training(), WINDOW, BATCH)
