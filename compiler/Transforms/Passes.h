// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes of Passes.td: their constructors, options and registration (registerTransformsPasses).

#ifndef DLC_COMPILER_TRANSFORMS_PASSES_H
#define DLC_COMPILER_TRANSFORMS_PASSES_H

#include "compiler/Dialect/Dl.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace dlc {

#define GEN_PASS_DECL
#include "compiler/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/Transforms/Passes.h.inc"

/// Whether this is the entry that computes the states' initial values.
inline bool isInitial(mlir::Operation *op) {
  auto kind = op->getAttrOfType<mlir::StringAttr>(dl::kEntryAttr);
  return kind && kind.getValue() == "init";
}

} // namespace dlc

#endif // DLC_COMPILER_TRANSFORMS_PASSES_H
