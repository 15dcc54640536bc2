#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packs CIFAR-10, as Krizhevsky published it, into the zip that models/resnet20 trains on.

    pack.py cifar-10-binary.tar.gz cifar10.zip

The archive is at https://www.cs.toronto.edu/~kriz/cifar.html, "CIFAR-10 binary version". The zip holds each picture without
loss, as train/CLASS/NNNNN.png and test/CLASS/NNNNN.png. Needs no package.
"""

import pathlib
import struct
import sys
import tarfile
import zipfile
import zlib

SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE  # the label; then rows of red, of green and of blue


def png(planes):
    """An 8-bit RGB PNG of three planes of SIDE · SIDE bytes each."""
    size = SIDE * SIDE
    pixels = bytearray(3 * size)
    for channel in range(3):
        pixels[channel::3] = planes[channel * size:(channel + 1) * size]
    lines = b"".join(b"\0" + pixels[3 * SIDE * y:3 * SIDE * (y + 1)] for y in range(SIDE))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    source, result = sys.argv[1], pathlib.Path(sys.argv[2])
    with tarfile.open(source) as archive:
        files = {pathlib.PurePosixPath(member.name).name: archive.extractfile(member).read()
                 for member in archive if member.isfile()}
    wanted = [("train", f"data_batch_{i}.bin") for i in range(1, 6)] + [("test", "test_batch.bin")]
    missing = [name for name in ["batches.meta.txt", *(name for _, name in wanted)] if name not in files]
    if missing:
        sys.exit(f"{source}: no {missing[0]}: expected the binary version of CIFAR-10")
    classes = files["batches.meta.txt"].decode().split()
    partial = result.with_name(result.name + ".partial")
    counts = {"train": 0, "test": 0}
    with zipfile.ZipFile(partial, "w") as packed:
        for split, name in wanted:
            data = files[name]
            if len(data) % RECORD:
                sys.exit(f"{source}: {name} has {len(data)} bytes, which are no whole records of {RECORD}")
            for at in range(0, len(data), RECORD):
                if data[at] >= len(classes):
                    sys.exit(f"{source}: {name}: label {data[at]} at offset {at}, of {len(classes)} classes")
                packed.writestr(f"{split}/{classes[data[at]]}/{counts[split]:05}.png", png(data[at + 1:at + RECORD]))
                counts[split] += 1
    partial.replace(result)
    print(f"{result}: {counts['train']} pictures to train on, {counts['test']} to test")


if __name__ == "__main__":
    main()
