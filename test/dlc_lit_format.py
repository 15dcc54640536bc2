# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The test format of lit.cfg.py. A module of its own, because lit sends it to its workers by import."""

import os

import lit.formats
import lit.Test

PROGRAMS = ["dlc-opt", "dlc-run", "dlc"]


class DlcTest(lit.formats.ShTest):
    """A shell test that knows which of the tree's programs it needs."""

    def execute(self, test, litConfig):
        with open(test.getSourcePath(), encoding="utf-8", errors="replace") as file:
            run_lines = "\n".join(line for line in file if "RUN:" in line)
        for program in PROGRAMS:
            used = "%" + program + " " in run_lines or "%" + program + "\n" in run_lines
            if not used or os.path.exists(os.path.join(test.config.dlc_bin, program)):
                continue
            if litConfig.params.get("strict") == "1" and program in test.config.dlc_programs:
                return lit.Test.FAIL, f"{program} is not built: run cmake --build first"
            return lit.Test.UNSUPPORTED, f"{program} is not built"
        return super().execute(test, litConfig)
