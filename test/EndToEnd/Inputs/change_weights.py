# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rewrites a safetensors file: change_weights.py IN OUT [rename=OLD:NEW] [drop=NAME] [shape=NAME:D,D]
[bf16=NAME] [f16=NAME] [metadata=KEY:VALUE] ...

The metadata is left out unless some of it is changed; an empty VALUE drops KEY."""

import json
import struct
import sys

data = open(sys.argv[1], "rb").read()
(length,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + length])
metadata, keeps_metadata = header.pop("__metadata__", {}), False
tensors = {name: (entry, data[8 + length:][slice(*entry["data_offsets"])]) for name, entry in header.items()}
for change in sys.argv[3:]:
    what, argument = change.split("=")
    if what == "drop":
        del tensors[argument]
    elif what == "rename":
        old, new = argument.split(":")
        tensors[new] = tensors.pop(old)
    elif what in ("bf16", "f16"):
        entry, elements = tensors[argument]
        values = struct.unpack(f"<{len(elements) // 4}f", elements)
        if what == "f16":
            narrow = struct.pack(f"<{len(values)}e", *values)
        else:
            narrow = b"".join(elements[i + 2:i + 4] for i in range(0, len(elements), 4))
        tensors[argument] = ({"dtype": what.upper(), "shape": entry["shape"]}, narrow)
    elif what == "metadata":
        key, value = argument.split(":")
        metadata[key], keeps_metadata = value, True
    elif what == "shape":
        name, dims = argument.split(":")
        shape = [int(d) for d in dims.split(",")]
        size = 4
        for d in shape:
            size *= d
        tensors[name] = ({"dtype": "F32", "shape": shape}, bytes(size))
header, blob = {}, b""
if keeps_metadata:
    header["__metadata__"] = {key: value for key, value in metadata.items() if value}
for name, (entry, elements) in tensors.items():
    header[name] = {"dtype": entry["dtype"], "shape": entry["shape"], "data_offsets": [len(blob), len(blob) + len(elements)]}
    blob += elements
text = json.dumps(header).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + blob)
