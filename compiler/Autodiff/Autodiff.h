// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Differentiation: passes, and what is differentiable.

#ifndef DLC_COMPILER_AUTODIFF_AUTODIFF_H
#define DLC_COMPILER_AUTODIFF_AUTODIFF_H

#include "mlir/Pass/Pass.h"

namespace dlc::autodiff {

std::unique_ptr<mlir::Pass> createDifferentiatePass();
std::unique_ptr<mlir::Pass> createHoistScanAccumulationsPass();
void registerAutodiffPasses();

/// Whether a gradient flows through operations of this name.
bool isDifferentiable(mlir::OperationName name);
/// Why none does, for the operations where that is so by definition; empty for the others.
llvm::StringRef reasonNotDifferentiable(mlir::OperationName name);

} // namespace dlc::autodiff

#endif // DLC_COMPILER_AUTODIFF_AUTODIFF_H
