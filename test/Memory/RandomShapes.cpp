// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that move elements.

#include "test/Memory/GraphGenerator.h"

namespace dlc::test {

GraphGenerator::Node GraphGenerator::broadcastTo(const Node &from, ArrayRef<int64_t> dims,
                                                 const Shape &shape) {
  return emit("dl.broadcast " + from.name + " " + list(dims) + " : " + typeOf(from.shape) + " to " +
                  typeOf(shape),
              shape);
}

void GraphGenerator::addBroadcast(const Node &a) {
  Shape shape = a.shape;
  SmallVector<int64_t> dims;
  int64_t at = below(static_cast<int64_t>(shape.size()) + 1);
  shape.insert(shape.begin() + at, dimension());
  if (shape.size() > 4 || elements(shape) > kMaxElements)
    return;
  for (int64_t axis = 0; axis < static_cast<int64_t>(shape.size()); ++axis)
    if (axis != at)
      dims.push_back(axis);
  broadcastTo(a, dims, shape);
}

void GraphGenerator::addTranspose(const Node &a) {
  SmallVector<int64_t> permutation;
  for (size_t axis = 0; axis < a.shape.size(); ++axis)
    permutation.insert(permutation.begin() + below(static_cast<int64_t>(axis) + 1),
                       static_cast<int64_t>(axis));
  Shape shape;
  for (int64_t axis : permutation)
    shape.push_back(a.shape[axis]);
  emit("dl.transpose " + a.name + " " + list(permutation) + " : " + typeOf(a.shape) + " to " + typeOf(shape),
       shape);
}

void GraphGenerator::addReshape(const Node &a) {
  Shape shape = a.shape;
  int64_t rank = static_cast<int64_t>(shape.size());
  if (rank > 1 && chance(60)) { // Two neighbours become one axis.
    int64_t at = below(rank - 1);
    shape[at] = shape[at] * shape[at + 1];
    shape.erase(shape.begin() + at + 1);
  } else if (rank > 0 && rank < 4) { // An axis becomes two.
    int64_t at = below(rank);
    std::optional<int64_t> size = shape[at].getConstantValue();
    int64_t factor = !size ? 1 : *size % 5 == 0 ? 5 : *size % 4 == 0 ? 4 : 1;
    if (auto rest = dl::divideExactly(shape[at], constant(factor))) {
      shape[at] = *rest;
      shape.insert(shape.begin() + at + below(2), constant(factor));
    }
  }
  emit("dl.reshape " + a.name + " : " + typeOf(a.shape) + " to " + typeOf(shape), shape);
}

void GraphGenerator::addSlice(const Node &a) {
  Shape shape = a.shape;
  SmallVector<int64_t> strides(shape.size(), 1);
  std::vector<std::string> offsets(shape.size(), "#dl.poly<0>");
  for (auto [axis, dim] : llvm::enumerate(shape)) {
    std::optional<int64_t> size = dim.getConstantValue();
    if (valueOf(dim) < 3 || chance(50))
      continue;
    if (!size) { // Without its first element, its last, or both.
      int64_t offset = below(2);
      offsets[axis] = "#dl.poly<" + std::to_string(offset) + ">";
      dim = dim - (offset + (offset == 0 || chance(50) ? 1 : 0));
      continue;
    }
    int64_t offset = below(*size - 1), stride = 1 + below(3);
    offsets[axis] = "#dl.poly<" + std::to_string(offset) + ">";
    strides[axis] = stride;
    dim = constant((*size - offset + stride - 1) / stride);
  }
  emit("dl.slice " + a.name + " [" + join(offsets) + "] strides " + list(strides) + " : " + typeOf(a.shape) +
           " to " + typeOf(shape),
       shape);
}

void GraphGenerator::addPad(const Node &a) {
  Shape shape = a.shape;
  SmallVector<int64_t> interior(shape.size(), 0);
  std::vector<std::string> lows(shape.size(), "#dl.poly<0>");
  for (auto [axis, dim] : llvm::enumerate(shape)) {
    if (chance(50))
      continue;
    int64_t low = below(4), high = below(3);
    lows[axis] = "#dl.poly<" + std::to_string(low) + ">";
    interior[axis] = chance(30) ? 1 : 0;
    dim = dim * (interior[axis] + 1) + (low + high - interior[axis]);
  }
  if (shape.empty() || elements(shape) > kMaxElements)
    return;
  emit("dl.pad " + a.name + " value 0.5 : f32 low [" + join(lows) + "] interior " + list(interior) + " : " +
           typeOf(a.shape) + " to " + typeOf(shape),
       shape);
}

void GraphGenerator::addConcat(const Node &a) {
  if (a.shape.empty())
    return;
  int64_t axis = below(static_cast<int64_t>(a.shape.size()));
  std::vector<Node> fitting;
  for (const Node &node : nodes) {
    bool fits = node.shape.size() == a.shape.size();
    for (size_t i = 0; fits && i < a.shape.size(); ++i)
      fits = static_cast<int64_t>(i) == axis || node.shape[i] == a.shape[i];
    if (fits)
      fitting.push_back(node);
  }
  std::vector<std::string> names, types;
  Shape shape = a.shape;
  shape[axis] = constant(0);
  for (int64_t i = 0, count = 2 + below(2); i < count; ++i) {
    const Node &part = i == 1 ? a : choose(fitting);
    names.push_back(part.name);
    types.push_back(typeOf(part.shape));
    shape[axis] = shape[axis] + part.shape[axis];
  }
  if (elements(shape) <= kMaxElements)
    emit("dl.concat " + std::to_string(axis) + ", " + join(names) + " : (" + join(types) + ") -> " +
             typeOf(shape),
         shape);
}

} // namespace dlc::test
