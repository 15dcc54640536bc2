// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Reference/Tensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;

namespace dlc::reference {

Tensor::Tensor(Type elementType, ArrayRef<int64_t> shape) : elementType(elementType), shape(shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  elements.resize(count);
}

int64_t Tensor::offset(ArrayRef<int64_t> index) const {
  int64_t position = 0;
  for (auto [axis, i] : llvm::enumerate(index))
    position = position * shape[axis] + i;
  return position;
}

Shape rowMajorStrides(ArrayRef<int64_t> shape) {
  Shape strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

void forEachIndex(ArrayRef<int64_t> shape, llvm::function_ref<void(ArrayRef<int64_t>)> visit) {
  if (llvm::is_contained(shape, 0))
    return;
  Shape index(shape.size(), 0);
  while (true) {
    visit(index);
    size_t axis = shape.size();
    while (axis > 0 && ++index[axis - 1] == shape[axis - 1])
      index[--axis] = 0;
    if (axis == 0)
      return;
  }
}

int64_t wrap(int64_t value, Type elementType) {
  auto type = cast<IntegerType>(elementType);
  unsigned unused = 64 - type.getWidth();
  uint64_t shifted = static_cast<uint64_t>(value) << unused;
  if (type.isUnsigned() || type.getWidth() == 1)
    return static_cast<int64_t>(shifted >> unused);
  return static_cast<int64_t>(shifted) >> unused;
}

llvm::raw_ostream &operator<<(llvm::raw_ostream &os, const Tensor &tensor) {
  os << tensor.elementType << "[";
  llvm::interleaveComma(tensor.shape, os);
  os << "]:";
  for (const Element &element : tensor.elements) {
    if (std::isnan(element.real))
      os << " nan"; // its sign and payload mean nothing
    else if (tensor.isFloat())
      os << " " << llvm::format("%.6g", element.real);
    else
      os << " " << element.integer;
  }
  return os;
}

} // namespace dlc::reference
