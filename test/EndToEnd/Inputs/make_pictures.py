# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make_pictures.py FILE.zip SEED: 60 + 20 PNG pictures of 8 x 8 in two classes, bright at the left or at the top."""

import random
import struct
import sys
import zipfile
import zlib


def png(pixels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + bytes(line) for line in pixels)
    header = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


random.seed(int(sys.argv[2]))
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for split, count in (("train", 30), ("test", 10)):
        for label in ("left", "top"):
            for i in range(count):
                bright = [[(x if label == "left" else y) < 4 for x in range(8)] for y in range(8)]
                pixels = [[random.randrange(256) // 2 + 127 * one for one in line] for line in bright]
                archive.writestr(f"{split}/{label}/{i:03}.png", png(pixels))
