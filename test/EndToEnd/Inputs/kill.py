# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""kill.py STEP CHECKPOINT COMMAND...: starts a training with --json and kills it (SIGKILL) once it has printed STEP.

Fails unless CHECKPOINT was saved before. Where the machine was so busy that the training came to its end first, it
begins anew.
"""

import json
import pathlib
import signal
import subprocess
import sys


def train_and_kill(at_step, command):
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pipesize=4096) as process:
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "step" and event["step"] == at_step:
                process.send_signal(signal.SIGKILL)
                break
        is_done = any('"event":"done"' in line for line in process.stdout)
    return 0 if is_done else process.returncode


def main():
    at_step, checkpoint, command = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    for _ in range(20):
        checkpoint.unlink(missing_ok=True)
        status = train_and_kill(at_step, command)
        if status == -signal.SIGKILL:
            return 0 if checkpoint.exists() else f"killed after step {at_step}, before {checkpoint} was saved"
        if status != 0:
            return f"exit status {status}, expected {-signal.SIGKILL}"
    return "the training always ended before it was killed"


if __name__ == "__main__":
    sys.exit(main())
