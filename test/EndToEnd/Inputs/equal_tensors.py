# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints which tensors of two safetensors files have the same bytes, which differ, and which only one has. With a
tolerance also those, in f32, of which no two elements differ by more.

usage: equal_tensors.py A B [TOLERANCE]
"""

import array
import json
import struct
import sys

tolerance = float(sys.argv[3]) if len(sys.argv) > 3 else None


def compare(a, b):
    if a == b:
        return "equal"
    if tolerance is None or len(a) != len(b):
        return "differ"
    distances = [abs(x - y) for x, y in zip(array.array("f", a), array.array("f", b))]
    return "close" if all(distance <= tolerance for distance in distances) else f"differ by up to {max(distances):.3g}"


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
    print(name + ":", compare(a[name], b[name]) if both else "one only")
