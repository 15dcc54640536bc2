# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The network of text_classifier.dl in PyTorch, with the same parameter names.

    python models/text_classifier/reference.py            10 steps with dlc's dropout masks: writes losses.json
    python models/text_classifier/reference.py --train N  N steps with PyTorch's, then the accuracy and the time
"""

import collections
import gzip
import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import reference_tools as tools
import reference_training

WORDS, LENGTH, WIDTH, HIDDEN, HEADS, LAYERS, DROPOUT, BATCH = 10000, 48, 64, 128, 4, 2, 0.3, 64
RATE, WARMUP, DECAY_STEPS = 2e-3, 200, 1906
DATA = pathlib.Path(__file__).parent.parent / "data" / "sst2"


def read_split(name):
    """Sentences as lists of words, and their labels."""
    with gzip.open(DATA / f"{name}.tsv.gz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    return [text.split() for text, _ in rows], np.array([int(label) for _, label in rows])


def vocabulary():
    """As the loader `sentences` has it: 0 fills up, 1 is unknown, then the most frequent words of train."""
    counts = collections.Counter(word for sentence in read_split("train")[0] for word in sentence)
    words = sorted(counts, key=lambda word: (-counts[word], word))[:WORDS - 2]
    return {word: index + 2 for index, word in enumerate(words)}


def encoded(name, words):
    """tokens i64 (rows, LENGTH), length i64 (rows,), label i64 (rows,)."""
    sentences, label = read_split(name)
    tokens = np.zeros((len(sentences), LENGTH), np.int64)
    for row, sentence in enumerate(sentences):
        for place, word in enumerate(sentence[:LENGTH]):
            tokens[row, place] = words.get(word, 1)
    return tokens, np.array([min(len(sentence), LENGTH) for sentence in sentences]), label


class Dropout:
    """PyTorch's masks, or dlc's of a step: those of the site at `path`."""

    def __init__(self, exact):
        self.exact, self.iteration, self.training = exact, 0, True

    def __call__(self, x, path):
        if not self.training or not self.exact:
            return F.dropout(x, DROPOUT, self.training)
        u = tools.uniform(tuple(x.shape), tools.site(f"{path}/random_uniform#0"), iteration=self.iteration)
        return torch.where(torch.from_numpy(u >= DROPOUT), x * (1 / (1 - DROPOUT)), torch.zeros(()))


class Block(nn.Module):
    """nn.TransformerEncoderLayer with norm_first, and masks of one's own."""

    def __init__(self):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)

    def forward(self, x, is_word, dropout, path):
        n, t, d = x.shape
        attn = self.self_attn
        parts = F.linear(self.norm1(x), attn.in_proj_weight, attn.in_proj_bias)
        q, k, v = parts.view(n, t, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4)
        scores = (q @ k.mT * (d // HEADS) ** -0.5).masked_fill(~is_word[:, None, None], -1e30)
        mixed = dropout(scores.softmax(-1), f"{path}.self_attn.out.dropout") @ v
        x = x + dropout(attn.out_proj(mixed.transpose(1, 2).reshape(n, t, d)), f"{path}.dropout")
        hidden = dropout(F.relu(self.linear1(self.norm2(x))), f"{path}.dropout_1")
        return x + dropout(self.linear2(hidden), f"{path}.dropout_2")


class TextClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.layers = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.head = nn.Linear(WIDTH, 2)
        angle = torch.arange(LENGTH)[:, None] * 10000 ** (torch.arange(0, WIDTH, 2) * (-1 / WIDTH))
        self.positions = torch.stack([angle.sin(), angle.cos()], -1).view(LENGTH, WIDTH)

    def forward(self, tokens, length, dropout):
        is_word = torch.arange(LENGTH) < length[:, None]
        x = dropout(self.embedding(tokens) + self.positions, "x")
        for i, block in enumerate(self.layers):
            x = block(x, is_word, dropout, f"layers.{i}")
        mean = (x * is_word[..., None]).sum(1) / length[:, None]
        return self.head(dropout(mean, "dropout"))


def initial_value(name, shape):
    if name == "embedding.weight":
        return tools.initial_normal(name, shape)
    if "norm" in name:
        return np.full(shape, name.endswith("weight"), np.float32)
    if name.endswith("in_proj_weight"):
        return tools.initial_uniform(name, shape, (6 / sum(shape)) ** 0.5)
    if "self_attn" in name and name.endswith("bias"):
        return np.zeros(shape, np.float32)
    fan_in = HIDDEN if "linear2" in name else WIDTH
    return tools.initial_uniform(name, shape, fan_in ** -0.5)


def rate(step):
    """The learning rate's factor in a step counted from 0."""
    return min(step / WARMUP, 1) * (1 - min(max(step - WARMUP, 0) / DECAY_STEPS, 1))


class Training:
    def __init__(self, exact):
        self.words = vocabulary()
        self.model, self.dropout = TextClassifier(), Dropout(exact)
        tools.load_values(self.model, initial_value)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=RATE, weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, rate)

    def batches(self, steps):
        columns = encoded("train", self.words)
        for chosen in tools.batches_of_rows(len(columns[0]), BATCH, steps):
            yield tuple(column[chosen] for column in columns)

    def step(self, tokens, length, label):
        self.dropout.iteration += 1
        loss = F.cross_entropy(self.model(tokens, length, self.dropout), label)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        return loss.item()

    def evaluate(self):
        self.dropout.training = False
        tokens, length, label = map(torch.from_numpy, encoded("dev", self.words))
        guess = self.model(tokens, length, self.dropout).argmax(1)
        return f"dev accuracy {(guess == label).float().mean():.4f}"


if __name__ == "__main__":
    training = Training(exact="--train" not in sys.argv)
    reference_training.main(pathlib.Path(__file__).with_name("losses.json"), training, BATCH, training.batches,
                            training.evaluate)
