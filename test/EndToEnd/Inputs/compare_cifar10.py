# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compare_cifar10.py FILE.tar.gz IMAGES.npy LABELS.npy: whether these are the archive's test pictures, in 0 to 255. Rows are
in the order of the classes' names, then of the pictures."""

import struct
import sys
import tarfile


def numbers(path, code):
    data = open(path, "rb").read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return struct.unpack(f"<{(len(data) - start) // 4}{code}", data[start:])


with tarfile.open(sys.argv[1]) as archive:
    data = archive.extractfile("cifar-10-batches-bin/test_batch.bin").read()
records = sorted((data[at:at + 3073] for at in range(0, len(data), 3073)), key=lambda record: record[0])
assert list(numbers(sys.argv[3], "i")) == [record[0] for record in records]
assert [round(value) for value in numbers(sys.argv[2], "f")] == [value for record in records for value in record[1:]]
print(f"{len(records)} pictures are the same")
