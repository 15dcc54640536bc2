# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""interrupt.py DLC-RUN ARTIFACT FOLDER: see interrupt.test."""

import json
import os
import pathlib
import pty
import shlex
import signal
import subprocess
import sys
import time

PROGRAM, ARTIFACT, FOLDER = sys.argv[1:4]
STEPS, BATCH = 400, 50
os.chdir(FOLDER)
QUOTED = "it's $HOME.safetensors"
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # lit's workers ignore Ctrl-C, and what is ignored stays so in children


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

for number, at_step in ((signal.SIGINT, 3), (signal.SIGTERM, 51), (signal.SIGHUP, 7)):
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
first = pathlib.Path("handmade.checkpoint.safetensors").read_bytes()
status, lines = start_and_stop(signal.SIGINT, 4)
assert lines[-1]["checkpoint"] == "handmade-2.checkpoint.safetensors" and os.path.exists(lines[-1]["checkpoint"]), lines[-1]
assert pathlib.Path("handmade.checkpoint.safetensors").read_bytes() == first, "the second interruption replaced the first"
# What goes on from there is saved there.
run(PROGRAM, *shlex.split(lines[-1]["resume"])[1:])
assert pathlib.Path("handmade-2.checkpoint.safetensors").read_bytes() == straight, "resumed without --save differs"
assert pathlib.Path("handmade-2.safetensors").exists()

# Nor does it take a name whose weights, or best weights, are there: the training that goes on would save over them.
for path in pathlib.Path(".").glob("handmade*.safetensors"):
    path.unlink()
pathlib.Path("handmade.safetensors").write_text("weights")
pathlib.Path("handmade-2.best.safetensors").write_text("weights")
status, lines = start_and_stop(signal.SIGINT, 2)
assert lines[-1]["checkpoint"] == "handmade-3.checkpoint.safetensors", lines[-1]
run(PROGRAM, *shlex.split(lines[-1]["resume"])[1:])
assert pathlib.Path("handmade.safetensors").read_text() == "weights" and pathlib.Path("handmade-3.safetensors").exists()

# What was started to ignore a signal does: nohup, and a script's jobs in the background.
signal.signal(signal.SIGHUP, signal.SIG_IGN)
status, lines = start_and_stop(signal.SIGHUP, 3, "--save", "hup.safetensors")
signal.signal(signal.SIGHUP, signal.SIG_DFL)
assert status == 0 and lines[-1]["event"] == "done", (status, lines[-1])

# Killed while it saves after every step: whatever the moment, the checkpoint that is there is whole.
for at_step in (2, 5, 9):
    for path in pathlib.Path(".").glob("killed.*"):
        path.unlink()
    status, lines = start_and_stop(signal.SIGKILL, at_step, "--save", "killed.safetensors", "--save-every", "1")
    assert status == -signal.SIGKILL
    run(*command("--resume", "killed.safetensors", "--save", "killed.safetensors", "--save-every", "1000"))
    assert pathlib.Path("killed.checkpoint.safetensors").read_bytes() == straight, f"resumed after kill at {at_step} differs"

# The command that resumes survives a shell, whatever the name.
status, lines = start_and_stop(signal.SIGINT, 2, "--save", QUOTED)
assert status == 130, status
resume = lines[-1]["resume"].replace("dlc-run", shlex.quote(PROGRAM), 1)
assert subprocess.run(["sh", "-c", resume], stdout=subprocess.DEVNULL).returncode == 0, resume
assert pathlib.Path("it's $HOME.checkpoint.safetensors").read_bytes() == straight, "resumed by a shell differs"

# On a terminal, a message says that the signal has come.
master, slave = pty.openpty()
process = subprocess.Popen(command("--json", "--save", "terminal.safetensors"), stdout=subprocess.PIPE, stderr=slave,
                           text=True, pipesize=4096)
os.close(slave)
for line in process.stdout:
    if '"event":"step","step":3,' in line:
        process.send_signal(signal.SIGINT)
assert process.wait() == 130, process.returncode
message = os.read(master, 4096).decode()
assert "ending after this step; once more ends at once" in message, message
os.close(master)

# A signal in the last evaluation: what is asked for is not complete. 40,000 rows, one at a time, take a while.
many = pathlib.Path("many")
many.mkdir()
for path in pathlib.Path("data").iterdir():
    header = 16 if "images" in path.name else 8
    text, times = path.read_bytes(), 1000 if path.name.startswith("t10k") else 1
    count = int.from_bytes(text[4:8], "big") * times
    (many / path.name).write_bytes(text[:4] + count.to_bytes(4, "big") + text[8:header] + text[header:] * times)
words = [PROGRAM, "train", ARTIFACT, "--data", "many", "--batch", "1", "--steps", "2", "--save", "last.safetensors"]
# The steps are saved before the evaluation: it may take long, and be killed.
process = subprocess.Popen(words + ["--json"], stdout=subprocess.PIPE, text=True)
for line in process.stdout:
    if json.loads(line)["event"] == "save":
        process.kill()
assert process.wait() == -signal.SIGKILL, process.returncode
assert pathlib.Path("last.safetensors").exists() and pathlib.Path("last.checkpoint.safetensors").exists()
for json_flag in (["--json"], []):
    process = subprocess.Popen([*words, "--json", "--no-eval"], stdout=subprocess.DEVNULL)
    process.wait()
    process = subprocess.Popen(words + json_flag + ["--resume", "last.safetensors"], stdout=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate()
    assert process.returncode == 130, (process.returncode, first, rest)
    assert "test." not in rest and "done" not in rest, rest
    assert ("interrupted in the evaluation after step 2" in rest) or '"event":"interrupted","step":2' in rest, rest

# A reader that goes away costs nothing: the steps until then are saved.
process = subprocess.Popen(command("--json", "--save", "piped.safetensors"), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
for _ in range(3):
    process.stdout.readline()
process.stdout.close()
message = process.stderr.read()
status = process.wait()
assert status == 2 and "error: cannot write to standard output" in message, (status, message)
assert "piped.checkpoint.safetensors holds the training after step" in message and "resume with: dlc-run train" in message
run(*command("--resume", "piped.safetensors", "--save", "piped.safetensors"))
assert pathlib.Path("piped.checkpoint.safetensors").read_bytes() == straight, "resumed after a broken pipe differs"

# A save that fails in between: the checkpoint, written first, holds the steps.
target = pathlib.Path("blocked.safetensors")
process = subprocess.Popen(command("--json", "--save", str(target), "--save-every", "1"), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, pipesize=4096)
process.stdout.readline()
while not target.is_dir():
    try:
        target.mkdir()
    except FileExistsError:
        target.unlink(missing_ok=True)
process.stdout.read()
message = process.stderr.read()
assert process.wait() == 1 and "cannot write blocked.safetensors: it is a folder" in message, message
assert "blocked.checkpoint.safetensors holds the training after step" in message, message
target.rmdir()
run(*command("--resume", "blocked.checkpoint.safetensors", "--save", "blocked.safetensors"))
assert pathlib.Path("blocked.checkpoint.safetensors").read_bytes() == straight, "resumed after a failed save differs"
print("ok")
