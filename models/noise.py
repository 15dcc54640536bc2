# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes normally distributed numbers for a generator to draw from: f32[COUNT, 64], always the same.

    noise.py COUNT FILE.npy

Needs no package.
"""

import pathlib
import random
import struct
import sys

SIZE = 64


def main():
    count, path = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    numbers = random.Random(0)
    values = [numbers.gauss(0, 1) for _ in range(count * SIZE)]
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {SIZE}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{len(values)}f", *values))


if __name__ == "__main__":
    main()
