// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What makes a random graph: the program written so far, and the operations that may come next.

#ifndef DLC_TEST_MEMORY_GRAPHGENERATOR_H
#define DLC_TEST_MEMORY_GRAPHGENERATOR_H

#include "test/Memory/RandomGraph.h"

#include "llvm/ADT/STLExtras.h"

#include <vector>

namespace dlc::test {

using dl::PolynomialAttr;
using mlir::ArrayRef;
using mlir::SmallVector;
using Shape = std::vector<PolynomialAttr>;

/// Bounds that keep a graph quick to compile, run and evaluate.
constexpr int64_t kMaxElements = 9000, kMaxProducts = 200000;

/// [1, 2, 3]
std::string list(ArrayRef<int64_t> numbers);
/// With commas between.
std::string join(ArrayRef<std::string> parts);
std::string typeOf(ArrayRef<PolynomialAttr> shape, const std::string &element = "f32");

class GraphGenerator {
public:
  GraphGenerator(mlir::MLIRContext &context, unsigned seed)
      : context(context), state(seed * 0x9E3779B97F4A7C15u + 1) {}

  RandomGraph make();

private:
  enum class Origin { Argument, State, Computed };
  struct Node {
    std::string name;
    Shape shape;
    Origin origin;
    bool isInput() const { return origin != Origin::Computed; }
  };

  // The standard library's distributions differ between implementations.
  uint64_t next() {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state * 0x2545F4914F6CDD1D >> 20;
  }
  int64_t below(int64_t count) { return static_cast<int64_t>(next() % static_cast<uint64_t>(count)); }
  bool chance(int percent) { return below(100) < percent; }
  template <typename T> const T &choose(const std::vector<T> &from) { return from[below(from.size())]; }

  PolynomialAttr constant(int64_t value) { return PolynomialAttr::getConstant(&context, value); }
  PolynomialAttr dimension() {
    static const std::vector<std::string> symbolNames{"n", "t", "k"};
    static const std::vector<int64_t> sizes{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 25, 33};
    return chance(40) ? PolynomialAttr::getSymbol(&context, choose(symbolNames)) : constant(choose(sizes));
  }
  int64_t valueOf(PolynomialAttr dim) {
    return *dl::evaluate(dim, [&](llvm::StringRef name) { return std::optional(symbols.lookup(name)); });
  }
  int64_t elements(ArrayRef<PolynomialAttr> shape) {
    int64_t count = 1;
    for (PolynomialAttr dim : shape)
      count *= valueOf(dim);
    return count;
  }

  /// An argument, or a parameter where the shape allows it.
  Node input(const Shape &shape) {
    bool isState = llvm::all_of(shape, [](PolynomialAttr dim) { return dim.isConstant(); }) && chance(50);
    std::string name = "x" + std::to_string(inputs++), type = typeOf(shape);
    nodes.push_back({"%" + name, shape, isState ? Origin::State : Origin::Argument});
    if (isState) {
      states.push_back("dl.state parameter @" + name + " : " + type);
      lines.push_back("%" + name + " = dl.load_state @" + name + " : " + type);
    } else {
      arguments.push_back("%" + name + ": " + type);
    }
    return nodes.back();
  }
  Node emit(const std::string &operation, const Shape &shape) {
    std::string name = "%v" + std::to_string(counter++);
    lines.push_back(name + " = " + operation);
    nodes.push_back({name, shape, Origin::Computed});
    return nodes.back();
  }
  /// A helper value that no operation is built on.
  std::string hidden(const std::string &operation) {
    std::string name = "%v" + std::to_string(counter++);
    lines.push_back(name + " = " + operation);
    return name;
  }
  std::string constantOf(double value, const Shape &shape) {
    return hidden("dl.constant " + std::to_string(value) + " : f32 : " + typeOf(shape));
  }
  /// dl.tanh of 0.2 · value: keeps magnitudes.
  Node squash(const std::string &value, const Shape &shape) {
    std::string small = hidden("dl.mul " + value + ", " + constantOf(0.2, shape) + " : " + typeOf(shape));
    return emit("dl.tanh " + small + " : " + typeOf(shape), shape);
  }
  Node pick() {
    if (chance(70))
      return nodes[nodes.size() - 1 - below(std::min<size_t>(nodes.size(), 4))];
    return choose(nodes);
  }
  SmallVector<int64_t> someAxes(int64_t rank) {
    SmallVector<int64_t> axes;
    for (int64_t axis = 0; axis < rank; ++axis)
      if (chance(50))
        axes.push_back(axis);
    if (axes.empty())
      axes.push_back(below(rank));
    return axes;
  }

  /// Adds that many operations, if it finds some that fit.
  void grow(int64_t wanted);
  /// Some computed values, the last one among them.
  std::vector<Node> chooseResults();
  /// The sum of r · (r + 0.3) over all elements of all results.
  std::string addLoss(const std::vector<Node> &results);
  /// The gradients of all inputs; returns their names.
  std::vector<std::string> addGradients(const std::string &loss);
  /// Steps of the parameters against their gradients, some with momentum, some that keep the old value.
  void addUpdates(const std::vector<std::string> &gradients);
  /// The program, which returns the gradients of the arguments, and the results.
  std::string finish(const std::vector<Node> &results, const std::vector<std::string> &gradients) const;

  // Each adds an operation on `a` if it can.
  void addUnary(const Node &a);
  void addBinary(const Node &a);
  void addSelect(const Node &a);
  void addReduce(const Node &a);
  void addBroadcast(const Node &a);
  void addTranspose(const Node &a);
  void addReshape(const Node &a);
  void addSlice(const Node &a);
  void addPad(const Node &a);
  void addConcat(const Node &a);
  void addGather(const Node &a);
  void addScatterAdd(const Node &a);
  void addSort(const Node &a);
  void addSubscript(const Node &a);
  std::string addIndex(const Shape &shape);
  std::tuple<std::string, Shape, Shape, int64_t> chooseIndex(const Shape &table);
  void addContract(const Node &a);
  void addBatchedContract(const Node &a);
  void addSoftmax(const Node &a);
  void addArgmax(const Node &a);
  void addPool(const Node &a);
  void addConvolution(const Node &a);
  void addScan(const Node &a);
  Node broadcastTo(const Node &from, ArrayRef<int64_t> dims, const Shape &shape);

  /// The number of places of a window along an axis, (size + more) / stride + 1, in place of the size; false
  /// when it fits nowhere.
  bool slide(PolynomialAttr &size, int64_t more, int64_t stride);

  mlir::MLIRContext &context;
  uint64_t state;
  llvm::StringMap<int64_t> symbols;
  std::vector<Node> nodes;
  std::vector<std::string> states, arguments, lines;
  int inputs = 0, counter = 0;
};

} // namespace dlc::test

#endif // DLC_TEST_MEMORY_GRAPHGENERATOR_H
