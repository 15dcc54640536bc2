// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of the operations that form a dispatch of their own: what CPU and GPU share.

#ifndef DLC_COMPILER_CODEGEN_INDEXKERNELS_H
#define DLC_COMPILER_CODEGEN_INDEXKERNELS_H

#include "compiler/Codegen/KernelContext.h"
#include "compiler/Codegen/ValueBuilder.h"

namespace dlc::codegen {

/// The index that element(s) of an index tensor choose from an axis of `size`: below 0 is 0, behind the axis
/// its last (EmitIndex.cpp).
Index clampedIndex(ElementEmitter &emitter, Value element, dl::PolynomialAttr size);

/// Sorts one row: fills the dispatch's result 0 at `row` (a uniform position without the last axis) with the
/// order of the elements of the operation's operand (SortRows.cpp). On GPUs a thread sorts a row.
LogicalResult sortRow(KernelContext &context, dl::ArgSortOp op, ArrayRef<Index> row);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_INDEXKERNELS_H
