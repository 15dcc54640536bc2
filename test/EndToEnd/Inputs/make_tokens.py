# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes texts of tokens under 65: i32[ROWS, N].

    make_tokens.py FILE.npy ROWS N
"""

import struct
import sys

rows, size = map(int, sys.argv[2:])
header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({rows}, {size}), }}".ljust(117) + "\n"
with open(sys.argv[1], "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.write(struct.pack(f"<{rows * size}i", *(7 * i * i % 65 for i in range(rows * size))))
