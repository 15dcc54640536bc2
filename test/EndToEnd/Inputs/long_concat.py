# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""long_concat.py COUNT: prints an entry that joins COUNT multiples of its argument along axis 1.
long_concat.py COUNT X.npy Y.npy: whether Y is what it makes of X."""

import array
import sys


def read(path, count):
    with open(path, "rb") as file:
        return array.array("f", file.read()[-4 * count :])


count = int(sys.argv[1])
if len(sys.argv) == 2:
    parts = ", ".join(f"x * {i}.0" for i in range(count))
    print(f"infer p(x: f32[n, 4]) -> f32[n, {4 * count}] {{ return concat([{parts}], axis=1) }}")
else:
    x, y = read(sys.argv[2], 12), read(sys.argv[3], 12 * count)
    expected = array.array("f", [x[4 * row + column] * i for row in range(3) for i in range(count) for column in range(4)])
    print("equal" if y == expected else f"expected {expected}, got {y}")
