# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the differences between the operations of the .td files and the rows of compiler/README.md: each operation
has one row, in the order of the files, with its summary and a reason of its own for being a primitive."""

import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
defined = []
for name in ("Elementwise", "Shape", "Index", "Reduction", "Structure"):
    text = (source / f"compiler/Dialect/Dl{name}Ops.td").read_text(encoding="utf-8")
    for match in re.finditer(r"^def Dl_\w+Op :.*?(?=^def |\Z)", text, re.MULTILINE | re.DOTALL):
        mnemonic = re.search(r'<"(\w+)"', match[0])[1]
        summary = re.search(r'let summary = "([^"]*)"', match[0]) or re.search(r'<"\w+",\s*"([^"]*)"', match[0])
        defined.append((mnemonic, summary[1].replace("|", "&#124;").replace("<", "&lt;")))

readme = (source / "compiler/README.md").read_text(encoding="utf-8")
documented = re.findall(r"^\| `dl\.(\w+)` \| (.*?) \|", readme, re.MULTILINE)
for row in defined:
    if row not in documented:
        print(f"compiler/README.md has no row `dl.{row[0]}` | {row[1]}")
for row in documented:
    if row not in defined:
        print(f"compiler/README.md has a row that no .td file defines: `dl.{row[0]}` | {row[1]}")
if [row[0] for row in defined] != [row[0] for row in documented]:
    print("the rows of compiler/README.md are not in the order of the .td files")

# The last column of each table is the reason; no two rows have the same.
header = ["operation", "what it is", "gradient", "why a primitive"]
reasons = {}
for line in readme.splitlines():
    if not re.match(r"\| (operation|`dl\.\w+`) \|", line):
        continue
    cells = [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
    if cells[0] == "operation":
        if cells != header:
            print(f"compiler/README.md has a table with the columns {cells}, expected {header}")
        continue
    if len(cells) != len(header):
        print(f"compiler/README.md has a row of {len(cells)} cells, expected {len(header)}: {cells[0]}")
    elif len(cells[-1].split()) < 3:
        print(f"compiler/README.md does not say why {cells[0]} is a primitive")
    elif cells[-1] in reasons:
        print(f"compiler/README.md gives {cells[0]} the reason of {reasons[cells[-1]]}")
    else:
        reasons[cells[-1]] = cells[0]
print(f"{len(defined)} operations compared, {len(reasons)} reasons")
