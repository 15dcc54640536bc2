# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Parses every example of the dialect's .td files with dlc-opt.

usage: examples.py SOURCE DLC_OPT

An example uses values that it does not define. They are defined behind it, of a type that dlc-opt then names as
the one of their use; with that type they become arguments of a function around the example.
"""
import pathlib
import re
import subprocess
import sys

source, dlc_opt = pathlib.Path(sys.argv[1]), sys.argv[2]
PROBE = "!dl.tensor<[probe], i8>"


def parse(text):
    """Returns dlc-opt's diagnostics, empty when it accepts the text."""
    run = subprocess.run([dlc_opt, "-o", "/dev/null", "-"], input=text, capture_output=True, text=True)
    return run.stderr if run.returncode else ""


def undefined(example):
    """Names that the example uses and does not define."""
    places = re.findall(r"^ *(%[^=\n]*) =", example, re.M) + re.findall(r"\^bb0\((.*?)\):", example, re.S)
    defined = {name for place in places for name in re.findall(r"%(\w+)", place)}
    return [name for name in dict.fromkeys(re.findall(r"%(\w+)", example)) if name not in defined]


def check(example):
    if re.match(r"\s*(dl\.state|func\.func|module)", example):
        return parse(example)
    if re.match(r"\s*#", example):
        attributes = [line.strip() for line in example.strip().splitlines()]
        return parse(f"module attributes {{test.examples = [{', '.join(attributes)}]}} {{}}\n")
    states = "".join(
        f"dl.state parameter {name} : {kind}\n"
        for name, kind in set(re.findall(r"dl\.(?:load|store)_state (@[\w.]+).*? : (.*)", example))
    )
    names = undefined(example)
    types = {}
    for name in names:
        probes = "\n".join(f"%{n} = dl.constant 0 : i8 : {PROBE}" for n in names if n not in types)
        arguments = ", ".join(f"%{n}: {t}" for n, t in types.items())
        errors = parse(f"{states}func.func @f({arguments}) {{\n{example}\n{probes}\nreturn\n}}\n")
        found = re.search(r"SSA value '%(\w+).*?previously used here with type '([^']*)'", errors, re.S)
        if not found:
            break
        types[found.group(1)] = found.group(2)
    arguments = ", ".join(f"%{n}: {t}" for n, t in types.items())
    return parse(f"{states}func.func @f({arguments}) {{\n{example}\nreturn\n}}\n")


count = failures = 0
for path in sorted((source / "compiler/Dialect").glob("*.td")):
    text = path.read_text()
    for match in re.finditer(r"```mlir\n(.*?)```", text, re.S):
        count += 1
        errors = check(match.group(1))
        if errors:
            failures += 1
            line = text[: match.start()].count("\n") + 1
            print(f"{path.name}:{line}: the example does not parse:\n{errors}")
    # The examples of these are put together by their classes.
    for operands, name, rest in re.findall(r'^def Dl_\w+Op : Dl_(Unary|Binary)Op<"(\w+)"(.*)', text, re.M):
        element = "i1" if "Dl_BoolTensor" in rest else "f32"
        count += 1
        errors = check(f"%r = dl.{name} {'%x' if operands == 'Unary' else '%a, %b'} : !dl.tensor<[n, 10], {element}>")
        if errors:
            failures += 1
            print(f"{path.name}: the example of {name} does not parse:\n{errors}")
    for body in re.findall(r"^def Dl_\w+Op : .*?(?=^def |\Z)", text, re.S | re.M):
        operation, base = re.match(r"def (\w+) : (\w+)", body).groups()
        if base not in ("Dl_UnaryOp", "Dl_BinaryOp") and "```mlir" not in body:
            failures += 1
            print(f"{path.name}: {operation} has no example")
print(f"{count} examples parsed, {failures} failed")
sys.exit(failures != 0)
