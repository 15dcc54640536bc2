// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that keep positions, and reductions along axes.

#include "test/Memory/GraphGenerator.h"

namespace dlc::test {

void GraphGenerator::addUnary(const Node &a) {
  std::string type = typeOf(a.shape);
  switch (below(6)) {
  case 0:
    emit("dl.tanh " + a.name + " : " + type, a.shape);
    return;
  case 1:
    emit("dl.exp " + hidden("dl.neg " + hidden("dl.abs " + a.name + " : " + type) + " : " + type) + " : " +
             type,
         a.shape);
    return;
  case 2:
    emit("dl.sin " + a.name + " : " + type, a.shape);
    return;
  case 3:
    emit("dl.max " + a.name + ", " + constantOf(0, a.shape) + " : " + type, a.shape);
    return;
  case 4:
    emit("dl.mul " + a.name + ", " + constantOf(0.5, a.shape) + " : " + type, a.shape);
    return;
  default:
    emit("dl.neg " + a.name + " : " + type, a.shape);
  }
}

void GraphGenerator::addBinary(const Node &a) {
  // Any value whose axes are axes of a, in order.
  Node b = choose(nodes);
  SmallVector<int64_t> dims;
  for (size_t axis = 0; axis < a.shape.size() && dims.size() < b.shape.size(); ++axis)
    if (a.shape[axis] == b.shape[dims.size()])
      dims.push_back(static_cast<int64_t>(axis));
  if (dims.size() < b.shape.size())
    return;
  std::string type = typeOf(a.shape);
  if (b.shape.size() < a.shape.size())
    b = broadcastTo(b, dims, a.shape);
  static const std::vector<std::string> ops{"add", "sub", "mul", "max", "min", "div"};
  std::string op = choose(ops), right = b.name;
  if (op == "div")
    right = hidden("dl.add " + hidden("dl.abs " + b.name + " : " + type) + ", " + constantOf(2, a.shape) +
                   " : " + type);
  emit("dl." + op + " " + a.name + ", " + right + " : " + type, a.shape);
}

void GraphGenerator::addSelect(const Node &a) {
  for (const Node &condition : nodes)
    if (condition.isInput() && condition.shape == a.shape) {
      std::string type = typeOf(a.shape);
      std::string isLarge =
          hidden("dl.compare gt " + condition.name + ", " + constantOf(0.1, a.shape) + " : " + type);
      std::string other = hidden("dl.mul " + a.name + ", " + constantOf(0.25, a.shape) + " : " + type);
      emit("dl.select " + isLarge + ", " + a.name + ", " + other + " : " + type, a.shape);
      return;
    }
}

void GraphGenerator::addReduce(const Node &a) {
  if (a.shape.empty())
    return;
  SmallVector<int64_t> axes = someAxes(a.shape.size());
  Shape kept, reduced;
  for (auto [axis, dim] : llvm::enumerate(a.shape))
    (llvm::is_contained(axes, static_cast<int64_t>(axis)) ? reduced : kept).push_back(dim);
  static const std::vector<std::string> kinds{"sum", "sum", "max", "min", "prod"};
  std::string kind = choose(kinds);
  if (kind == "prod" && elements(reduced) > 7)
    kind = "sum";
  std::string result = hidden("dl.reduce " + kind + " " + a.name + " " + list(axes) + " : " +
                              typeOf(a.shape) + " to " + typeOf(kept));
  squash(result, kept);
}

void GraphGenerator::addSoftmax(const Node &a) {
  if (a.shape.empty())
    return;
  int64_t axis = below(static_cast<int64_t>(a.shape.size()));
  Shape rows = a.shape;
  rows.erase(rows.begin() + axis);
  SmallVector<int64_t> dims;
  for (int64_t i = 0; i < static_cast<int64_t>(a.shape.size()); ++i)
    if (i != axis)
      dims.push_back(i);
  std::string full = typeOf(a.shape), row = typeOf(rows);
  auto reduce = [&](const std::string &kind, const std::string &value) {
    std::string result =
        hidden("dl.reduce " + kind + " " + value + " " + list(axis) + " : " + full + " to " + row);
    return hidden("dl.broadcast " + result + " " + list(dims) + " : " + row + " to " + full);
  };
  std::string largest = hidden("dl.stop_gradient " + reduce("max", a.name) + " : " + full);
  std::string e =
      hidden("dl.exp " + hidden("dl.sub " + a.name + ", " + largest + " : " + full) + " : " + full);
  emit("dl.div " + e + ", " + reduce("sum", e) + " : " + full, a.shape);
}

void GraphGenerator::addArgmax(const Node &a) {
  if (a.shape.empty() || !a.isInput())
    return;
  int64_t axis = below(static_cast<int64_t>(a.shape.size()));
  Shape shape = a.shape;
  shape.erase(shape.begin() + axis);
  std::string index = hidden("dl.argmax " + a.name + " " + std::to_string(axis) + " : " + typeOf(a.shape) +
                             " to " + typeOf(shape, "i32"));
  squash(hidden("dl.cast " + index + " : " + typeOf(shape, "i32") + " to " + typeOf(shape)), shape);
}

} // namespace dlc::test
