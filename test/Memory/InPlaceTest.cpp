// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests the planner's rule for results in an operand's memory (isIndexForIndex) against what dispatches
// compute, by the reference: where the rule allows it, element i of the operand reaches element i of every
// result and no other. For each bit of the index, the elements in which it is 0 are changed: only such
// results may change.

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Memory/Schedule.h"
#include "compiler/Reference/Evaluator.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace dlc::memory {
namespace {

using reference::Tensor;

/// A module, how its scans run, and how often the rule allows a result in an operand's memory, at least.
struct Step {
  const char *file, *scan;
  int allowed;
};

class InPlace : public ::testing::TestWithParam<Step> {
protected:
  InPlace() {
    context.disableMultithreading();
    context.loadDialect<dl::DlDialect, func::FuncDialect>();
    context.getDiagEngine().registerHandler([](Diagnostic &) { return success(); });
    module = parseSourceFile<ModuleOp>(DLC_TEST_DIR "/" + std::string(GetParam().file), &context);
    PassManager passes(&context);
    passes.addPass(autodiff::createDifferentiatePass());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createSimplifyPass());
    FormDispatchesPassOptions options;
    options.scan = GetParam().scan;
    passes.addPass(createFormDispatchesPass(options));
    EXPECT_TRUE(succeeded(passes.run(*module)));
  }

  Tensor randomTensor(dl::TensorType type) {
    SmallVector<int64_t> shape;
    for (dl::PolynomialAttr dim : type.getShape())
      shape.push_back(*evaluate(dim, symbols));
    Tensor tensor(type.getElementType(), shape);
    for (reference::Element &element : tensor.elements) {
      element.real = std::uniform_real_distribution<>(-1, 1)(random);
      element.integer = static_cast<int64_t>(random() % 2);
    }
    return tensor;
  }

  /// The dispatch's body as a function of its own.
  func::FuncOp outline(dl::DispatchOp dispatch) {
    OpBuilder builder(module->getBodyRegion());
    auto type = builder.getFunctionType(dispatch->getOperandTypes(), dispatch->getResultTypes());
    auto function = func::FuncOp::create(builder, dispatch.getLoc(), "outlined", type);
    IRMapping mapping;
    dispatch.getBody().cloneInto(&function.getBody(), mapping);
    Operation *yield = function.front().getTerminator();
    builder.setInsertionPoint(yield);
    func::ReturnOp::create(builder, dispatch.getLoc(), yield->getOperands());
    yield->erase();
    return function;
  }

  std::vector<Tensor> run(func::FuncOp function, ArrayRef<Tensor> inputs) {
    reference::States states;
    reference::Symbols values;
    for (auto &entry : symbols)
      values[entry.getKey()] = entry.getValue();
    auto results = reference::evaluate(function, inputs, states, values);
    EXPECT_TRUE(succeeded(results));
    return succeeded(results) ? std::vector<Tensor>(results->begin(), results->end()) : std::vector<Tensor>();
  }

  static bool differs(const reference::Element &a, const reference::Element &b) {
    bool sameReal = a.real == b.real || (std::isnan(a.real) && std::isnan(b.real));
    return !sameReal || a.integer != b.integer;
  }

  void check(dl::DispatchOp dispatch, unsigned operand) {
    func::FuncOp function = outline(dispatch);
    std::vector<Tensor> inputs;
    for (Type type : dispatch->getOperandTypes())
      inputs.push_back(randomTensor(cast<dl::TensorType>(type)));
    std::vector<Tensor> before = run(function, inputs);
    int64_t count = inputs[operand].size();
    for (int64_t bit = 1; bit < count; bit *= 2) {
      std::vector<Tensor> changed = inputs;
      for (int64_t i = 0; i < count; ++i)
        if (!(i & bit)) {
          changed[operand].elements[i].real += 0.75;
          changed[operand].elements[i].integer ^= 1;
        }
      std::vector<Tensor> after = run(function, changed);
      for (auto [number, result] : llvm::enumerate(after))
        for (int64_t i = 0; i < result.size(); ++i)
          ASSERT_FALSE((i & bit) && differs(before[number].elements[i], result.elements[i]))
              << dispatch.getName().str() << ": operand " << operand << " reaches element " << i
              << " of result " << number << " from elsewhere";
    }
    function.erase();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  SymbolValues symbols{{"n", 2}, {"t", 3}};
  std::mt19937 random{7};
};

TEST_P(InPlace, ElementsStayApart) {
  SmallVector<dl::DispatchOp> dispatches;
  module->walk([&](dl::DispatchOp dispatch) { dispatches.push_back(dispatch); });
  int allowed = 0;
  for (dl::DispatchOp dispatch : dispatches)
    for (unsigned operand = 0; operand < dispatch->getNumOperands(); ++operand)
      for (unsigned result = 0; result < dispatch->getNumResults(); ++result)
        if (isIndexForIndex(dispatch, operand, result)) {
          check(dispatch, operand);
          ++allowed;
        }
  EXPECT_GE(allowed, GetParam().allowed);
}

INSTANTIATE_TEST_SUITE_P(Steps, InPlace,
                         ::testing::Values(Step{"Transforms/mnist-step.mlir", "loop", 5},
                                           Step{"Transforms/rnn-step.mlir", "loop", 5},
                                           Step{"Transforms/rnn-step.mlir", "auto", 1},
                                           Step{"Memory/scan-in-place.mlir", "auto", 1}));

} // namespace
} // namespace dlc::memory
