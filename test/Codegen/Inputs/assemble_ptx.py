# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Assembles PTX with ptxas and reports what the kernels need: assemble_ptx.py FILE ARCHITECTURE

Fails where ptxas refuses or warns, where a kernel spills or keeps a stack frame, and where rounding is not the
strict one: without a rounding mode ptxas contracts a product and a sum, .approx and .ftz change results.
"""

import re
import subprocess
import sys

FORBIDDEN = [
    (r"\b(add|sub|mul|fma|div|sqrt|rcp)(\.f32|\.f64)\b", "an operation without a rounding mode"),
    (r"\.approx\b", "an approximation"),
    (r"\.ftz\b", "denormals flushed to zero"),
    (r"\.extern\b", "a symbol from elsewhere"),
    (r"^\s*call\b", "a call"),
]


def main():
    path, architecture = sys.argv[1:]
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines()
    failed = False
    for number, line in enumerate(lines, 1):
        for pattern, what in FORBIDDEN:
            if re.search(pattern, line.split("//")[0]):
                print(f"{path}:{number}: {what}: {line.strip()}")
                failed = True
    result = subprocess.run(
        ["ptxas", "-v", f"-arch={architecture}", path, "-o", "/dev/null"],
        capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(result.stderr)
        return 1
    kernels, registers, kernel = 0, 0, None
    for line in result.stderr.splitlines():
        if found := re.search(r"Compiling entry function '([^']+)'", line):
            kernel = found.group(1)
            kernels += 1
        elif found := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line):
            if any(int(count) for count in found.groups()):
                print(f"{kernel}: {line.strip()}")
                failed = True
        elif found := re.search(r"Used (\d+) registers", line):
            registers = max(registers, int(found.group(1)))
        elif "warning" in line.lower():
            print(line)
            failed = True
    print(f"{kernels} kernels for {architecture}: {'see above' if failed else '0 bytes spilled'}, "
          f"at most {registers} registers")
    return 1 if failed or kernels == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
