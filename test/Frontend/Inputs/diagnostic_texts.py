# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the messages of the frontend that no test has: diagnostic_texts.py FRONTEND TEST.

A message counts as tested if the longest of its literal texts stands in a test. Exits with 1 if one is missing.
"""

import pathlib
import re
import sys

# What no program can reach: the check is a second one behind the parser's, or says that it is a bug.
UNREACHABLE = {
    "report cannot stand in a scan": "the parser reports it",
    "minimize cannot stand in a scan": "the parser reports it",
    "two states are called '": "names are bound once, and instances have paths of their own",
    "a bug in dlc: the frontend made a module that the verifier rejects": "a bug",
}


def argument_end(text, begin):
    """Where the parenthesis that is open at `begin` closes."""
    depth, at = 1, begin
    while depth and at < len(text):
        if text[at] == '"':
            at = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at).end()
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at - 1


def messages(path):
    text = path.read_text()
    for match in re.finditer(r"\b(?:error|warning|note|reportExpected)\s*\(", text):
        argument = text[match.end() : argument_end(text, match.end())]
        literals, end = [], None
        for part in re.finditer(r'"((?:[^"\\]|\\.)*)"', argument):
            content = re.sub(r"\\(.)", r"\1", part[1])
            if end is not None and not argument[end : part.start()].strip():
                literals[-1] += content  # literals side by side are one
            else:
                literals.append(content)
            end = part.end()
        longest = max(literals, key=len, default="").strip()
        if len(longest) >= 8:
            yield f"{path.name}:{text[:match.start()].count(chr(10)) + 1}", longest


frontend, tests = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
tested = ""
for file in sorted(tests.rglob("*")):
    if file.suffix in (".dl", ".test", ".mlir", ".cpp") or file.name in ("deep_calls.py",):
        tested += file.read_text(errors="replace")
tested = tested.replace("\\", "")
total, missing, unneeded = 0, [], set(UNREACHABLE)
for source in sorted(frontend.glob("*.cpp")):
    for place, text in messages(source):
        total += 1
        unneeded.discard(text)
        if text.replace("\\", "") not in tested and text not in UNREACHABLE:
            missing.append(f"{place}: {text}")
for text in missing:
    print(text)
for text in unneeded:
    print(f"there is no message any more: {text}")
print(f"{total} messages, {len(missing)} without a test")
sys.exit(1 if missing or unneeded or total < 300 else 0)
