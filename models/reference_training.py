# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command line of those reference scripts that also train at length, to compare figures and times with dlc's.

    reference.py                           10 steps: writes losses.json
    reference.py --train N [--threads T]   N steps, then the time, and what the model reaches (not with --no-eval)
"""

import argparse
import pathlib
import time

import torch

import reference_tools as tools

SHAKESPEARE = pathlib.Path(__file__).parent / "data" / "tinyshakespeare" / "input.txt"
STEPS = 10
WARM_UP = 3


def train(training, batches):
    """Runs training.step on each batch; the losses, and the seconds that a step took behind the first few."""
    losses, seconds = [], []
    for batch in batches:
        batch = tuple(map(torch.from_numpy, batch))
        begin = time.perf_counter()
        losses.append(training.step(*batch))
        seconds.append(time.perf_counter() - begin)
    timed = seconds[WARM_UP:] or seconds
    return losses, sum(timed) / len(timed)


def main(losses_path, training, batch, batches, evaluate):
    """training.step trains on a batch and gives its loss; batches(steps) gives the batches, tuples of NumPy arrays;
    evaluate() gives the figures of the trained model as a text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", type=int, metavar="N")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-eval", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    losses, seconds = train(training, batches(options.train or STEPS))
    if not options.train:
        tools.write_losses(losses_path, batch, {"step.loss": losses})
        return
    print(f"{len(losses)} steps, {1e3 * seconds:.3f} ms a step")
    if not options.no_eval:
        with torch.inference_mode():
            print(evaluate())


def continue_text(losses_path, training, window, batch):
    """main for a model that continues Shakespeare: training.step(text, next), training.loss(text, next)."""

    def evaluate():
        total = count = 0
        for text, following in tools.validation_windows(SHAKESPEARE, window, 64):
            total += training.loss(torch.from_numpy(text), torch.from_numpy(following)).item() * len(text)
            count += len(text)
        return f"validation loss {total / count:.4f}"

    main(losses_path, training, batch, lambda steps: tools.text_batches(SHAKESPEARE, window, batch, steps), evaluate)
