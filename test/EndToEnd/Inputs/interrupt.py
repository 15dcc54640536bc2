# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""interrupt.py DLC-RUN ARTIFACT FOLDER: see interrupt.test."""

import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys

PROGRAM, ARTIFACT, FOLDER = sys.argv[1:4]
STEPS, BATCH = 400, 50
os.chdir(FOLDER)


def command(*words):
    return [PROGRAM, "train", ARTIFACT, "--data", "data", "--batch", str(BATCH), "--steps", str(STEPS), "--seed", "4",
            "--no-eval", *words]  # a step takes about half a millisecond


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def start_and_stop(number, at_step, *words):
    """Sends a signal when a step is printed; returns the exit status and all lines."""
    # A small pipe: the training cannot run far ahead of what is read here.
    process = subprocess.Popen(command("--json", *words), stdout=subprocess.PIPE, text=True, pipesize=4096)
    lines = []
    for line in process.stdout:
        lines.append(json.loads(line))
        if lines[-1].get("event") == "step" and lines[-1]["step"] == at_step:
            process.send_signal(number)
    return process.wait(), lines


run(*command("--save", "straight.safetensors", "--save-every", "1000"))
straight = pathlib.Path("straight.checkpoint.safetensors").read_bytes()

for number, at_step in ((signal.SIGINT, 3), (signal.SIGTERM, 51)):
    status, lines = start_and_stop(number, at_step, "--save", "stopped.safetensors", "--save-every", "1000")
    last = lines[-1]
    assert status == 128 + number, f"exit status {status}, expected {128 + number}"
    assert last["event"] == "interrupted" and at_step <= last["step"] < STEPS, last
    resume = shlex.split(last["resume"])
    assert resume[0] == "dlc-run" and resume[-2:] == ["--resume", "stopped.checkpoint.safetensors"], resume
    run(PROGRAM, *resume[1:])
    assert pathlib.Path("stopped.checkpoint.safetensors").read_bytes() == straight, f"resumed after {number} differs"

# Without --save the checkpoint is named after the model.
status, lines = start_and_stop(signal.SIGINT, 2)
assert lines[-1]["checkpoint"] == "handmade.checkpoint.safetensors" and os.path.exists(lines[-1]["checkpoint"]), lines[-1]

# Killed while it saves after every step: whatever the moment, the checkpoint that is there is whole.
for at_step in (2, 5, 9):
    for path in pathlib.Path(".").glob("killed.*"):
        path.unlink()
    status, lines = start_and_stop(signal.SIGKILL, at_step, "--save", "killed.safetensors", "--save-every", "1")
    assert status == -signal.SIGKILL
    run(*command("--resume", "killed.safetensors", "--save", "killed.safetensors", "--save-every", "1000"))
    assert pathlib.Path("killed.checkpoint.safetensors").read_bytes() == straight, f"resumed after kill at {at_step} differs"
print("ok")
