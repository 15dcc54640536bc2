// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which reductions of a dispatch are computed in one loop: the sums of a batch normalisation's gradient, say,
// that go over the same elements.

#ifndef DLC_COMPILER_CODEGEN_JOINTREDUCTIONS_H
#define DLC_COMPILER_CODEGEN_JOINTREDUCTIONS_H

#include "compiler/Dialect/Dl.h"

namespace dlc::codegen {

/// `op` and, behind it, other reductions of its block over the same axes of operands of the same shape, of
/// which none needs another's result. Each of them is used at the same positions as `op` at least once, so
/// that nothing is computed in vain. At most four: more accumulators do not stay in registers.
llvm::SmallVector<dl::ReduceOp> reductionsWith(dl::ReduceOp op);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_JOINTREDUCTIONS_H
