# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the reference scripts of the models share: dlc's random numbers, data order and initial values in NumPy,
and the training run in PyTorch whose figures the compiled model must reproduce.

The scripts need torch, safetensors and xxhash from PyPI; the tests need only the files that they write.
"""

import gzip
import pathlib
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


def mnist_batches(steps=STEPS, seed=0):
    """The first batches of the first epoch: images f32 (BATCH, 1, 28, 28) in [0, 1], labels i64 (BATCH,)."""
    folder = pathlib.Path(__file__).parent / "data" / "mnist"
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        _, count, rows, columns = struct.unpack(">IIII", file.read(16))
        images = np.frombuffer(file.read(), np.uint8).reshape(count, 1, rows, columns)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        file.read(8)
        labels = np.frombuffer(file.read(), np.uint8)
    order = shuffled_order(seed, 0, count)
    for step in range(steps):
        chosen = order[step * BATCH:(step + 1) * BATCH]
        yield images[chosen].astype(np.float32) / np.float32(255), labels[chosen].astype(np.int64)


def initial_uniform(name, shape, bound):
    """dlc's initial value uniform in [-bound, bound) for seed 0."""
    u = uniform(shape, site(f"init/{name}#0"))
    return u * np.float32(2 * bound) - np.float32(bound)


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


def draw_below(bound, seed, epoch, row, k):
    """An integer in [0, bound): the k-th draw for a row of an epoch, as runtime/data/dataset.h defines it."""
    start = splitmix64(splitmix64(splitmix64(seed) ^ epoch) ^ row)
    return splitmix64((start + 1 + k) & MASK64) * bound >> 64


def normal_noise(shape, iteration, path="random_normal", seed=0):
    """What random_normal draws: the Box-Muller transform of its two uniform tensors."""
    u, v = (uniform(shape, site(f"{path}/random_uniform#{k}"), seed, iteration) for k in range(2))
    return np.sqrt(np.float32(-2) * np.log(np.float32(1) - u)) * np.cos(np.float32(6.283185307179586) * v)
