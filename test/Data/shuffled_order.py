# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The order of an epoch, as runtime/data/batcher.h documents it. Prints the two orders that BatcherTest.cpp expects."""

MASK = 2**64 - 1


def splitmix64(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
    return x ^ x >> 31


def shuffled_order(seed, epoch, size):
    order = list(range(size))
    key, draw = splitmix64(splitmix64(seed) ^ epoch), 0
    for i in range(size - 1, 0, -1):
        while True:
            product = splitmix64((key + draw) & MASK) * (i + 1)
            draw += 1
            if product & MASK >= 2**64 % (i + 1):
                break
        j = product >> 64
        order[i], order[j] = order[j], order[i]
    return order


if __name__ == "__main__":
    for seed, epoch in ((0, 0), (7, 3)):
        print(seed, epoch, ", ".join(map(str, shuffled_order(seed, epoch, 10))))
