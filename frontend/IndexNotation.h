// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known inside of index notation: the indices in scope and which values depend on them.
//
// A value that depends on indices is a tensor with an axis per index, in the order of `indices` and aligned
// at the last one as broadcasting does; the axis of an index that it does not use has size 1, or is missing
// in front. So arithmetic between such values is ordinary broadcasting, and a reduction removes leading axes.
#ifndef DLC_FRONTEND_INDEXNOTATION_H
#define DLC_FRONTEND_INDEXNOTATION_H

#include "frontend/ASTExpr.h"
#include "frontend/Entity.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace dlc::frontend {

struct IndexSpace {
  struct Index {
    llvm::StringRef name;
    dl::PolynomialAttr low, extent; ///< runs from low to low + extent - 1
  };
  llvm::SmallVector<Index> indices; ///< those of the innermost reduction first, those of the left side last
  llvm::DenseMap<const Expr *, Entity> bases; ///< what subscripts stand behind, each elaborated once
  llvm::DenseSet<mlir::Value> values;         ///< that depend on indices

  /// The axis of an index, or nothing.
  std::optional<size_t> find(llvm::StringRef name) const {
    for (auto [axis, index] : llvm::enumerate(indices))
      if (index.name == name)
        return axis;
    return std::nullopt;
  }
  bool contains(const Entity &entity) const { return entity.isTensor() && values.contains(entity.value); }
};

/// A whole number that is affine in the indices of a space: Σ coefficients[axis]·iota(axis) + offset.
struct AffineIndex {
  llvm::SmallVector<int64_t> coefficients;
  dl::PolynomialAttr offset;
};

/// Calls `visit` with every subscripted expression in `expr`, outermost first.
void forEachSubscripted(const Expr *expr, llvm::function_ref<void(const IndexExpr *)> visit);
/// Whether one of the names stands in `expr`.
bool mentions(const Expr *expr, llvm::function_ref<bool(llvm::StringRef)> isName);

} // namespace dlc::frontend

#endif // DLC_FRONTEND_INDEXNOTATION_H
