// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that find elements by indices. Indices do not depend on the data, so that the reference, which
// rounds nowhere, chooses the same elements.

#include "test/Memory/GraphGenerator.h"

namespace dlc::test {

/// Whole numbers without an order: (iota · a + b) rem c, also outside of any axis that they choose from.
std::string GraphGenerator::addIndex(const Shape &shape) {
  std::string type = typeOf(shape, "i32");
  auto number = [&](int64_t value) {
    return hidden("dl.constant " + std::to_string(value) + " : i32 : " + type);
  };
  if (shape.empty())
    return number(below(6) - 1);
  std::string index =
      hidden("dl.iota " + std::to_string(below(static_cast<int64_t>(shape.size()))) + " : " + type);
  index = hidden("dl.mul " + index + ", " + number(1 + below(9)) + " : " + type);
  index = hidden("dl.add " + index + ", " + number(below(9)) + " : " + type);
  return hidden("dl.rem " + index + ", " + number(2 + below(12)) + " : " + type);
}

/// The index of a gather from `table`, or of a scatter into it, and the shape of what is gathered.
std::tuple<std::string, Shape, Shape, int64_t> GraphGenerator::chooseIndex(const Shape &table) {
  int64_t batch = below(std::min<int64_t>(static_cast<int64_t>(table.size()), 3));
  Shape index(table.begin(), table.begin() + batch), gathered;
  for (int64_t i = 0, count = below(3); i < count; ++i)
    index.push_back(dimension());
  gathered = index;
  gathered.insert(gathered.end(), table.begin() + batch + 1, table.end());
  return {addIndex(index), index, gathered, batch};
}

void GraphGenerator::addGather(const Node &a) {
  if (a.shape.empty())
    return;
  auto [index, indexShape, shape, batch] = chooseIndex(a.shape);
  if (shape.size() <= 4 && elements(shape) <= kMaxElements)
    emit("dl.gather " + a.name + ", " + index + " batch " + std::to_string(batch) + " : (" + typeOf(a.shape) +
             ", " + typeOf(indexShape, "i32") + ") -> " + typeOf(shape),
         shape);
}

void GraphGenerator::addScatterAdd(const Node &a) {
  // The updates' leading axes are the index's; one more axis takes their place.
  auto rank = static_cast<int64_t>(a.shape.size());
  int64_t indexRank = below(rank + 1), batch = below(indexRank + 1);
  Shape indexShape(a.shape.begin(), a.shape.begin() + indexRank),
      shape(a.shape.begin(), a.shape.begin() + batch);
  shape.push_back(dimension());
  shape.insert(shape.end(), a.shape.begin() + indexRank, a.shape.end());
  if (shape.size() > 4 || elements(shape) > kMaxElements ||
      elements(shape) * elements(indexShape) > kMaxProducts)
    return;
  std::string sum =
      hidden("dl.scatter_add " + a.name + ", " + addIndex(indexShape) + " batch " + std::to_string(batch) +
             " : (" + typeOf(a.shape) + ", " + typeOf(indexShape, "i32") + ") -> " + typeOf(shape));
  squash(sum, shape);
}

/// Rows in the order of other numbers.
void GraphGenerator::addSort(const Node &a) {
  if (a.shape.empty())
    return;
  std::string type = typeOf(a.shape, "i32");
  std::string order = hidden("dl.argsort " + addIndex(a.shape) + " : " + type + " to " + type);
  emit("dl.gather " + a.name + ", " + order + " batch " + std::to_string(a.shape.size() - 1) + " : (" +
           typeOf(a.shape) + ", " + type + ") -> " + typeOf(a.shape),
       a.shape);
}

/// Axes that follow one or two axes of the result, with strides in both directions, offsets and divisors;
/// often outside of the operand.
void GraphGenerator::addSubscript(const Node &a) {
  Shape shape;
  for (int64_t i = 0, count = 1 + below(3); i < count; ++i)
    shape.push_back(!a.shape.empty() && chance(60) ? choose(a.shape) : dimension());
  if (elements(shape) > kMaxElements)
    return;
  SmallVector<int64_t> coefficients, divisors;
  std::vector<std::string> offsets;
  static const std::vector<int64_t> steps{1, 1, 1, 2, 3, -1, -2};
  for (size_t axis = 0; axis < a.shape.size(); ++axis) {
    SmallVector<int64_t> row(shape.size(), 0);
    for (int64_t i = 0, count = below(3); i < count; ++i)
      row[below(static_cast<int64_t>(shape.size()))] = choose(steps);
    coefficients.append(row.begin(), row.end());
    offsets.push_back("#dl.poly<" + std::to_string(below(7) - 2) + ">");
    divisors.push_back(chance(80) ? 1 : 2);
  }
  emit("dl.subscript " + a.name + " " + list(coefficients) + " offsets [" + join(offsets) + "] divisors " +
           list(divisors) + " : " + typeOf(a.shape) + " to " + typeOf(shape),
       shape);
}

} // namespace dlc::test
