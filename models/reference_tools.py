# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the reference scripts of the models share: dlc's random numbers, data order and initial values in NumPy,
and the training run in PyTorch whose figures the compiled model must reproduce.

The scripts need torch, safetensors and xxhash from PyPI; the tests need only the files that they write.
"""

import gzip
import json
import pathlib
import random
import struct

import numpy as np

MASK64 = (1 << 64) - 1
STEPS = 20
BATCH = 64


def splitmix64(x):
    """Steele, Lea, Flood 2014, on one Python integer."""
    x = (x + 0x9E3779B97F4A7C15) & MASK64
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK64
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK64
    return x ^ x >> 31


def site(text):
    """The 64-bit key of a random site: xxhash64 of its text."""
    import xxhash

    return xxhash.xxh64_intdigest(text.encode(), seed=0)


def uniform(shape, site_key, seed=0, iteration=0, index=0):
    """Uniform f32 in [0, 1): Philox4x32-10 as compiler/Numerics.h defines it, element = row-major index."""
    key = splitmix64(seed) ^ site_key
    key0, key1 = np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32)
    element = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.uint64)
    position = (element >> np.uint64(6)) * np.uint64(16) + (element & np.uint64(15))
    low = np.uint64(0xFFFFFFFF)
    counter = [position & low, position >> np.uint64(32),
               np.full_like(element, iteration & 0xFFFFFFFF), np.full_like(element, index & 0xFFFFFFFF)]
    for _ in range(10):
        product0 = np.uint64(0xD2511F53) * counter[0]
        product1 = np.uint64(0xCD9E8D57) * counter[2]
        counter = [(product1 >> np.uint64(32)) ^ counter[1] ^ key0, product1 & low,
                   (product0 >> np.uint64(32)) ^ counter[3] ^ key1, product0 & low]
        key0 = (key0 + np.uint64(0x9E3779B9)) & low
        key1 = (key1 + np.uint64(0xBB67AE85)) & low
    word = np.choose(((element >> np.uint64(4)) & np.uint64(3)).astype(np.intp), counter)
    return ((word >> np.uint64(8)).astype(np.float32) * np.float32(2.0 ** -24)).reshape(shape)


def shuffled_order(seed, epoch, size):
    """The rows of an epoch in training order, as runtime/data/batcher.h defines it."""
    order = list(range(size))
    draw = splitmix64(splitmix64(seed) ^ epoch)
    for i in range(size - 1, 0, -1):
        bound = i + 1
        while True:
            product = splitmix64(draw) * bound
            draw = (draw + 1) & MASK64
            if (product & MASK64) >= (1 << 64) % bound:
                break
        j = product >> 64
        order[i], order[j] = order[j], order[i]
    return order


def batches_of_rows(rows, batch, steps, seed=0):
    """The rows of the first batches; the last batch of an epoch has what is left."""
    per_epoch = -(-rows // batch)
    for step in range(steps):
        if step % per_epoch == 0:
            order = shuffled_order(seed, step // per_epoch, rows)
        first = step % per_epoch * batch
        yield order[first:first + batch]


def draw_below(bound, seed, epoch, row, k):
    """An integer in [0, bound): the k-th draw for a row of an epoch, as runtime/data/dataset.h defines it."""
    start = splitmix64(splitmix64(splitmix64(seed) ^ epoch) ^ row)
    return splitmix64((start + 1 + k) & MASK64) * bound >> 64


def character_tokens(path, validation):
    """The training part and the rest of a text as the loader `text` splits it: i64, characters by code point."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    vocabulary = {character: token for token, character in enumerate(sorted(set(text)))}
    tokens = np.array([vocabulary[character] for character in text], np.int64)
    train = len(tokens) - int(len(tokens) * validation)
    return tokens[:train], tokens[train:]


def text_batches(path, window, batch, steps, validation=0.1, seed=0):
    """The first batches of the loader `text` with its random windows: i64 (batch, window) twice, the second one
    character later. runtime/data/text.cpp defines the windows."""
    tokens, _ = character_tokens(path, validation)
    starts = len(tokens) - window
    rows = (starts + window - 1) // window
    for step, chosen in enumerate(batches_of_rows(rows, batch, steps, seed)):
        epoch = step // -(-rows // batch)
        index = np.array([[draw_below(starts, seed, epoch, row, 0)] for row in chosen]) + np.arange(window)
        yield tokens[index], tokens[index + 1]


def validation_windows(path, window, batch, validation=0.1):
    """The split `validation` of the loader `text`: consecutive windows, in batches as text_batches gives them."""
    _, tokens = character_tokens(path, validation)
    rows = (len(tokens) - 1) // window
    index = np.arange(rows)[:, None] * window + np.arange(window)
    for first in range(0, rows, batch):
        chosen = index[first:first + batch]
        yield tokens[chosen], tokens[chosen + 1]


def mnist_split(split):
    """train or test: images f32 (count, 1, 28, 28) in [0, 1], labels i64 (count,)."""
    folder = pathlib.Path(__file__).parent / "data" / "mnist"
    prefix = {"train": "train", "test": "t10k"}[split]
    with gzip.open(folder / f"{prefix}-images-idx3-ubyte.gz") as file:
        _, count, rows, columns = struct.unpack(">IIII", file.read(16))
        images = np.frombuffer(file.read(), np.uint8).reshape(count, 1, rows, columns)
    with gzip.open(folder / f"{prefix}-labels-idx1-ubyte.gz") as file:
        file.read(8)
        labels = np.frombuffer(file.read(), np.uint8)
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int64)


def mnist_batches(steps=STEPS, seed=0):
    """The first batches: images f32 (BATCH, 1, 28, 28) in [0, 1], labels i64 (BATCH,)."""
    images, labels = mnist_split("train")
    for chosen in batches_of_rows(len(images), BATCH, steps, seed):
        yield images[chosen], labels[chosen]


def initial_uniform(name, shape, bound):
    """dlc's initial value uniform in [-bound, bound) for seed 0."""
    u = uniform(shape, site(f"init/{name}#0"))
    return u * np.float32(2 * bound) - np.float32(bound)


def initial_normal(name, shape, std=1):
    """dlc's normally distributed initial value for seed 0, by Box and Muller as frontend/std/initializers.dl has it."""
    u = np.float32(1) - uniform(shape, site(f"init/{name}#0"))
    v = uniform(shape, site(f"init/{name}#1"))
    return np.sqrt(-2 * np.log(u)) * np.cos(np.float32(2 * np.pi) * v) * np.float32(std)


def load_values(model, value_of):
    """Sets each parameter of a PyTorch module to value_of(name, shape), in NumPy; buffers stay as they are."""
    import torch

    values = {name: value for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        values[name] = torch.from_numpy(np.asarray(value_of(name, tuple(parameter.shape)), np.float32))
    model.load_state_dict(values, strict=True)


def write_losses(path, batch, losses):
    """Writes what test/EndToEnd/compare_losses.py compares: {"step.loss": [one for each step], ...}."""
    import torch

    steps = len(next(iter(losses.values())))
    lines = [f'  "{name}": {json.dumps([round(value, 6) for value in values])}' for name, values in losses.items()]
    text = f'{{"torch": "{torch.__version__}", "steps": {steps}, "batch": {batch}, "losses": {{\n'
    pathlib.Path(path).write_text(text + ",\n".join(lines) + "\n}}\n", encoding="utf-8")
    for name, values in losses.items():
        print(f"{path}: {name} {values[0]:.6f} … {values[-1]:.6f}")


def load_initial_weights(model):
    """PyTorch's default bounds, 1/sqrt(fan_in) for weights and biases, with dlc's random numbers."""
    import torch
    from torch import nn

    with torch.no_grad():
        for module_name, module in model.named_modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
                bound = 1 / np.sqrt(module.weight[0].numel())
                for name in ("weight", "bias"):
                    value = getattr(module, name)
                    if value is None:
                        continue
                    full_name = f"{module_name}.{name}"
                    value.copy_(torch.from_numpy(initial_uniform(full_name, tuple(value.shape), bound)))


def write_reference(path, model, loss_of, optimizer, scheduler=None):
    """Trains STEPS steps and writes losses, step-1 gradients, and the parameters before and after.

    loss_of(model, image, label, iteration) is the loss of one batch; iteration counts from 1.
    Parameters before step 1 are written only if they are small: init reproduces them.
    """
    import torch
    from safetensors.numpy import save_file

    tensors, losses = {}, []
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    for step, (image, label) in enumerate(mnist_batches()):
        loss = loss_of(model, torch.from_numpy(image), torch.from_numpy(label), step + 1)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            for name, value in model.named_parameters():
                tensors[f"gradient.{name}"] = value.grad.numpy().copy()
        optimizer.step()
        if scheduler:
            scheduler.step()
        losses.append(loss.item())
    for name, value in model.named_parameters():
        tensors[f"change.{name}"] = (value.detach() - before[name]).numpy()
    tensors["losses"] = np.array(losses, np.float32)
    save_file(tensors, path, metadata={"torch": torch.__version__, "steps": str(STEPS), "batch": str(BATCH)})
    print(f"{path}: losses {losses[0]:.6f} … {losses[-1]:.6f}")


def normal_noise(shape, iteration, path="random_normal", seed=0):
    """What random_normal draws: the Box-Muller transform of its two uniform tensors."""
    u, v = (uniform(shape, site(f"{path}/random_uniform#{k}"), seed, iteration) for k in range(2))
    return np.sqrt(np.float32(-2) * np.log(np.float32(1) - u)) * np.cos(np.float32(6.283185307179586) * v)


def write_pictures(generator, path, count=1000):
    """Writes what a generator draws of the numbers of models/noise.py; says so."""
    import torch

    numbers = random.Random(0)
    noise = np.array([numbers.gauss(0, 1) for _ in range(count * 64)], np.float32).reshape(count, 64)
    np.save(path, generator(torch.from_numpy(noise)).numpy())
    return f"{count} pictures in {path}"
