# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""crash.py DLC MODEL: see crash.test."""

import re
import signal
import subprocess
import sys
import time

program, model = sys.argv[1:]
PREFIX = "dlc: error: a bug in dlc, please report it: it crashed "
phases = set()


def crash(number, seconds):
    process = subprocess.Popen([program, "compile", model, "-o", "/dev/null"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(number)
    message = process.communicate()[1]
    return process.returncode, message


for number, text in ((signal.SIGSEGV, "segmentation fault"), (signal.SIGFPE, "division by zero"),
                     (signal.SIGABRT, "aborted"), (signal.SIGILL, "illegal instruction"), (signal.SIGBUS, "bus error")):
    # Not before the program has started to catch signals, not after it is done.
    for seconds in (0.15, 0.3, 0.6, 1.2, 2.4):
        status, message = crash(number, seconds)
        if status == 70:
            break
    assert status == 70, (number, status, message)
    assert message.startswith(PREFIX + f"({text})"), message
    assert "llvm" not in message.lower(), message
    assert re.fullmatch(re.escape(PREFIX) + r"\([a-z ]+\)( in the phase '[a-z]+')?\n", message), message
print("ok")
