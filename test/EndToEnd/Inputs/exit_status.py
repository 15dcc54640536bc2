# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""exit_status.py STATUS COMMAND... [>FILE]: fails unless the command ends with this status."""

import subprocess
import sys

expected, command, output = int(sys.argv[1]), sys.argv[2:], None
if command[-1].startswith(">"):
    output = open(command.pop()[1:], "w")
result = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True)
print(result.stderr, end="")
sys.exit(0 if result.returncode == expected else f"exit status {result.returncode}, expected {expected}")
