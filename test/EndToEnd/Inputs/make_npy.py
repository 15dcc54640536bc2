# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes an array: make_npy.py FILE TYPE DIMENSION... [values=1,2,3], TYPE such as <f4. Needs no NumPy."""

import math
import struct
import sys

words = sys.argv[3:]
given = words.pop().removeprefix("values=").split(",") if words and words[-1].startswith("values=") else None
path, kind, dims = sys.argv[1], sys.argv[2], [int(word) for word in words]
count = math.prod(dims)
shape = "(" + "".join(f"{d}," for d in dims) + ")"
header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
code = {"<f4": "f", "<f8": "d", "<i4": "i", "<u2": "H"}[kind]
values = [i % 7 if code in "iH" else (i * 37 % 101) / 101 for i in range(count)]
if given:
    values = [(int if code in "iH" else float)(word) for word in given]
with open(path, "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{count}{code}", *values))
