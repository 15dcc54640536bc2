# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains to every step before the last, resumes, and compares with the files of a run that never stops.

usage: resume_each_step.py DLC-RUN ARTIFACT FOLDER STEPS
"""

import filecmp
import subprocess
import sys

program, artifact, folder, steps = *sys.argv[1:4], int(sys.argv[4])
command = [program, "train", artifact, "--data", f"{folder}/data", "--no-eval", "--json"]
straight = f"{folder}/uninterrupted"
subprocess.run(command + ["--seed", "3", "--steps", str(steps), "--save", straight + ".safetensors"], check=True)
for step in range(1, steps):
    weights = f"{folder}/resumed{step}.safetensors"
    subprocess.run(command + ["--seed", "3", "--steps", str(step), "--save", weights], check=True)
    subprocess.run(command + ["--steps", str(steps), "--resume", weights, "--save", weights], check=True)
    for ending in ("safetensors", "checkpoint.safetensors"):
        if not filecmp.cmp(f"{straight}.{ending}", f"{folder}/resumed{step}.{ending}", shallow=False):
            sys.exit(f"resumed after step {step}: another {ending} than that of a straight run")
