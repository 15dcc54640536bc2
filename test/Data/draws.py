# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The random numbers of an epoch as runtime/data/dataset.h documents them: the expected values of TextTest.cpp and
ImagesTest.cpp."""

MASK = 2**64 - 1


def splitmix64(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
    return x ^ x >> 31


def below(count, seed, epoch, row, k):
    of_epoch = splitmix64(splitmix64(seed) ^ epoch)
    return splitmix64((splitmix64(of_epoch ^ row) + 1 + k) & MASK) * count >> 64


if __name__ == "__main__":
    print("starts of windows of 4 in 40 tokens:")
    print(*[below(36, 7, epoch, row, 0) for epoch in (0, 1) for row in (0, 1, 8)])
    print("crop offsets y, x and flip for padding 2:")
    print(*[(below(5, 3, epoch, row, 0), below(5, 3, epoch, row, 1), below(2, 3, epoch, row, 2))
            for epoch in (0, 1) for row in (0, 1, 2)])
