# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The network of char_gpt.dl in PyTorch, with the same parameter names.

    python models/char_gpt/reference.py            10 steps from dlc's initial weights: writes losses.json
    python models/char_gpt/reference.py --train N  N steps, then the validation loss and the time
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

LAYERS, HEADS, WIDTH, WINDOW, BATCH, VOCABULARY = 4, 4, 128, 64, 12, 65
DECAY_STEPS, WARMUP = 1900, 100


def rotated(x):
    """x: (n, heads, t, d); pairs (i, i + d/2)."""
    t, d = x.shape[-2:]
    angle = torch.arange(t)[:, None] * 10000 ** (torch.arange(d // 2) * (-2 / d))
    a, b = x.split(d // 2, -1)
    return torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], -1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.c_proj = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.c_attn(x).view(n, t, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(rotated(q), rotated(k), v, is_causal=True)
        return self.c_proj(mixed.transpose(1, 2).reshape(n, t, d))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_fc = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.c_proj = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x)))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1 = nn.LayerNorm(WIDTH, bias=False)
        self.attn = Attention()
        self.ln_2 = nn.LayerNorm(WIDTH, bias=False)
        self.mlp = Mlp()

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class CharGpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(VOCABULARY, WIDTH)
        self.h = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.ln_f = nn.LayerNorm(WIDTH, bias=False)

    def forward(self, text):
        x = self.wte(text)
        for block in self.h:
            x = block(x)
        return self.ln_f(x) @ self.wte.weight.T


def initial_value(name, shape):
    if len(shape) == 1:
        return 1 + torch.zeros(shape).numpy()
    return tools.initial_normal(name, shape, 0.02 / 8 ** 0.5 if "c_proj" in name else 0.02)


def rate(step):
    """The learning rate's factor in a step counted from 0."""
    if step < WARMUP:
        return step / WARMUP
    progress = min((step - WARMUP) / DECAY_STEPS, 1)
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * progress))


class Training:
    def __init__(self):
        self.model = CharGpt()
        tools.load_values(self.model, initial_value)
        parameters = list(self.model.parameters())
        groups = [{"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.1},
                  {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0}]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
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
