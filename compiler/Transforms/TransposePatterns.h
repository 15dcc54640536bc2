// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rewrites that make transposes disappear into the operations around them. None changes a bit of any result.

#ifndef DLC_COMPILER_TRANSFORMS_TRANSPOSEPATTERNS_H
#define DLC_COMPILER_TRANSFORMS_TRANSPOSEPATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace dlc {

/// Transposed operands and results of a contraction become letters of its equation.
void populateTransposeFolding(mlir::RewritePatternSet &patterns);

/// Transposes move from the result of an elementwise operation or a broadcast to its operands.
void populateTransposeHoisting(mlir::RewritePatternSet &patterns);

} // namespace dlc

#endif // DLC_COMPILER_TRANSFORMS_TRANSPOSEPATTERNS_H
