# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make_cifar10.py FILE.tar.gz COUNT: an archive in the form of CIFAR-10's binary version, with COUNT pictures a batch."""

import io
import random
import sys
import tarfile

path, count = sys.argv[1], int(sys.argv[2])
numbers = random.Random(0)
names = "airplane automobile bird cat deer dog frog horse ship truck".split()
files = {"batches.meta.txt": "\n".join(names).encode() + b"\n\n"}
for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
    files[name] = b"".join(bytes([i % 10]) + numbers.randbytes(3072) for i in range(count))
with tarfile.open(path, "w:gz") as archive:
    for name, data in files.items():
        member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
