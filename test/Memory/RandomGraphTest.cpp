// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random programs and their gradients through every phase: differentiated, simplified, formed into
// dispatches, planned, verified, compiled for every CPU variant of this machine and run; compared with the
// reference in f64, and bit by bit between variants. A failure prints its seed, the program, and the command
// that repeats it; DLC_RANDOM_SEEDS=FIRST-LAST runs others, about eight a second.

#include "test/Memory/RandomGraph.h"
#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Reference/Evaluator.h"
#include "compiler/Transforms/Passes.h"
#include "test/Memory/ScheduleRunner.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/Signals.h"
#include <gtest/gtest.h>

#include <cstdlib>

namespace dlc::test {
namespace {

using namespace mlir;
using reference::Tensor;

/// Relative to the largest magnitude of a result, but to 1 at least: f32 against f64.
constexpr double kTolerance = 1e-4;

class RandomGraphs : public ::testing::Test {
protected:
  RandomGraphs() : context(MLIRContext::Threading::DISABLED) {
    DialectRegistry registry;
    registry.insert<dl::DlDialect, func::FuncDialect>();
    codegen::registerCodegenDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    llvm::sys::PrintStackTraceOnErrorSignal("RandomGraphTest");
    context.getDiagEngine().registerHandler([](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        ADD_FAILURE() << diagnostic.str();
      return success();
    });
  }

  /// Runs the programs of these seeds, or of those that the environment names, up to the first that fails.
  /// `scan` is the option of dl-form-dispatches; for loops, programs without scans are left out.
  void check(unsigned first, unsigned last, const std::string &scan) {
    if (const char *wanted = getenv("DLC_RANDOM_SEEDS")) {
      auto [low, high] = StringRef(wanted).split('-');
      ASSERT_FALSE(low.getAsInteger(10, first) || high.getAsInteger(10, last))
          << "DLC_RANDOM_SEEDS=" << wanted << ": expected FIRST-LAST";
    }
    for (unsigned seed = first; seed <= last; ++seed) {
      RandomGraph graph = makeRandomGraph(context, seed);
      if (scan == "loop" && !StringRef(graph.text).contains("dl.scan"))
        continue;
      std::string sizes;
      for (auto &symbol : graph.symbols)
        sizes += (sizes.empty() ? "" : " ") + symbol.getKey().str() + "=" + std::to_string(symbol.getValue());
      std::string seedText = std::to_string(seed);
      std::string story = "seed " + seedText + " (" + sizes + "):\n" + graph.text +
                          "repeat: DLC_RANDOM_SEEDS=" + seedText + "-" + seedText +
                          " build/test/RandomGraphTest --gtest_filter='*." +
                          testing::UnitTest::GetInstance()->current_test_info()->name() + "'\n";
      // Says the same when the compiler or a kernel crashes.
      llvm::PrettyStackTraceString crash(story.c_str());
      run(graph, scan);
      if (HasFailure())
        FAIL() << story;
    }
  }

  void run(const RandomGraph &graph, const std::string &scan) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(graph.text, &context);
    ASSERT_TRUE(module);
    PassManager front(&context), back(&context);
    front.addPass(autodiff::createDifferentiatePass());
    ASSERT_TRUE(succeeded(front.run(*module)));
    OwningOpRef<ModuleOp> original = module->clone();
    back.addPass(autodiff::createHoistScanAccumulationsPass());
    back.addPass(createCanonicalizerPass());
    back.addPass(createCSEPass());
    back.addPass(createSimplifyPass());
    FormDispatchesPassOptions options;
    options.scan = scan;
    back.addPass(createFormDispatchesPass(options));
    ASSERT_TRUE(succeeded(back.run(*module)));
    FailureOr<memory::Schedule> schedule = memory::planMemory(*module->getOps<func::FuncOp>().begin());
    ASSERT_TRUE(succeeded(schedule));
    EXPECT_EQ(memory::verifySchedule(*schedule, graph.symbols), std::nullopt);

    ScheduleRunner runner(*schedule, graph.symbols);
    auto entry = *original->getOps<func::FuncOp>().begin();
    std::vector<Tensor> inputs;
    uint64_t random = 1;
    for (auto [type, block] : llvm::zip_equal(entry.getArgumentTypes(), runner.arguments)) {
      Tensor tensor = runner.emptyTensor(type);
      for (reference::Element &element : tensor.elements) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        element.real = static_cast<double>(random >> 40) * 0x1p-23 - 1; // [-1, 1)
      }
      write(tensor, block.data);
      inputs.push_back(std::move(tensor));
    }
    reference::Symbols symbols;
    for (auto &symbol : graph.symbols)
      symbols[symbol.getKey()] = symbol.getValue();
    reference::States states;
    auto expected = reference::evaluate(entry, inputs, states, symbols);
    ASSERT_TRUE(succeeded(expected));

    std::vector<std::vector<char>> firstBits;
    for (const std::string &variant : KernelTestbed::variants()) {
      for (Block &block : runner.results)
        std::fill(block.storage.begin(), block.storage.end(), 0x7B);
      ASSERT_TRUE(runner.run(variant));
      for (auto [i, result] : llvm::enumerate(*expected)) {
        double largest = 1;
        for (const reference::Element &element : result.elements)
          largest = std::max(largest, std::abs(element.real));
        EXPECT_LE(largestDifference(result, runner.results[i].data, largest), kTolerance)
            << variant << ", result " << i;
      }
      if (firstBits.empty())
        for (Block &block : runner.results)
          firstBits.push_back(block.storage);
      for (auto [i, block] : llvm::enumerate(runner.results))
        EXPECT_TRUE(block.storage == firstBits[i]) << "result " << i << " differs between variants";
    }
  }

  MLIRContext context;
};

TEST_F(RandomGraphs, WithScansWhereTheyFit) {
  check(1, 40, "auto");
}

TEST_F(RandomGraphs, WithScansAsLoops) {
  check(1000, 1049, "loop");
}

} // namespace
} // namespace dlc::test
