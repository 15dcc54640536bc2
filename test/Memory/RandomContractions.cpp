// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions, windows and loops.

#include "test/Memory/GraphGenerator.h"

namespace dlc::test {

void GraphGenerator::addContract(const Node &a) {
  if (a.shape.size() != 2)
    return;
  // One axis of a is reduced, the other kept; so with b, which may be new.
  int64_t reduced = below(2), transposed = below(2);
  PolynomialAttr depth = a.shape[reduced], rows = a.shape[1 - reduced], columns = dimension();
  std::vector<Node> fitting;
  for (const Node &node : nodes)
    if (node.shape.size() == 2 && node.shape[transposed] == depth)
      fitting.push_back(node);
  Node b = !fitting.empty() && chance(60) ? choose(fitting)
                                          : input(transposed ? Shape{columns, depth} : Shape{depth, columns});
  columns = b.shape[1 - transposed];
  if (valueOf(depth) * valueOf(rows) * valueOf(columns) > kMaxProducts ||
      elements({rows, columns}) > kMaxElements)
    return;
  bool flips = chance(30);
  Shape shape = flips ? Shape{columns, rows} : Shape{rows, columns};
  std::string equation =
      std::string(reduced ? "mk" : "km") + (transposed ? ",nk" : ",kn") + (flips ? "->nm" : "->mn");
  squash(hidden("dl.contract \"" + equation + "\" " + a.name + ", " + b.name + " : (" + typeOf(a.shape) +
                ", " + typeOf(b.shape) + ") -> " + typeOf(shape)),
         shape);
}

void GraphGenerator::addBatchedContract(const Node &a) {
  if (a.shape.size() != 3)
    return;
  PolynomialAttr batch = a.shape[0], rows = a.shape[1], depth = a.shape[2], columns = dimension();
  Shape shape{batch, rows, columns};
  if (elements(a.shape) * valueOf(columns) > kMaxProducts || elements(shape) > kMaxElements)
    return;
  bool isShared = chance(50);
  Node b = input(isShared ? Shape{depth, columns} : Shape{batch, depth, columns});
  squash(hidden(std::string("dl.contract \"gmk,") + (isShared ? "kn" : "gkn") + "->gmn\" " + a.name + ", " +
                b.name + " : (" + typeOf(a.shape) + ", " + typeOf(b.shape) + ") -> " + typeOf(shape)),
         shape);
}

bool GraphGenerator::slide(PolynomialAttr &size, int64_t more, int64_t stride) {
  PolynomialAttr span = size + more;
  if (valueOf(span) < 0)
    return false;
  size = stride == 1 ? span + 1 : constant(valueOf(span) / stride + 1);
  return true;
}

void GraphGenerator::addPool(const Node &a) {
  int64_t spatial = static_cast<int64_t>(a.shape.size()) - 2;
  if (spatial < 1)
    return;
  SmallVector<int64_t> window, strides, low, high;
  Shape shape = a.shape;
  for (int64_t axis = 0; axis < spatial; ++axis) {
    PolynomialAttr &size = shape[2 + axis];
    window.push_back(1 + below(3));
    strides.push_back(size.isConstant() ? 1 + below(2) : 1);
    low.push_back(below(window.back()));
    high.push_back(below(window.back()));
    if (!slide(size, low.back() + high.back() - window.back(), strides.back()))
      return;
  }
  emit("dl.max_pool " + a.name + " window " + list(window) + " strides " + list(strides) + " padding " +
           list(low) + " to " + list(high) + " : (" + typeOf(a.shape) + ") -> " + typeOf(shape),
       shape);
}

void GraphGenerator::addConvolution(const Node &a) {
  int64_t spatial = static_cast<int64_t>(a.shape.size()) - 2;
  if (spatial < 1 || spatial > 2 || !a.shape[1].isConstant())
    return;
  int64_t channels = *a.shape[1].getConstantValue(), groups = channels % 3 == 0 && chance(30) ? 3 : 1;
  int64_t outputs = groups * (1 + below(6));
  SmallVector<int64_t> strides, low, high, dilations;
  Shape filter{constant(outputs), constant(channels / groups)}, shape{a.shape[0], constant(outputs)};
  int64_t products = channels / groups * outputs * valueOf(a.shape[0]);
  for (int64_t axis = 0; axis < spatial; ++axis) {
    PolynomialAttr size = a.shape[2 + axis];
    int64_t kernel = 1 + below(3);
    strides.push_back(size.isConstant() ? 1 + below(2) : 1);
    dilations.push_back(1 + below(2));
    low.push_back(below(3));
    high.push_back(below(3));
    if (!slide(size, low.back() + high.back() - (kernel - 1) * dilations.back() - 1, strides.back()))
      return;
    filter.push_back(constant(kernel));
    shape.push_back(size);
    products *= kernel * valueOf(size);
  }
  if (products > kMaxProducts || elements(shape) > kMaxElements)
    return;
  Node w = input(filter);
  squash(hidden("dl.conv " + a.name + ", " + w.name + " strides " + list(strides) + " padding " + list(low) +
                " to " + list(high) + " dilations " + list(dilations) + " groups " + std::to_string(groups) +
                " : (" + typeOf(a.shape) + ", " + typeOf(filter) + ") -> " + typeOf(shape)),
         shape);
}

/// The stack lies along the axis of the input, so that its elements are strided unless that is the first. The
/// body sees values under other shapes, and multiplies either the old carry or what it also stacks; a second
/// carry may meet a value from outside, and its end need not be used.
void GraphGenerator::addScan(const Node &a) {
  if (a.shape.size() < 2)
    return;
  int64_t axis = below(static_cast<int64_t>(a.shape.size()));
  Shape row = a.shape;
  row.erase(row.begin() + axis);
  std::string type = typeOf(row), zero = constantOf(0, row), id = std::to_string(counter), body;
  std::string carry = "%h" + id, element = "%y" + id;
  int locals = 0;
  auto local = [&](const std::string &operation) {
    std::string name = "%b" + id + "_" + std::to_string(locals++);
    body += "  " + name + " = " + operation + "\n";
    return name;
  };
  auto reshape = [&](const std::string &value, const Shape &from, const Shape &to) {
    return local("dl.reshape " + value + " : " + typeOf(from) + " to " + typeOf(to));
  };
  auto flatSine = [&](const std::string &value) {
    Shape flat{constant(1), constant(1)};
    for (PolynomialAttr dim : row)
      flat[1] = flat[1] * dim;
    std::string sine = local("dl.sin " + reshape(value, row, flat) + " : " + typeOf(flat));
    return reshape(sine, flat, row);
  };
  auto product = [&](const std::string &value) {
    PolynomialAttr depth = row.back();
    Node w = input({depth, depth});
    Shape matrix = row.size() == 1 ? Shape{constant(1), depth} : row;
    std::string left = row.size() == 1 ? reshape(value, row, matrix) : value;
    std::string result = local("dl.contract \"nk,kj->nj\" " + left + ", " + w.name + " : (" + typeOf(matrix) +
                               ", " + typeOf(w.shape) + ") -> " + typeOf(matrix));
    return row.size() == 1 ? reshape(result, matrix, row) : result;
  };

  bool contracts = row.size() <= 2 && valueOf(row.back()) <= 25 && chance(50);
  bool first = chance(50); // The product comes before the stacked value, not behind it.
  std::string mixed = contracts && first ? product(carry) : carry;
  if (chance(25))
    element = flatSine(element);
  std::string small =
      local("dl.mul " + mixed + ", " + local("dl.constant 0.3 : f32 : " + type) + " : " + type);
  std::string sum = local("dl.add " + small + ", " + element + " : " + type);
  bool hasOther = chance(40);
  std::string other = "%g" + id, nextOther;
  if (hasOther) {
    sum = local("dl.add " + sum + ", " + other + " : " + type);
    auto known = llvm::find_if(nodes, [&](const Node &node) { return node.shape == row; });
    std::string factor = chance(60) ? (known != nodes.end() ? known->name : input(row).name) : element;
    nextOther = local("dl.sin " + local("dl.mul " + other + ", " + factor + " : " + type) + " : " + type);
  }
  std::string stacked = local("dl.tanh " + sum + " : " + type);
  std::string next = contracts && !first ? product(stacked) : chance(25) ? flatSine(stacked) : stacked;

  std::string last = "%v" + std::to_string(counter++), all = "%v" + std::to_string(counter++);
  std::string lastOther = "%v" + std::to_string(counter++), one = hasOther ? constantOf(1, row) : "";
  std::string carryTypes = hasOther ? type + ", " + type : type;
  bool isFirst = chance(50); // The other carry comes before the one that is a product's operand.
  auto both = [&](const std::string &own, const std::string &second) {
    return !hasOther ? own : isFirst ? second + ", " + own : own + ", " + second;
  };
  lines.push_back(both(last, lastOther) + ", " + all + " = dl.scan #dl.poly<" + dl::toString(a.shape[axis]) +
                  "> " + (chance(50) ? "reverse " : "") + "xs(" + a.name + ") axes " + list(axis) +
                  " carries(" + both(zero, one) + ") stack_axes " + list(axis) + " : (" + typeOf(a.shape) +
                  "), (" + carryTypes + ") -> (" + carryTypes + "), (" + typeOf(a.shape) + ") {\n^bb0(%i" +
                  id + ": !dl.tensor<[], i64>, %y" + id + ": " + type + ", " +
                  both("%h" + id + ": " + type, "%g" + id + ": " + type) + "):\n" + body + "  dl.yield " +
                  both(next, nextOther) + ", " + stacked + " : " + carryTypes + ", " + type + "\n}");
  nodes.push_back({all, a.shape, Origin::Computed});
  if (chance(50))
    nodes.push_back({last, row, Origin::Computed});
  if (hasOther && chance(50))
    nodes.push_back({lastOther, row, Origin::Computed});
}

} // namespace dlc::test
