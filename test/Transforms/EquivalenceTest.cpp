// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole training steps, before and after each pass, evaluated by the reference on the same random inputs:
// passes from dl to dl and the changes that memory planning makes keep results and states.

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Memory/Schedule.h"
#include "compiler/Reference/Evaluator.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

namespace dlc::test {
namespace {

using namespace mlir;
using reference::Tensor;

struct Outcome {
  std::vector<Tensor> results;
  std::map<std::string, Tensor> states;
};

class Equivalence : public ::testing::Test {
protected:
  Equivalence() {
    context.disableMultithreading();
    context.loadDialect<dl::DlDialect, func::FuncDialect>();
    context.getDiagEngine().registerHandler([](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        ADD_FAILURE() << diagnostic.str();
      return success();
    });
  }

  OwningOpRef<ModuleOp> parse(const std::string &file) {
    OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(DLC_TEST_DIR "/Transforms/" + file, &context);
    EXPECT_TRUE(module) << file;
    PassManager passes(&context);
    passes.addPass(autodiff::createDifferentiatePass());
    passes.addPass(createCanonicalizerPass());
    EXPECT_TRUE(succeeded(passes.run(*module)));
    return module;
  }

  Tensor randomTensor(dl::TensorType type) {
    SmallVector<int64_t> shape;
    for (dl::PolynomialAttr dim : type.getShape())
      shape.push_back(*memory::evaluate(dim, symbols));
    Tensor tensor(type.getElementType(), shape);
    for (reference::Element &element : tensor.elements) {
      element.real = std::uniform_real_distribution<>(0.05, 0.5)(random);
      element.integer = random() % 10;
    }
    return tensor;
  }

  /// Axis i of the result is axis permutation[i] of `tensor`.
  static Tensor permute(const Tensor &tensor, ArrayRef<int64_t> permutation) {
    SmallVector<int64_t> shape;
    for (int64_t axis : permutation)
      shape.push_back(tensor.shape[axis]);
    Tensor result(tensor.elementType, shape);
    reference::forEachIndex(shape, [&](ArrayRef<int64_t> index) {
      SmallVector<int64_t> source(index.size());
      for (auto [axis, from] : llvm::enumerate(permutation))
        source[from] = index[axis];
      result.elements[result.offset(index)] = tensor.elements[tensor.offset(source)];
    });
    return result;
  }

  /// The logical type of a state.
  static dl::TensorType logicalType(dl::StateOp state) {
    auto type = cast<dl::TensorType>(state.getType());
    SmallVector<dl::PolynomialAttr> shape(type.getShape());
    if (std::optional<ArrayRef<int64_t>> layout = state.getLayout())
      for (auto [axis, logical] : llvm::enumerate(*layout))
        shape[logical] = type.getDim(axis);
    return type.withShape(shape);
  }

  Outcome evaluate(ModuleOp module) {
    random.seed(7);
    Outcome outcome;
    auto step = *module.getOps<func::FuncOp>().begin();
    reference::States states;
    for (auto state : module.getOps<dl::StateOp>()) {
      Tensor logical = randomTensor(logicalType(state));
      states[state.getSymName()] = state.getLayout() ? permute(logical, *state.getLayout()) : logical;
    }
    std::vector<Tensor> inputs;
    for (Type type : step.getArgumentTypes())
      inputs.push_back(randomTensor(cast<dl::TensorType>(type)));
    reference::Symbols values;
    for (auto &entry : symbols)
      values[entry.getKey()] = entry.getValue();
    auto results = reference::evaluate(step, inputs, states, values);
    EXPECT_TRUE(succeeded(results));
    if (succeeded(results))
      outcome.results.assign(results->begin(), results->end());
    for (auto state : module.getOps<dl::StateOp>()) {
      const Tensor &value = states[state.getSymName()];
      outcome.states[state.getSymName().str()] =
          state.getLayout() ? permute(value, invertPermutationVector(*state.getLayout())) : value;
    }
    return outcome;
  }

  static void expectEqual(const Tensor &actual, const Tensor &expected, const std::string &what) {
    ASSERT_EQ(actual.size(), expected.size()) << what;
    double largest = 0;
    for (int64_t i = 0; i < actual.size(); ++i)
      largest = std::max(largest, std::abs(actual.number(i) - expected.number(i)));
    EXPECT_LE(largest, 1e-10) << what; // f64; sums over time are added in another order
  }

  void expectSame(const Outcome &actual, const Outcome &expected) {
    ASSERT_EQ(actual.results.size(), expected.results.size());
    for (size_t i = 0; i < actual.results.size(); ++i)
      expectEqual(actual.results[i], expected.results[i], "result " + std::to_string(i));
    for (auto &[name, state] : expected.states)
      expectEqual(actual.states.at(name), state, name);
  }

  /// Runs every pass on `file`, comparing after each.
  void check(const std::string &file, const FormDispatchesPassOptions &options) {
    OwningOpRef<ModuleOp> module = parse(file);
    Outcome expected = evaluate(*module);
    std::unique_ptr<Pass> passes[] = {autodiff::createHoistScanAccumulationsPass(), createSimplifyPass(),
                                      createChooseLayoutsPass(), createFormDispatchesPass(options)};
    for (std::unique_ptr<Pass> &pass : passes) {
      SCOPED_TRACE(pass->getArgument().str());
      PassManager manager(&context);
      manager.addPass(std::move(pass));
      ASSERT_TRUE(succeeded(manager.run(*module)));
      expectSame(evaluate(*module), expected);
    }
    SCOPED_TRACE("planMemory");
    FailureOr<memory::Schedule> schedule = memory::planMemory(*module->getOps<func::FuncOp>().begin());
    ASSERT_TRUE(succeeded(schedule));
    expectSame(evaluate(*module), expected);
    EXPECT_EQ(memory::verifySchedule(*schedule, symbols), std::nullopt);
  }

  MLIRContext context;
  memory::SymbolValues symbols{{"n", 2}, {"t", 3}};
  std::mt19937 random;
};

FormDispatchesPassOptions with(const std::string &scan, bool fuseUpdates) {
  FormDispatchesPassOptions options;
  options.scan = scan;
  options.fuseUpdates = fuseUpdates;
  return options;
}

TEST_F(Equivalence, ConvolutionalStep) {
  check("mnist-step.mlir", with("auto", true));
}
TEST_F(Equivalence, ConvolutionalStepWithUpdatesApart) {
  check("mnist-step.mlir", with("auto", false));
}
TEST_F(Equivalence, StepWithResidentLayout) {
  check("choose-layouts-step.mlir", with("auto", true));
}
TEST_F(Equivalence, RecurrentStepInLoops) {
  check("rnn-step.mlir", with("loop", true));
}
TEST_F(Equivalence, RecurrentStepInDispatches) {
  check("rnn-step.mlir", with("dispatch", true));
}

} // namespace
} // namespace dlc::test
