# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that a model's first losses are PyTorch's, against the losses.json that its reference.py wrote.

    compare_losses.py DLC MODEL.dl LOSSES.json [DATA]

From the initial weights of seed 0, with the same batches, masks and noise. Prints the largest relative difference and the
tolerance; fails when it is exceeded. Needs no package.
"""

import json
import subprocess
import sys

TOLERANCE = 1e-3  # relative


def main():
    program, model, path = sys.argv[1:4]
    data = ["--data", sys.argv[4]] if len(sys.argv) > 4 else []
    with open(path, encoding="utf-8") as file:
        reference = json.load(file)
    steps = reference["steps"]
    command = [program, "train", model, "--steps", str(steps), "--batch", str(reference["batch"]), "--seed", "0", "--json",
               "--no-eval"] + data
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    events = [event for event in map(json.loads, output.splitlines()) if event["event"] == "step"]
    failed = False
    for name, expected in reference["losses"].items():
        actual = [event[name] for event in events if name in event]
        if len(actual) != len(expected):
            print(f"{name}: expected {len(expected)} values, got {len(actual)}")
            failed = True
            continue
        differences = [abs(own - peer) / abs(peer) for own, peer in zip(actual, expected)]
        largest = max(differences)
        print(f"{name}: largest relative difference {largest:.1e} (step {differences.index(largest) + 1}), "
              f"tolerance {TOLERANCE:.0e}")
        failed |= not largest <= TOLERANCE
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
