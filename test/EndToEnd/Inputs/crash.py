# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""crash.py DLC MODEL: see crash.test."""

import ctypes
import os
import platform
import re
import signal
import subprocess
import sys
import time

program, model = sys.argv[1:]
PREFIX = "dlc: error: a bug in dlc, please report it: it crashed ("
TGKILL = {"x86_64": 234, "aarch64": 131}[platform.machine()]


def start():
    return subprocess.Popen([program, "compile", model, "-o", "/dev/null"], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def crash(number, seconds):
    process = start()
    time.sleep(seconds)
    process.send_signal(number)
    message = process.communicate()[1]
    return process.returncode, message


def crash_thread(index):
    """Crashes a thread of the compiler that is not the main one, once there are any."""
    process = start()
    while process.poll() is None:
        threads = sorted(map(int, os.listdir(f"/proc/{process.pid}/task")))[1:]
        if len(threads) > index:
            time.sleep(0.02)
            ctypes.CDLL(None).syscall(TGKILL, process.pid, threads[index], int(signal.SIGSEGV))
            break
        time.sleep(0.001)
    return process.communicate()[1]


for number, text in ((signal.SIGSEGV, "segmentation fault"), (signal.SIGFPE, "division by zero"),
                     (signal.SIGABRT, "aborted"), (signal.SIGILL, "illegal instruction"), (signal.SIGBUS, "bus error")):
    # Not before the program has started to catch signals, not after it is done.
    for seconds in (0.15, 0.3, 0.6, 1.2, 2.4):
        status, message = crash(number, seconds)
        if status == 70:
            break
    assert status == 70, (number, status, message)
    assert message.startswith(PREFIX + f"{text})"), message
    assert "llvm" not in message.lower(), message
    assert re.fullmatch(re.escape(PREFIX) + r"[a-z ]+\)( in the phase '[a-z]+')?\n", message), message

# A thread that compiles a variant says in which phase it was; MLIR's own threads have none.
messages = [crash_thread(index) for index in range(12)]
phases = {phase for message in messages for phase in re.findall(r"in the phase '([a-z]+)'\n", message)}
assert phases & {"dispatch", "schedule", "loops", "code"}, messages
print("ok")
