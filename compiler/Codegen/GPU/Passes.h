// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_COMPILER_CODEGEN_GPU_PASSES_H
#define DLC_COMPILER_CODEGEN_GPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace dlc::codegen {

#define GEN_PASS_DECL
#include "compiler/Codegen/GPU/Passes.h.inc"

/// Makes dl-emit-ptx known to dlc-opt.
void registerGpuPasses();

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_GPU_PASSES_H
