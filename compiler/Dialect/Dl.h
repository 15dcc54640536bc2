// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dl dialect: everything that a user of its types, attributes and operations includes.

#ifndef DLC_COMPILER_DIALECT_DL_H
#define DLC_COMPILER_DIALECT_DL_H

#include "compiler/Dialect/Polynomial.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "compiler/Dialect/DlDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/Dialect/DlTypes.h.inc"

namespace dlc::dl {
/// Element i of the result depends on element i of the operands alone; all shapes are equal (checked).
template <typename ConcreteType>
class Elementwise : public mlir::OpTrait::TraitBase<ConcreteType, Elementwise> {};

/// Names of the attributes of entry functions, their arguments and results.
inline constexpr llvm::StringLiteral kEntryAttr = "dl.entry";     // init, train, eval or infer
inline constexpr llvm::StringLiteral kSymbolsAttr = "dl.symbols"; // symbolic dimensions, in kernel order
inline constexpr llvm::StringLiteral kConstraintsAttr = "dl.constraints"; // which sizes are possible
inline constexpr llvm::StringLiteral kNameAttr = "dl.name";               // of an argument or a result
inline constexpr llvm::StringLiteral kReportAttr =
    "dl.report"; // value or metric, on results of train and eval

/// Strides of a contiguous tensor, in elements.
llvm::SmallVector<PolynomialAttr, 4> rowMajorStrides(TensorType type);

} // namespace dlc::dl

#define GET_OP_CLASSES
#include "compiler/Dialect/DlOps.h.inc"

#endif // DLC_COMPILER_DIALECT_DL_H
