# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""exchange_weights.py DLC-RUN MNIST.dla MODELS FOLDER: see weights-with-pytorch.test."""

import subprocess
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file

PROGRAM, ARTIFACT, MODELS, FOLDER = sys.argv[1:5]
sys.path.insert(0, f"{MODELS}/mnist")
import reference

image = np.random.default_rng(0).random((16, 1, 28, 28), np.float32)
np.save(f"{FOLDER}/image.npy", image)


def largest_difference(weights, network):
    """Between our predictions with a weights file and PyTorch's with a network."""
    subprocess.run([PROGRAM, "run", ARTIFACT, "predict", "--weights", weights, "--in", f"image={FOLDER}/image.npy", "--out",
                    f"{FOLDER}/ours.npy"], check=True)
    with torch.inference_mode():
        theirs = torch.softmax(network.eval()(torch.from_numpy(image)), -1).numpy()
    return float(np.abs(np.load(f"{FOLDER}/ours.npy") - theirs).max())


subprocess.run([PROGRAM, "train", ARTIFACT, "--steps", "5", "--no-eval", "--save", f"{FOLDER}/ours.safetensors"], check=True)
network = reference.Mnist()
network.load_state_dict(load_file(f"{FOLDER}/ours.safetensors"), strict=True)
difference = largest_difference(f"{FOLDER}/ours.safetensors", network)
print(f"our weights in PyTorch: largest difference {difference:.2e}, tolerance 1e-5")
assert difference <= 1e-5

network = reference.Mnist()
save_file(network.state_dict(), f"{FOLDER}/theirs.safetensors")
difference = largest_difference(f"{FOLDER}/theirs.safetensors", network)
print(f"PyTorch's weights in ours: largest difference {difference:.2e}, tolerance 1e-5")
assert difference <= 1e-5
