# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""terminal.py COLUMNS COMMAND...: runs a command on a terminal of that width and prints what it drew, a line each.

Ends with the command's exit status."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(sys.argv[1]), 0, 0))
process = subprocess.Popen(sys.argv[2:], stdout=slave, stderr=slave)
os.close(slave)
output = b""
try:
    while chunk := os.read(master, 65536):
        output += chunk
except OSError:
    pass  # the terminal is gone when the process is
status = process.wait()
longest = 0
for line in output.decode().replace("\r\n", "\n").split("\n"):
    *redrawn, kept = line.split("\r\033[K")
    for text in filter(None, redrawn):
        longest = max(longest, len(text))
        print("redrawn:", text)
    print("kept:", kept)
print("longest redrawn line:", longest)
sys.exit(status)
