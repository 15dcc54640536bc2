// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The evaluator's rules by family of operations. Internal to compiler/Reference.

#ifndef DLC_COMPILER_REFERENCE_RULES_H
#define DLC_COMPILER_REFERENCE_RULES_H

#include "compiler/Dialect/Dl.h"
#include "compiler/Reference/Tensor.h"

namespace dlc::reference {

using Operands = llvm::ArrayRef<const Tensor *>;
using SizeOf = llvm::function_ref<int64_t(dl::PolynomialAttr)>;

// Each computes `op` on `operands` into `result`, which has its type and shape and is filled with zeros, and
// returns true; false when `op` is of another family.
bool evaluateElementwise(mlir::Operation *op, Operands operands, Tensor &result);
bool evaluateShape(mlir::Operation *op, Operands operands, SizeOf sizeOf, Tensor &result);
bool evaluateIndex(mlir::Operation *op, Operands operands, SizeOf sizeOf, Tensor &result);
bool evaluateReduction(mlir::Operation *op, Operands operands, Tensor &result);
bool evaluateWindowed(mlir::Operation *op, Operands operands, Tensor &result);

/// The element that an attribute stands for.
Element elementOf(mlir::TypedAttr value);

} // namespace dlc::reference

#endif // DLC_COMPILER_REFERENCE_RULES_H
