// REQUIRES: ptxas
// Tests that ptxas takes representative kernels of both architectures without spills.
// RUN: %dlc-opt %S/gpu-thread-kernels.mlir --dl-emit-ptx="target=sm_80" -o %t.mlir > %t.80.ptx
// RUN: %python %S/Inputs/assemble_ptx.py %t.80.ptx sm_80 | FileCheck %s
// RUN: %dlc-opt %S/gpu-thread-kernels.mlir --dl-emit-ptx="target=sm_90a" -o %t.mlir > %t.90.ptx
// RUN: %python %S/Inputs/assemble_ptx.py %t.90.ptx sm_90a | FileCheck %s

// CHECK: kernels for sm_{{80|90a}}: 0 bytes spilled, at most {{[0-9]+}} registers
