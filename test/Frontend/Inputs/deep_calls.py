# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints an entry that calls DEPTH functions, each of which calls the next behind MINUS signs: deep_calls.py DEPTH MINUS."""

import sys

depth, minus = int(sys.argv[1]), "-" * int(sys.argv[2])
for i in range(depth - 1):
    print(f"function f{i}(x: f32[n]) {{ return {minus}f{i + 1}(x) }}")
print(f"function f{depth - 1}(x: f32[n]) {{ return x }}")
print("infer p(x: f32[n]) -> f32[n] { return f0(x) }")
