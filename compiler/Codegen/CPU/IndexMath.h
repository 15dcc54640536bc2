// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Extent arithmetic that folds constants while it builds, so that static shapes leave no arithmetic behind.

#ifndef DLC_COMPILER_CODEGEN_CPU_INDEXMATH_H
#define DLC_COMPILER_CODEGEN_CPU_INDEXMATH_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

#include <optional>

namespace dlc::codegen {

/// An index that is a constant or an SSA value (whose defining constant is seen through).
using Extent = mlir::OpFoldResult;

class IndexMath {
public:
  IndexMath(mlir::OpBuilder &builder, mlir::Location location) : builder(builder), location(location) {}

  Extent constant(int64_t value) { return builder.getIndexAttr(value); }
  static std::optional<int64_t> asConstant(Extent index);
  static bool isConstant(Extent index, int64_t value) { return asConstant(index) == value; }
  mlir::Value value(Extent index);

  Extent add(Extent a, Extent b);
  Extent sub(Extent a, Extent b);
  Extent mul(Extent a, Extent b);
  Extent min(Extent a, Extent b);
  Extent max(Extent a, Extent b);
  /// Of numbers that are not negative.
  Extent floorDiv(Extent a, Extent b);
  Extent ceilDiv(Extent a, Extent b);
  Extent mod(Extent a, Extent b);
  Extent add(Extent a, int64_t b) { return add(a, constant(b)); }
  Extent mul(Extent a, int64_t b) { return mul(a, constant(b)); }
  Extent roundUp(Extent a, int64_t multiple) {
    return mul(ceilDiv(a, constant(multiple)), constant(multiple));
  }

private:
  mlir::OpBuilder &builder;
  mlir::Location location;
};

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_CPU_INDEXMATH_H
