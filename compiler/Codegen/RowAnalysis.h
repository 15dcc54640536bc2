// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a dispatch without contractions is cut into rows and columns.

#ifndef DLC_COMPILER_CODEGEN_ROWANALYSIS_H
#define DLC_COMPILER_CODEGEN_ROWANALYSIS_H

#include "compiler/Codegen/KernelContext.h"

namespace dlc::codegen {

/// The axes of the results are, from the left: rows (work-groups share them out; reductions along a row are
/// computed once per row), then axes looped over within a row, then columns, taken 16 at a time as one index.
struct RowPlan {
  int64_t rows = 0;    ///< Leading axes that are rows.
  int64_t columns = 0; ///< The first axis that belongs to the columns.
  /// Results that live in this space, and the others (computed by one work-group).
  SmallVector<unsigned> results, apart;
  dl::TensorType domain; ///< Of the result of most axes.
  /// Max pooling's gradient takes so many neighbouring rows and columns together: a window.
  int64_t rowPhases = 1, columnPhases = 1;
  /// Random numbers come four vectors at a time.
  bool hasRandom = false;
  /// Reductions that want to be computed once per row.
  bool hasRowReductions = false;
};

RowPlan planRows(const KernelContext &context);
/// The same for some results only.
RowPlan planRows(const KernelContext &context, ArrayRef<unsigned> results);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_ROWANALYSIS_H
