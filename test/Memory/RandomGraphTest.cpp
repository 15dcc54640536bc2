// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random training steps through every phase: differentiated, simplified, laid out, formed into dispatches,
// planned, verified, compiled for every CPU variant of this machine and run; results and states are compared
// with the reference in f64, and bit by bit between variants; of a third of them, kernels also run by
// themselves on guarded buffers. A failure prints its seed, the program, and the command that repeats it;
// DLC_RANDOM_SEEDS=FIRST-LAST runs others, about four a second.

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
    llvm::EnablePrettyStackTrace(); // A crash prints its program, too.
    llvm::sys::PrintStackTraceOnErrorSignal("RandomGraphTest");
    context.getDiagEngine().registerHandler([](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        ADD_FAILURE() << diagnostic.str();
      return success();
    });
  }

  /// Runs the programs of these seeds, or of those that the environment names, up to the first that fails.
  /// `scan` is the option of dl-form-dispatches; for loops, programs without scans are left out, of which at
  /// least `least` must remain.
  void check(unsigned first, unsigned last, const std::string &scan, unsigned least) {
    if (const char *wanted = getenv("DLC_RANDOM_SEEDS")) {
      auto [low, high] = StringRef(wanted).split('-');
      ASSERT_FALSE(low.getAsInteger(10, first) || high.getAsInteger(10, last))
          << "DLC_RANDOM_SEEDS=" << wanted << ": expected FIRST-LAST";
      least = 0;
    }
    unsigned ran = 0;
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
      run(graph, scan, /*kernelsAlone=*/least == 0 || seed % 3 == 0);
      if (HasFailure())
        FAIL() << story;
      ++ran;
    }
    EXPECT_GE(ran, least) << "of the seeds " << first << " to " << last;
  }

  void run(const RandomGraph &graph, const std::string &scan, bool kernelsAlone) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(graph.text, &context);
    ASSERT_TRUE(module);
    // 1. The phases of compiler/Pipeline.cpp and compiler/VariantCompiler.cpp.
    PassManager front(&context), back(&context);
    front.addPass(autodiff::createDifferentiatePass());
    ASSERT_TRUE(succeeded(front.run(*module)));
    OwningOpRef<ModuleOp> original = module->clone();
    back.addPass(createCanonicalizerPass());
    back.addPass(createCSEPass());
    back.addPass(autodiff::createHoistScanAccumulationsPass());
    back.addPass(createSimplifyPass());
    back.addPass(createChooseLayoutsPass());
    FormDispatchesPassOptions options;
    options.scan = scan;
    back.addPass(createFormDispatchesPass(options));
    ASSERT_TRUE(succeeded(back.run(*module)));
    if (kernelsAlone)
      checkKernels(*module, graph);
    FailureOr<memory::Schedule> schedule = memory::planMemory(*module->getOps<func::FuncOp>().begin());
    ASSERT_TRUE(succeeded(schedule));
    EXPECT_EQ(memory::verifySchedule(*schedule, graph.symbols), std::nullopt);

    // 2. What the reference makes of the program.
    ScheduleRunner runner(*schedule, graph.symbols);
    uint64_t random = 1;
    auto randomTensor = [&](Type type) {
      Tensor tensor = runner.emptyTensor(type);
      for (reference::Element &element : tensor.elements) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        element.real = static_cast<double>(random >> 40) * 0x1p-23 - 1; // [-1, 1), exact in f32
      }
      return tensor;
    };
    auto entry = *original->getOps<func::FuncOp>().begin();
    std::vector<Tensor> inputs;
    for (auto [type, block] : llvm::zip_equal(entry.getArgumentTypes(), runner.arguments)) {
      inputs.push_back(randomTensor(type));
      write(inputs.back(), block.data);
    }
    reference::States initial;
    for (auto state : original->getOps<dl::StateOp>())
      initial[state.getSymName()] = randomTensor(state.getType());
    reference::Symbols symbols;
    for (auto &symbol : graph.symbols)
      symbols[symbol.getKey()] = symbol.getValue();
    reference::States expectedStates = initial;
    auto expected = reference::evaluate(entry, inputs, expectedStates, symbols);
    ASSERT_TRUE(succeeded(expected));

    // 3. What the kernels make of it.
    std::vector<std::vector<char>> firstBits;
    for (const std::string &variant : KernelTestbed::variants()) {
      for (Block &block : runner.results)
        std::fill(block.storage.begin(), block.storage.end(), 0x7B);
      for (auto [state, block] : llvm::zip_equal(schedule->states, runner.states)) {
        Tensor resident = inLayout(initial[state.getSymName()], state);
        write(resident, block.data);
      }
      ASSERT_TRUE(runner.run(variant));
      std::vector<std::vector<char>> bits;
      for (auto [i, result] : llvm::enumerate(*expected)) {
        expectClose(result, runner.results[i], variant + ", result " + std::to_string(i));
        bits.push_back(runner.results[i].storage);
      }
      for (auto [state, block] : llvm::zip_equal(schedule->states, runner.states)) {
        std::string name = state.getSymName().str();
        expectClose(inLayout(expectedStates[name], state), block, variant + ", state " + name);
        bits.push_back(block.storage);
      }
      if (firstBits.empty())
        firstBits = bits;
      EXPECT_TRUE(bits == firstBits) << variant << " has other bits than " << KernelTestbed::variants()[0];
    }
  }

  /// Each kernel by itself: the schedule's buffers lie side by side, these end and begin at pages that must
  /// not be touched.
  static void checkKernels(ModuleOp module, const RandomGraph &graph) {
    KernelTestbed testbed;
    testbed.compareWithReference = false; // The whole is compared; by itself a kernel may meet a pole.
    Symbols symbols;
    for (auto &symbol : graph.symbols)
      symbols[symbol.getKey().str()] = symbol.getValue();
    OwningOpRef<ModuleOp> isolated = ModuleOp::create(module.getLoc());
    module.walk(
        [&](dl::DispatchOp dispatch) { testbed.run(KernelTestbed::isolate(dispatch, *isolated), symbols); });
  }

  static void expectClose(Tensor expected, Block &block, const std::string &what) {
    double largest = 1;
    for (const reference::Element &element : expected.elements)
      largest = std::max(largest, std::abs(element.real));
    EXPECT_LE(largestDifference(expected, block.data, largest), kTolerance) << what;
  }

  /// The elements in the order in which the variant keeps them.
  static Tensor inLayout(const Tensor &logical, dl::StateOp state) {
    std::optional<ArrayRef<int64_t>> layout = state.getLayout();
    if (!layout)
      return logical;
    reference::Shape shape, steps = reference::rowMajorStrides(logical.shape);
    for (int64_t axis : *layout)
      shape.push_back(logical.shape[axis]);
    Tensor resident(logical.elementType, shape);
    reference::Shape strides = reference::rowMajorStrides(shape);
    for (int64_t i = 0; i < static_cast<int64_t>(resident.elements.size()); ++i) {
      int64_t from = 0;
      for (auto [axis, source] : llvm::enumerate(*layout))
        from += i / strides[axis] % shape[axis] * steps[source];
      resident.elements[i] = logical.elements[from];
    }
    return resident;
  }

  MLIRContext context;
};

TEST_F(RandomGraphs, WithScansWhereTheyFit) {
  check(1, 25, "auto", 25);
}

TEST_F(RandomGraphs, WithScansAsLoops) {
  check(1020, 1059, "loop", 10);
}

} // namespace
} // namespace dlc::test
