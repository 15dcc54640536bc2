// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Internal to memory planning: places of values, and the two steps of planMemory. Destinations.cpp decides
// which values are computed directly into a state, a result, a loop's carry or stack, and makes copies where
// that is not possible. PlanMemory.cpp then walks the entry, gives every other value a storage and emits
// commands.

#ifndef DLC_COMPILER_MEMORY_PLANNER_H
#define DLC_COMPILER_MEMORY_PLANNER_H

#include "compiler/Memory/Schedule.h"

namespace dlc::memory {

/// Where a value lies: a binding without access, and the strides of its axes in elements (empty: row-major).
/// For Base::Buffer the index is that of a storage.
struct Place {
  Base base = Base::Buffer;
  unsigned index = 0;
  dl::PolynomialAttr offset;
  std::optional<Remainder> remainder;
  SmallVector<LoopTerm, 2> terms;
  SmallVector<dl::PolynomialAttr> strides;
};

/// How a loop keeps a carried value.
enum class CarryForm { InPlace, PingPong };

/// What Destinations.cpp decides.
struct Destinations {
  /// Values of dispatches that are computed into a state or a result.
  llvm::DenseMap<Value, Place> fixed;
  /// Values of a scan's body that are computed into its carry or stack: (scan, number of the yielded value).
  llvm::DenseMap<Value, std::pair<dl::ScanOp, unsigned>> yielded;
  /// Values that are computed into a scan's carry before it starts: (scan, number of the carry).
  llvm::DenseMap<Value, std::pair<dl::ScanOp, unsigned>> initial;
  /// Of every scan, by carry.
  llvm::DenseMap<Operation *, SmallVector<CarryForm>> carryForms;
};

Destinations chooseDestinations(func::FuncOp entry, ArrayRef<dl::StateOp> states);

/// The value below any reshapes.
Value stripAliases(Value value);

/// The operation of `block` that contains `op`, or `op` itself.
inline Operation *ancestorIn(Block *block, Operation *op) {
  return block->findAncestorOpInBlock(*op);
}

/// Whether memory that `old` lies in can be overwritten by result `result` of `writer`: everything that uses
/// `old` comes before `writer`, or is `writer` and reads it index for index.
bool canOverwrite(Value old, dl::DispatchOp writer, unsigned result);

} // namespace dlc::memory

#endif // DLC_COMPILER_MEMORY_PLANNER_H
