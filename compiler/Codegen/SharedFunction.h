// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Private functions that the kernels of a module call: code that many of them need is generated once.

#ifndef DLC_COMPILER_CODEGEN_SHAREDFUNCTION_H
#define DLC_COMPILER_CODEGEN_SHAREDFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dlc::codegen {

/// Calls the private function `name` of the module around the builder; the first call creates it, with `body`
/// building at its start and returning its results. Equal names must mean equal bodies.
mlir::ResultRange callShared(
    mlir::OpBuilder &builder, mlir::Location location, llvm::StringRef name, mlir::ValueRange arguments,
    mlir::TypeRange results,
    llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, mlir::ValueRange parameters)> body);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_SHAREDFUNCTION_H
