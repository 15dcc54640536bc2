// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole training steps, planned and compiled, run command by command on memory laid out by the plan; results
// and states are compared with the reference's evaluation of the original program. No runtime takes part.

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Reference/Evaluator.h"
#include "compiler/Transforms/Passes.h"
#include "test/Memory/ScheduleRunner.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <gtest/gtest.h>

#include <random>

namespace dlc::memory {
namespace {

using namespace mlir;
using reference::Tensor;

class RunSchedule : public ::testing::Test {
protected:
  RunSchedule() : context(MLIRContext::Threading::DISABLED) {
    DialectRegistry registry;
    registry.insert<dl::DlDialect, func::FuncDialect>();
    codegen::registerCodegenDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  Tensor randomTensor(Tensor tensor) {
    for (reference::Element &element : tensor.elements) {
      element.real = std::uniform_real_distribution<float>(0.01f, 0.1f)(random);
      element.integer = random() % 10;
    }
    return tensor;
  }

  void check(const std::string &file, const std::string &scan, const std::string &variant) {
    OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(DLC_TEST_DIR "/Transforms/" + file, &context);
    ASSERT_TRUE(module);
    PassManager front(&context), back(&context);
    front.addPass(autodiff::createDifferentiatePass());
    front.addPass(createCanonicalizerPass());
    back.addPass(autodiff::createHoistScanAccumulationsPass());
    back.addPass(createSimplifyPass());
    FormDispatchesPassOptions options;
    options.scan = scan;
    back.addPass(createFormDispatchesPass(options));
    ASSERT_TRUE(succeeded(front.run(*module)));
    OwningOpRef<ModuleOp> original = module->clone();

    // 1. The plan, its kernels and their memory.
    ASSERT_TRUE(succeeded(back.run(*module)));
    FailureOr<Schedule> schedule = planMemory(*module->getOps<func::FuncOp>().begin());
    ASSERT_TRUE(succeeded(schedule));
    ASSERT_EQ(verifySchedule(*schedule, symbols), std::nullopt);
    test::ScheduleRunner runner(*schedule, symbols);

    // 2. Expected.
    reference::States expectedStates;
    for (auto [state, block] : llvm::zip_equal(schedule->states, runner.states)) {
      Tensor tensor = randomTensor(runner.emptyTensor(state.getType()));
      test::write(tensor, block.data);
      expectedStates[state.getSymName()] = tensor;
    }
    auto entry = *original->getOps<func::FuncOp>().begin();
    std::vector<Tensor> inputs;
    for (auto [type, block] : llvm::zip_equal(entry.getArgumentTypes(), runner.arguments)) {
      inputs.push_back(randomTensor(runner.emptyTensor(type)));
      test::write(inputs.back(), block.data);
    }
    reference::Symbols values;
    for (auto &symbol : symbols)
      values[symbol.getKey()] = symbol.getValue();
    auto expected = reference::evaluate(entry, inputs, expectedStates, values);
    ASSERT_TRUE(succeeded(expected));

    // 3. Compare: f32 against f64.
    ASSERT_TRUE(runner.run(variant));
    for (auto [i, result] : llvm::enumerate(*expected))
      EXPECT_LE(test::largestDifference(result, runner.results[i].data, 0.01), 2e-4) << "result " << i;
    for (auto [i, state] : llvm::enumerate(schedule->states))
      EXPECT_LE(test::largestDifference(expectedStates[state.getSymName()], runner.states[i].data, 0.01),
                2e-4)
          << state.getSymName().str();
  }

  MLIRContext context;
  SymbolValues symbols{{"n", 5}, {"t", 4}};
  std::mt19937 random{11};
};

TEST_F(RunSchedule, ConvolutionalStep) {
  check("mnist-step.mlir", "auto", test::KernelTestbed::variants().back());
}
TEST_F(RunSchedule, RecurrentStepInLoops) {
  check("rnn-step.mlir", "loop", test::KernelTestbed::variants().back());
}
TEST_F(RunSchedule, RecurrentStepInDispatches) {
  check("rnn-step.mlir", "dispatch", test::KernelTestbed::variants().front());
}
TEST_F(RunSchedule, ElementsOfStridedStacks) {
  for (const std::string &variant : test::KernelTestbed::variants())
    check("strided-stacks.mlir", "loop", variant);
}

} // namespace
} // namespace dlc::memory
