# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints which tensors of two safetensors files have the same bytes, which differ, and which only one has.

usage: equal_tensors.py A B
"""

import json
import struct
import sys


def tensors(path):
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length :]
    return {name: body[slice(*entry["data_offsets"])] for name, entry in header.items()}


a, b = tensors(sys.argv[1]), tensors(sys.argv[2])
for name in sorted(a.keys() | b.keys()):
    both = name in a and name in b
    print(name + ":", "one only" if not both else "equal" if a[name] == b[name] else "differ")
