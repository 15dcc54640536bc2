# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arguments for the entries of the models that write text, and a look at what they wrote.

    make_tokens.py FILE.npy N        a prompt, i32[N]          make_tokens.py FILE.npy 0.8   a number, f32
    make_tokens.py FILE.npy ROWS N   texts, i32[ROWS, N]       make_tokens.py --check FILE.npy...
--check fails unless each file begins with the prompt of 5 tokens, and goes on with 500 of the 65 characters, more than
20 different ones.
"""

import struct
import sys


def tokens(count):
    return [7 * i * i % 65 for i in range(count)]


def write(path, sizes):
    if "." in sizes[0]:
        kind, shape, data = "<f4", (), struct.pack("<f", float(sizes[0]))
    else:
        shape = tuple(map(int, sizes))
        count = shape[0] * shape[-1] if len(shape) > 1 else shape[0]
        kind, data = "<i4", struct.pack(f"<{count}i", *tokens(count))
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def check(path):
    with open(path, "rb") as file:
        written = struct.unpack("<505i", file.read()[-505 * 4:])
    if list(written[:5]) != tokens(5):
        sys.exit(f"{path}: expected the prompt {tokens(5)}, found {written[:5]}")
    if not all(0 <= token < 65 for token in written) or len(set(written[5:])) <= 20:
        sys.exit(f"{path}: {written[5:]}")


if sys.argv[1] == "--check":
    for path in sys.argv[2:]:
        check(path)
else:
    write(sys.argv[1], sys.argv[2:])
