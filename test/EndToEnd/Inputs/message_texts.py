# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the texts of the programs and the data library that no test has: message_texts.py SOURCE [FOLDER]...

A text is a literal of several words in the C++ files of FOLDER, but the help of a flag. It counts as tested if its
longest part between conversions (%d) and line ends stands in a test. Exits with 1 if one is missing.
"""

import pathlib
import re
import sys

# What no test can bring about.
UNREACHABLE = {
    "cannot examine": "fstat of a file that was just opened fails",
    "to the disk:": "fsync fails",
    "cannot replace": "renaming in a folder that was just written to fails",
    ": cannot start the JPEG decoder:": "no memory for it",
    "the artifact that was written does not load:": "a bug",
    "stays as it is, because formatting would change what it says:": "a bug",
}
# Whose text arguments are no messages: --help prints them, or nobody.
SILENT = {"add_option", "add_option_function", "add_flag", "add_number", "add_threads", "add_bounds", "add_assignments",
          "add_model", "app", "footer", "type_name", "MlirOptMain", "assert"}
LITERAL = r'"(?:[^"\\\n]|\\.)*"'
CONVERSION = r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z)?[a-zA-Z]"


def literals(text):
    """Yields where a literal begins, its content and the call whose argument it is; neighbours are one literal."""
    token = re.compile(rf"""(?P<skip>//[^\n]*|/\*.*?\*/|^\#include[^\n]*|'(?:[^'\\\n]|\\.)*')
        |(?P<texts>{LITERAL}(?:(?:\s|\bPRI\w+)*{LITERAL})*)
        |(?P<call>\w+)?(?:<[\w:<>]+>)?(?P<open>[({{])|(?P<close>[)}}])""", re.DOTALL | re.MULTILINE | re.VERBOSE)
    calls = []
    for match in token.finditer(text):
        if match["open"]:
            is_verb = text.startswith("Verb::", match.end())  # a row of the table of the verbs
            calls.append("add_option" if is_verb else match["call"])
        elif match["close"]:
            calls.pop()
        elif match["texts"]:
            parts = re.finditer(rf"(?P<text>{LITERAL})|\bPRI\w+", match["texts"])
            content = "".join(part["text"][1:-1] if part["text"] else "d" for part in parts)
            yield match.start(), content, calls[-1] if calls else None


def longest_part(content):
    parts = re.split(CONVERSION + r"|\\n|%$", content)
    return re.sub(r"\\(.)", r"\1", max(parts, key=len).strip()).replace("\\", "")


def main():
    root, folders = pathlib.Path(sys.argv[1]), sys.argv[2:]
    tested = ""
    for file in sorted((root / "test").rglob("*")):
        if file.suffix in (".test", ".dl", ".mlir", ".cpp", ".c", ".py") and file.name != pathlib.Path(__file__).name:
            text = file.read_text(errors="replace")
            tested += re.sub(r'"\s*\n\s*f?"', "", text) if file.suffix in (".cpp", ".c", ".py") else text
    tested = tested.replace("\\", "")
    total, missing, unneeded = 0, [], set(UNREACHABLE)
    for source in (file for folder in folders for file in sorted((root / folder).glob("*.[ch]*"))):
        text = source.read_text()
        for begin, content, call in literals(text):
            part = longest_part(content)
            if len(part) < 6 or " " not in part or call in SILENT:
                continue
            total += 1
            unneeded.discard(part)
            if part not in tested and part not in UNREACHABLE:
                missing.append(f"{source.relative_to(root)}:{text[:begin].count(chr(10)) + 1}: {part}")
    for text in missing:
        print(text)
    for text in sorted(unneeded):
        print(f"there is no text any more: {text}")
    print(f"{total} texts, {len(missing)} without a test")
    return 1 if missing or unneeded or total < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
