# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command line of those reference scripts that also train at length, to compare figures and times with dlc's.

    reference.py                           10 steps: writes losses.json
    reference.py --train N [--threads T]   N steps, then the time, and what the model reaches (not with --no-eval)
                 [--checkpoint FILE]       goes on from FILE if there is one, and writes it every 500 steps

A script gives main() a training: `step` trains on a batch, tensors, and returns one loss, or the figures that are compared
by name. A checkpoint keeps what has a state among the training's attributes: models, optimizers, schedules.
"""

import argparse
import itertools
import os
import pathlib
import time

import torch

import reference_tools as tools

SHAKESPEARE = pathlib.Path(__file__).parent / "data" / "tinyshakespeare" / "input.txt"
STEPS = 10
WARM_UP = 3
SAVE_EVERY = 500


class Progress:
    """What a checkpoint keeps beside the parts."""

    def __init__(self):
        self.figures = []
        self.timed, self.seconds = 0, 0.0  # without the first steps of each run

    @property
    def steps(self):
        return len(self.figures)


def parts_of(training):
    return [part for part in vars(training).values() if hasattr(part, "state_dict")]


def save(path, training, progress):
    torch.save({"parts": [part.state_dict() for part in parts_of(training)], "progress": vars(progress)}, f"{path}.new")
    os.replace(f"{path}.new", path)


def load(path, training, progress):
    saved = torch.load(path, weights_only=False)
    for part, state in zip(parts_of(training), saved["parts"], strict=True):
        part.load_state_dict(state)
    vars(progress).update(saved["progress"])


def train(training, batches, checkpoint=None):
    """Runs training.step on each batch behind those of the checkpoint."""
    progress = Progress()
    if checkpoint and os.path.exists(checkpoint):
        load(checkpoint, training, progress)
    for step, batch in enumerate(itertools.islice(batches, progress.steps, None)):
        batch = tuple(map(torch.from_numpy, batch))
        begin = time.perf_counter()
        figures = training.step(*batch)
        if step >= WARM_UP:
            progress.seconds += time.perf_counter() - begin
            progress.timed += 1
        progress.figures.append(figures if isinstance(figures, dict) else {"step.loss": figures})
        if checkpoint and progress.steps % SAVE_EVERY == 0:
            save(checkpoint, training, progress)
            print(progress.steps, progress.figures[-1], flush=True)
    if checkpoint:
        save(checkpoint, training, progress)
    return progress


def main(losses_path, training, batch, batches, evaluate):
    """batches(steps) gives the batches, tuples of NumPy arrays; evaluate() gives what the trained model reaches, as a
    text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", type=int, metavar="N")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--checkpoint")
    parser.add_argument("--no-eval", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    progress = train(training, batches(options.train or STEPS), options.checkpoint)
    if not options.train:
        tools.write_losses(losses_path, batch,
                           {name: [figures[name] for figures in progress.figures] for name in progress.figures[0]})
        return
    print(f"{progress.steps} steps, {1e3 * progress.seconds / max(progress.timed, 1):.3f} ms a step")
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
