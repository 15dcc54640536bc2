# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command line of those reference scripts that also train at length, to compare figures and times with dlc's.

    reference.py                           10 steps: writes losses.json
    reference.py --train N [--threads T]   N steps, then what the model reaches, and the time
"""

import argparse
import pathlib
import time

import torch

import reference_tools as tools

SHAKESPEARE = pathlib.Path(__file__).parent / "data" / "tinyshakespeare" / "input.txt"
STEPS = 10


def train(training, batches):
    """Runs training.step on each batch; the losses and the seconds that the steps took."""
    losses, seconds = [], 0.0
    for batch in batches:
        batch = tuple(map(torch.from_numpy, batch))
        begin = time.perf_counter()
        losses.append(training.step(*batch))
        seconds += time.perf_counter() - begin
    return losses, seconds


def main(losses_path, training, batch, batches, evaluate):
    """training.step trains on a batch and gives its loss; batches(steps) gives the batches, tuples of NumPy arrays;
    evaluate() gives the figures of the trained model as a text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", type=int, metavar="N")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    losses, seconds = train(training, batches(options.train or STEPS))
    if not options.train:
        tools.write_losses(losses_path, batch, {"step.loss": losses})
        return
    with torch.inference_mode():
        print(f"{evaluate()} ({len(losses)} steps, {seconds:.1f} s, {1e3 * seconds / len(losses):.2f} ms a step)")


def continue_text(losses_path, training, window, batch):
    """main for a model that continues Shakespeare: training.step(text, next), training.loss(text, next)."""

    def evaluate():
        total = count = 0
        for text, following in tools.validation_windows(SHAKESPEARE, window, 64):
            total += training.loss(torch.from_numpy(text), torch.from_numpy(following)).item() * len(text)
            count += len(text)
        return f"validation loss {total / count:.4f}"

    main(losses_path, training, batch, lambda steps: tools.text_batches(SHAKESPEARE, window, batch, steps), evaluate)
