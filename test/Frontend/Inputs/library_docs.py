# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints what the comments of a library do not say: library_docs.py FOLDER [README].

A declaration is public if its comment has a line that begins with `Source:`. Above that line the comment must hold
  a formula: an operator between operands, a call, or a sign that stands for one;
  every parameter by its name, and the type of each that is a tensor: `x, target: f32[...]`, `x and result: f32[n, c]`;
  the type of the result: `Result: f32`. Optimizers have none, but the parameter and its gradient are tensors;
  the type of each param and state that the body declares.
With README, its table of the library's files must name the public declarations and no other. Exits with 1 if something
is missing.
"""

import pathlib
import re
import sys

DECLARATION = re.compile(r"(layer|function|optimizer|metric|schedule|initializer) (\w+)\(")
TENSOR = r"(?:f32|f64|bf16|f16|i8|u8|i32|i64|bool)"
FORMULA = re.compile(r"\S (?:[=←·/+−≤≥<>]|\+=) \S|[√Σ²±⌈⌊∞Π|]|\w\(")


def public_declarations(path):
    """Of each: kind, name, signature, body, and the text of its comment above `Source:`."""
    text = path.read_text()
    lines = text.split("\n")
    for at, line in enumerate(lines):
        match = DECLARATION.match(line)
        if not match:
            continue
        first = at
        while first and lines[first - 1].startswith("#"):
            first -= 1
        comment = [part.removeprefix("#").strip() for part in lines[first:at]]
        sources = [i for i, part in enumerate(comment) if part.startswith("Source: ")]
        if sources:
            signature, rest = "\n".join(lines[at:]).split("{", 1)
            body = rest.split("\n}" if rest.startswith("\n") else "\n", 1)[0]
            yield match[1], match[2], " ".join(signature.split()), body, " ".join(comment[: sources[0]])


def parameters(signature):
    """Name and type of each, and the names behind `for`."""
    begin = end = signature.index("(") + 1
    depth, starts = 1, [begin]
    while depth:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(signature[end], 0)
        if depth == 1 and signature[end] == ",":
            starts.append(end + 1)
        end += 1
    parts = [signature[a:b].strip(" ,)") for a, b in zip(starts, starts[1:] + [end])]
    pairs = [tuple(map(str.strip, part.split("=")[0].split(":"))) for part in parts if part]
    given = re.match(r" for (\w+(?:, \w+)*)", signature[end:])
    return pairs, given[1].split(", ") if given else []


def has_type(name, text):
    """Whether a list of words with this one is followed by a type, as in `x, weight and result: f32[...]`."""
    return re.search(rf"(?<![A-Za-z0-9_]){name}(?![A-Za-z0-9_])[\w, ]*: {TENSOR}\b", text)


def missing(kind, signature, body, text):
    if not FORMULA.search(re.sub(rf"{TENSOR}\[[^\]]*\]", "", text)):
        yield "no formula"
    pairs, given = parameters(signature)
    tensors = [name for name, type in pairs if re.match(rf"{TENSOR}\[", type)]
    # An optimizer is given a parameter and its gradient; a function, a gradient and all of them; an initializer, dims.
    tensors += given if kind == "optimizer" else given[:-1]
    for name, _ in pairs:
        if not re.search(rf"(?<![A-Za-z0-9_]){name}(?![A-Za-z0-9_])", text):
            yield f"no word of {name}"
    tensors += re.findall(r"^ *(?:param|state) (\w+)", body, re.MULTILINE)
    for name in tensors:
        if not has_type(name, text):
            yield f"no type of {name}, as in '{name}: f32[...]'"
    if kind != "optimizer" and not re.search(rf"\b[Rr]esult: [^.;]*\b(?:{TENSOR}|float|int)\b", text):
        yield "no type of the result, as in 'result: f32[...]'"


faults, names = [], set()
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.dl")):
    for kind, name, signature, body, text in public_declarations(file):
        names.add(name)
        faults += [f"{file.name}: {kind} {name}: {fault}" for fault in missing(kind, signature, body, text)]
if len(sys.argv) > 2:
    rows = re.findall(r"^\| (`std/\w+\.dl`.*)\|$", pathlib.Path(sys.argv[2]).read_text(), re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"\w+", row.split("|")[1])}
    faults += [f"{name} stands in the table, but its comment names no source" for name in sorted(listed - names)]
    faults += [f"{name} does not stand in the table" for name in sorted(names - listed)]
print("\n".join(faults + [f"{len(names)} names, {len(faults)} faults"]))
sys.exit(1 if faults else 0)
