# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counts the tests in JUnit files, as ctest and lit write them. Prints "passed failed"; skipped tests are neither."""

import sys
import xml.etree.ElementTree

passed = failed = 0
for path in sys.argv[1:]:
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is None and case.get("status") not in ("disabled", "notrun"):
            passed += 1
print(passed, failed)
