# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a small data set in MNIST's form: make_mnist.py FOLDER TRAIN-ROWS TEST-ROWS. Row i has label i mod 10; its
image has a bright bar whose place tells the label, and some noise."""

import pathlib
import struct
import sys


def write(folder, stem, rows, seed):
    state, images = seed, bytearray()
    for row in range(rows):
        image = bytearray(28 * 28)
        for i in range(28 * 28):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            image[i] = (state >> 16) % 64
        for y in range(4, 24):
            for x in range(2):
                image[y * 28 + 4 + 2 * (row % 10) + x] = 255
        images += image
    (folder / f"{stem}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, rows, 28, 28) + images)
    labels = bytes(row % 10 for row in range(rows))
    (folder / f"{stem}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, rows) + labels)


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
write(folder, "train", int(sys.argv[2]), 1)
write(folder, "t10k", int(sys.argv[3]), 2)
