// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many labels or tokens a program has places for: a data set with more of them cannot be learned, and
// gather and comparisons would not notice.

#ifndef DLC_COMPILER_PLACECOUNT_H
#define DLC_COMPILER_PLACECOUNT_H

#include "compiler/Dialect/Dl.h"
#include "mlir/IR/Value.h"

namespace dlc {

struct PlaceCount {
  int64_t count = 0;       ///< Values from here on have no place; 0: nothing is known.
  int64_t least = 0;       ///< Nor have values below: 0, or less where the program tells negative ones apart.
  mlir::Location location; ///< Of the operation that has the places.
};

/// The largest axis that the integers of an entry's argument choose from: of a table (gather), or as classes
/// (label == iota(10)). Unknown when no such axis has a constant size, or when the program compares the
/// argument with a larger constant: that is ignore_index=255, as ignore_index=-100 is a smaller one.
PlaceCount countPlaces(mlir::Value argument);

} // namespace dlc

#endif // DLC_COMPILER_PLACECOUNT_H
