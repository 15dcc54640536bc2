// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference's value: a dense row-major tensor. Floating-point elements of every type are f64 and never
// rounded; integers and bools are exact.

#ifndef DLC_COMPILER_REFERENCE_TENSOR_H
#define DLC_COMPILER_REFERENCE_TENSOR_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/raw_ostream.h"

#include <vector>

namespace dlc::reference {

/// One element: `real` where the element type is floating-point, else `integer` (a bool is 0 or 1).
struct Element {
  double real = 0;
  int64_t integer = 0;
};

using Shape = llvm::SmallVector<int64_t>;

struct Tensor {
  mlir::Type elementType;
  Shape shape;
  std::vector<Element> elements; // row-major

  Tensor() = default;
  /// Filled with zeros.
  Tensor(mlir::Type elementType, llvm::ArrayRef<int64_t> shape);

  bool isFloat() const { return llvm::isa<mlir::FloatType>(elementType); }
  int64_t size() const { return static_cast<int64_t>(elements.size()); }
  double real(int64_t i = 0) const { return elements[i].real; }
  int64_t integer(int64_t i = 0) const { return elements[i].integer; }
  /// The element as f64, whatever its type.
  double number(int64_t i = 0) const { return isFloat() ? real(i) : static_cast<double>(integer(i)); }
  /// The row-major position of `index`.
  int64_t offset(llvm::ArrayRef<int64_t> index) const;
};

/// The distance between neighbours along each axis of a row-major tensor.
Shape rowMajorStrides(llvm::ArrayRef<int64_t> shape);

/// Calls `visit` with every index of `shape` in row-major order; once with the empty index for a scalar.
void forEachIndex(llvm::ArrayRef<int64_t> shape, llvm::function_ref<void(llvm::ArrayRef<int64_t>)> visit);

/// `value` brought into the range of an integer element type by wrapping.
int64_t wrap(int64_t value, mlir::Type elementType);

/// f32[2, 3]: 1 2 3 4 5 6
llvm::raw_ostream &operator<<(llvm::raw_ostream &os, const Tensor &tensor);

} // namespace dlc::reference

#endif // DLC_COMPILER_REFERENCE_TENSOR_H
