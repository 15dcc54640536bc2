// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Positions of elements while code is generated, and tensors in memory.

#ifndef DLC_COMPILER_CODEGEN_INDEX_H
#define DLC_COMPILER_CODEGEN_INDEX_H

#include "compiler/Dialect/Dl.h"

namespace dlc::codegen {
using namespace mlir;

/// The index along one axis, or along several consecutive axes as their row-major linear index, for all
/// lanes of a vector: lane l stands at base + offset + l·stride, or at base + offset + lanes[l].
struct Index {
  Value base;           ///< Of type index.
  int64_t stride = 0;   ///< Between neighbouring lanes; 0 when `lanes` is set.
  Value lanes;          ///< vector<16xi32> added to the base, or null.
  unsigned axes = 1;    ///< How many consecutive axes this covers.
  int64_t multiple = 1; ///< The base is known to be a multiple of this (0 is a multiple of everything).
  int64_t offset = 0;   ///< Constant part: positions that differ in it alone share what they have in common.
  /// Lanes that the mask turns off may lie before the axis or behind it; if none is in use, so may the base.
  bool mayLieOutside = false;
  int32_t mostLane = -1; ///< No element of `lanes` is more than this; -1: no bound is known.

  bool isUniform() const { return stride == 0 && !lanes; }
  static Index uniform(Value base, int64_t multiple = 1) { return {base, 0, {}, 1, multiple, 0}; }
  /// 16 neighbours from `base` on.
  static Index contiguous(Value base, int64_t multiple = 1) { return {base, 1, {}, 1, multiple, 0}; }
  Index covering(unsigned count) const {
    Index result = *this;
    result.axes = count;
    return result;
  }
  Index outside() const {
    Index result = *this;
    result.mayLieOutside = true;
    return result;
  }
  Index plus(int64_t constant) const {
    Index result = *this;
    result.offset += constant;
    return result;
  }
  bool operator==(const Index &other) const {
    return base == other.base && stride == other.stride && lanes == other.lanes && axes == other.axes &&
           offset == other.offset;
  }
};

/// One element (or 16, one per lane) of a tensor: the indices cover the axes in order; a scalar has none.
using Position = SmallVector<Index, 4>;

/// A tensor in memory: element [i, j, …] is at `offset` + Σ index·stride, in elements, of a flat memref.
struct Memory {
  Value memref; ///< memref<?xS>, S the storage type: bool is i8, ui8 is i8, others themselves.
  Value offset; ///< Of type index, or null for 0.
  SmallVector<dl::PolynomialAttr, 4> strides; ///< In elements, one per axis.
  /// Nothing writes it while the kernel reads it, so loads may move out of loops.
  bool isConstant = true;
};

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_INDEX_H
