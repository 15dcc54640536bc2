# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Says how many drawn digits a classifier recognises, and paints the first hundred of them.

    judge.py PICTURES.npy [PROBABILITIES.npy]

PICTURES: f32 (n, 1, 28, 28), written as PICTURES.png in a grid of ten columns; PROBABILITIES: f32 (n, 10), what the
trained mnist model makes of them. Exit status 1 unless 80 % have a probability above 0.9, and each digit is 3 to 25 % of
those. Needs no package.
"""

import pathlib
import struct
import sys
import zlib

CONFIDENT, LEAST_RECOGNISED, LEAST_SHARE, MOST_SHARE = 0.9, 0.8, 0.03, 0.25


def read_npy(path):
    """The shape and the numbers of an f32 file in row-major order."""
    data = pathlib.Path(path).read_bytes()
    assert data[:6] == b"\x93NUMPY" and data[6] == 1, f"{path}: not a .npy file of version 1"
    (length,) = struct.unpack("<H", data[8:10])
    header = data[10:10 + length].decode()
    assert "'<f4'" in header and "'fortran_order': False" in header, f"{path}: expected f32 in row-major order, got {header}"
    shape = [int(size) for size in header.split("(")[1].split(")")[0].split(",") if size.strip()]
    return shape, struct.unpack(f"<{(len(data) - 10 - length) // 4}f", data[10 + length:])


def write_grid(path, shape, numbers, columns=10):
    """The first `columns` squared pictures as an 8-bit grey PNG; black where there are fewer."""
    count, _, height, width = shape
    rows = min(columns, -(-count // columns))
    numbers = numbers + (0.0,) * max(0, rows * columns - count) * height * width
    lines = []
    for row in range(rows):
        for y in range(height):
            line = [0]
            for column in range(columns):
                first = ((row * columns + column) * height + y) * width
                line += [min(255, max(0, round(255 * value))) for value in numbers[first:first + width]]
            lines.append(bytes(line))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", columns * width, rows * height, 8, 0, 0, 0, 0)
    pathlib.Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
                                   chunk(b"IDAT", zlib.compress(b"".join(lines))) + chunk(b"IEND", b""))


def main():
    shape, numbers = read_npy(sys.argv[1])
    write_grid(pathlib.Path(sys.argv[1]).with_suffix(".png"), shape, numbers)
    if len(sys.argv) < 3:
        return 0
    (count, classes), values = read_npy(sys.argv[2])
    rows = [values[row * classes:(row + 1) * classes] for row in range(count)]
    recognised = [row.index(max(row)) for row in rows if max(row) > CONFIDENT]
    share = len(recognised) / count
    print(f"recognised with a probability above {CONFIDENT}: {len(recognised)} of {count}, {share:.1%}")
    shares = [recognised.count(digit) / max(len(recognised), 1) for digit in range(classes)]
    print("  ".join(f"{digit}: {part:.1%}" for digit, part in enumerate(shares)))
    good = share >= LEAST_RECOGNISED and all(LEAST_SHARE <= part <= MOST_SHARE for part in shares)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
