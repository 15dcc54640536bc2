# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that a compiled model trains as PyTorch does, against the committed figures of its reference.py.

    compare_with_pytorch.py DLC MODEL.dl REFERENCE.safetensors [DATA-DIRECTORY]

From the initial weights of seed 0, with the same batches and masks: the losses of the first steps, the gradients of
step 1 (Adam's first moment after one step is (1 - beta1) times the gradient) and the change of the weights over all
steps. Prints the largest difference of each kind and the tolerance; fails when one is exceeded. Needs NumPy only.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

LOSS_TOLERANCE = 1e-4  # relative
GRADIENT_TOLERANCE = 1e-4  # relative L2, per tensor
CHANGE_TOLERANCE = 1e-3  # relative L2, per tensor
ADAM_BETA1 = 0.9
DTYPES = {"F32": np.float32, "F64": np.float64, "I64": np.int64, "I32": np.int32}


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            raw = data[8 + length + begin:8 + length + end]
            tensors[name] = np.frombuffer(raw, DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, header.get("__metadata__", {})


def relative_l2(actual, expected):
    difference = actual.astype(np.float64) - expected.astype(np.float64)
    return float(np.linalg.norm(difference) / np.linalg.norm(expected.astype(np.float64)))


def main():
    program, model, reference_path = sys.argv[1:4]
    data = ["--data", sys.argv[4]] if len(sys.argv) > 4 else []
    reference, metadata = read_safetensors(reference_path)
    steps, batch = int(metadata["steps"]), metadata["batch"]

    with tempfile.TemporaryDirectory() as folder:
        artifact = f"{folder}/model.dla"
        subprocess.run([program, "compile", model, "-o", artifact], check=True)

        def train(count):
            """The losses of `count` steps, the weights after them and everything in the checkpoint."""
            weights = f"{folder}/{count}.safetensors"
            output = subprocess.run(
                [program, "train", artifact, "--steps", str(count), "--batch", batch, "--seed", "0", "--json",
                 "--no-eval", "--save", weights] + data, check=True, capture_output=True, text=True).stdout
            events = [json.loads(line) for line in output.splitlines()]
            losses = [event["step.loss"] for event in events if event["event"] == "step"]
            return losses, read_safetensors(weights)[0], read_safetensors(f"{folder}/{count}.checkpoint.safetensors")[0]

        _, before, _ = train(0)
        _, _, first = train(1)
        losses, after, _ = train(steps)

    names = [name.removeprefix("change.") for name in reference if name.startswith("change.")]
    assert sorted(names) == sorted(before), f"parameters: expected {sorted(names)}, got {sorted(before)}"
    assert len(losses) == steps, f"expected {steps} losses, got {len(losses)}"
    checks = [("loss", LOSS_TOLERANCE, [(f"step {k + 1}", abs(own - peer) / abs(peer))
                                        for k, (own, peer) in enumerate(zip(losses, reference["losses"].tolist()))]),
              ("gradient", GRADIENT_TOLERANCE,
               [(name, relative_l2(first[f"dlc/step.{name}.m"] / np.float32(1 - ADAM_BETA1),
                                   reference[f"gradient.{name}"])) for name in names]),
              ("change of the weights", CHANGE_TOLERANCE,
               [(name, relative_l2(after[name] - before[name], reference[f"change.{name}"])) for name in names])]
    failed = False
    for kind, tolerance, differences in checks:
        where, largest = max(differences, key=lambda pair: pair[1])
        print(f"{kind}: largest relative difference {largest:.2e} ({where}), tolerance {tolerance:.0e}")
        failed |= not largest <= tolerance
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
