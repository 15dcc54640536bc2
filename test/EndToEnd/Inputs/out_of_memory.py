# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""out_of_memory.py FILE.npy COMMAND...: runs COMMAND --in x=FILE.npy, f32[n, 4] of 16 GiB, with 12 GiB of memory at most.

Prints what it says, and fails unless it ends with 2.
"""

import pathlib
import resource
import struct
import subprocess
import sys

LIMIT, ROWS = 12 << 30, 1 << 30
path, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({ROWS}, 4), }}".ljust(117) + "\n"
with path.open("wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.truncate(128 + 16 * ROWS)  # a hole: it takes no room
try:
    result = subprocess.run([*command, "--in", f"x={path}"], stderr=subprocess.PIPE, text=True, check=False,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT)))
finally:
    path.unlink()
print(result.stderr, end="")
sys.exit(0 if result.returncode == 2 else f"exit status {result.returncode}, expected 2")
