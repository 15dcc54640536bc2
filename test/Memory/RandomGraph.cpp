// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A graph grows by operations on values that it has already, late ones rather than early ones. Magnitudes
// stay around 1. Operations that jump (argmax, comparisons) work on inputs only: on computed values the
// rounding of f32 could decide them otherwise than f64 does.

#include "test/Memory/GraphGenerator.h"

namespace dlc::test {

std::string list(ArrayRef<int64_t> numbers) {
  std::string text;
  for (int64_t number : numbers)
    text += (text.empty() ? "" : ", ") + std::to_string(number);
  return "[" + text + "]";
}

std::string join(ArrayRef<std::string> parts) {
  std::string text;
  for (const std::string &part : parts)
    text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string typeOf(ArrayRef<PolynomialAttr> shape, const std::string &element) {
  std::vector<std::string> dims;
  for (PolynomialAttr dim : shape)
    dims.push_back(dl::toString(dim));
  return "!dl.tensor<[" + join(dims) + "], " + element + ">";
}

RandomGraph GraphGenerator::make() {
  for (int i = 0; i < 20; ++i)
    next(); // Small seeds start alike.
  symbols["n"] = choose(std::vector<int64_t>{1, 2, 5, 17});
  symbols["t"] = choose(std::vector<int64_t>{1, 5, 16});
  symbols["k"] = choose(std::vector<int64_t>{1, 7, 15, 16, 17});
  for (int64_t i = 0, count = 1 + below(3); i < count; ++i) {
    Shape shape;
    for (int64_t axis = 0, rank = 1 + below(4); axis < rank; ++axis) {
      shape.push_back(dimension());
      if (elements(shape) > kMaxElements)
        shape.pop_back();
    }
    input(shape);
  }
  grow(2 + below(6));
  std::vector<Node> results = chooseResults();
  std::vector<std::string> gradients = addGradients(addLoss(results));
  addUpdates(gradients);
  return {finish(results, gradients), symbols};
}

void GraphGenerator::grow(int64_t wanted) {
  // Some stand twice: they are likelier, or often cannot be added.
  using G = GraphGenerator;
  static const std::vector<void (G::*)(const Node &)> operations{
      &G::addUnary,       &G::addBinary,   &G::addBinary,    &G::addSelect,
      &G::addReduce,      &G::addReduce,   &G::addBroadcast, &G::addTranspose,
      &G::addReshape,     &G::addReshape,  &G::addSlice,     &G::addPad,
      &G::addConcat,      &G::addContract, &G::addContract,  &G::addBatchedContract,
      &G::addSoftmax,     &G::addArgmax,   &G::addPool,      &G::addConvolution,
      &G::addConvolution, &G::addScan,     &G::addScan,      &G::addGather,
      &G::addScatterAdd,  &G::addSort,     &G::addSubscript, &G::addSubscript};
  for (int64_t done = 0, tries = 0; done < wanted && tries < 200; ++tries) {
    int before = counter;
    (this->*choose(operations))(Node(pick()));
    done += counter > before;
  }
}

std::vector<GraphGenerator::Node> GraphGenerator::chooseResults() {
  std::vector<Node> computed, results;
  llvm::copy_if(nodes, std::back_inserter(computed), [](const Node &node) { return !node.isInput(); });
  for (const Node &node : computed)
    if (&node == &computed.back() || chance(20))
      results.push_back(node);
  return results;
}

std::string GraphGenerator::addLoss(const std::vector<Node> &results) {
  std::string loss = hidden("dl.constant 0.0 : f32 : " + typeOf({}));
  for (const Node &result : results) {
    SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, result.shape.size()));
    std::string type = typeOf(result.shape);
    std::string shifted =
        hidden("dl.add " + result.name + ", " + constantOf(0.3, result.shape) + " : " + type);
    std::string sum = hidden("dl.mul " + shifted + ", " + result.name + " : " + type);
    if (!axes.empty())
      sum = hidden("dl.reduce sum " + sum + " " + list(axes) + " : " + type + " to " + typeOf({}));
    loss = hidden("dl.add " + loss + ", " + sum + " : " + typeOf({}));
  }
  return loss;
}

std::vector<std::string> GraphGenerator::addGradients(const std::string &loss) {
  std::vector<std::string> wrt, types, gradients;
  for (const Node &node : nodes)
    if (node.isInput()) {
      gradients.push_back("%g#" + std::to_string(wrt.size()));
      wrt.push_back(node.name);
      types.push_back(typeOf(node.shape));
    }
  lines.push_back("%g:" + std::to_string(wrt.size()) + " = dl.gradient " + loss + " wrt(" + join(wrt) +
                  ") : " + typeOf({}) + ", (" + join(types) + ")");
  return gradients;
}

void GraphGenerator::addUpdates(const std::vector<std::string> &gradients) {
  std::vector<Node> inputs;
  llvm::copy_if(nodes, std::back_inserter(inputs), [](const Node &node) { return node.isInput(); });
  for (auto [node, gradient] : llvm::zip_equal(inputs, gradients)) {
    if (node.origin != Origin::State)
      continue;
    std::string state = "@" + node.name.substr(1), type = typeOf(node.shape), step = gradient;
    auto scaled = [&](const std::string &value, double factor) {
      return hidden("dl.mul " + value + ", " + constantOf(factor, node.shape) + " : " + type);
    };
    if (chance(50)) {
      states.push_back("dl.state optimizer " + state + ".m : " + type + " of " + state);
      std::string old = hidden("dl.load_state " + state + ".m : " + type);
      step = hidden("dl.add " + scaled(old, 0.9) + ", " + gradient + " : " + type);
      lines.push_back("dl.store_state " + state + ".m, " + step + " : " + type);
    }
    if (chance(20)) {
      states.push_back("dl.state buffer " + state + ".old : " + type);
      lines.push_back("dl.store_state " + state + ".old, " + node.name + " : " + type);
    }
    std::string next = hidden("dl.sub " + node.name + ", " + scaled(step, 0.1) + " : " + type);
    lines.push_back("dl.store_state " + state + ", " + next + " : " + type);
  }
}

std::string GraphGenerator::finish(const std::vector<Node> &results,
                                   const std::vector<std::string> &gradients) const {
  std::vector<std::string> returned, types;
  size_t input = 0;
  for (const Node &node : nodes) {
    if (!node.isInput())
      continue;
    if (node.origin == Origin::Argument) {
      returned.push_back(gradients[input]);
      types.push_back(typeOf(node.shape));
    }
    ++input;
  }
  for (const Node &result : results) {
    returned.push_back(result.name);
    types.push_back(typeOf(result.shape));
  }
  std::string text;
  for (const std::string &state : states)
    text += state + "\n";
  text += "func.func @f(" + join(arguments) + ") -> (" + join(types) +
          ") attributes {dl.entry = \"train\", dl.symbols = [\"n\", \"t\", \"k\"]} {\n";
  for (const std::string &line : lines)
    text += line + "\n";
  return text + "return " + join(returned) + " : " + join(types) + "\n}\n";
}

RandomGraph makeRandomGraph(mlir::MLIRContext &context, unsigned seed) {
  return GraphGenerator(context, seed).make();
}

} // namespace dlc::test
