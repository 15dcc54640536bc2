// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates functions of dl operations in f64: the oracle for gradients, folds, transformations and kernels.
// Plain loops, no attention to speed. Reductions add in row-major order; the order that strict f32 prescribes
// is a matter of rounding, from which f64 stays far away.

#ifndef DLC_COMPILER_REFERENCE_EVALUATOR_H
#define DLC_COMPILER_REFERENCE_EVALUATOR_H

#include "compiler/Reference/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"

namespace dlc::reference {

/// Values of the states by symbol name. A state that is missing here takes its `initial`.
using States = llvm::StringMap<Tensor>;
/// Values of the symbolic dimensions.
using Symbols = llvm::StringMap<int64_t>;

/// Runs `function` on `inputs`; reads and updates `states`. A failure has been reported as a diagnostic at
/// the operation: a symbol or state without a value, an input of another shape. `dl.gradient` is evaluated by
/// its definition, as a limit: central differences of fourth order.
mlir::FailureOr<llvm::SmallVector<Tensor>>
evaluate(mlir::func::FuncOp function, llvm::ArrayRef<Tensor> inputs, States &states, const Symbols &symbols);

/// Registers dl-evaluate with dlc-opt.
void registerReferencePasses();

} // namespace dlc::reference

#endif // DLC_COMPILER_REFERENCE_EVALUATOR_H
