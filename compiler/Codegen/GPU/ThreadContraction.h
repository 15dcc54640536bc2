// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_COMPILER_CODEGEN_GPU_THREADCONTRACTION_H
#define DLC_COMPILER_CODEGEN_GPU_THREADCONTRACTION_H

#include "compiler/Codegen/KernelContext.h"

namespace dlc::codegen {

/// Lets the emitter compute elements of the dispatch's contractions and convolutions, each by one chain of
/// fused multiply-adds in chunks (Numerics.h). Emits an error for a scan, which the schedule must run.
LogicalResult bindContractions(KernelContext &context);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_GPU_THREADCONTRACTION_H
