# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The lit tests of every area. Run them with `ctest -R lit`, or some with `lit-22 -sv build/test/Dialect`.

Substitutions: %dlc, %dlc-opt, %dlc-run (the programs), %models (the models' folder), %source (the tree's root),
%lib (the libraries' folder), %cc (the C compiler), %python, and LLVM's tools by name (FileCheck, not, count,
split-file, llc, opt, mlir-opt, llvm-objdump ...). Features: x86_64, aarch64, avx2, avx512, ptxas, numpy, torch,
safetensors, sanitize, handmade
(%handmade is an artifact whose kernels are C: EndToEnd/HandMade), and each program that is built (dlc, dlc-opt, dlc-run).

A test that uses a program which is not built is unsupported; with --param strict=1, as ctest runs it, it fails if
the tree defines the program.
"""

import os
import platform
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(config.dlc_source_root, "test"))
sys.dont_write_bytecode = True
from dlc_lit_format import PROGRAMS, DlcTest


# lit's commands are shell lines: a path with a space would be two, also behind `rm -rf`.
for folder in (config.dlc_source_root, config.dlc_binary_root):
    if any(map(str.isspace, folder)):
        lit_config.fatal(f"the tests need paths without spaces, got {folder!r}")


def cpu_flags():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("flags"):
                    return set(line.split())
    except OSError:
        pass
    return set()


# A Python with PyTorch, for the tests that compare with it, which are unsupported without.
config.python = os.environ.get("DLC_PYTHON", config.python)

config.name = "dlc"
config.test_format = DlcTest(execute_external=False)
config.suffixes = [".mlir", ".dl", ".test"]
# Inputs of tests lie in folders named Inputs; they are not tests.
config.excludes = ["Inputs", "CMakeLists.txt", "README.md"]
config.test_source_root = os.path.join(config.dlc_source_root, "test")
config.test_exec_root = os.path.join(config.dlc_binary_root, "test")

config.environment["PATH"] = os.pathsep.join([config.llvm_tools, os.environ.get("PATH", "")])
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "HOME"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
if config.dlc_sanitize:
    config.environment.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    config.environment["ASAN_SYMBOLIZER_PATH"] = os.path.join(config.llvm_tools, "llvm-symbolizer")

# Longer names first: lit replaces in order, and %dlc is the beginning of %dlc-opt.
for program in PROGRAMS:
    path = os.path.join(config.dlc_bin, program)
    config.substitutions.append((f"%{program}(?![-\\w])", path))
    if os.path.exists(path):
        config.available_features.add(program)
config.substitutions.append((r"%models", os.path.join(config.dlc_source_root, "models")))
config.substitutions.append((r"%source", config.dlc_source_root))
config.substitutions.append((r"%test_programs", config.test_exec_root))
config.substitutions.append((r"%handmade", os.path.join(config.test_exec_root, "handmade.dla")))
strict = lit_config.params.get("strict") == "1"
if os.path.exists(os.path.join(config.test_exec_root, "handmade.dla")) or (strict and "handmade" in config.dlc_programs):
    config.available_features.add("handmade")
config.substitutions.append((r"%lib", os.path.join(config.dlc_binary_root, "lib")))
config.substitutions.append((r"%cc", config.cc))
config.substitutions.append((r"%python", config.python))

machine = platform.machine()
config.available_features.add({"AMD64": "x86_64", "arm64": "aarch64"}.get(machine, machine))
flags = cpu_flags()
if {"avx2", "fma"} <= flags:
    config.available_features.add("avx2")
if {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags:
    config.available_features.add("avx512")
if shutil.which("ptxas"):
    config.available_features.add("ptxas")
modules = subprocess.run(
    [config.python, "-c", "import importlib.util as u; print(*filter(u.find_spec, ('numpy', 'torch', 'safetensors')))"],
    capture_output=True, text=True, check=False)
config.available_features.update(modules.stdout.split())
if config.dlc_sanitize:
    config.available_features.add("sanitize")
