// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass of Passes.td and its registration (registerMemoryPasses).

#ifndef DLC_COMPILER_MEMORY_PASSES_H
#define DLC_COMPILER_MEMORY_PASSES_H

#include "compiler/Dialect/Dl.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace dlc::memory {

#define GEN_PASS_DECL
#include "compiler/Memory/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/Memory/Passes.h.inc"

} // namespace dlc::memory

#endif // DLC_COMPILER_MEMORY_PASSES_H
